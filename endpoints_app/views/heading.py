"""What stands above every page of one endpoint: its status, what may be done, what is under way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.ages import end_of_day, next_step
from endpoints_app.domain.lifecycle import OUTCOME_SHOWN, OperationKind
from endpoints_app.domain.roles import Action
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import acknowledging, clients, detail, listing, live, operations
from endpoints_app.views import guards, partial

KEPT_AT_MOST = timedelta(minutes=10)


def of(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The context of `panels/page.html`, which a panel's page extends and adds its own to."""
    now = timezone.now()
    head = guards.head(request)
    row = listing.row_of(endpoint, head, now)
    access = guards.access_of(request)
    role = access.best_role(endpoint.workspace_id)
    actions = []
    likely = _likely(row)
    for kind in (likely, OperationKind.DELETE):
        refusal = operations.refusal_for(
            kind,
            endpoint,
            may=access.may(kind.action, endpoint.workspace_id),
            stale=row.stale,
            running=row.operation,
        )
        why_not = sentences.operations.refusal(refusal, kind, role) if refusal else ""
        actions.append(
            {
                "kind": kind.value,
                "label": sentences.operations.ASKS[kind],
                "why_not": why_not,
            }
        )
    known = sources(head, endpoint.workspace_id)
    return partial.frame(_changes_url(endpoint), head, known, now) | {
        "endpoint": endpoint,
        "name": endpoint.name,
        "row": row,
        "status_label": row.status.label if endpoint.gone_at is None else _("Deleted"),
        "latest": detail.latest_operation(endpoint),
        "usual": detail.usual(endpoint, row.operation.known_kind) if row.operation else None,
        "actions": actions,
        "needs_somebody": acknowledging.is_needed(endpoint, row.status),
        "may_acknowledge": access.may(Action.ACKNOWLEDGE, endpoint.workspace_id),
        "databricks_url": databricks_url(endpoint),
    }


def true_until(context: Mapping[str, Any]) -> datetime:
    """How long a heading of that context may be shown to others: until a time in it would read
    differently."""
    now, latest = context["now"], context["latest"]
    row: listing.Row = context["row"]
    times = [now + KEPT_AT_MOST]
    if row.operation is not None:
        times.append(next_step(row.operation.sending_at or row.operation.requested_at, now))
    elif latest is not None and latest.settled_at is not None:
        times.append(latest.settled_at + OUTCOME_SHOWN)
    if row.taken is not None:
        times += [next_step(row.taken.at, now), row.taken.until, end_of_day(now)]
    return min(time for time in times if time > now)


def sources(head: live.Head, workspace: int) -> list[live.Source]:
    return [source for source in head.sources if source.pk == workspace]


def _likely(row: listing.Row) -> OperationKind:
    """Start for what is stopped, Stop for everything else; Delete is apart, in a menu."""
    if row.operation is not None and row.operation.known_kind is not OperationKind.DELETE:
        return row.operation.known_kind
    stopped = row.endpoint.known_status is Status.STOPPED
    return OperationKind.START if stopped else OperationKind.STOP


def _changes_url(endpoint: Endpoint) -> str:
    """By id: the page goes on with this endpoint when it is deleted and its name given anew."""
    url = reverse("endpoint-changes", args=[endpoint.workspace.name, endpoint.name])
    return f"{url}?{urlencode({'id': endpoint.uid or endpoint.pk})}"


def databricks_url(endpoint: Endpoint) -> str:
    host = clients.host_for(endpoint.workspace.name)
    return f"{host}/ml/endpoints/{endpoint.name}" if host and not endpoint.gone_at else ""
