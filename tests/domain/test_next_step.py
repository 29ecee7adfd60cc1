"""The next step of an operation, from what the workspace says now: every case there is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.lifecycle import (
    FINISH_WITHIN,
    OPEN,
    SEND_WITHIN,
    Next,
    OperationKind,
    Outcome,
    Presence,
    Refusal,
    Seen,
    State,
    Step,
    look_again_in,
    next_step,
)
from endpoints_app.domain.status import Status

NOW = datetime(2026, 11, 22, 3, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
LONG = timedelta(hours=1)

STOP, START, DELETE = OperationKind.STOP, OperationKind.START, OperationKind.DELETE
ANY_KIND = frozenset(OperationKind)

QUEUED = frozenset({State.QUEUED})
SENT = frozenset({State.SENDING, State.SENT})  # SENDING may have left: it is watched like SENT

GONE, REPLACED, NOT_READ = (
    Seen(Presence.GONE),
    Seen(Presence.REPLACED),
    Seen(Presence.NOT_READ),
)
ALLOWED = {status: Seen(Presence.THERE, status) for status in Status}
REFUSED = {status: Seen(Presence.THERE, status, Refusal.UPDATING) for status in Status}
SIGHTS = frozenset({GONE, REPLACED, NOT_READ, *ALLOWED.values(), *REFUSED.values()})


def showing(*statuses):
    """A read shows one of these, whether or not our rules would refuse the operation on it."""
    return frozenset(sight for sight in SIGHTS if sight.status in statuses)


def but(*statuses):
    return showing(*set(Status) - set(statuses))


def allowed(sights):
    return frozenset(sight for sight in sights if sight.refusal is None)


def refused(sights):
    return frozenset(sight for sight in sights if sight.refusal is not None)


THERE = showing(*Status)
STOPPED = showing(Status.STOPPED)
SERVING = showing(Status.READY, Status.READY_UPDATE_FAILED)
FELL_BACK = showing(Status.STOPPED, Status.UPDATE_FAILED)
STARTING = showing(Status.UPDATING, Status.NOT_READY, Status.UNKNOWN)

SEND, WAIT = Next(Step.SEND), Next(Step.WAIT)
EXPIRED = Next(Step.EXPIRE, Outcome.NOT_SENT_IN_TIME)
NO_EFFECT = Next(Step.CONFIRM, Outcome.NO_EFFECT)
DONE = Next(Step.CONFIRM, Outcome.READ)
NOT_CONFIRMED = Next(Step.NOT_CONFIRMED, Outcome.DEADLINE)


def fail(outcome):
    return Next(Step.FAIL, outcome)


@dataclass(frozen=True)
class Row:
    """`moved` and `late`, past the deadline that counts in this state, are None for either."""

    kinds: Any
    states: Any
    sights: Any
    then: Next
    moved: bool | None = None
    late: bool | None = None


IN_TIME: dict[str, Any] = {"late": False}
LATE: dict[str, Any] = {"late": True}

TABLE = {
    # Queued: nothing has been sent
    "queued too long expires, whatever a read shows":
        Row(ANY_KIND, QUEUED, SIGHTS, EXPIRED, **LATE),
    "queued without a read waits":
        Row(ANY_KIND, QUEUED, {NOT_READ}, WAIT, **IN_TIME),
    "stop or start of what is gone fails":
        Row({STOP, START}, QUEUED, {GONE}, fail(Outcome.GONE), **IN_TIME),
    "stop or start of what was replaced fails":
        Row({STOP, START}, QUEUED, {REPLACED}, fail(Outcome.REPLACED), **IN_TIME),
    "delete of what is gone succeeds without effect":
        Row({DELETE}, QUEUED, {GONE}, NO_EFFECT, **IN_TIME),
    "delete of what was replaced leaves the newcomer alone":
        Row({DELETE}, QUEUED, {REPLACED}, NO_EFFECT, **IN_TIME),
    "stop of what is stopped succeeds without effect":
        Row({STOP}, QUEUED, STOPPED, NO_EFFECT, **IN_TIME),
    "start of what serves succeeds without effect":
        Row({START}, QUEUED, SERVING, NO_EFFECT, **IN_TIME),
    "stop that became possible is sent":
        Row({STOP}, QUEUED, allowed(but(Status.STOPPED)), SEND, **IN_TIME),
    "stop that became impossible fails unsent":
        Row({STOP}, QUEUED, refused(but(Status.STOPPED)), fail(Outcome.NOT_POSSIBLE), **IN_TIME),
    "start that is possible is sent":
        Row({START}, QUEUED, allowed(THERE - SERVING), SEND, **IN_TIME),
    "start that became impossible fails unsent":
        Row({START}, QUEUED, refused(THERE - SERVING), fail(Outcome.NOT_POSSIBLE), **IN_TIME),
    "delete of what is there is sent":
        Row({DELETE}, QUEUED, allowed(THERE), SEND, **IN_TIME),
    "delete that is not possible fails unsent":
        Row({DELETE}, QUEUED, refused(THERE), fail(Outcome.NOT_POSSIBLE), **IN_TIME),
    # Sent, or perhaps sent: only reads and the deadline count
    "a stop is done when a read says stopped, even late":
        Row({STOP}, SENT, STOPPED, DONE),
    "a start is done when a read says it serves, even late":
        Row({START}, SENT, SERVING, DONE),
    "a delete is done when no endpoint has the name, even late":
        Row({DELETE}, SENT, {GONE}, DONE),
    "a delete is done when another endpoint has the name, even late":
        Row({DELETE}, SENT, {REPLACED}, DONE),
    "a stop or start fails when the endpoint is gone":
        Row({STOP, START}, SENT, {GONE}, fail(Outcome.GONE)),
    "a stop or start fails when another endpoint has the name":
        Row({STOP, START}, SENT, {REPLACED}, fail(Outcome.REPLACED)),
    "a start that moved and fell back fails":
        Row({START}, SENT, FELL_BACK, fail(Outcome.FELL_BACK), moved=True),
    "a start that has not moved yet is waited for":
        Row({START}, SENT, FELL_BACK, WAIT, moved=False, **IN_TIME),
    "a start that never moved is not confirmed":
        Row({START}, SENT, FELL_BACK, NOT_CONFIRMED, moved=False, **LATE),
    "a start under way is waited for":
        Row({START}, SENT, STARTING, WAIT, **IN_TIME),
    "a start still under way at the deadline is not confirmed":
        Row({START}, SENT, STARTING, NOT_CONFIRMED, **LATE),
    "a stop is waited for while anything but stopped shows":
        Row({STOP}, SENT, but(Status.STOPPED), WAIT, **IN_TIME),
    "a stop that does not show at the deadline is not confirmed":
        Row({STOP}, SENT, but(Status.STOPPED), NOT_CONFIRMED, **LATE),
    "a delete is waited for while the endpoint is there":
        Row({DELETE}, SENT, THERE, WAIT, **IN_TIME),
    "a delete of what is there at the deadline is not confirmed":
        Row({DELETE}, SENT, THERE, NOT_CONFIRMED, **LATE),
    "sent without a read waits":
        Row(ANY_KIND, SENT, {NOT_READ}, WAIT, **IN_TIME),
    "sent without a read until the deadline is not confirmed":
        Row(ANY_KIND, SENT, {NOT_READ}, NOT_CONFIRMED, **LATE),
}  # fmt: skip


def cases(row):
    either = (False, True)
    return product(
        row.kinds,
        row.states,
        row.sights,
        either if row.moved is None else [row.moved],
        either if row.late is None else [row.late],
    )


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_every_case_has_its_next_step(row):
    for kind, state, sight, moved, late in cases(row):
        # In time is until the very instant of the deadline.
        deadline = NOW - INSTANT if late else NOW
        queued = state is State.QUEUED
        step = next_step(
            kind,
            state,
            sight,
            moved=moved,
            now=NOW,
            send_by=deadline if queued else NOW - LONG,
            finish_by=None if queued else deadline,
        )
        assert step == row.then, (kind, state, sight, moved, late)


def test_the_table_has_one_row_for_every_case():
    everything = product(OperationKind, OPEN, SIGHTS, (False, True), (False, True))
    listed = [case for row in TABLE.values() for case in cases(row)]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(everything)


# Whatever the times ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    kind: OperationKind
    state: State
    seen: Seen
    moved: bool
    send_by: datetime
    finish_by: datetime | None

    @property
    def queued(self) -> bool:
        return self.state is State.QUEUED

    @property
    def expired(self) -> bool:
        return self.queued and self.send_by < NOW

    @property
    def at_goal(self) -> bool:
        match self.kind:
            case OperationKind.STOP:
                return self.seen in STOPPED
            case OperationKind.START:
                return self.seen in SERVING
        return self.seen in (GONE, REPLACED)

    @property
    def next(self) -> Next:
        return next_step(
            self.kind,
            self.state,
            self.seen,
            moved=self.moved,
            now=NOW,
            send_by=self.send_by,
            finish_by=self.finish_by,
        )


times = st.timedeltas(-LONG, LONG).map(lambda apart: NOW + apart)


@st.composite
def any_case(draw):
    state = draw(st.sampled_from(sorted(OPEN)))
    return Case(
        kind=draw(st.sampled_from(OperationKind)),
        state=state,
        seen=draw(st.sampled_from(sorted(SIGHTS, key=repr))),
        moved=draw(st.booleans()),
        send_by=draw(times),
        finish_by=None if state is State.QUEUED else draw(times),
    )


@given(any_case())
def test_nothing_that_may_have_left_is_sent_again(case):
    if not case.queued:
        assert case.next.step not in (Step.SEND, Step.EXPIRE)


@given(any_case())
def test_a_click_too_old_expires_and_only_such_a_click_does(case):
    assert (case.next.step is Step.EXPIRE) == case.expired


@given(any_case())
def test_only_a_read_of_an_endpoint_that_is_there_allowed_and_otherwise_lets_it_be_sent(case):
    if case.next.step is Step.SEND:
        assert case.seen.presence is Presence.THERE
        assert case.seen.refusal is None
        assert not case.at_goal


@given(any_case())
def test_done_is_said_exactly_when_a_read_shows_it(case):
    confirmed = case.next.step is Step.CONFIRM
    assert confirmed == (case.at_goal and not case.expired)


@given(any_case())
def test_not_confirmed_is_said_only_past_the_deadline_of_what_was_sent(case):
    if case.next.step is Step.NOT_CONFIRMED:
        assert not case.queued
        assert case.finish_by < NOW
        assert not case.at_goal


@given(any_case())
def test_only_a_start_that_moved_is_said_to_have_fallen_back(case):
    if case.next.outcome is Outcome.FELL_BACK:
        assert case.kind is START
        assert case.moved
        assert not case.queued


@given(any_case())
def test_without_a_read_nothing_is_claimed_about_the_endpoint(case):
    if case.seen is NOT_READ:
        assert case.next.step in (Step.WAIT, Step.EXPIRE, Step.NOT_CONFIRMED)


@given(any_case())
def test_no_effect_means_that_nothing_was_sent(case):
    if case.next.step is Step.CONFIRM:
        assert case.next.outcome is (Outcome.NO_EFFECT if case.queued else Outcome.READ)


@given(any_case())
def test_whatever_ends_an_operation_says_why(case):
    settles = case.next.step not in (Step.SEND, Step.WAIT)
    assert settles == (case.next.outcome is not Outcome.NONE)


# Stories ---------------------------------------------------------------------------------------


STORIES = {
    # name: (kind, status before, statuses read after the request, how the last one is judged)
    "a stop": (STOP, Status.READY, [Status.READY, Status.NOT_READY, Status.STOPPED], DONE),
    "a stop that is at once lost from sight": (
        STOP, Status.READY, [Status.UNKNOWN, Status.STOPPED], DONE,
    ),
    "a stop of what serves after a failed update": (
        # The old failure shows through while nothing serves and `suspend` is not set yet.
        STOP, Status.READY_UPDATE_FAILED, [Status.UPDATE_FAILED, Status.STOPPED], DONE,
    ),
    "a start": (START, Status.STOPPED, [Status.STOPPED, Status.UPDATING, Status.READY], DONE),
    "a start that goes back to stopped": (
        START, Status.STOPPED, [Status.STOPPED, Status.UPDATING, Status.STOPPED],
        fail(Outcome.FELL_BACK),
    ),
    "a start whose deployment fails": (
        START, Status.STOPPED, [Status.UPDATING, Status.UPDATE_FAILED], fail(Outcome.FELL_BACK),
    ),
    "a start of what had failed": (
        START, Status.UPDATE_FAILED, [Status.UPDATE_FAILED, Status.UPDATING, Status.READY], DONE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "reads", "end"), STORIES.values(), ids=STORIES.keys())
def test_operations_are_watched_to_their_end(kind, before, reads, end):
    moved, steps = False, []
    for status in reads:
        moved = moved or status is not before
        steps.append(
            next_step(
                kind,
                State.SENT,
                Seen(Presence.THERE, status),
                moved=moved,
                now=NOW,
                send_by=NOW,
                finish_by=NOW,
            )
        )
    assert steps == [WAIT] * (len(reads) - 1) + [end]


# Times and states ------------------------------------------------------------------------------


def test_a_click_lives_two_minutes_and_each_operation_has_its_own_time_to_finish():
    assert timedelta(minutes=2) == SEND_WITHIN
    assert {
        STOP: timedelta(minutes=15),
        START: timedelta(minutes=35),
        DELETE: timedelta(minutes=5),
    } == FINISH_WITHIN


def test_an_open_operation_is_either_queued_or_sent():
    assert OPEN == QUEUED | SENT


@pytest.mark.parametrize(
    ("under_way", "pause"), [(0, 1), (1, 1), (10, 1), (11, 1.1), (25, 2.5), (1000, 100)]
)
def test_each_is_looked_at_every_second_and_many_share_what_a_workspace_is_asked(under_way, pause):
    assert look_again_in(under_way) == timedelta(seconds=pause)
