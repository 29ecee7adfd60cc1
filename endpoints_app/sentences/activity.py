"""What happened, who did it and why: the lines of the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints_app.domain.activity import Kind
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.logs import Log
from endpoints_app.models import AuditEntry, ConfigVersion, Operation, StatusChange
from endpoints_app.sentences import budget, config, logs, operations, permissions, troubles
from endpoints_app.services.activity import Entry

KINDS: dict[Kind, Promise] = {
    Kind.STATUS: gettext_lazy("Status"),
    Kind.OPERATIONS: gettext_lazy("Operations"),
    Kind.CONFIGS: gettext_lazy("Configs"),
    Kind.PERMISSIONS: gettext_lazy("Permissions"),
    Kind.BUDGET: gettext_lazy("Budget policy"),
    Kind.LOGS: gettext_lazy("Logs kept"),
    Kind.SCHEMA: gettext_lazy("Schema"),
    Kind.REQUESTS: gettext_lazy("Requests"),
    Kind.NOTED: gettext_lazy("Noted"),
    Kind.EVENTS: gettext_lazy("Events"),
    Kind.OUTSIDE: gettext_lazy("Outside"),
}

ACTIONS: dict[str, Promise] = {
    "permissions saved": gettext_lazy("Permissions changed"),
    "permissions asked": gettext_lazy("Permissions: a change was sent"),
    "permissions refused": gettext_lazy("Permissions: Databricks refused the change"),
    "permissions not confirmed": gettext_lazy("Permissions: the change is not confirmed"),
    "budget policy changed": gettext_lazy("Budget policy changed"),
    "budget policy asked": gettext_lazy("Budget policy: a change was sent"),
    "budget policy refused": gettext_lazy("Budget policy: Databricks refused the change"),
    "budget policy not confirmed": gettext_lazy("Budget policy: the change is not confirmed"),
    "request sent": gettext_lazy("Request sent; its outcome is not known"),
    "request answered": gettext_lazy("Request answered"),
    "request not answered": gettext_lazy("Request not answered"),
    "acknowledged": gettext_lazy("Acknowledged: somebody is on it"),
    "acknowledgement cleared": gettext_lazy("Acknowledgement cleared"),
    "incident told": gettext_lazy("Note put on the status page"),
    "incident note removed": gettext_lazy("Note taken off the status page"),
}

ICONS = {
    Kind.PERMISSIONS: "key",
    Kind.BUDGET: "lock",
    Kind.REQUESTS: "right",
    Kind.NOTED: "user",
}


@dataclass(frozen=True, slots=True)
class Said:
    """`more` is what stands below, in soft ink."""

    what: str
    who: str = ""
    why: str = ""
    more: str = ""


def said(entry: Entry, *, above: str = "") -> Said:
    """In words alone, as a spreadsheet has it. `above` is a reason that need not be repeated."""
    if entry.change is not None:
        return _status(entry.change)
    if entry.operation is not None:
        return _operation(entry.operation)
    if entry.config is not None:
        return of_config(entry.config, above=above)
    if entry.audit is not None:
        return of_record(entry.audit)
    if entry.kept:
        names = ", ".join(f"{logs.log(Log(kept.log))} {kept.entity}" for kept in entry.kept)
        return Said(_("Logs kept") + f": {names}", more=logs.kept_because(entry.kept[0]))
    if entry.schema is not None:
        version = {"version": entry.schema.config_version}
        return Said(_("Query schema of config %(version)s first read") % version)
    if entry.event is not None:
        title = " ".join(part for part in (entry.event.type, entry.event.status) if part)
        return Said(title, who="Databricks", more=entry.event.message)
    if entry.outage is not None:
        span = {"start": _at(entry.outage.start), "end": _at(entry.outage.end)}
        return Said(
            _("Databricks did not answer from %(start)s to %(end)s.") % span
            + " "
            + _("Changes in that time may be missing.")
        )
    return Said("")


def _status(change: StatusChange) -> Said:
    labels = {
        "label": change.status.label if change.status else _("Deleted"),
        "was": change.former.label if change.former else "",
    }
    if change.former is None:
        return Said(_("%(label)s when first seen") % labels, more=change.message)
    return Said(
        _("%(label)s, from %(was)s") % labels,
        who="" if change.operation_id else _("outside Serving Desk"),
        more=change.message,
    )


def _operation(operation: Operation) -> Said:
    verb = operations.VERBS[operation.known_kind]
    outcome = [operations.label(operation), operations.detail(operation)]
    return Said(
        f"{verb}: {outcome[0]}",
        who=operation.actor_name,
        why=operation.reason,
        more=outcome[1] if outcome[1] != outcome[0] else "",
    )


def of_config(version: ConfigVersion, *, above: str = "") -> Said:
    number = {"version": version.version}
    if version.after is None:
        what = _("Config %(version)s when first seen") % number
    elif version.known_stage is Stage.PENDING:
        what = _("Config %(version)s pending") % number
    else:
        what = _("Config %(version)s seen") % number
    brief = config.brief(version)
    operation = version.operation
    who = operation.actor_name if operation else ""
    if version.after is not None and not operation:
        who = _("outside Serving Desk")
    return Said(
        f"{what}: {brief}" if brief else what,
        who=who,
        why=operation.reason if operation else "",
        more=" · ".join(part for part in (fate(version, above=above), _when(version)) if part),
    )


def fate(version: ConfigVersion, *, above: str = "") -> str:
    """What became of it."""
    times = {"active": _at(version.active_at), "end": _at(version.ended_at)}
    match version.known_stage:
        case Stage.ACTIVE if version.after is not None:
            return _("active since %(active)s") % times
        case Stage.FAILED:
            text = _("failed at %(end)s, never served") % times
            return f"{text}: {version.message}" if version.message not in ("", above) else text
        case Stage.CANCELED:
            return _("canceled by %(end)s") % times
        case Stage.SERVED:
            return _("served until %(end)s") % times
        case Stage.REPLACED:
            return _("never served; another one came by %(end)s") % times
    return ""


def _when(version: ConfigVersion) -> str:
    """When it was done, as near as anybody can tell."""
    if version.after is None or version.operation_id:
        return ""
    if version.made_at is not None:
        at = {"at": _at(version.made_at)}
        return _("made at %(at)s; Databricks tells no name") % at
    span = {"after": _at(version.after), "seen": _at(version.first_seen_at)}
    return _("done between %(after)s and %(seen)s; Databricks tells no name") % span


def of_record(entry: AuditEntry) -> Said:
    """What somebody did here that is no operation."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    action = ACTIONS.get(entry.action, entry.action)
    return Said(
        str(action),
        who=entry.actor_name,
        why=str(detail.get("reason") or ""),
        more="; ".join(part for part in _particulars(entry, detail) if part),
    )


