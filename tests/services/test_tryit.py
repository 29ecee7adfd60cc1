"""A request is sent once, within limits, and noted without its content."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User

from endpoints_app.models import AuditEntry, Endpoint
from endpoints_app.services import tryit, upstream
from endpoints_app.services.tryit import Outcome
from tests.conftest import Lab

ROW = {
    "customer_id": "secret of the customer",
    "sessions_30d": 3,
    "category": "shoes",
    "recent_prices": [9.5],
}
BODY = {"dataframe_records": [ROW]}


@pytest.fixture
def endpoint(lab: Lab) -> Endpoint:
    lab.sync()
    return lab.endpoint("basket-recommender")


def fault(lab: Lab, **fault: Any) -> None:
    fault |= {"match": {"path": "/invocations$"}}
    control = f"{lab.emulator.url}/_control/faults"
    assert requests.post(control, json=fault, timeout=5).status_code == 200


def sent(lab: Lab) -> int:
    calls = requests.get(f"{lab.emulator.url}/_control/calls", timeout=5).json()["calls"]
    return sum(count for call, count in calls.items() if call.endswith("/invocations"))


def send(lab: Lab, endpoint: Endpoint, by: User, body: Any = BODY, **how: Any) -> Outcome:
    return tryit.send(endpoint, body, by=by, now=lab.clock.now, **how)


def test_an_answer_names_its_status_time_and_who_answered(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    outcome = send(lab, endpoint, otto)
    assert outcome.ok
    assert outcome.status == 200
    assert outcome.served
    assert json.loads(outcome.body)["predictions"]
    assert outcome.milliseconds >= 0


def test_a_request_is_noted_with_size_and_outcome_and_without_its_content(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    outcome = send(lab, endpoint, otto)
    answered, asked = AuditEntry.objects.all()
    assert (asked.action, answered.action) == ("request sent", "request answered")
    assert asked.actor == otto
    assert asked.detail["request_bytes"] == len(json.dumps(BODY))
    assert answered.detail["status"] == 200
    assert answered.detail["answer_bytes"] == outcome.size
    assert "customer" not in json.dumps([asked.detail, answered.detail])


def test_a_stopped_endpoint_is_told_from_a_bad_request(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    stopped = next(e for e in lab.workspace.endpoints.all() if e.status == "stopped")
    outcome = send(lab, stopped, otto)
    assert (outcome.status, outcome.stopped) == (400, True)
    assert not send(lab, endpoint, otto, {"nothing": 1}).stopped


def test_two_clicks_are_one_request(
    lab: Lab, endpoint: Endpoint, otto: User, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    send(lab, endpoint, otto, ticket="t1")
    with pytest.raises(tryit.AlreadySent):
        send(lab, endpoint, otto, ticket="t1")
    assert sent(lab) == 1


def test_too_much_is_not_sent(lab: Lab, endpoint: Endpoint, otto: User) -> None:
    with pytest.raises(tryit.TooLarge):
        send(lab, endpoint, otto, {"inputs": "x" * tryit.LARGEST_REQUEST})
    assert sent(lab) == 0
    assert not AuditEntry.objects.exists()


def test_an_answer_that_does_not_come_in_time_is_an_outcome(
    lab: Lab, endpoint: Endpoint, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "LONG_SECONDS", 0.5)
    fault(lab, kind="latency", seconds=5)
    began = time.monotonic()
    outcome = send(lab, endpoint, otto)
    assert time.monotonic() - began < 4
    assert (outcome.status, outcome.problem) == (None, "TimedOut")
    assert AuditEntry.objects.first().action == "request not answered"  # type: ignore[union-attr]


def test_a_failing_model_does_not_rest_its_workspace(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    fault(lab, kind="status", status=503)
    assert send(lab, endpoint, otto).problem == "Unavailable"
    assert upstream.page_call("lab", lambda seconds: "served") == "served"


def test_a_second_request_is_told_to_wait_and_pages_are_not(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    going, done = threading.Event(), threading.Event()

    def slow(seconds: float) -> None:
        going.set()
        done.wait(5)

    thread = threading.Thread(target=upstream.long_call, args=(slow,))
    thread.start()
    going.wait(5)
    try:
        assert send(lab, endpoint, otto).problem == "Busy"
        assert upstream.page_call("lab", lambda seconds: "served") == "served"
    finally:
        done.set()
        thread.join()
    assert sent(lab) == 0


def test_a_streamed_answer_is_put_together_after_its_end(
    lab: Lab, endpoint: Endpoint, otto: User
) -> None:
    chat = lab.endpoint("databricks-meta-llama-3-3-70b-instruct")
    messages = [{"role": "user", "content": "Guten Tag"}]
    whole = send(lab, chat, otto, {"messages": messages})
    outcome = send(lab, chat, otto, {"messages": messages, "stream": True})
    assert outcome.streamed
    assert "Guten Tag" in outcome.said
    assert outcome.said == json.loads(whole.body)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("body", ["", "not json", "[" * 5000, "\x00\x01"])
def test_any_answer_is_shown(lab: Lab, endpoint: Endpoint, otto: User, body: str) -> None:
    fault(lab, kind="status", status=200, body=body)
    assert send(lab, endpoint, otto).ok
