"""Stop, start and delete, from the click to the read that confirms it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from endpoints_app.domain.lifecycle import Outcome, Refusal, State
from endpoints_app.domain.status import Status
from endpoints_app.models import Operation, StatusChange
from endpoints_app.services import live
from endpoints_app.services.operations import NotOffered
from tests.services.conftest import GET, Desk, Tell, actions

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
    otto.delete()

    operation.refresh_from_db()
    assert (operation.actor, operation.actor_name) == (None, "Otto")
    assert set(operation.audit.values_list("actor", "actor_name")) == {(None, "Otto")}
