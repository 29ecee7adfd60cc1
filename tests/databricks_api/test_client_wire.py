"""Documents are read whatever becomes of them, and kept as they came."""

import copy
import json
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.databricks_api import wire
from tests.databricks_api.documents import (
    DOCUMENTED,
    EXTERNAL,
    FIRST_DEPLOYMENT,
    FOUNDATION,
    LISTED,
    SAMPLES,
    json_values,
    spoiled,
    unhurried,
)

SHAPES = [wire.Endpoint, wire.State, wire.Config, wire.ServedEntity, wire.Route, wire.Tag]


def test_the_documented_endpoint_is_read_whole():
    endpoint = wire.Endpoint.parse(DOCUMENTED)
    assert endpoint.name == "unity-model-endpoint"
    assert endpoint.id == "x" * 32
    assert endpoint.creator == "customer@example.com"
    assert endpoint.created_at == datetime(2022, 10, 27, 0, 4, 15, tzinfo=UTC)
    assert endpoint.permission_level == "CAN_MANAGE"
    assert endpoint.state.ready == "READY"
    assert endpoint.state.config_update == "NOT_UPDATING", "read from update_state"
    assert endpoint.state.suspend is None
    assert endpoint.pending_config is None
    assert endpoint.config is not None
    assert endpoint.config.version == 1
    (entity,) = endpoint.config.entities
    assert (entity.name, entity.entity_version) == ("my-ads-model", "1")
    assert entity.entity_name == "myCatalog.mySchema.my-ads-model"
    assert entity.scale_to_zero is False
    assert entity.deployment == "DEPLOYMENT_READY"
    assert entity.deployment_message == ""
    (route,) = endpoint.config.routes
    assert route.served_entity_name == "my-ads-model", "read from served_model_name"
    assert route.traffic_percentage == 100


def test_a_list_item_is_read_with_what_it_has():
    endpoint = wire.Endpoint.parse(LISTED)
    assert endpoint.creator_display_name == "Ann"
    assert endpoint.description == ""
    assert endpoint.route_optimized is False
    assert endpoint.state.suspend == "NOT_SUSPENDED"
    assert endpoint.state.system_update_failure is False
    assert endpoint.budget_policy_id == LISTED["usage_policy_id"]
    assert [(tag.key, tag.value) for tag in endpoint.tags] == [
        ("team", "growth"),
        ("tier-1", None),
    ]
    assert endpoint.config is not None
    assert endpoint.config.version is None
    assert len(endpoint.config.entities) == 1


def test_a_first_deployment_has_a_pending_config_and_no_config():
    endpoint = wire.Endpoint.parse(FIRST_DEPLOYMENT)
    assert endpoint.config is None
    assert endpoint.pending_config is not None
    assert endpoint.pending_config.version == 1
    assert endpoint.pending_config.started_at == datetime(2025, 2, 5, 8, 15, 36, tzinfo=UTC)
    (entity,) = endpoint.pending_config.entities
    assert entity.workload_size == "Small"
    assert entity.deployment == "DEPLOYMENT_CREATING"
    assert entity.environment == {"KEY": "{{secrets/scope/key}}", "MODE": "fast"}


def test_external_and_foundation_models_are_told_by_their_own_fields():
    (external,) = wire.Endpoint.parse(EXTERNAL).config.entities
    assert (external.external_provider, external.external_name) == ("openai", "gpt-4o")
    foundation = wire.Endpoint.parse(FOUNDATION)
    assert foundation.id is None
    (entity,) = foundation.config.entities
    assert entity.foundation_name == "system.ai.llama"
    assert entity.foundation_display_name == "Meta Llama"


@pytest.mark.parametrize("missing", [{}, {"config": None}, {"config": "x"}, {"config": [1]}])
def test_no_config_is_told_from_an_empty_one(missing):
    assert wire.Endpoint.parse({"name": "a", **missing}).config is None
    empty = wire.Endpoint.parse({"name": "a", "config": {}}).config
    assert empty is not None
    assert (empty.version, empty.entities, empty.routes) == (None, (), ())


def test_older_documents_with_served_models_only_are_read():
    config = wire.Config.parse(
        {"served_models": [{"name": "m", "model_name": "model", "model_version": 7}]}
    )
    (entity,) = config.entities
    assert (entity.entity_name, entity.entity_version) == ("model", "7")


