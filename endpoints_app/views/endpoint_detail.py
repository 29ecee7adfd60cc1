"""One endpoint's overview, and what changed in it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoints_app import sentences
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import clients, detail, listing, live, operations
from endpoints_app.services.live import Since
from endpoints_app.views import guards, partial


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name)
    if endpoint.document is None and endpoint.gone_at is None:
        detail.read_now(endpoint, now=timezone.now())
        endpoint = guards.endpoint(request, workspace, name)
    return render(request, "endpoints/detail.html", _context(request, endpoint))


@require_safe
def changes(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """204 when this endpoint did not change since `since`; else its fragments."""
    now = timezone.now()
    endpoint = guards.endpoint(request, workspace, name)
    head = live.head()
    since = request.GET.get("since", "")
    known = Since.read(since, head, now).revision
    if since == head.cursor(now) or (known is not None and endpoint.revision <= known):
        return partial.unchanged(head, _sources(head, endpoint), now)
    response = render(request, "endpoints/_detail_changes.html", _context(request, endpoint))
    return partial.with_head(response, head, _sources(head, endpoint), now)


def _sources(head: live.Head, endpoint: Endpoint) -> list[live.Source]:
    return [source for source in head.sources if source.pk == endpoint.workspace_id]


def _context(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    now = timezone.now()
    head = live.head()
    (row,) = listing.rows([endpoint], head, now)
    access = guards.access_of(request)
    role = access.best_role(endpoint.workspace_id)
    document = detail.document_of(endpoint)
    actions = []
    for kind in OperationKind:
        refusal = operations.refusal_for(
            kind,
            endpoint,
            may=access.may(kind.action, endpoint.workspace_id),
            stale=row.stale,
            running=row.operation,
        )
        why_not = sentences.refusal(refusal, kind, role) if refusal else ""
        actions.append(
            {
                "kind": kind.value,
                "verb": sentences.VERBS[kind],
                "why_not": why_not,
                "shown": kind is _likely(row),
            }
        )
    return {
        "endpoint": endpoint,
        "row": row,
        "document": document,
        "configurations": detail.configurations(endpoint),
        "timeline": detail.timeline(endpoint),
        "latest": detail.latest_operation(endpoint),
        "actions": actions,
        "databricks_url": _databricks_url(endpoint),
        "cursor": head.cursor(now),
        "observed": partial.observed(_sources(head, endpoint)),
        "sources": _sources(head, endpoint),
        "now": now,
        "head": head,
    }


def _likely(row: listing.Row) -> OperationKind:
    """Start for what is stopped, Stop for everything else; Delete is apart, in a menu."""
    if row.operation is not None and row.operation.known_kind is not OperationKind.DELETE:
        return row.operation.known_kind
    stopped = row.endpoint.known_status is Status.STOPPED
    return OperationKind.START if stopped else OperationKind.STOP


def _databricks_url(endpoint: Endpoint) -> str:
    host = clients.host_for(endpoint.workspace.name)
    return f"{host}/ml/endpoints/{endpoint.name}" if host and not endpoint.gone_at else ""
