"""What codes say to people: the one place for sentences, so that they can be translated.

Databricks' five status labels stay in its English in every language, as its own Japanese
documentation has them.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OperationKind, Outcome, Refusal, State
from endpoints_app.domain.logs import Log
from endpoints_app.domain.permissions import (
    CAN_MANAGE,
    CAN_QUERY,
    CAN_VIEW,
    Danger,
    Difference,
    Entry,
    PrincipalKind,
    is_raise,
)
from endpoints_app.domain.roles import Action, Role
from endpoints_app.domain.status import Reason, Status
from endpoints_app.models import AuditEntry, Endpoint, LogSnapshot, Operation

KINDS: dict[Kind, Promise] = {
    Kind.CUSTOM: gettext_lazy("Custom model"),
    Kind.AGENT: gettext_lazy("Agent"),
    Kind.PLATFORM_AGENT: gettext_lazy("Platform agent"),
    Kind.PROVISIONED: gettext_lazy("Provisioned throughput"),
    Kind.FOUNDATION: gettext_lazy("Pay-per-token"),
    Kind.EXTERNAL: gettext_lazy("External model"),
    Kind.FEATURE_SPEC: gettext_lazy("Feature spec"),
    Kind.UNKNOWN: gettext_lazy("Unknown kind"),
}

ROLES: dict[Role, Promise] = {
    Role.VIEWER: gettext_lazy("viewer"),
    Role.OPERATOR: gettext_lazy("operator"),
    Role.MANAGER: gettext_lazy("manager"),
}

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

REASONS: dict[Reason, Promise] = {
    Reason.UPDATE_CANCELED: gettext_lazy("The last update was canceled"),
    Reason.NO_CONFIGURATION: gettext_lazy("It has no configuration"),
    Reason.NOT_SERVING: gettext_lazy("It has a configuration, but does not serve"),
    Reason.UNRECOGNISED: gettext_lazy("A state we have not met"),
    Reason.MISSING_FROM_LIST: gettext_lazy("Missing from the list"),
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

UPDATES: dict[str, Promise] = {
    "NOT_UPDATING": gettext_lazy("Done"),
    "IN_PROGRESS": gettext_lazy("Running"),
    "UPDATE_FAILED": gettext_lazy("Failed"),
    "UPDATE_CANCELED": gettext_lazy("Canceled"),
}

DEPLOYMENTS: dict[str, Promise] = {
    "DEPLOYMENT_CREATING": gettext_lazy("Creating"),
    "DEPLOYMENT_RECOVERING": gettext_lazy("Recovering"),
    "DEPLOYMENT_READY": pgettext_lazy("deployment", "Ready"),
    "DEPLOYMENT_FAILED": gettext_lazy("Failed"),
    "DEPLOYMENT_ABORTED": gettext_lazy("Aborted"),
}
DEPLOYMENT_TONES = {
    "DEPLOYMENT_CREATING": "busy",
    "DEPLOYMENT_RECOVERING": "but",
    "DEPLOYMENT_READY": "good",
    "DEPLOYMENT_FAILED": "bad",
    "DEPLOYMENT_ABORTED": "bad",
}

SETTINGS: dict[str, Promise] = {
    "entity_name": gettext_lazy("Model"),
    "entity_version": gettext_lazy("Version"),
    "external_model": gettext_lazy("External model"),
    "foundation_model": gettext_lazy("Foundation model"),
    "workload_size": gettext_lazy("Size"),
    "workload_type": gettext_lazy("Compute"),
    "scale_to_zero_enabled": gettext_lazy("Scale to zero"),
    "min_provisioned_concurrency": gettext_lazy("Concurrency, at least"),
    "max_provisioned_concurrency": gettext_lazy("Concurrency, at most"),
    "min_provisioned_throughput": gettext_lazy("Throughput, at least"),
    "max_provisioned_throughput": gettext_lazy("Throughput, at most"),
    "provisioned_model_units": gettext_lazy("Model units"),
}

AUDIT: dict[str, Promise] = {
    "asked": gettext_lazy("Asked"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "not taken": gettext_lazy("Not taken; asked again later"),
    "lost from sight": gettext_lazy("No answer; it may or may not have arrived"),
}

ERRORS: dict[str, Promise] = {
    "NotConfigured": gettext_lazy("its credentials are not configured"),
    "NeverOpened": gettext_lazy("it cannot be reached"),
    "Lost": gettext_lazy("the connection broke"),
    "TimedOut": gettext_lazy("it did not answer in time"),
    "RedirectRefused": gettext_lazy("it answered with a redirect, not with its API"),
    "Nonsense": gettext_lazy("it answered with something that is not its API"),
    "Unauthenticated": gettext_lazy("it refuses our credentials"),
    "PermissionDenied": gettext_lazy("our credentials may not list its endpoints"),
    "Throttled": gettext_lazy("it asks us to slow down"),
}


ADVICE: dict[str, Promise] = {
    "NotConfigured": gettext_lazy(
        "Name its host and its credentials in the environment of web and workers, then restart."
    ),
    "NeverOpened": gettext_lazy("Compare its host, and the proxy if there is one."),
    "TimedOut": gettext_lazy("If it lasts, ask whoever keeps the network or Databricks up."),
    "RedirectRefused": gettext_lazy("Its host is likely not that of a workspace."),
    "Nonsense": gettext_lazy("Its host is likely not that of a workspace."),
    "Unauthenticated": gettext_lazy(
        "The secret has likely expired or was rotated: put the new one in place and restart."
    ),
    "PermissionDenied": gettext_lazy(
        "Give our service principal CAN VIEW on what should be seen, CAN MANAGE on what should be "
        "operated."
    ),
}


def error(code: str) -> str:
    """What keeps a workspace from answering, as the end of a sentence."""
    return str(ERRORS.get(code) or _("it answers with errors"))


def advice(code: str) -> str:
    """What to do about it."""
    return str(ADVICE.get(code) or _("It is asked again by itself."))


def update(config_update: str) -> str:
    """`config_update` in words; what we have not met is shown as it came."""
    return str(UPDATES.get(config_update, config_update or "–"))


def deployment(state: str) -> str:
    return str(DEPLOYMENTS.get(state, state))


def setting(name: str) -> str:
    return str(SETTINGS.get(name, name))


def audit_step(action: str) -> str:
    """What an entry of the record says was done: "stop asked" without its first word."""
    step = action.partition(" ")[2]
    if step in AUDIT:
        return str(AUDIT[step])
    return str(STATES[State(step)]) if step in set(State) else step


def audit_answer(entry: AuditEntry, operation: Operation) -> str:
    """What was said with it."""
    if "outcome" in entry.detail:
        return operation_detail(operation)
    return str(entry.detail.get("answer") or entry.detail.get("reason") or "")


def log(log: Log) -> str:
    return _("Build log") if log is Log.BUILD else _("Server log")


def kept_because(snapshot: LogSnapshot) -> str:
    """Why the log was kept."""
    operation = snapshot.operation
    if operation is None:
        return _("The update failed")
    if operation.known_kind is OperationKind.DELETE:
        return _("Before a delete")
    return _("Before a stop")


def refusal(code: Refusal, action: OperationKind, role: Role | None) -> str:
    """Why an action is not offered; `role` is the reader's own in that workspace."""
    if code is Refusal.ROLE:
        return lacking(action.action, role)
    if code is Refusal.KIND and action is OperationKind.DELETE:
        return _("Pay-per-token endpoints belong to Databricks and cannot be deleted.")
    return str(REFUSALS[code])


