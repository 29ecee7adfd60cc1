"""One click is at most one POST, whatever is refused, lost or dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from endpoints_app.domain.lifecycle import Outcome, State
from endpoints_app.domain.status import Status
from endpoints_app.models import AuditEntry, Endpoint, Operation, Workspace
from endpoints_app.services import clients, live, operations, sync
from endpoints_app.services.operations import NotOffered
from tests.conftest import Lab, make_user
from tests.services.conftest import GET, ONE, STOP, Desk, Tell, actions, at_once, listed

POST = {"method": "POST"}


# Provably not taken: sent again ----------------------------------------------------------------


def test_a_refused_connection_is_tried_again_and_sent_once(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    stop = clients.WorkspaceClient.stop_endpoint

    def to_a_closed_port(self: clients.WorkspaceClient, name: str, *, deadline: float) -> None:
        with monkeypatch.context() as m:
            m.setenv("WORKSPACE_LAB_HOST", "http://127.0.0.1:1")
            clients.forget()
            stop(clients.client_for("lab"), name, deadline=deadline)

    with monkeypatch.context() as m:
        m.setattr(clients.WorkspaceClient, "stop_endpoint", to_a_closed_port)
        desk.look(operation)
    clients.forget()
    assert operation.known_state is State.QUEUED
    assert (operation.sending_at, operation.finish_by) == (None, None)
    assert "refused" in operation.detail
    assert desk.writes() == []

    desk.look(operation, seconds=2)
    assert operation.known_state is State.SENT
    assert operation.detail == ""
    assert desk.writes() == ["POST customer-ltv"]
    assert actions(operation) == [
        "stop asked",
        "stop sending",
        "stop not taken",
        "stop sending",
        "stop sent",
    ]


def test_a_throttled_post_waits_as_it_is_told_and_is_accepted_once(desk: Desk, otto: User) -> None:
    desk.emulator.fault("status", match=POST, status=429, retry_after=30, times=1)
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    refused = desk.clock.now
    assert operation.known_state is State.QUEUED
    assert operation.next_look_at == refused + timedelta(seconds=30)

    desk.look(operation, seconds=29)
    assert desk.emulator.calls.counts[STOP] == 1

    desk.look(operation, seconds=1)
    assert operation.known_state is State.SENT
    desk.look_until_settled(operation)
    statuses = [write["status"] for write in desk.emulator.calls.document()["writes"]]
    assert statuses == [429, 200]


def test_a_throttled_post_that_must_wait_too_long_expires_in_time(desk: Desk, otto: User) -> None:
    desk.emulator.fault("status", match=POST, status=429, retry_after=3600)
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))

    assert operation.next_look_at == operation.send_by + timedelta(seconds=1)
    desk.clock.now = operation.next_look_at
    desk.look(operation)
    assert operation.known_state is State.EXPIRED


def test_a_throttled_read_waits_as_it_is_told(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    desk.emulator.fault("status", match=ONE, status=429, retry_after=20, times=1)

    desk.look(operation)
    assert operation.known_state is State.QUEUED
    assert operation.next_look_at == desk.clock.now + timedelta(seconds=20)
    assert "rate limit" in operation.detail

    desk.look(operation, seconds=20)
    assert operation.known_state is State.SENT
    assert operation.detail == ""


def test_no_deadline_waits_for_a_throttled_read(desk: Desk, otto: User) -> None:
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    desk.emulator.fault("status", match=ONE, status=429, retry_after=86_400)

    desk.look(operation, seconds=1)
    assert operation.next_look_at == operation.finish_by + timedelta(seconds=1)

    desk.clock.now = operation.next_look_at
    desk.look(operation)
    assert operation.known_state is State.NOT_CONFIRMED


def test_what_keeps_us_from_reading_is_said_and_is_news_once(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    desk.emulator.fault("status", match=ONE, status=500)
    before = live.read_head().revision

    desk.look(operation)
    told = live.read_head().revision
    assert "internal error" in operation.detail
    assert told > before
    assert desk.row(operation).revision == told

    desk.look(operation, seconds=1)
    assert live.read_head().revision == told


def test_trouble_that_is_over_is_not_said_of_a_settled_operation(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "card-ocr-v1", otto)
    desk.emulator.fault("status", match=ONE, status=500, times=1)
    desk.look(operation)

    desk.look(operation, seconds=1)

    assert operation.known_outcome is Outcome.NO_EFFECT
    assert operation.detail == ""


# Definitely refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_by_databricks_fails_with_its_words(desk: Desk, otto: User, status: int) -> None:
    body = {"error_code": "BAD_REQUEST", "message": "Not on a Sunday."}
    desk.emulator.fault("status", match=POST, status=status, body=body)

    operation = desk.look(desk.ask("stop", "customer-ltv", otto))

    assert operation.known_state is State.FAILED
    assert operation.known_outcome is Outcome.REFUSED_BY_DATABRICKS
    assert operation.detail == "Not on a Sunday."
    assert desk.emulator.calls.counts[STOP] == 1


def test_an_update_that_began_a_moment_before_the_post_fails_it(
    desk: Desk, otto: User, behind_our_back: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    stop = clients.WorkspaceClient.stop_endpoint

    def too_late(self: clients.WorkspaceClient, name: str, *, deadline: float) -> None:
        behind_our_back(name, state={"config_update": "IN_PROGRESS"})
        stop(self, name, deadline=deadline)

    monkeypatch.setattr(clients.WorkspaceClient, "stop_endpoint", too_late)
    desk.look(operation)

    assert operation.known_outcome is Outcome.REFUSED_BY_DATABRICKS
    assert "currently being updated" in operation.detail


def test_a_delete_of_what_is_gone_at_that_moment_is_confirmed_by_the_read(
    desk: Desk, mika: User
) -> None:
    body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "It does not exist."}
    desk.emulator.fault("status", match={"method": "DELETE"}, status=404, body=body, after=True)

    operation = desk.look(desk.ask("delete", "customer-ltv", mika))
    assert operation.known_state is State.SENT

    desk.look(operation, seconds=1)
    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)


# Lost from sight: never sent again -------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "after": True},
        {"kind": "status", "status": 504, "after": True},
        {"kind": "status", "status": 500, "after": True},
        {"kind": "half"},
    ],
    ids=["dropped", "504", "500", "half an answer"],
)
def test_a_lost_answer_is_watched_and_not_sent_again(
    desk: Desk, otto: User, fault: dict[str, Any]
) -> None:
    desk.emulator.fault(**fault, match=POST, times=1)
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))
    if fault["kind"] != "half":  # there the status had arrived, which is the answer
        assert operation.known_state is State.SENDING
        assert operation.sent_at is None
        assert operation.finish_by == desk.clock.now + timedelta(minutes=15)

    desk.look_until_settled(operation)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.emulator.calls.counts[STOP] == 1


def test_a_lost_request_is_not_confirmed_at_the_deadline_and_never_sent_again(
    desk: Desk, otto: User
) -> None:
    desk.emulator.fault("drop", match=POST, times=1)
    operation = desk.look(desk.ask("stop", "customer-ltv", otto))

    desk.look_until_settled(operation)

    assert operation.known_state is State.NOT_CONFIRMED
    assert operation.known_outcome is Outcome.DEADLINE
    assert operation.sent_at is None, "it may or may not have been sent"
    assert desk.row(operation).known_status is Status.READY
    assert desk.emulator.calls.counts[STOP] == 1
    assert actions(operation) == [
        "stop asked",
        "stop sending",
        "stop lost from sight",
        "stop not_confirmed",
    ]


# Death at every step ---------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here: nothing after it happens, no handler runs for it."""


