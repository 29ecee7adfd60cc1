"""Faults do on the socket what they say, to the calls they name, as often as they say."""

from __future__ import annotations

import http.client
import socket
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from endpoints_app.emulator import Running
from endpoints_app.emulator.errors import Refusal
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
STOP = f"{B}/{{name}}/config:stop"
RUNNING = "basket-recommender"
UNTOUCHED = ("READY", "NOT_UPDATING", "NOT_SUSPENDED")


def bytes_with_times(workspace: Running, path: str) -> list[tuple[float, bytes]]:
    """What comes over the socket until it closes, and when."""
    address = urlsplit(workspace.url)
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {workspace.token}\r\n\r\n"
    )
    received = []
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request.encode())
        began = time.monotonic()
        while portion := connection.recv(65536):
            received.append((time.monotonic() - began, portion))
    return received


def test_a_dropped_call_has_no_answer_and_no_effect(
    workspace: Running, api: Api, clock: Clock
) -> None:
    workspace.fault("drop", match={"route": STOP}, times=1)
    with pytest.raises(requests.ConnectionError):
        api.operate(RUNNING, "stop")
    clock.seconds += 60
    assert api.state(RUNNING) == UNTOUCHED
    assert api.operate(RUNNING, "stop").status_code == 200


def test_an_answer_dropped_afterwards_was_performed(
    workspace: Running, api: Api, clock: Clock
) -> None:
    workspace.fault("drop", match={"route": STOP}, times=1, after=True)
    with pytest.raises(requests.ConnectionError):
        api.operate(RUNNING, "stop")
    clock.seconds += 60
    assert api.state(RUNNING)[2] == "STOPPED"
    (write,) = workspace.calls.document()["writes"]
    assert write["status"] is None


def test_half_an_answer_is_half_an_answer(workspace: Running) -> None:
    workspace.fault("half")
    connection = http.client.HTTPConnection(urlsplit(workspace.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {workspace.token}"}
    connection.request("GET", f"{B}/{RUNNING}", headers=headers)
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    connection.close()
    assert len(caught.value.partial) == int(answer.headers["Content-Length"]) // 2


def test_a_body_drips(workspace: Running) -> None:
    workspace.fault("drip", bytes_per_second=400)
    received = bytes_with_times(workspace, "/.well-known/databricks-config")
    whole = b"".join(portion for _, portion in received)
    head, _, body = whole.partition(b"\r\n\r\n")
    assert received[0][0] < 0.1
    assert received[0][1].startswith(head)
    assert received[-1][0] > len(body) / 400 * 0.5
    assert len(received) >= 4


def test_headers_drip_too(workspace: Running) -> None:
    workspace.fault("drip", bytes_per_second=1000, headers=True)
    received = bytes_with_times(workspace, "/.well-known/databricks-config")
    whole = b"".join(portion for _, portion in received)
    head, _, _ = whole.partition(b"\r\n\r\n")
    assert len(received[0][1]) < len(head)
    assert received[-1][0] > len(whole) / 1000 * 0.5


def test_latency_delays_the_answer_and_nobody_else(workspace: Running, api: Api) -> None:
    workspace.fault("latency", seconds=0.3, match={"name": "churn"}, times=1)
    assert api.get(f"{B}/churn").elapsed.total_seconds() >= 0.3
    assert api.get(f"{B}/churn").elapsed.total_seconds() < 0.3
    assert api.get(f"{B}/{RUNNING}").elapsed.total_seconds() < 0.3


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 429}, 429, "REQUEST_LIMIT_EXCEEDED"),
        ({"status": 429, "retry_after": 7}, 429, "REQUEST_LIMIT_EXCEEDED"),
        ({"status": 500}, 500, "INTERNAL_ERROR"),
        ({"status": 503, "retry_after": 1}, 503, "TEMPORARILY_UNAVAILABLE"),
        ({"status": 403}, 403, "PERMISSION_DENIED"),
        ({"status": 418, "body": {"error_code": "TEAPOT"}}, 418, "TEAPOT"),
    ],
)
def test_any_status_can_be_asked_for(
    workspace: Running, api: Api, fault: dict[str, Any], status: int, code: str
) -> None:
    workspace.fault("status", times=1, **fault)
    answer = api.operate(RUNNING, "stop")
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers.get("Retry-After") == (
        str(fault["retry_after"]) if "retry_after" in fault else None
    )
    assert api.endpoint(RUNNING)["last_updated_timestamp"] < workspace.world.now() * 1000 - 1000


