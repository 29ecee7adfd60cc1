"""Stop, start and delete, from the click to the read that confirms it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User

from endpoints_app.domain import lifecycle
from endpoints_app.domain.lifecycle import OperationKind, Outcome, Refusal, State
from endpoints_app.domain.status import Status
from endpoints_app.models import AuditEntry, Endpoint, Operation, StatusChange, Workspace
from endpoints_app.services import live, operations, workspaces
from endpoints_app.services.operations import NameNotTyped, NotOffered
from tests.services.conftest import ALL, GET, ONE, Desk

Tell = Callable[..., None]


def actions(operation: Operation) -> list[str]:
    return list(operation.audit.order_by("pk").values_list("action", flat=True))


# The whole way ---------------------------------------------------------------------------------


def test_a_stop_goes_its_way_and_a_read_confirms_it(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto, reason="nobody uses it")
    assert operation.known_state is State.QUEUED
    assert desk.writes() == []

    desk.look(operation)
    assert operation.known_state is State.SENT
    assert operation.sent_at == desk.clock.now
    assert desk.writes() == ["POST customer-ltv"]
    assert desk.row(operation).known_status is Status.READY, "asked for is not done"

    desk.look_until_settled(operation)
    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert operation.settled_at == desk.clock.now
    assert desk.row(operation).known_status is Status.STOPPED
    assert desk.writes() == ["POST customer-ltv"]


def test_a_start_says_from_which_configuration_to_which(desk: Desk, otto: User) -> None:
    operation = desk.ask("start", "card-ocr-v1", otto)
    desk.look(operation)
    desk.look(operation, seconds=1)
    assert desk.row(operation).known_status is Status.UPDATING
    assert operation.moved_at == desk.clock.now
    assert (operation.config_before, operation.config_after) == (6, 7)

    desk.look_until_settled(operation)
    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.row(operation).known_status is Status.READY
    assert desk.row(operation).config_version == 7


def test_a_delete_ends_row_operation_and_history_together(desk: Desk, mika: User) -> None:
    operation = desk.ask("delete", "customer-ltv", mika)
    desk.look(operation)
    assert desk.writes() == ["DELETE customer-ltv"]
    assert desk.row(operation).gone_at is None, "asked for is not done"

    desk.look(operation, seconds=1)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.row(operation).gone_at == operation.settled_at == desk.clock.now
    change = StatusChange.objects.get(endpoint=operation.endpoint, now="")
    assert (change.operation, change.at) == (operation, desk.clock.now)
    assert actions(operation)[-1] == "delete confirmed"
    row = desk.row(operation)
    operation.refresh_from_db()
    assert row.revision == operation.revision == live.read_head().revision


def test_the_status_change_names_the_operation_that_brought_it(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    desk.look(operation)
    desk.look_until_settled(operation)

    change = StatusChange.objects.get(endpoint=operation.endpoint, now="stopped")
    assert change.operation == operation
    assert desk.row(operation).cause == operation


def test_so_does_the_change_that_the_list_saw_first(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    desk.look(operation)

    desk.lab.sync(seconds=16)

    change = StatusChange.objects.get(endpoint=operation.endpoint, now="stopped")
    assert change.operation == operation
    desk.look(operation)
    assert operation.known_state is State.CONFIRMED


def test_a_change_before_the_sending_is_not_the_operation_s(
    desk: Desk, otto: User, behind_our_back: Tell
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})

    desk.look(operation)

    assert StatusChange.objects.get(endpoint=operation.endpoint, now="not_ready").operation is None


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
    get_endpoint = operations.clients.WorkspaceClient.get_endpoint

    def meanwhile(
        self: operations.clients.WorkspaceClient, name: str, *, deadline: float
    ) -> object:
        document = get_endpoint(self, name, deadline=deadline)
        withdraw_right(otto)
        return document

    monkeypatch.setattr(operations.clients.WorkspaceClient, "get_endpoint", meanwhile)
    desk.look(operation)

    assert operation.known_outcome is Outcome.RIGHT_WITHDRAWN
    assert desk.writes() == []


def test_a_right_withdrawn_after_the_sending_stops_nothing(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    withdraw_right(otto)

    desk.look_until_settled(operation)

    assert operation.known_state is State.CONFIRMED


# In time ---------------------------------------------------------------------------------------


def test_a_click_that_could_not_be_sent_in_time_expires(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)

    desk.look(operation, seconds=121)

    assert operation.known_state is State.EXPIRED
    assert operation.known_outcome is Outcome.NOT_SENT_IN_TIME
    assert desk.writes() == []


def test_within_two_minutes_it_is_sent(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto), seconds=119)

    assert operation.known_state is State.SENT


@pytest.mark.parametrize(
    ("kind", "name", "minutes"),
    [("stop", "customer-ltv", 15), ("start", "card-ocr-v1", 35), ("delete", "customer-ltv", 5)],
)
def test_what_was_accepted_and_never_happens_is_never_called_done(
    desk: Desk, mika: User, kind: str, name: str, minutes: int
) -> None:
    desk.emulator.fault("ignore", match={"name": name})
    operation = desk.look(desk.ask(kind, name, mika))
    sent = desk.clock.now

    desk.look(operation, seconds=minutes * 60)
    assert operation.known_state is State.SENT

    desk.look(operation, seconds=5)
    assert operation.known_state is State.NOT_CONFIRMED
    assert operation.known_outcome is Outcome.DEADLINE
    assert operation.settled_at - sent == timedelta(minutes=minutes, seconds=5)
    assert desk.row(operation).gone_at is None


# Another end -----------------------------------------------------------------------------------


def test_a_start_that_falls_back_has_failed(desk: Desk, otto: User) -> None:
    operation = desk.ask("start", "vision-defects", otto)  # its script stops it again

    desk.look_until_settled(operation)

    assert operation.known_state is State.FAILED
    assert operation.known_outcome is Outcome.FELL_BACK
    assert operation.moved_at is not None
    assert desk.row(operation).known_status is Status.STOPPED


def test_a_start_whose_entities_fail_has_failed(desk: Desk, otto: User) -> None:
    desk.emulator.fault("fail_midway", match={"name": "card-ocr-v1"}, message="No such wheel.")
    operation = desk.ask("start", "card-ocr-v1", otto)

    desk.look_until_settled(operation)

    assert operation.known_outcome is Outcome.FELL_BACK
    row = desk.row(operation)
    assert (row.known_status, row.message) == (Status.UPDATE_FAILED, "No such wheel.")


@pytest.mark.parametrize(
    ("kind", "state", "outcome"),
    [
        ("stop", State.FAILED, Outcome.REPLACED),
        ("delete", State.CONFIRMED, Outcome.NO_EFFECT),
    ],
)
def test_another_endpoint_of_the_same_name_is_left_alone(
    desk: Desk, mika: User, behind_our_back: Tell, kind: str, state: State, outcome: Outcome
) -> None:
    operation = desk.ask(kind, "customer-ltv", mika)
    behind_our_back("customer-ltv", replace=True)

    desk.look(operation)

    assert (operation.known_state, operation.known_outcome) == (state, outcome)
    assert desk.writes() == []
    assert desk.row(operation).gone_at is not None
    successor = desk.lab.endpoint("customer-ltv")
    assert successor.pk != operation.endpoint_id
    assert successor.known_status is Status.READY


def test_after_a_delete_a_new_endpoint_of_the_name_confirms_it(
    desk: Desk, mika: User, behind_our_back: Tell
) -> None:
    desk.emulator.fault("ignore", match={"name": "customer-ltv"})
    operation = desk.look(desk.ask("delete", "customer-ltv", mika))
    behind_our_back("customer-ltv", replace=True)

    desk.look(operation, seconds=1)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.writes() == ["DELETE customer-ltv"]
    assert desk.lab.endpoint("customer-ltv").gone_at is None


def test_a_stop_of_what_somebody_deleted_meanwhile_has_failed(
    desk: Desk, otto: User, behind_our_back: Tell
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    behind_our_back("customer-ltv", remove=True)

    desk.look(operation)

    assert (operation.known_state, operation.known_outcome) == (State.FAILED, Outcome.GONE)
    assert desk.row(operation).gone_at == desk.clock.now


def test_what_the_sync_saw_go_first_confirms_the_delete(desk: Desk, mika: User) -> None:
    operation = desk.look(desk.ask("delete", "customer-ltv", mika))
    desk.lab.sync()
    gone_at = desk.row(operation).gone_at
    assert gone_at is not None

    desk.look(operation)

    assert operation.known_state is State.CONFIRMED
    assert desk.row(operation).gone_at == gone_at
    assert StatusChange.objects.get(endpoint=operation.endpoint, now="").operation == operation


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
    get_endpoint = operations.clients.WorkspaceClient.get_endpoint

    def meanwhile(
        self: operations.clients.WorkspaceClient, name: str, *, deadline: float
    ) -> object:
        document = get_endpoint(self, name, deadline=deadline)
        assert operations.withdraw(operation, by=otto, now=desk.clock())
        return document

    monkeypatch.setattr(operations.clients.WorkspaceClient, "get_endpoint", meanwhile)
    desk.look(operation)

    assert operation.known_state is State.CANCELLED
    assert desk.writes() == []


# Twice -----------------------------------------------------------------------------------------


def test_the_second_click_is_the_same_operation(desk: Desk, otto: User, mika: User) -> None:
    first = desk.ask("stop", "customer-ltv", otto)
    second = desk.ask("stop", "customer-ltv", mika)
    desk.look(first)
    third = desk.ask("stop", "customer-ltv", otto)

    assert first == second == third
    assert Operation.objects.count() == 1
    assert actions(first).count("stop asked") == 1


def test_another_kind_on_the_same_endpoint_waits_until_the_first_is_over(
    desk: Desk, mika: User
) -> None:
    desk.ask("stop", "customer-ltv", mika)

    with pytest.raises(NotOffered) as caught:
        desk.ask("delete", "customer-ltv", mika)

    assert caught.value.refusal is Refusal.OPERATION_OPEN


def test_a_second_click_after_the_end_is_a_new_operation(desk: Desk, otto: User) -> None:
    first = desk.look_until_settled(desk.ask("stop", "customer-ltv", otto))

    second = desk.ask("stop", "customer-ltv", otto)

    assert second != first


# Looking ---------------------------------------------------------------------------------------


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


# Audit -----------------------------------------------------------------------------------------


def test_every_step_is_in_the_audit_with_the_person_before_the_call(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto, reason="costs too much")

    entry = operation.audit.get()
    assert entry.action == "stop asked"
    assert (entry.actor, entry.actor_name) == (otto, "Otto")
    assert (entry.workspace, entry.endpoint) == ("lab", "customer-ltv")
    assert entry.detail == {"reason": "costs too much"}
    assert desk.emulator.calls.counts[GET] == 0

    desk.look_until_settled(operation)
    assert actions(operation) == ["stop asked", "stop sending", "stop sent", "stop confirmed"]
    assert set(operation.audit.values_list("actor", "actor_name")) == {(otto.pk, "Otto")}


def test_audit_and_operation_survive_the_account(desk: Desk, otto: User) -> None:
    operation = desk.look_until_settled(desk.ask("stop", "customer-ltv", otto))
    delete_account(otto)

    operation.refresh_from_db()
    assert (operation.actor, operation.actor_name) == (None, "Otto")
    assert set(operation.audit.values_list("actor", "actor_name")) == {(None, "Otto")}


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