def lacking(action: Action, role: Role | None) -> str:
    """The sentence of a 403."""
    wanted = {
        Action.STOP: _("To stop an endpoint you need the role operator."),
        Action.START: _("To start an endpoint you need the role operator."),
        Action.DELETE: _("To delete an endpoint you need the role manager."),
        Action.TRY: _("To send a request to an endpoint you need the role operator."),
        Action.PERMISSIONS: _("To change permissions you need the role manager."),
    }.get(action, _("Your role does not allow this."))
    if role is None:
        return wanted
    return _("%(wanted)s You are %(role)s here.") % {"wanted": wanted, "role": ROLES[role]}


def why(endpoint: Endpoint, status: Status, *, stale: bool) -> str:
    """The second line under a status: what its label leaves open, or nothing."""
    known = _("last known: %(label)s") % {"label": endpoint.known_status.label}
    if stale:
        return known if endpoint.known_status is not Status.UNKNOWN else _("No recent answer")
    reason = endpoint.known_reason
    if status is Status.UNKNOWN:
        said = str(REASONS.get(reason, _("No recent answer")))
        if not endpoint.last_known:
            return said
        label = Status(endpoint.last_known).label
        return f"{said} · " + _("last known: %(label)s") % {"label": label}
    if status is Status.READY_UPDATE_FAILED:
        return _two_versions(endpoint) or endpoint.message
    if status in (Status.UPDATE_FAILED, Status.NOT_READY, Status.UPDATING) and endpoint.message:
        return endpoint.message
    if status is Status.STOPPED:
        return _who_stopped(endpoint)
    return str(REASONS.get(reason, ""))


def _two_versions(endpoint: Endpoint) -> str:
    if endpoint.config_version is None or endpoint.pending_version is None:
        return ""
    return _("Config %(failed)s failed; config %(active)s still serves") % {
        "failed": endpoint.pending_version,
        "active": endpoint.config_version,
    }


def _who_stopped(endpoint: Endpoint) -> str:
    operation = endpoint.cause
    if operation is None:
        return _("Stopped outside this dashboard")
    said = _("By %(name)s") % {"name": operation.actor_name}
    return f"{said}: {operation.reason}" if operation.reason else said


def operation_label(operation: Operation) -> str:
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


