"""Operations: asked, refused, under way, settled."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from endpoints_app.domain.lifecycle import OperationKind, Outcome, Refusal, State
from endpoints_app.domain.roles import Role
from endpoints_app.models import AuditEntry, Operation
from endpoints_app.sentences.roles import lacking

VERBS: dict[OperationKind, Promise] = {
    OperationKind.STOP: pgettext_lazy("verb", "Stop"),
    OperationKind.START: pgettext_lazy("verb", "Start"),
    OperationKind.DELETE: pgettext_lazy("verb", "Delete"),
}


ASKS: dict[OperationKind, Promise] = {
    OperationKind.STOP: gettext_lazy("Stop endpoint"),
    OperationKind.START: gettext_lazy("Start endpoint"),
    OperationKind.DELETE: gettext_lazy("Delete endpoint"),
}


UNDER_WAY: dict[OperationKind, Promise] = {
    OperationKind.STOP: gettext_lazy("Stopping"),
    OperationKind.START: gettext_lazy("Starting"),
    OperationKind.DELETE: gettext_lazy("Deleting"),
}


REFUSALS: dict[Refusal, Promise] = {
    Refusal.KIND: gettext_lazy("Databricks can stop and start only endpoints of custom models."),
    Refusal.UPDATING: gettext_lazy("An update is running. Databricks refuses this until it ends."),
    Refusal.UNKNOWN_STATE: gettext_lazy("Its state is not one we know, so we do not touch it."),
    Refusal.OPERATION_OPEN: gettext_lazy("Another operation on it is under way."),
    Refusal.GONE: gettext_lazy("It no longer exists."),
}


STATES: dict[State, Promise] = {
    State.QUEUED: gettext_lazy("Requested"),
    State.SENDING: gettext_lazy("Sending"),
    State.SENT: gettext_lazy("Sent"),
    State.CONFIRMED: gettext_lazy("Done"),
    State.FAILED: gettext_lazy("Failed"),
    State.NOT_CONFIRMED: gettext_lazy("Not confirmed"),
    State.EXPIRED: gettext_lazy("Expired, not sent"),
    State.CANCELLED: gettext_lazy("Withdrawn"),
}


AUDIT: dict[str, Promise] = {
    "asked": gettext_lazy("Asked"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "not taken": gettext_lazy("Not taken; asked again later"),
    "lost from sight": gettext_lazy("No answer; it may or may not have arrived"),
}


def audit_step(action: str) -> str:
    """What an entry of the record says was done: "stop asked" without its first word."""
    step = action.partition(" ")[2]
    if step in AUDIT:
        return str(AUDIT[step])
    return str(STATES[State(step)]) if step in set(State) else step


def audit_answer(entry: AuditEntry, operation: Operation) -> str:
    """What was said with it."""
    if "outcome" in entry.detail:
        return detail(operation)
    return str(entry.detail.get("answer") or entry.detail.get("reason") or "")


def refusal(code: Refusal, action: OperationKind, role: Role | None) -> str:
    """Why an action is not offered; `role` is the reader's own in that workspace."""
    if code is Refusal.ROLE:
        return lacking(action.action, role)
    if code is Refusal.KIND and action is OperationKind.DELETE:
        return _("Pay-per-token endpoints belong to Databricks and cannot be deleted.")
    return str(REFUSALS[code])


def label(operation: Operation) -> str:
    """The outcome in a word or two."""
    state, outcome = operation.known_state, operation.known_outcome
    if outcome is Outcome.NO_EFFECT:
        return _("No effect")
    if state is State.FAILED and operation.sending_at is None:
        return _("Not possible, not sent")
    if state is State.FAILED and outcome is Outcome.REFUSED_BY_DATABRICKS:
        return _("Refused by Databricks")
    if state is State.SENT and operation.moved_at is not None:
        return _("Databricks is working")
    return str(STATES[state])


def detail(operation: Operation) -> str:
    """What there is to say of it beyond the label, or nothing."""
    match operation.known_outcome:
        case Outcome.READ:
            return _done_detail(operation)
        case Outcome.NO_EFFECT:
            return {
                OperationKind.STOP: _("It was already stopped"),
                OperationKind.START: _("It was already running"),
                OperationKind.DELETE: _("It was already gone"),
            }[operation.known_kind]
        case Outcome.NOT_POSSIBLE:
            return refusal(Refusal(operation.refusal), operation.known_kind, None)
        case Outcome.RIGHT_WITHDRAWN:
            return _("Whoever asked for it may no longer do so; nothing was sent")
        case Outcome.REPLACED:
            return _("Another endpoint has this name now")
        case Outcome.GONE:
            return _("The endpoint no longer exists")
        case Outcome.FELL_BACK:
            return _("It began, and ended as it was before")
        case Outcome.DEADLINE if operation.sent_at is None:
            return _("It may or may not have been sent")
        case Outcome.DEADLINE:
            return _("Sent, but no read showed it done in time")
        case Outcome.NOT_SENT_IN_TIME:
            return _("Nobody could send it within 2 min; nothing was sent")
        case Outcome.WITHDRAWN:
            return _("By %(name)s before it was sent") % {"name": operation.settled_by}
    if operation.known_state is State.QUEUED and operation.detail:
        return _("Databricks does not answer yet: %(answer)s") % {"answer": operation.detail}
    return operation.detail


def _done_detail(operation: Operation) -> str:
    if operation.known_kind is OperationKind.START and operation.config_after is not None:
        return _("Config %(before)s → %(after)s") % {
            "before": operation.config_before if operation.config_before is not None else "–",
            "after": operation.config_after,
        }
    return _("Confirmed by a later read")


def tone(operation: Operation) -> str:
    """Its icon: the tones of the statuses, and `none` where nothing was sent."""
    if operation.is_open:
        return "busy"
    if operation.known_outcome is Outcome.NO_EFFECT or operation.sending_at is None:
        return "none"
    return {
        State.CONFIRMED: "good",
        State.FAILED: "bad",
        State.NOT_CONFIRMED: "unknown",
    }.get(operation.known_state, "none")
