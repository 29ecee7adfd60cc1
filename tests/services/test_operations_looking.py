"""When an open operation is looked at, by whom, and at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from endpoints_app.domain import lifecycle
from endpoints_app.domain.lifecycle import Outcome, State
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, Operation, Workspace
from endpoints_app.services import live, operations
from tests.services.conftest import ALL, GET, Desk


def test_every_look_up_finds_it_until_it_is_settled(desk: Desk, otto: User) -> None:
    """Due operations are looked up each second, at any time in it."""
    desk.emulator.fault("ignore", match={"name": "customer-ltv"})
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    for seconds in (1, 1, 600):
        asked = desk.emulator.calls.counts[GET]
        desk.clock.forward(seconds - 0.2)  # the last look came late in its second
        assert operation in Operation.objects.due(desk.clock.now)
        desk.look(operation)
        assert desk.emulator.calls.counts[GET] == asked + 1


def test_while_it_is_looked_at_the_sync_need_not(desk: Desk, otto: User) -> None:
    operation = desk.ask("start", "card-ocr-v1", otto)
    desk.look(operation)
    desk.look(operation, seconds=1)
    assert desk.row(operation).updating

    for _ in range(5):
        desk.look(operation, seconds=1)
        asked = desk.emulator.calls.counts[GET]
        desk.lab.sync(seconds=0.9)
        assert desk.emulator.calls.counts[GET] == asked


def test_many_in_one_workspace_share_what_it_is_asked_in_a_second(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "LOOKS_A_SECOND", 1)
    first = desk.look(desk.ask("stop", "customer-ltv", otto))
    second = desk.look(desk.ask("stop", "basket-recommender", otto))

    def pause(operation: Operation) -> float:
        return (operation.next_look_at - desk.clock.now).total_seconds()

    assert pause(second) - pause(first) == 1


def test_a_message_before_its_time_looks_at_nothing(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    asked = desk.emulator.calls.counts[GET]

    for _ in range(5):
        desk.look(operation)

    assert desk.emulator.calls.counts[GET] == asked


def test_a_message_about_what_is_over_or_never_was_is_harmless(desk: Desk, otto: User) -> None:
    operation = desk.look_until_settled(desk.ask("stop", "customer-ltv", otto))
    before = Operation.objects.values().get()

    desk.look(operation, seconds=60)
    operations.advance(operation.pk + 1000, clock=desk.clock)

    assert Operation.objects.values().get() == before


def test_a_look_that_finds_nothing_new_takes_no_revision(desk: Desk, otto: User) -> None:
    desk.emulator.fault("ignore", match={"name": "customer-ltv"})
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    desk.look(operation, seconds=1)
    before = live.read_head().revision

    desk.look(operation, seconds=1)

    assert live.read_head().revision == before


def test_due_are_those_whose_look_has_come_and_that_nobody_holds(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    now = desk.clock.now
    assert list(Operation.objects.due(now)) == [operation]

    assert Operation.objects.claim(operation.pk, token="a", now=now, until=now + operations.LEASE)
    assert not Operation.objects.due(now).exists()
    assert not Operation.objects.claim(
        operation.pk, token="b", now=now, until=now + operations.LEASE
    )
    assert Operation.objects.due(now + operations.LEASE + timedelta(seconds=1)).exists()


def test_the_list_alone_never_moves_an_operation(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    desk.emulator.fault("lie", match=ALL, set={"state.suspend": "STOPPED"}, of="customer-ltv")

    desk.lab.sync()

    operation.refresh_from_db()
    assert operation.known_state is State.QUEUED
    assert Endpoint.objects.filter(pk=operation.endpoint_id, gone_at=None).exists()
    assert Workspace.objects.get().error == ""


def test_who_sees_stopped_may_ask_for_a_start_though_the_engine_has_not_looked_since(
    desk: Desk, otto: User
) -> None:
    stop = desk.ask("stop", "customer-ltv", otto)
    desk.look(stop)
    endpoint = desk.row(stop)
    Endpoint.objects.filter(pk=endpoint.pk).update(
        status=Status.STOPPED.value, observed_at=desk.clock.forward(5)
    )

    start = desk.ask("start", "customer-ltv", otto)

    stop.refresh_from_db()
    assert (stop.known_state, stop.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert start.pk != stop.pk
    assert start.known_state is State.QUEUED