def _particulars(entry: AuditEntry, detail: dict[str, object]) -> list[str]:
    parts: list[str] = []
    if entry.action.startswith("permissions "):
        changes = detail.get("changes")
        parts += [
            f"{change.get('name')}: "
            + permissions.difference(change.get("before"), change.get("after"))
            for change in (changes if isinstance(changes, list) else ())
        ]
    elif entry.action.startswith("budget policy "):
        before, after = detail.get("before"), detail.get("after", detail.get("wanted"))
        if isinstance(before, str | None) and isinstance(after, str | None):
            parts.append(budget.difference(before or "", after or ""))
    elif entry.action.startswith("request "):
        parts += _request(detail)
    elif detail.get("role"):
        parts.append(str(detail["role"]))
    if answer := detail.get("answer"):
        parts.append(_("Databricks: %(answer)s") % {"answer": answer})
    return parts


def _request(detail: dict[str, object]) -> list[str]:
    """Sizes and outcome; contents are not kept."""
    sizes = {"sent": detail.get("request_bytes", "–"), "got": detail.get("answer_bytes", "–")}
    parts = [_("%(sent)s bytes sent, %(got)s bytes received") % sizes]
    if detail.get("status"):
        parts.insert(0, f"HTTP {detail['status']}")
    elif detail.get("problem"):
        parts.insert(0, troubles.error(str(detail["problem"])))
    if isinstance(detail.get("milliseconds"), int):
        parts.append(f"{detail['milliseconds']} ms")
    if detail.get("served_entity"):
        parts.append(str(detail["served_entity"]))
    return parts


def _at(value: datetime | None) -> str:
    """ "2026-11-22 03:06:14 UTC"."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else "–"
