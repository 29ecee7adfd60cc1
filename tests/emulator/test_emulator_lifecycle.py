"""Create, update, stop, start and delete, as the platform goes through them."""

from __future__ import annotations

import pytest

from endpoints_app.emulator import Running
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"

READY = ("READY", "NOT_UPDATING", "NOT_SUSPENDED")
STOPPED = ("NOT_READY", "NOT_UPDATING", "STOPPED")
COMING = ("NOT_READY", "IN_PROGRESS", "NOT_SUSPENDED")
UPDATING = ("READY", "IN_PROGRESS", "NOT_SUSPENDED")
FAILED = ("NOT_READY", "UPDATE_FAILED", "NOT_SUSPENDED")

CPU = {"served_entities": [{"entity_name": "ml.prod.model", "entity_version": "2"}]}
GPU = {"served_entities": [CPU["served_entities"][0] | {"workload_type": "GPU_SMALL"}]}
RUNNING = "basket-recommender"
IN_A_STOPPED = "card-ocr-v1"


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "at_once", "then"),
    [
        ("new", "POST", "", CPU, COMING, [(479, COMING), (481, READY)]),
        ("new", "POST", "", GPU, COMING, [(1499, COMING), (1501, READY)]),
        ("new", "POST", "", None, ("NOT_READY", "NOT_UPDATING", "NOT_SUSPENDED"), []),
        (RUNNING, "PUT", "/config", CPU, UPDATING, [(359, UPDATING), (361, READY)]),
        (RUNNING, "PUT", "/config", GPU, UPDATING, [(1199, UPDATING), (1201, READY)]),
        (RUNNING, "POST", "/config:stop", None, READY, [(14, READY), (16, STOPPED)]),
        (IN_A_STOPPED, "POST", "/config:stop", None, STOPPED, [(60, STOPPED)]),
        (IN_A_STOPPED, "POST", "/config:start", None, COMING, [(419, COMING), (421, READY)]),
        ("ab-test-2025-q4", "POST", "/config:start", None, COMING, [(98, COMING), (100, READY)]),
        (IN_A_STOPPED, "PUT", "/config", CPU, STOPPED, [(3600, STOPPED)]),
        ("lead-scoring", "PUT", "/config", CPU, UPDATING, [(361, ("READY", *FAILED[1:]))]),
        ("vision-defects", "POST", "/config:start", None, COMING, [(421, STOPPED)]),
        ("churn", "GET", "", None, COMING, [(58, COMING), (60, READY)]),
        ("invoice-extract", "GET", "", None, COMING, [(659, COMING), (661, READY)]),
        ("credit-limit", "GET", "", None, UPDATING, [(839, UPDATING), (841, READY)]),
        ("sentiment-ja", "GET", "", None, UPDATING, [(86_400, UPDATING)]),
    ],
)
def test_an_endpoint_goes_through_the_states_of_the_platform(
    api: Api,
    clock: Clock,
    name: str,
    method: str,
    path: str,
    body: dict[str, object] | None,
    at_once: tuple[str, str, str],
    then: list[tuple[int, tuple[str, str, str]]],
) -> None:
    began = clock.seconds
    if name == "new":
        answer = api.post(B, json={"name": name} | ({"config": body} if body else {}))
    else:
        answer = api.request(method, f"{B}/{name}{path}", json=body)
    assert answer.status_code == 200, answer.text
    assert api.state(name) == at_once
    for seconds, state in then:
        clock.seconds = began + seconds
        assert api.state(name) == state, seconds


def test_the_answer_to_an_operation_is_the_endpoint_as_it_now_is(api: Api) -> None:
    for action, name in (("stop", RUNNING), ("start", IN_A_STOPPED)):
        assert api.operate(name, action).json() == api.endpoint(name)