def test_numbers_and_booleans_are_read_from_strings():
    config = wire.Config.parse(
        {
            "config_version": "12",
            "served_entities": [{"scale_to_zero_enabled": "false", "entity_version": 3}],
            "traffic_config": {"routes": [{"traffic_percentage": "100"}]},
        }
    )
    assert config.version == 12
    assert config.entities[0].scale_to_zero is False
    assert config.entities[0].entity_version == "3"
    assert config.routes[0].traffic_percentage == 100


def test_unknown_keys_and_values_pass_through():
    endpoint = wire.Endpoint.parse(
        {"name": "a", "state": {"ready": "DEGRADED"}, "endpoint_type": "NEW", "flavour": "mint"}
    )
    assert endpoint.state.ready == "DEGRADED"
    assert endpoint.endpoint_type == "NEW"
    assert endpoint.raw["flavour"] == "mint"


def test_the_newer_key_wins_over_the_older_one():
    state = wire.State.parse({"config_update": "IN_PROGRESS", "update_state": "NOT_UPDATING"})
    assert state.config_update == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        (7.0, 7),
        ("7", 7),
        (" 7 ", 7),
        ("7.0", 7),
        (-1, -1),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        ("9" * 25, None),
        pytest.param(10**5000, None, id="huge"),
        (7.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("٣", None),
        ("seven", None),
        ("", None),
        (None, None),
        ([7], None),
    ],
)
def test_whole_numbers(value, number):
    assert wire.int_or_none(value) == number


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("False ", False),
        ("yes", None),
        (1, None),
        (None, None),
        ({}, None),
    ],
)
def test_booleans(value, truth):
    assert wire.bool_or_none(value) is truth


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("", ""),
        (3, "3"),
        (3.0, "3"),
        (0.5, "0.5"),
        (float("nan"), None),
        pytest.param(10**5000, None, id="huge"),
        (True, None),
        (None, None),
        (["a"], None),
        ({"a": 1}, None),
    ],
)
def test_texts(value, text):
    assert wire.str_or_none(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1738743336000, datetime(2025, 2, 5, 8, 15, 36, tzinfo=UTC)),
        ("1738743336000", datetime(2025, 2, 5, 8, 15, 36, tzinfo=UTC)),
        (1738743336, None),
        (0, None),
        (-1, None),
        (2**62, None),
        (10**30, None),
        ("yesterday", None),
        (None, None),
        (True, None),
    ],
)
def test_times_are_utc_and_absurd_ones_are_left_out(value, moment):
    assert wire.time_or_none(value) == moment


def assert_typed(value: object) -> None:
    """Whatever came in, what is read has the declared kinds of value."""
    assert is_dataclass(value)
    for item in fields(value):
        content = getattr(value, item.name)
        if item.name in ("raw", "environment"):
            assert isinstance(content, dict)
        elif isinstance(content, tuple):
            for part in content:
                assert_typed(part)
        elif is_dataclass(content):
            assert_typed(content)
        else:
            assert content is None or isinstance(content, str | int | bool | datetime)


@unhurried
@given(spoiled())
def test_a_spoiled_document_is_still_read(document):
    before = copy.deepcopy(document)
    endpoint = wire.Endpoint.parse(document)
    assert_typed(endpoint)
    assert endpoint.raw is document
    assert repr(document) == repr(before)


@pytest.mark.parametrize("shape", SHAPES)
@unhurried
@given(value=json_values)
def test_any_json_value_is_read_as_anything(shape, value):
    parsed = shape.parse(value)
    assert_typed(parsed)
    assert parsed.raw == (value if isinstance(value, dict) else {}) or "nan" in repr(value)


@unhurried
@given(st.dictionaries(st.sampled_from(sorted(LISTED)), json_values))
def test_a_known_key_may_hold_anything(document):
    assert_typed(wire.Endpoint.parse(document))


@pytest.mark.parametrize("document", SAMPLES)
def test_every_part_keeps_its_own_object(document):
    endpoint = wire.Endpoint.parse(document)
    assert endpoint.raw is document
    assert endpoint.state.raw is document["state"]
    for key, config in (("config", endpoint.config), ("pending_config", endpoint.pending_config)):
        if config is not None:
            assert config.raw is document[key]
            for entity, raw in zip(config.entities, document[key]["served_entities"], strict=True):
                assert entity.raw is raw


def test_documents_are_frozen_and_show_no_values_of_environment_variables():
    endpoint = wire.Endpoint.parse(json.loads(json.dumps(FIRST_DEPLOYMENT)))
    with pytest.raises(FrozenInstanceError):
        endpoint.name = "other"
    assert "secrets/scope" not in repr(endpoint)
