"""The wire form of endpoints: what a list holds, what only a GET holds, and the odd kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"
THIN = {"name", "entity_name", "entity_version", "type", "external_model", "foundation_model"}


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key of a document with its value, however deep."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield key, child
            yield from everything(child)
    elif isinstance(value, list):
        for child in value:
            yield from everything(child)


def test_a_list_is_thin(api: Api) -> None:
    for item in api.listed().values():
        assert "pending_config" not in item
        assert set(item.get("config", {})) <= {"served_entities", "served_models"}
        for entity in item.get("config", {}).get("served_entities", []):
            assert set(entity) <= THIN


def test_a_list_agrees_with_each_endpoint(api: Api) -> None:
    for name, item in api.listed().items():
        detailed = api.endpoint(name)
        for key in item.keys() - {"config", "usage_policy_id"}:
            assert item[key] == detailed[key]
        assert item.get("usage_policy_id") == detailed.get("budget_policy_id")


def test_a_list_shows_a_change_at_once(api: Api, clock: Clock) -> None:
    assert api.listed()[RUNNING]["state"]["suspend"] == "NOT_SUSPENDED"
    api.operate(RUNNING, "stop")
    clock.seconds += 16
    assert api.listed()[RUNNING]["state"]["suspend"] == "STOPPED"


def test_a_list_is_the_same_with_a_slash_at_its_end(api: Api) -> None:
    assert api.get(f"{B}/").text == api.get(B).text


def test_timestamps_are_milliseconds_of_whole_seconds(api: Api, clock: Clock) -> None:
    api.create("new")
    found = 0
    for name in api.listed():
        for key, value in everything(api.endpoint(name)):
            if key.endswith("_timestamp") or key == "start_time":
                assert isinstance(value, int)
                assert value % 1000 == 0
                assert 1_600_000_000_000 < value <= clock.seconds * 1000
                found += 1
    assert found > 60


def test_every_config_says_the_same_under_the_old_names(api: Api) -> None:
    old = {"entity_name": "model_name", "entity_version": "model_version"}
    for name in api.listed():
        document = api.endpoint(name)
        for config in (document.get("config"), document.get("pending_config")):
            if config:
                assert config["served_models"] == [
                    {old.get(key, key): value for key, value in entity.items()}
                    for entity in config["served_entities"]
                ]
                for route in config.get("traffic_config", {}).get("routes", []):
                    assert route["served_model_name"] == route["served_entity_name"]


def test_every_split_of_traffic_is_whole_and_names_the_entities(api: Api) -> None:
    for name in api.listed():
        config = api.endpoint(name).get("config", {})
        if "traffic_config" in config:
            routes = config["traffic_config"]["routes"]
            assert sum(route["traffic_percentage"] for route in routes) == 100
            assert {route["served_entity_name"] for route in routes} == {
                entity["name"] for entity in config["served_entities"]
            }


def test_a_pay_per_token_endpoint_has_no_id_creator_or_suspend(api: Api) -> None:
    document = api.endpoint("databricks-gte-large-en")
    assert document["endpoint_type"] == "FOUNDATION_MODEL_API"
    assert document["task"] == "llm/v1/embeddings"
    assert document.keys().isdisjoint({"id", "creator", "creator_kind", "pending_config"})
    assert document["state"] == {"ready": "READY", "config_update": "NOT_UPDATING"}
    (entity,) = document["config"]["served_entities"]
    assert entity["type"] == "FOUNDATION_MODEL"
    assert entity["foundation_model"]["display_name"]


def test_an_agent_of_the_platform_has_an_empty_config(api: Api) -> None:
    for document in (api.endpoint("claims-triage-agent"), api.listed()["claims-triage-agent"]):
        assert document["config"] == {}
        assert document["task"] == "agent/v1/responses"
        assert document["tile_endpoint_metadata"]["tile_id"]
        assert "suspend" not in document["state"]


def test_an_external_model_has_no_entity_name(api: Api) -> None:
    document = api.endpoint("gpt-4o-proxy")
    assert document["endpoint_type"] == "EXTERNAL_MODEL"
    (entity,) = document["config"]["served_entities"]
    assert entity["type"] == "EXTERNAL_MODEL"
    assert entity["external_model"]["provider"] == "openai"
    assert "entity_name" not in entity
    assert "budget_policy_id" not in document


def test_a_feature_spec_has_no_version(api: Api) -> None:
    (entity,) = api.endpoint("geo-features")["config"]["served_entities"]
    assert entity["entity_name"] == "prod.maps.geo_features"
    assert "entity_version" not in entity


def test_an_endpoint_may_have_no_config_at_all(api: Api) -> None:
    document = api.endpoint("pricing-sandbox")
    assert document.keys().isdisjoint({"config", "pending_config"})
    assert document["state"]["ready"] == "NOT_READY"


def test_an_idle_endpoint_is_ready_and_says_scaled_to_zero(api: Api) -> None:
    document = api.endpoint("customer-ltv")
    assert document["state"]["ready"] == "READY"
    (entity,) = document["config"]["served_entities"]
    assert entity["state"]["deployment_state_message"] == "Scaled to zero"


def test_one_endpoint_reports_a_state_that_nobody_knows(api: Api) -> None:
    assert api.state("kyc-face-match")[0] not in ("READY", "NOT_READY")


def test_entities_and_routes_may_be_sent_under_the_old_names(api: Api) -> None:
    config = {
        "served_models": [
            {"name": "b", "model_name": "ml.prod.m", "model_version": 2, "workload_size": "Large"},
            {"name": "a", "model_name": "ml.prod.m", "model_version": "1"},
        ],
        "traffic_config": {
            "routes": [
                {"served_model_name": "a", "traffic_percentage": 30},
                {"served_model_name": "b", "traffic_percentage": "70"},
            ]
        },
    }
    pending = api.create("new", config=config).json()["pending_config"]
    assert [
        (it["name"], it["entity_name"], it["entity_version"], it["workload_size"])
        for it in pending["served_entities"]
    ] == [("a", "ml.prod.m", "1", "Small"), ("b", "ml.prod.m", "2", "Large")]
    assert pending["traffic_config"]["routes"][1] == {
        "served_model_name": "b",
        "served_entity_name": "b",
        "traffic_percentage": 70,
    }


def test_plaintext_secrets_are_never_echoed(api: Api) -> None:
    external = {
        "name": "gpt-4.1",
        "provider": "openai",
        "task": "llm/v1/chat",
        "openai_config": {
            "openai_api_key_plaintext": "sk-canary",
            "openai_api_key": "{{secrets/scope/key}}",
        },
    }
    api.create("proxy", config={"served_entities": [{"external_model": external}]})
    answer = api.get(f"{B}/proxy")
    assert "sk-canary" not in answer.text
    assert "{{secrets/scope/key}}" in answer.text
    assert answer.json()["pending_config"]["served_entities"][0]["name"] == "gpt-4-1"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("", {"object_type": "serving-endpoint"}),
        ("/permissionLevels", {}),
    ],
)
def test_permissions_are_read_by_id(api: Api, path: str, answer: dict[str, str]) -> None:
    endpoint = api.endpoint(RUNNING)
    document = api.get(f"/api/2.0/permissions/serving-endpoints/{endpoint['id']}{path}").json()
    assert answer.items() <= document.items()
    levels = [value for key, value in everything(document) if key == "permission_level"]
    assert set(levels) <= {"CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"}
    assert "CAN_MANAGE" in levels
    unknown = api.get(f"/api/2.0/permissions/serving-endpoints/{RUNNING}{path}")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
