"""Operations that are refused, have no effect, or are withdrawn: nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from endpoints_app.domain.lifecycle import OperationKind, Outcome, Refusal, State
from endpoints_app.models import AuditEntry, Operation
from endpoints_app.services import operations, workspaces
from endpoints_app.services.operations import NameNotTyped, NotOffered
from tests.services.conftest import GET, ONE, Desk, Tell, actions


def while_it_reads(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """It comes between the worker's read and what follows from it."""
    client = operations.clients.WorkspaceClient
    get_endpoint = client.get_endpoint

    def meanwhile(self: Any, name: str, *, deadline: float) -> object:
        document = get_endpoint(self, name, deadline=deadline)
        happens()
        return document

    monkeypatch.setattr(client, "get_endpoint", meanwhile)


# Without effect --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "now"),
    [
        ("stop", "customer-ltv", {"state": {"ready": "NOT_READY", "suspend": "STOPPED"}}),
        ("start", "card-ocr-v1", {"state": {"ready": "READY", "suspend": "NOT_SUSPENDED"}}),
        ("delete", "customer-ltv", {"remove": True}),
    ],
    ids=["stopped", "running", "gone"],
)
def test_what_is_so_already_is_a_success_without_effect(
    desk: Desk, mika: User, behind_our_back: Tell, kind: str, name: str, now: dict[str, object]
) -> None:
    operation = desk.ask(kind, name, mika)
    behind_our_back(name, **now)

    desk.look(operation)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.NO_EFFECT)
    assert operation.sending_at is None
    assert desk.writes() == []


def test_stopping_what_we_show_as_stopped_is_offered_and_has_no_effect(
    desk: Desk, otto: User
) -> None:
    operation = desk.look(desk.ask("stop", "card-ocr-v1", otto))

    assert operation.known_outcome is Outcome.NO_EFFECT


# Refused by the rules --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "refusal"),
    [
        ("stop", "gpt-4o-proxy", Refusal.KIND),
        ("stop", "databricks-gte-large-en", Refusal.KIND),
        ("delete", "databricks-gte-large-en", Refusal.KIND),
        ("stop", "churn", Refusal.UPDATING),
        ("stop", "credit-limit", Refusal.UPDATING),
        ("start", "churn", Refusal.UPDATING),
        ("stop", "kyc-face-match", Refusal.UNKNOWN_STATE),
    ],
)
def test_what_is_not_possible_is_not_even_recorded(
    desk: Desk, mika: User, kind: str, name: str, refusal: Refusal
) -> None:
    with pytest.raises(NotOffered) as caught:
        desk.ask(kind, name, mika)

    assert caught.value.refusal is refusal
    assert not Operation.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_we_do_not_know_is_asked_of_the_workspace(desk: Desk, otto: User) -> None:
    """A stale row says nothing about now: an update may have ended long ago."""
    endpoint = desk.lab.endpoint("churn")
    desk.emulator.advance(100)

    operation = operations.request(
        endpoint, OperationKind.STOP, actor=otto, now=desk.clock(), stale=True
    )
    desk.look(operation)

    assert operation.known_state is State.SENT


def test_a_delete_wants_the_name_typed(desk: Desk, mika: User) -> None:
    for typed in ("", "customer", "Customer-ltv", "customer-ltv "):
        with pytest.raises(NameNotTyped):
            desk.ask("delete", "customer-ltv", mika, confirm=typed)

    assert not Operation.objects.exists()