def test_a_first_deployment_has_a_pending_config_and_no_config(api: Api, clock: Clock) -> None:
    created = api.create("new").json()
    assert "config" not in created
    assert created["pending_config"]["config_version"] == 1
    (entity,) = created["pending_config"]["served_entities"]
    assert entity["name"] == "model-1"
    assert entity["workload_size"] == "Small"
    assert entity["state"] == {
        "deployment": "DEPLOYMENT_CREATING",
        "deployment_state_message": "Creating resources for served entity.",
    }
    clock.seconds += 481
    done = api.endpoint("new")
    assert "pending_config" not in done
    assert done["config"]["config_version"] == 1
    assert done["config"]["served_entities"][0]["state"] == {
        "deployment": "DEPLOYMENT_READY",
        "deployment_state_message": "",
    }


def test_an_update_leaves_the_old_config_serving_until_the_new_one_is_up(
    api: Api, clock: Clock
) -> None:
    before = api.endpoint(RUNNING)["config"]
    during = api.put(f"{B}/{RUNNING}/config", json=CPU).json()
    assert during["config"] == before
    assert during["pending_config"]["config_version"] == before["config_version"] + 1
    assert during["pending_config"]["served_entities"][0]["entity_version"] == "2"
    clock.seconds += 361
    after = api.endpoint(RUNNING)
    assert after["config"]["config_version"] == before["config_version"] + 1
    assert [it["entity_version"] for it in after["config"]["served_entities"]] == ["2"]
    assert "pending_config" not in after


def test_a_failed_update_keeps_serving_and_shows_what_failed(api: Api, clock: Clock) -> None:
    before = api.endpoint("lead-scoring")["config"]
    api.put(f"{B}/lead-scoring/config", json=CPU)
    clock.seconds += 361
    after = api.endpoint("lead-scoring")
    assert after["config"] == before
    state = after["pending_config"]["served_entities"][0]["state"]
    assert state["deployment"] == "DEPLOYMENT_FAILED"
    assert state["deployment_state_message"].startswith("Container image creation failed")


def test_a_sibling_of_a_failed_entity_is_aborted(
    workspace: Running, api: Api, clock: Clock
) -> None:
    workspace.fault("fail_midway", message="No such file")
    entities = [{"entity_name": "ml.prod.model", "entity_version": v} for v in ("1", "2")]
    routes = [{"served_entity_name": f"model-{v}", "traffic_percentage": 50} for v in ("1", "2")]
    config = {"served_entities": entities, "traffic_config": {"routes": routes}}
    assert api.create("new", config=config).status_code == 200
    clock.seconds += 481
    document = api.endpoint("new")
    assert api.state("new") == FAILED
    assert "config" not in document
    assert [
        entity["state"]["deployment"] for entity in document["pending_config"]["served_entities"]
    ] == ["DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED"]


def test_a_stopped_endpoint_keeps_its_config(api: Api, clock: Clock) -> None:
    before = api.endpoint(RUNNING)["config"]
    api.operate(RUNNING, "stop")
    clock.seconds += 16
    after = api.endpoint(RUNNING)["config"]
    assert after["config_version"] == before["config_version"]
    assert after["traffic_config"] == before["traffic_config"]
    assert [it["name"] for it in after["served_entities"]] == [
        it["name"] for it in before["served_entities"]
    ]


def test_a_start_makes_a_new_config_version_with_the_same_content(api: Api, clock: Clock) -> None:
    before = api.endpoint(IN_A_STOPPED)["config"]
    started = api.operate(IN_A_STOPPED, "start").json()
    assert started["config"] == before
    assert started["pending_config"]["config_version"] == before["config_version"] + 1
    clock.seconds += 421
    after = api.endpoint(IN_A_STOPPED)["config"]
    assert after["config_version"] == before["config_version"] + 1
    assert after["served_entities"][0]["entity_version"] == "1"
    assert after["traffic_config"] == before["traffic_config"]


def test_an_update_of_a_stopped_endpoint_is_what_the_next_start_brings_up(
    api: Api, clock: Clock
) -> None:
    version = api.endpoint(IN_A_STOPPED)["config"]["config_version"]
    stopped = api.put(f"{B}/{IN_A_STOPPED}/config", json=CPU).json()
    assert stopped["config"]["config_version"] == version + 1
    assert stopped["config"]["served_entities"][0]["entity_version"] == "2"
    api.operate(IN_A_STOPPED, "start")
    clock.seconds += 100
    assert api.state(IN_A_STOPPED) == READY
    assert api.endpoint(IN_A_STOPPED)["config"]["config_version"] == version + 2