def die(desk: Desk, operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look that ends in death: its lease stays behind."""
    with monkeypatch.context() as m:
        m.setattr(operations, "_release", lambda *_: None)
        with pytest.raises(Killed):
            desk.look(operation)
    operation.refresh_from_db()


def recover(desk: Desk, operation: Operation) -> Operation:
    """Another worker finds it once the lease of the dead one has run out."""
    asked = desk.emulator.calls.counts[GET]
    desk.look(operation, seconds=1)
    assert desk.emulator.calls.counts[GET] == asked, "the lease is still held"
    desk.clock.forward(operations.LEASE.total_seconds())
    return desk.look_until_settled(operation)


def kill_at(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, after: bool = False
) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def killed(*args: Any, **options: Any) -> Any:
        if after:
            real(*args, **options)
        raise Killed

    monkeypatch.setattr(owner, name, killed)


def test_killed_after_the_claim_it_is_sent_by_another_once(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    with monkeypatch.context() as m:
        kill_at(m, clients.WorkspaceClient, "get_endpoint")
        die(desk, operation, monkeypatch)
    assert operation.known_state is State.QUEUED

    recover(desk, operation)

    assert operation.known_state is State.CONFIRMED
    assert desk.emulator.calls.counts[STOP] == 1


def test_killed_before_the_post_it_is_not_confirmed_and_not_sent(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SENDING is committed: nobody can say that the request did not leave."""
    operation = desk.ask("stop", "customer-ltv", otto)
    with monkeypatch.context() as m:
        kill_at(m, clients.WorkspaceClient, "stop_endpoint")
        die(desk, operation, monkeypatch)
    assert operation.known_state is State.SENDING
    assert desk.writes() == []

    recover(desk, operation)

    assert operation.known_state is State.NOT_CONFIRMED
    assert operation.sent_at is None
    assert desk.writes() == []


def test_killed_after_the_post_it_is_confirmed_by_a_read_and_not_sent_again(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    with monkeypatch.context() as m:
        kill_at(m, clients.WorkspaceClient, "stop_endpoint", after=True)
        die(desk, operation, monkeypatch)
    assert operation.known_state is State.SENDING
    assert desk.emulator.calls.counts[STOP] == 1

    recover(desk, operation)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.emulator.calls.counts[STOP] == 1


def test_killed_before_a_settling_commit_nothing_of_it_is_written(
    desk: Desk, mika: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.look(desk.ask("delete", "customer-ltv", mika))
    desk.clock.forward(1)
    with monkeypatch.context() as m:
        kill_at(m, operations, "_settle", after=True)
        die(desk, operation, monkeypatch)

    assert operation.known_state is State.SENT
    assert desk.row(operation).gone_at is None
    assert "delete confirmed" not in actions(operation)

    recover(desk, operation)
    assert operation.known_state is State.CONFIRMED
    assert desk.row(operation).gone_at == operation.settled_at


def test_a_worker_that_oversleeps_its_lease_while_reading_sends_nothing(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    get_endpoint = clients.WorkspaceClient.get_endpoint

    def oversleep(self: clients.WorkspaceClient, name: str, *, deadline: float) -> Any:
        document = get_endpoint(self, name, deadline=deadline)
        monkeypatch.setattr(clients.WorkspaceClient, "get_endpoint", get_endpoint)
        desk.clock.forward(operations.LEASE.total_seconds() + 1)
        operations.advance(operation.pk, clock=desk.clock)  # another worker
        return document

    monkeypatch.setattr(clients.WorkspaceClient, "get_endpoint", oversleep)
    desk.look(operation)

    assert operation.known_state is State.SENT
    assert desk.emulator.calls.counts[STOP] == 1
    assert actions(operation) == ["stop asked", "stop sending", "stop sent"]


def test_a_worker_that_oversleeps_while_sending_does_not_reopen_what_is_settled(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    stop = clients.WorkspaceClient.stop_endpoint

    def oversleep(self: clients.WorkspaceClient, name: str, *, deadline: float) -> None:
        stop(self, name, deadline=deadline)
        desk.clock.forward(operations.LEASE.total_seconds() + 1)
        operations.advance(operation.pk, clock=desk.clock)  # another worker sees it stopped

    monkeypatch.setattr(clients.WorkspaceClient, "stop_endpoint", oversleep)
    desk.look(operation)

    assert (operation.known_state, operation.known_outcome) == (State.CONFIRMED, Outcome.READ)
    assert desk.emulator.calls.counts[STOP] == 1


# At once ---------------------------------------------------------------------------------------


@pytest.fixture
def shared_desk(shared_lab: Lab) -> Desk:
    listed(shared_lab)
    return Desk(shared_lab)


def test_two_clicks_at_once_are_one_operation(shared_desk: Desk) -> None:
    people = [make_user("otto", "operator"), make_user("mika", "manager")]
    clicks = [
        lambda person=person: shared_desk.ask("stop", "customer-ltv", person).pk
        for person in people * 2
    ]

    answers = at_once(*clicks)

    operation = Operation.objects.get()
    assert answers == [operation.pk] * 4
    assert actions(operation) == ["stop asked"]


def test_of_two_kinds_at_once_one_is_offered(shared_desk: Desk) -> None:
    mika = make_user("mika", "manager")

    answers = at_once(
        lambda: shared_desk.ask("stop", "customer-ltv", mika),
        lambda: shared_desk.ask("delete", "customer-ltv", mika),
    )

    assert {type(answer) for answer in answers} == {Operation, NotOffered}
    assert Operation.objects.count() == 1


def test_a_message_delivered_many_times_at_once_sends_once(shared_desk: Desk) -> None:
    otto = make_user("otto", "operator")
    operation = shared_desk.ask("stop", "customer-ltv", otto)

    def message() -> None:
        operations.advance(operation.pk, clock=shared_desk.clock)

    assert at_once(*[message] * 6) == [None] * 6

    operation.refresh_from_db()
    assert operation.known_state is State.SENT
    assert shared_desk.emulator.calls.counts[STOP] == 1
    assert shared_desk.emulator.calls.counts[GET] == 1


def test_a_withdrawal_and_a_sending_at_once_agree(shared_desk: Desk) -> None:
    otto = make_user("otto", "operator")
    for name in ("customer-ltv", "basket-recommender", "product-search-embeddings"):
        operation = shared_desk.ask("stop", name, otto)
        shared_desk.emulator.calls.clear()

        withdrawn, _ = at_once(
            lambda op=operation: operations.withdraw(op, by=otto, now=shared_desk.clock()),
            lambda op=operation: operations.advance(op.pk, clock=shared_desk.clock),
        )

        operation.refresh_from_db()
        assert withdrawn is (operation.known_state is State.CANCELLED)
        assert len(shared_desk.writes()) == (0 if withdrawn else 1)


ROUNDS = 4


def test_sync_clicks_and_engine_do_not_wait_for_each_other(shared_desk: Desk) -> None:
    """Every writer takes its locks in one order: nobody is told of a deadlock, nothing is lost."""
    otto = make_user("otto", "operator")
    names = ["customer-ltv", "basket-recommender", "product-search-embeddings"]
    clock, lab = shared_desk.clock, shared_desk.lab
    over = threading.Event()

    def keep_listing() -> None:
        while not over.is_set():
            Workspace.objects.update(next_list_at=None, rest_until=None)
            Endpoint.objects.update(fingerprint="")
            sync.sync(lab.workspace.pk, clock=clock)

    def click_and_carry_out() -> None:
        try:
            for _ in range(ROUNDS):
                for name in names:
                    operation = shared_desk.ask("stop", name, otto)
                    operations.advance(operation.pk, clock=clock)
                    operations.withdraw(operation, by=otto, now=clock())
                    Operation.objects.filter(pk=operation.pk).update(
                        state=State.CANCELLED, settled_at=clock()
                    )
        finally:
            over.set()

    assert at_once(keep_listing, click_and_carry_out) == [None, None]
    assert AuditEntry.objects.filter(action="stop asked").count() == ROUNDS * len(names)
