"""One endpoint's overview, and what changed in it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoints_app.models import Endpoint
from endpoints_app.services import activity, detail
from endpoints_app.services.live import Since
from endpoints_app.views import guards, heading, partial

KEPT_SECONDS = 10
"""So long an overview is the same for all: what is told in it without a new revision of its
endpoint, as logs that were kept, comes as much later."""


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
    now, head = timezone.now(), guards.head(request)
    endpoint = guards.endpoint(request, workspace, name)
    since = request.GET.get("since", "")
    known = Since.read(since, head, now).revision
    if since == head.cursor(now) or (known is not None and endpoint.revision <= known):
        return partial.unchanged(head, heading.sources(head, endpoint), now)
    response = render(request, "endpoints/_detail_changes.html", _context(request, endpoint))
    return partial.with_head(response, head, heading.sources(head, endpoint), now)


def _context(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """What the overview needs is read when it is rendered, which the next readers of the same few
    seconds spare."""
    heading_of = heading.of(request, endpoint)
    row, now = heading_of["row"], heading_of["now"]
    return heading_of | {
        "tab": "overview",
        "document": detail.document_of(endpoint),
        "configurations": lambda: detail.configurations(endpoint),
        "timeline": lambda: activity.latest(endpoint, now=now),
        "shown": (
            *(endpoint.pk, endpoint.revision, endpoint.workspace.observed_at, row.stale),
            int(now.timestamp()) // KEPT_SECONDS,
        ),
    }
