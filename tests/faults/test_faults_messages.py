"""Messages come late, twice or not at all: they are only nudges."""

from __future__ import annotations

import pytest

from tests.harness import Desk
from tests.waiting import eventually

pytestmark = pytest.mark.faults


def advance(desk: Desk, pk: int, times: int = 1) -> None:
    for _ in range(times):
        desk.publish("advance_operation", pk, queue="operations")


def test_a_message_that_comes_many_times_sends_once(desk: Desk) -> None:
    endpoint, otto = "lab/lead-scoring", desk.person("otto")
    desk.kill("worker-operations")
    otto.ask(endpoint, "stop")
    advance(desk, otto.operation(endpoint).pk, times=20)

    desk.start("worker-operations")
    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.lab.writes("lead-scoring") == [("stop", 200)]


def test_a_message_that_comes_after_the_end_changes_nothing(desk: Desk) -> None:
    endpoint, otto = "grid/tariff-advisor", desk.person("otto")
    otto.ask(endpoint, "stop")
    assert otto.until_settled(endpoint) == "confirmed"
    stop = otto.operation(endpoint)
    otto.ask(endpoint, "start")
    assert otto.until_settled(endpoint) == "confirmed"

    desk.kill("beat")  # so that an empty queue says that the late ones were taken
    advance(desk, stop.pk, times=5)
    eventually(lambda: desk.waiting_messages("operations") == 0)
    desk.start("beat")

    otto.ask(endpoint, "stop")  # the worker is alive and takes what comes after them
    assert otto.until_settled(endpoint) == "confirmed"
    assert next(it for it in otto.operations() if it.pk == stop.pk).state == "confirmed"
    writes = desk.workspaces["grid"].writes("tariff-advisor")
    assert writes == [("stop", 200), ("start", 200), ("stop", 200)]


def test_two_clicks_at_once_are_one_operation(desk: Desk) -> None:
    endpoint, otto = "grid/solar-nowcast", desk.person("otto")
    desk.kill("worker-operations")
    otto.ask(endpoint, "stop")
    desk.person("mika").ask(endpoint, "stop")
    desk.start("worker-operations")
    assert otto.until_settled(endpoint) == "confirmed"
    assert len([it for it in otto.operations() if it.endpoint == endpoint]) == 1
    assert desk.workspaces["grid"].writes("solar-nowcast") == [("stop", 200)]