def operation_detail(operation: Operation) -> str:
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


def operation_tone(operation: Operation) -> str:
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


# Permissions ------------------------------------------------------------------------------------

PRINCIPALS: dict[PrincipalKind, Promise] = {
    PrincipalKind.USER: gettext_lazy("User"),
    PrincipalKind.GROUP: gettext_lazy("Group"),
    PrincipalKind.SERVICE_PRINCIPAL: gettext_lazy("Service principal"),
}

DANGERS: dict[Danger, Promise] = {
    Danger.LAST_MANAGER: gettext_lazy(
        "Nobody is left who holds CAN MANAGE on this endpoint itself. Afterwards only those who "
        "inherit it, as the workspace’s admins do, can change its permissions."
    ),
    Danger.OURSELVES: gettext_lazy(
        "Serving Desk itself loses access. It may no longer see, stop or change this endpoint, and "
        "you could not take this back here."
    ),
    Danger.OURSELVES_UNKNOWN: gettext_lazy(
        "The workspace did not say which principal Serving Desk is. If it is among those who lose "
        "something here, you could not take this back here."
    ),
}

CONFIRMATIONS: dict[Danger, Promise] = {
    Danger.LAST_MANAGER: gettext_lazy("Leave it without a direct manager"),
    Danger.OURSELVES: gettext_lazy("Take it from Serving Desk itself"),
    Danger.OURSELVES_UNKNOWN: gettext_lazy("Go on without knowing it"),
}


def level(permission: str | None) -> str:
    """`CAN_MANAGE` as Databricks' own pages write it."""
    return permission.replace("_", " ") if permission else "–"


def principals(kind: PrincipalKind, number: int) -> str:
    """ "2 groups"."""
    said = {
        PrincipalKind.USER: ngettext("%(n)s user", "%(n)s users", number),
        PrincipalKind.GROUP: ngettext("%(n)s group", "%(n)s groups", number),
        PrincipalKind.SERVICE_PRINCIPAL: ngettext(
            "%(n)s service principal", "%(n)s service principals", number
        ),
    }
    return said[kind] % {"n": number}


def inherited_from(path: str) -> str:
    """Where an inherited level comes from; Databricks gives a path, in our reading (unpublished)
    `/serving-endpoints/` for what is granted on all of them."""
    if path.strip("/") == "serving-endpoints":
        return _("all endpoints of the workspace")
    if path.strip("/") == "":
        return _("the workspace")
    return path


def origin(entry: Entry) -> str:
    """Where the level comes from that counts in the end."""
    above = [
        _("%(level)s from %(where)s") % {"level": level(grant.level), "where": where}
        for grant in entry.inherited
        for where in ([inherited_from(path) for path in grant.sources] or [_("above")])
    ]
    if entry.level is None:
        return _("Inherited: %(what)s") % {"what": ", ".join(above)} if above else "–"
    if not above:
        return _("Direct")
    return _("Direct %(level)s; inherited: %(what)s") % {
        "level": level(entry.level),
        "what": ", ".join(above),
    }


def difference(before: str | None, after: str | None) -> str:
    """ "CAN QUERY → CAN MANAGE"."""
    nothing = _("no direct grant")
    return f"{level(before) if before else nothing} → {level(after) if after else nothing}"


def consequence(change: Difference) -> str:
    """What the principal may then do that it might not before, or the other way round."""
    before, after = change.effective_before, change.effective_after
    if before == after:
        return _("Keeps %(level)s by inheritance") % {"level": level(after)} if after else ""
    if after is None:
        return _("May no longer see it, unless a group allows it")
    if is_raise(before, after):
        return {
            CAN_VIEW: _("May now see it"),
            CAN_QUERY: _("May now send it requests"),
            CAN_MANAGE: _("May now stop, change and delete it, and change its permissions"),
        }.get(after, "")
    if change.after is None and change.keeps:
        return _("Keeps %(level)s by inheritance") % {"level": level(after)}
    if after == CAN_QUERY:
        return _("May no longer stop, change or delete it, unless a group allows it")
    if after == CAN_VIEW:
        return _("May no longer send it requests, unless a group allows it")
    return ""


def permissions_refused(message: str) -> str:
    """Databricks' no, in words where we know what it means, and always with its own."""
    said = _("Databricks refused it: %(answer)s") % {"answer": message or _("without a reason")}
    if "group 'admins'" in message:
        return _("The admins group always manages every endpoint, and that cannot be lowered.") + (
            " " + said
        )
    if "does not exist" in message:
        return _("Databricks does not know one of these names.") + " " + said
    return said


PERMISSION_STEPS: dict[str, Promise] = {
    "permissions saved": gettext_lazy("saved"),
    "permissions refused": gettext_lazy("refused by Databricks"),
    "permissions not confirmed": gettext_lazy("not confirmed"),
}


def permissions_step(action: str) -> str:
    return str(PERMISSION_STEPS.get(action, action))