def test_versions_go_on_after_a_failure(api: Api, clock: Clock) -> None:
    pending = api.endpoint("demand-forecast")["pending_config"]["config_version"]
    retried = api.put(f"{B}/demand-forecast/config", json=CPU).json()
    assert retried["pending_config"]["config_version"] == pending + 1


@pytest.mark.parametrize("name", ["churn", "invoice-extract", "credit-limit", "sentiment-ja"])
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/config"), ("POST", "/config:stop"), ("POST", "/config:start")]
)
def test_nothing_can_be_changed_while_an_update_runs(
    api: Api, name: str, method: str, path: str
) -> None:
    answer = api.request(method, f"{B}/{name}{path}", json=CPU)
    assert answer.status_code == 409
    assert answer.json()["error_code"] == "RESOURCE_CONFLICT"
    assert answer.json()["message"].startswith(
        "Endpoint served entities are currently being updated"
    )


@pytest.mark.parametrize(
    "name",
    [
        "databricks-gte-large-en",
        "gpt-4o-proxy",
        "geo-features",
        "claims-triage-agent",
        "pricing-sandbox",
    ],
)
def test_only_custom_models_can_be_stopped(api: Api, name: str) -> None:
    before = api.state(name)
    answer = api.operate(name, "stop")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert api.state(name) == before


def test_a_second_stop_is_answered_and_changes_nothing(api: Api, clock: Clock) -> None:
    first = api.operate(RUNNING, "stop")
    clock.seconds += 10
    second = api.operate(RUNNING, "stop")
    assert (first.status_code, second.status_code) == (200, 200)
    clock.seconds += 6
    assert api.state(RUNNING) == STOPPED
    assert api.operate(RUNNING, "stop").status_code == 200


def test_what_runs_cannot_be_started(api: Api) -> None:
    answer = api.operate(RUNNING, "start")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert api.state(RUNNING) == READY


def test_an_endpoint_can_be_deleted_while_its_first_deployment_runs(api: Api) -> None:
    answer = api.delete(f"{B}/invoice-extract")
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.get(f"{B}/invoice-extract").status_code == 404
    assert "invoice-extract" not in api.listed()
    assert api.delete(f"{B}/invoice-extract").status_code == 404


def test_a_new_endpoint_under_an_old_name_has_a_new_id(api: Api) -> None:
    before = api.endpoint("churn")["id"]
    api.delete(f"{B}/churn")
    assert api.create("churn").json()["id"] != before


def test_tags_are_added_changed_and_deleted_in_one_call(api: Api) -> None:
    change = {
        "add_tags": [{"key": "tier", "value": "3"}, {"key": "keep"}],
        "delete_tags": ["env", "unknown"],
    }
    answered = api.patch(f"{B}/{RUNNING}/tags", json=change).json()["tags"]
    assert answered == api.endpoint(RUNNING)["tags"] == api.listed()[RUNNING]["tags"]
    assert {"key": "tier", "value": "3"} in answered
    assert {"key": "keep"} in answered
    assert "env" not in [tag["key"] for tag in answered]


def test_one_endpoint_flaps_by_itself(api: Api, clock: Clock) -> None:
    seen = [api.state("price-elasticity")[0]]
    for _ in range(3):
        clock.seconds += 240
        seen.append(api.state("price-elasticity")[0])
    assert seen == ["READY", "NOT_READY", "READY", "NOT_READY"]


def test_an_update_that_never_ends_climbs_through_the_versions(api: Api, clock: Clock) -> None:
    before = api.endpoint("sentiment-ja")["pending_config"]["config_version"]
    clock.seconds += 3 * 1200
    assert api.endpoint("sentiment-ja")["pending_config"]["config_version"] == before + 3
    assert api.state("sentiment-ja") == UPDATING
