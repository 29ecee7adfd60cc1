"""A click does not queue behind all threads of a busy sync."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from endpoints_app import tasks
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.services import live, turns
from tests.conftest import Lab, make_user
from tests.services.conftest import Desk, at_once, listed


@pytest.fixture(autouse=True)
def _nobody_has_had_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_ended", 0.0)


@pytest.fixture
def taken() -> Iterator[None]:
    """Another thread has the turn, and keeps it."""
    assert turns._lock.acquire(timeout=10)
    yield
    turns._lock.release()


def test_one_writer_of_a_process_is_before_the_database_at_a_time(shared_database: None) -> None:
    before_it: list[int] = []
    most: list[int] = []
    begin = transaction.Atomic.__enter__

    def counted(self: transaction.Atomic) -> None:
        before_it.append(1)
        most.append(len(before_it))
        begin(self)

    def write() -> None:
        for _ in range(5):
            with live.writing():
                live.next_revision()
                time.sleep(0.001)
                before_it.pop()

    with pytest.MonkeyPatch.context() as m:
        m.setattr(transaction.Atomic, "__enter__", counted)
        m.setattr(turns, "COURTESY", 30.0)
        assert at_once(*[write] * 4) == [None] * 4

    assert len(most) >= 20
    assert max(most) == 1


def test_between_two_turns_of_a_process_others_find_the_database_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(turns.time, "sleep", slept.append)
    for _ in range(3):
        with turns.one():
            pass
    assert len(slept) == 2, "not before the first"
    assert all(0 < seconds <= turns.GAP for seconds in slept)


def test_a_turn_is_over_also_when_the_writing_fails() -> None:
    with pytest.raises(ZeroDivisionError), turns.one():
        raise ZeroDivisionError
    assert not turns._lock.locked()


def test_who_has_waited_long_enough_goes_on_without(
    db: None, taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "COURTESY", 0.01)
    with turns.one():
        pass
    assert turns._lock.locked(), "it is still theirs"


def test_who_has_begun_a_transaction_waits_for_no_turn(
    db: None, taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the turn may be waiting for that very transaction."""
    monkeypatch.setattr(turns, "one", lambda: pytest.fail("it queued"))
    with transaction.atomic(), live.writing():
        live.next_revision()


def test_a_click_takes_its_turn_before_it_begins(
    shared_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_nudge", lambda _: None)
    listed(shared_lab)
    desk, otto = Desk(shared_lab), make_user("otto", "operator")
    begun: list[bool] = []
    one = turns.one

    def noted() -> object:
        begun.append(connection.in_atomic_block)
        return one()

    monkeypatch.setattr(turns, "one", noted)
    tasks.submit(
        desk.lab.endpoint("customer-ltv"),
        OperationKind.STOP,
        actor=otto,
        now=desk.clock(),
        stale=False,
    )
    assert begun == [False]
