"""The words for operations, and the counts above their list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints_app import sentences
from endpoints_app.domain.lifecycle import OUTCOME_SHOWN, OperationKind, State
from endpoints_app.models import AuditEntry, Operation
from endpoints_app.services import operation_list

register = template.Library()

register.filter("operation_label", sentences.operations.label)
register.filter("operation_detail", sentences.operations.detail)
register.filter("operation_tone", sentences.operations.tone)
register.filter("audit_answer", sentences.operations.audit_answer)


@register.filter
def verb(kind: OperationKind | str) -> str:
    return str(sentences.operations.VERBS[OperationKind(kind)])


@register.filter
def under_way(kind: OperationKind | str) -> str:
    return str(sentences.operations.UNDER_WAY[OperationKind(kind)])


@register.filter
def audit_step(entry: AuditEntry) -> str:
    return sentences.operations.audit_step(entry.action)


@register.filter
def took(operation: Operation) -> timedelta | None:
    return operation.settled_at - operation.requested_at if operation.settled_at else None


@register.filter
def is_recent(operation: Operation, now: datetime) -> bool:
    """Settled so lately that whoever asked is still looking for the outcome."""
    return operation.settled_at is not None and now - operation.settled_at < OUTCOME_SHOWN


@register.filter
def steps_done(operation: Operation) -> int:
    """How many of the four steps are reached: requested, sent, Databricks is working, done."""
    if not operation.is_open:
        return 4
    if operation.moved_at:
        return 3
    return 1 if operation.known_state is State.QUEUED else 2


@register.filter
def operation_title(operation: Operation) -> str:
    what = f"{verb(operation.kind)} {operation.endpoint.name}"
    return f"{what} · {sentences.operations.label(operation)} · Serving Desk"


@register.filter
def operations_title(page: operation_list.Page) -> str:
    title = f"{_('Operations')} · Serving Desk"
    return f"{_('%s open') % page.counts['open']} · {title}" if page.counts["open"] else title


OUTCOMES: list[tuple[str, str, Any]] = [
    ("open", "busy", gettext_lazy("Open")),
    ("not_confirmed", "unknown", gettext_lazy("Not confirmed")),
    ("failed", "bad", gettext_lazy("Failed")),
    ("done", "good", gettext_lazy("Done")),
    ("not_done", "none", gettext_lazy("Not done")),
]


@register.filter
def outcomes(page: operation_list.Page) -> list[dict[str, Any]]:
    return [
        {
            "tone": tone,
            "label": label,
            "number": page.counts[name],
            "query": "" if page.filters.outcome == name else name,
            "on": page.filters.outcome == name,
        }
        for name, tone, label in OUTCOMES
    ]
