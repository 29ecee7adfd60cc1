"""Operations: kinds, states, what is offered when and why not, and the next step of one under way.

QUEUED ──► SENDING ──► SENT ──► CONFIRMED      a later read says so
  │           │          ├────► FAILED         Databricks refused it, or it moved and fell back
  │           │          └────► NOT_CONFIRMED  the deadline passed without either
  │           └─ watched like SENT: it may have left, so it is never sent again
  ├──► CONFIRMED                               it was so already: success without effect
  ├──► FAILED                                  refused before sending: state, kind or right
  ├──► EXPIRED                                 nobody could send it in time: nothing was sent
  └──► CANCELLED                               withdrawn while queued
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from endpoints_app.domain.kind import Kind
from endpoints_app.domain.roles import Action
from endpoints_app.domain.status import SERVING, Status


class OperationKind(StrEnum):
    STOP = "stop"
    START = "start"
    DELETE = "delete"

    @property
    def action(self) -> Action:
        return Action(self.value)


class State(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    NOT_CONFIRMED = "not_confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN = frozenset({State.QUEUED, State.SENDING, State.SENT})


class Outcome(StrEnum):
    """Why a settled operation ended as it did. Sentences: `sentences/`."""

    NONE = ""
    READ = "read"  # a read after the request showed the goal
    NO_EFFECT = "no_effect"  # it was so before anything was sent
    REFUSED_BY_DATABRICKS = "refused_by_databricks"
    NOT_POSSIBLE = "not_possible"  # our own rules, on the live state; `refusal` says which
    RIGHT_WITHDRAWN = "right_withdrawn"
    REPLACED = "replaced"  # another endpoint has the name now
    GONE = "gone"  # nothing to stop or start any more
    FELL_BACK = "fell_back"  # it moved, and ended somewhere else
    DEADLINE = "deadline"
    NOT_SENT_IN_TIME = "not_sent_in_time"
    WITHDRAWN = "withdrawn"


SEND_WITHIN = timedelta(minutes=2)
"""A click nobody could carry out by then expires: none fires hours later."""

OUTCOME_SHOWN = timedelta(minutes=2)
"""So long whoever asked still looks for the outcome where it was under way."""

FINISH_WITHIN = {
    OperationKind.STOP: timedelta(minutes=15),
    OperationKind.START: timedelta(minutes=35),
    OperationKind.DELETE: timedelta(minutes=5),
}


class Refusal(StrEnum):
    """Why an action is not offered. Sentences: `sentences/`."""

    ROLE = "role"
    KIND = "kind"
    UPDATING = "updating"
    UNKNOWN_STATE = "unknown_state"
    OPERATION_OPEN = "operation_open"
    GONE = "gone"


def refusal(
    kind: OperationKind, endpoint: Kind, status: Status, *, updating: bool
) -> Refusal | None:
    """Why Databricks would not do it to an endpoint in this state, or None.

    Stop: custom models only and no update in progress (Databricks documentation). Start: the same
    kinds (our reading). Delete: no restriction is published, and one was recorded to work while a
    first deployment was pending. Asking for what is already so is no refusal: it succeeds
    without effect.
    """
    if kind is OperationKind.DELETE:
        return Refusal.KIND if endpoint in UNDELETABLE else None
    if not endpoint.can_stop:
        return Refusal.KIND
    if status is Status.UPDATING or (kind is OperationKind.STOP and updating):
        return Refusal.UPDATING
    if status is Status.UNKNOWN:
        return Refusal.UNKNOWN_STATE
    return None


UNDELETABLE = frozenset({Kind.FOUNDATION})
"""Pay-per-token endpoints belong to the platform: no id, no creator, nothing to delete."""


class Presence(Enum):
    """What a read says of the endpoint an operation is about."""

    THERE = "there"
    GONE = "gone"  # Databricks answered that no endpoint has this name
    REPLACED = "replaced"  # the name is there, the id is another
    NOT_READ = "not_read"  # no answer, or none we can rely on


@dataclass(frozen=True, slots=True)
class Seen:
    """The endpoint as the latest read shows it; status is None unless THERE."""

    presence: Presence
    status: Status | None = None
    refusal: Refusal | None = None


class Step(Enum):
    SEND = "send"
    WAIT = "wait"
    CONFIRM = "confirm"
    FAIL = "fail"
    NOT_CONFIRMED = "not_confirmed"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Next:
    step: Step
    outcome: Outcome = Outcome.NONE


GOAL: dict[OperationKind, frozenset[Status]] = {
    OperationKind.STOP: frozenset({Status.STOPPED}),
    OperationKind.START: SERVING,
    OperationKind.DELETE: frozenset(),
}
FELL_BACK: dict[OperationKind, frozenset[Status]] = {
    # A stop deploys nothing that could fail: the failure of an older update may show on its way.
    OperationKind.STOP: frozenset(),
    OperationKind.START: frozenset({Status.STOPPED, Status.UPDATE_FAILED}),
    OperationKind.DELETE: frozenset(),
}


def next_step(
    kind: OperationKind,
    state: State,
    seen: Seen,
    *,
    moved: bool,
    now: datetime,
    send_by: datetime,
    finish_by: datetime | None,
) -> Next:
    """Decide from what the workspace says now.

    `moved`: some read since the request differed from what was there before it. A start that is
    still Stopped has not failed until it has moved. `finish_by` is None while QUEUED.
    """
    queued = state is State.QUEUED
    if queued and now > send_by:
        return Next(Step.EXPIRE, Outcome.NOT_SENT_IN_TIME)

    match seen.presence:
        case Presence.GONE | Presence.REPLACED if kind is OperationKind.DELETE:
            return Next(Step.CONFIRM, Outcome.NO_EFFECT if queued else Outcome.READ)
        case Presence.GONE:
            return Next(Step.FAIL, Outcome.GONE)
        case Presence.REPLACED:
            return Next(Step.FAIL, Outcome.REPLACED)
        case Presence.THERE if seen.status in GOAL[kind]:
            return Next(Step.CONFIRM, Outcome.NO_EFFECT if queued else Outcome.READ)
        case Presence.THERE if queued and seen.refusal is not None:
            return Next(Step.FAIL, Outcome.NOT_POSSIBLE)
        case Presence.THERE if queued:
            return Next(Step.SEND)
        case Presence.THERE if moved and seen.status in FELL_BACK[kind]:
            return Next(Step.FAIL, Outcome.FELL_BACK)

    if finish_by is not None and now > finish_by:
        return Next(Step.NOT_CONFIRMED, Outcome.DEADLINE)
    return Next(Step.WAIT)


LOOKS_A_SECOND = 10
"""In one workspace."""


def look_again_in(under_way: int) -> timedelta:
    """Each second until it is settled, so that who watches sees what the workspace says as it says
    it. With many operations `under_way` in one workspace they share LOOKS_A_SECOND."""
    return timedelta(seconds=max(1.0, under_way / LOOKS_A_SECOND))