def test_retry_after_can_be_a_date(workspace: Running, api: Api) -> None:
    workspace.fault("status", status=429, retry_after_date=30)
    date = parsedate_to_datetime(api.get(B).headers["Retry-After"])
    assert 25 < date.timestamp() - time.time() < 31


def test_a_gateway_answers_in_html(workspace: Running, api: Api) -> None:
    workspace.fault("status", status=504)
    answer = api.get(B)
    assert answer.status_code == 504
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<title>504 Gateway Time-out</title>" in answer.text


def test_a_body_of_any_type_can_be_asked_for(workspace: Running, api: Api) -> None:
    workspace.fault("status", status=502, body="<pre>bad</pre>", content_type="text/html")
    answer = api.get(B)
    assert (answer.status_code, answer.text) == (502, "<pre>bad</pre>")
    assert answer.headers["Content-Type"] == "text/html"


def test_a_gateway_may_fail_after_the_operation_went_through(
    workspace: Running, api: Api, clock: Clock
) -> None:
    workspace.fault("status", status=504, after=True, times=1)
    assert api.operate(RUNNING, "stop").status_code == 504
    clock.seconds += 16
    assert api.state(RUNNING)[2] == "STOPPED"


def test_a_credential_can_expire(workspace: Running, api: Api) -> None:
    workspace.fault("expire_token", times=1)
    answer = api.get(B)
    assert (answer.status_code, answer.json()["error_code"]) == (401, 401)
    assert api.get(B).status_code == 200