def test_what_is_gone_is_not_offered(desk: Desk, mika: User, behind_our_back: Tell) -> None:
    endpoint = desk.lab.endpoint("customer-ltv")
    behind_our_back("customer-ltv", remove=True)
    desk.lab.sync()
    endpoint.refresh_from_db()

    with pytest.raises(NotOffered) as caught:
        operations.request(endpoint, OperationKind.STOP, actor=mika, now=desk.clock(), stale=False)

    assert caught.value.refusal is Refusal.GONE


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"state": {"config_update": "IN_PROGRESS"}}, Refusal.UPDATING),
        ({"state": {"ready": "DEGRADED"}}, Refusal.UNKNOWN_STATE),
    ],
)
def test_what_became_impossible_between_click_and_sending_is_not_sent(
    desk: Desk,
    otto: User,
    behind_our_back: Tell,
    change: dict[str, object],
    refusal: Refusal,
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    behind_our_back("customer-ltv", **change)

    desk.look(operation)

    assert operation.known_state is State.FAILED
    assert operation.known_outcome is Outcome.NOT_POSSIBLE
    assert operation.refusal == refusal.value
    assert desk.writes() == []


def test_what_turns_out_to_be_of_another_kind_is_not_sent(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    external = [{"name": "gpt", "type": "EXTERNAL_MODEL", "external_model": {"name": "gpt-4o"}}]
    desk.emulator.fault("lie", match=ONE, set={"config.served_entities": external})

    desk.look(operation)

    assert (operation.known_outcome, operation.refusal) == (
        Outcome.NOT_POSSIBLE,
        Refusal.KIND.value,
    )
    assert desk.writes() == []


# The right, asked again ------------------------------------------------------------------------


def withdraw_right(user: User) -> None:
    user.groups.clear()


def lock_account(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete_account(user: User) -> None:
    User.objects.get(pk=user.pk).delete()


def only_elsewhere(user: User) -> None:
    workspaces.ensure(["lab", "other"])
    user.groups.set(Group.objects.filter(name="operator in other"))


@pytest.mark.parametrize("happens", [withdraw_right, lock_account, delete_account, only_elsewhere])
def test_a_right_that_is_gone_by_the_time_of_sending_sends_nothing(
    desk: Desk, otto: User, happens: Callable[[User], None]
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    happens(otto)

    desk.look(operation)

    assert operation.known_state is State.FAILED
    assert operation.known_outcome is Outcome.RIGHT_WITHDRAWN
    assert operation.actor_name == "Otto"
    assert desk.writes() == []


def test_the_right_is_asked_after_the_read_not_before_it(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    while_it_reads(monkeypatch, lambda: withdraw_right(otto))

    desk.look(operation)

    assert operation.known_outcome is Outcome.RIGHT_WITHDRAWN
    assert desk.writes() == []


def test_a_right_withdrawn_after_the_sending_stops_nothing(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    withdraw_right(otto)

    desk.look_until_settled(operation)

    assert operation.known_state is State.CONFIRMED


# Withdrawing -----------------------------------------------------------------------------------


def test_what_is_queued_can_be_withdrawn_and_is_never_sent(
    desk: Desk, otto: User, mika: User
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)

    assert operations.withdraw(operation, by=mika, now=desk.clock.forward(3))

    desk.look(operation, seconds=1)
    assert operation.known_state is State.CANCELLED
    assert operation.known_outcome is Outcome.WITHDRAWN
    assert operation.settled_by == "Mika"
    entry = operation.audit.get(action="stop withdrawn")
    assert (entry.actor, entry.actor_name) == (mika, "Mika")
    assert desk.writes() == []


def test_what_was_sent_cannot_be_withdrawn(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))

    assert not operations.withdraw(operation, by=otto, now=desk.clock())

    operation.refresh_from_db()
    assert operation.known_state is State.SENT
    assert "stop withdrawn" not in actions(operation)


def test_what_is_withdrawn_while_the_worker_reads_is_not_sent(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)

    def withdraw() -> None:
        assert operations.withdraw(operation, by=otto, now=desk.clock())

    while_it_reads(monkeypatch, withdraw)
    desk.look(operation)

    assert operation.known_state is State.CANCELLED
    assert desk.writes() == []


# A workspace that is no more -------------------------------------------------------------------


@pytest.mark.parametrize("ambient", [False, True], ids=["others named", "DATABRICKS_HOST alone"])
def test_an_operation_on_a_workspace_that_is_no_longer_configured_is_never_sent_elsewhere(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch, ambient: bool, settings: object
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    if ambient:
        monkeypatch.delenv("WORKSPACES")
        monkeypatch.setenv("DATABRICKS_HOST", desk.emulator.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", desk.emulator.token)
    settings.WORKSPACES = ["workspace"]  # type: ignore[attr-defined]
    workspaces.ensure(["workspace"])

    desk.look(operation)
    assert operation.known_state is State.QUEUED
    assert "lab" in operation.detail

    desk.look(operation, seconds=121)
    assert operation.known_state is State.EXPIRED
    assert desk.emulator.calls.counts[GET] == 0
    assert desk.writes() == []
