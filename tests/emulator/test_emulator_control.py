"""The control path: what was called, faults, changes from outside, the clock, a new beginning."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from werkzeug.test import Client

from endpoints_app.emulator import Running
from endpoints_app.emulator.app import Emulator
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"


def control(workspace: Running, method: str, path: str, **options: Any) -> Any:
    answer = requests.request(method, f"{workspace.url}/_control/{path}", timeout=10, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_calls_are_counted_by_route_and_writes_one_by_one(
    workspace: Running, api: Api, clock: Clock
) -> None:
    api.get(B)
    api.get(f"{B}/")
    api.endpoint(RUNNING)
    api.operate(RUNNING, "stop")
    api.operate(RUNNING, "start")
    api.create("new", config=None)
    api.get("/api/2.0/unknown")
    assert control(workspace, "GET", "calls") == {
        "calls": {
            f"GET {B}": 2,
            f"GET {B}/{{name}}": 1,
            f"POST {B}/{{name}}/config:stop": 1,
            f"POST {B}/{{name}}/config:start": 1,
            f"POST {B}": 1,
            "GET (no such route)": 1,
        },
        "writes": [
            {
                "method": "POST",
                "path": path,
                "name": name,
                "at": clock.seconds,
                "status": status,
            }
            for path, name, status in (
                (f"{B}/{RUNNING}/config:stop", RUNNING, 200),
                (f"{B}/{RUNNING}/config:start", RUNNING, 409),
                (B, "new", 200),
            )
        ],
    }
    control(workspace, "DELETE", "calls")
    assert control(workspace, "GET", "calls") == {"calls": {}, "writes": []}


def test_a_call_that_a_fault_hits_is_counted_all_the_same(workspace: Running, api: Api) -> None:
    workspace.fault("status", status=503, times=1)
    api.operate(RUNNING, "stop")
    (write,) = control(workspace, "GET", "calls")["writes"]
    assert write["status"] == 503


def test_faults_come_and_go(workspace: Running, api: Api) -> None:
    fault = {"kind": "status", "status": 500, "match": {"route": B}, "times": 5}
    assert control(workspace, "POST", "faults", json=fault) == {"faults": [fault]}
    assert api.get(B).status_code == 500
    assert control(workspace, "GET", "faults") == {"faults": [fault | {"times": 4}]}
    control(workspace, "DELETE", "faults")
    assert api.get(B).status_code == 200


def test_a_state_set_from_outside_stays(workspace: Running, api: Api, clock: Clock) -> None:
    state = {"ready": "NOT_READY", "config_update": "IN_PROGRESS", "suspend": "DRAINING"}
    control(workspace, "POST", "endpoints/credit-limit", json={"state": state})
    clock.seconds += 86_400
    assert api.state("credit-limit") == tuple(state.values())
    assert api.listed()["credit-limit"]["state"]["suspend"] == "DRAINING"


def test_an_endpoint_can_vanish(workspace: Running, api: Api) -> None:
    control(workspace, "POST", "endpoints/churn", json={"remove": True})
    assert api.get(f"{B}/churn").status_code == 404
    assert "churn" not in api.listed()


def test_an_endpoint_can_be_replaced_by_another_of_the_same_name(
    workspace: Running, api: Api
) -> None:
    before = api.endpoint(RUNNING)
    control(workspace, "POST", f"endpoints/{RUNNING}", json={"replace": True})
    after = api.endpoint(RUNNING)
    assert after["id"] != before["id"]
    assert after["creation_timestamp"] > before["creation_timestamp"]
    assert after["config"] == before["config"]


def test_a_right_can_be_taken_away(workspace: Running, api: Api) -> None:
    told = {"permission_level": "CAN_QUERY"}
    control(workspace, "POST", f"endpoints/{RUNNING}", json=told)
    assert api.operate(RUNNING, "stop").status_code == 403


@pytest.mark.parametrize("told", [{"ready": "READY"}, {"state": {"redy": "READY"}}])
def test_what_an_endpoint_cannot_be_told_is_refused(
    workspace: Running, told: dict[str, Any]
) -> None:
    answer = requests.post(f"{workspace.url}/_control/endpoints/churn", json=told)
    assert answer.status_code == 400


def test_the_clock_moves_the_world(workspace: Running, api: Api, clock: Clock) -> None:
    api.operate(RUNNING, "stop")
    told = control(workspace, "POST", "clock", json={"advance": 20})
    assert told == {"now": clock.seconds + 20}
    assert api.state(RUNNING)[2] == "STOPPED"
    backwards = requests.post(f"{workspace.url}/_control/clock", json={"advance": -1})
    assert backwards.status_code == 400


def test_a_reset_brings_the_first_fleet_back(workspace: Running, api: Api) -> None:
    first = api.get(B).json()
    api.delete(f"{B}/churn")
    workspace.advance(3600)
    workspace.fault("drop")
    control(workspace, "POST", "reset")
    assert api.get(B).json() == first
    assert workspace.calls.document()["calls"] == {f"GET {B}": 1}


def test_the_control_path_answers_this_machine_alone() -> None:
    client = Client(Emulator())
    for address, status in (("127.0.0.9", 200), ("::1", 200), ("10.0.0.7", 403)):
        environ = {"REMOTE_ADDR": address}
        answer = client.get("/_control/calls", environ_overrides=environ)
        assert answer.status_code == status


def test_faults_never_hit_the_control_path(workspace: Running) -> None:
    workspace.fault("drop")
    assert control(workspace, "GET", "faults")["faults"]