def test_a_redirect_leads_to_another_host(workspace: Running, api: Api) -> None:
    workspace.fault("redirect", to="http://elsewhere.invalid/x", status=307)
    answer = api.get(B, allow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["Location"] == "http://elsewhere.invalid/x"


def test_the_workspace_can_lie_about_one_endpoint_everywhere(workspace: Running, api: Api) -> None:
    lie = {"state.ready": "SLEEPING", "novelty.deep": [1], "description": None}
    workspace.fault("lie", set=lie, remove=["state.config_update", "un.known"], of="churn")
    truth = api.endpoint(RUNNING)
    for document in (api.endpoint("churn"), api.listed()["churn"]):
        assert document["state"]["ready"] == "SLEEPING"
        assert "config_update" not in document["state"]
        assert document["novelty"] == {"deep": [1]}
        assert "un" not in document
        assert document["description"] is None
    assert api.endpoint(RUNNING) == truth
    workspace.clear_faults()
    assert api.endpoint("churn")["state"]["ready"] == "NOT_READY"


def test_a_lie_reaches_into_lists(workspace: Running, api: Api) -> None:
    workspace.fault(
        "lie",
        match={"name": RUNNING},
        set={"config.served_entities.0.entity_version": 31},
        remove=["config.served_entities.1"],
    )
    (entity,) = api.endpoint(RUNNING)["config"]["served_entities"]
    assert entity["entity_version"] == 31


def test_a_list_can_lack_half_of_the_endpoints_once(workspace: Running, api: Api) -> None:
    workspace.fault("half_list", times=1, match={"route": B})
    assert len(api.listed()) == 12
    assert len(api.listed()) == 24
    workspace.fault("half_list", missing=["churn"])
    assert "churn" not in api.listed()
    assert len(api.listed()) == 23


@pytest.mark.parametrize(("name", "action"), [(RUNNING, "stop"), ("card-ocr-v1", "start")])
def test_an_ignored_operation_is_accepted_and_never_happens(
    workspace: Running, api: Api, clock: Clock, name: str, action: str
) -> None:
    before = api.endpoint(name)
    workspace.fault("ignore", match={"name": name}, times=1)
    assert api.operate(name, action).status_code == 200
    clock.seconds += 3600
    assert api.endpoint(name) == before


def test_an_ignored_create_or_delete_leaves_things_as_they_were(
    workspace: Running, api: Api
) -> None:
    workspace.fault("ignore", match={"name": "new"}, times=1)
    assert api.create("new").json()["pending_config"]
    assert api.get(f"{B}/new").status_code == 404
    workspace.fault("ignore", match={"method": "DELETE"}, times=1)
    assert api.delete(f"{B}/churn").json() == {}
    assert api.get(f"{B}/churn").status_code == 200


@pytest.mark.parametrize(
    ("outcome", "state", "deployment"),
    [
        ("failed", ("NOT_READY", "UPDATE_FAILED", "NOT_SUSPENDED"), "DEPLOYMENT_FAILED"),
        ("timed_out", ("NOT_READY", "UPDATE_FAILED", "NOT_SUSPENDED"), "DEPLOYMENT_ABORTED"),
        ("stopped", ("NOT_READY", "NOT_UPDATING", "STOPPED"), None),
    ],
)
def test_a_start_can_fail_midway(
    workspace: Running,
    api: Api,
    clock: Clock,
    outcome: str,
    state: tuple[str, str, str],
    deployment: str | None,
) -> None:
    workspace.fault("fail_midway", outcome=outcome, message="No capacity.", times=1)
    assert api.operate("card-ocr-v1", "start").status_code == 200
    assert api.state("card-ocr-v1")[1] == "IN_PROGRESS"
    clock.seconds += 421
    assert api.state("card-ocr-v1") == state
    pending = api.endpoint("card-ocr-v1").get("pending_config")
    assert (pending and pending["served_entities"][0]["state"]) == (
        {"deployment": deployment, "deployment_state_message": "No capacity."}
        if deployment
        else None
    )


def test_a_stop_can_fail_midway(workspace: Running, api: Api, clock: Clock) -> None:
    workspace.fault("fail_midway", times=1)
    api.operate(RUNNING, "stop")
    clock.seconds += 60
    assert api.state(RUNNING) == UNTOUCHED


def test_failing_midway_means_nothing_to_a_delete(workspace: Running, api: Api) -> None:
    workspace.fault("fail_midway")
    assert api.delete(f"{B}/churn").status_code == 200
    assert api.get(f"{B}/churn").status_code == 404


def test_several_faults_hit_one_call_together(workspace: Running, api: Api) -> None:
    workspace.fault("latency", seconds=0.2)
    workspace.fault("status", status=503)
    answer = api.get(B)
    assert answer.status_code == 503
    assert answer.elapsed.total_seconds() >= 0.2


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"route": STOP}, True),
        ({"route": B}, False),
        ({"path": r"config:(stop|start)$"}, True),
        ({"path": r"^/serving-endpoints"}, False),
        ({"name": RUNNING}, True),
        ({"name": "churn"}, False),
        ({"method": "POST", "name": "churn"}, False),
    ],
)
def test_a_fault_hits_what_it_matches(
    workspace: Running, api: Api, match: dict[str, str], hit: bool
) -> None:
    workspace.fault("status", status=500, match=match)
    assert (api.operate(RUNNING, "stop").status_code == 500) is hit


def test_a_fault_is_spent_after_its_times(workspace: Running, api: Api) -> None:
    workspace.fault("status", status=500, times=2)
    assert [api.get(B).status_code for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "latncy"},
        {"kind": "latency"},
        {"kind": "drop", "before": True},
        {"kind": "drop", "match": {"endpoint": "churn"}},
        {"kind": "drop", "times": 0},
    ],
)
def test_a_misspelt_fault_is_refused(workspace: Running, document: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        workspace.fault(**document)
    answer = requests.post(f"{workspace.url}/_control/faults", json=document)
    assert answer.status_code == 400
