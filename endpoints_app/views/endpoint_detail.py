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
    return heading.of(request, endpoint) | {
        "tab": "overview",
        "document": detail.document_of(endpoint),
        "configurations": detail.configurations(endpoint),
        "timeline": activity.latest(endpoint, now=timezone.now()),
    }
