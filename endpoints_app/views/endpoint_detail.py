"""One endpoint's overview, and what changed in it.

All of it but the frame is drawn once for everybody with the same roles in its workspace, and kept
in the process for the moment in which it stays true, as its heading is (kept_heading.py). What is
told without a new revision of the endpoint, as logs that were kept, comes that moment later.
Nothing of a person is in it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from endpoints_app.models import Endpoint
from endpoints_app.services import activity, detail
from endpoints_app.services.live import Since
from endpoints_app.services.shelf import Shelf
from endpoints_app.views import guards, heading, kept_heading, partial


@dataclass(frozen=True, slots=True)
class Overview:
    html: SafeString
    title: str
    poll_url: str
    workspace: int


_kept: Shelf[Hashable, Overview] = Shelf(most=300)
"""Of some fifteen kilobytes each."""


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    known = guards.known(request, workspace, name)
    key = kept_heading.key_of(request, known) if known is not None else None
    overview = _kept.get(key)
    if overview is None:
        overview = _drawn(request, _read(request, workspace, name))
        if key is not None:
            _kept.put(key, overview)
    return render(request, "endpoints/detail.html", _frame(request, overview))


@require_safe
def changes(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """204 when this endpoint did not change since `since`; else its fragments."""
    now, head = timezone.now(), guards.head(request)
    endpoint = guards.endpoint(request, workspace, name)
    since = request.GET.get("since", "")
    known = Since.read(since, head, now).revision
    if since == head.cursor(now) or (known is not None and endpoint.revision <= known):
        return partial.unchanged(head, heading.sources(head, endpoint.workspace_id), now)
    response = render(request, "endpoints/_detail_changes.html", _context(request, endpoint))
    return partial.with_head(response, head, heading.sources(head, endpoint.workspace_id), now)


def forget() -> None:
    _kept.clear()


def _read(request: HttpRequest, workspace: str, name: str) -> Endpoint:
    endpoint = guards.endpoint(request, workspace, name)
    if endpoint.document is None and endpoint.gone_at is None:
        detail.read_now(endpoint, now=timezone.now())
        endpoint = guards.endpoint(request, workspace, name)
    return endpoint


def _drawn(request: HttpRequest, endpoint: Endpoint) -> Overview:
    context = _context(request, endpoint)
    return Overview(
        # Without the request, so that no token can get into what others are shown.
        html=render_to_string("endpoints/_overview_whole.html", context),
        title=f"{endpoint.name} · {context['status_label']} · Serving Desk",
        poll_url=context["poll_url"],
        workspace=endpoint.workspace_id,
    )


def _frame(request: HttpRequest, overview: Overview) -> dict[str, Any]:
    now, head = timezone.now(), guards.head(request)
    sources = heading.sources(head, overview.workspace)
    return {
        "overview": overview,
        "poll_url": overview.poll_url,
        "cursor": head.cursor(now),
        "observed": partial.observed(sources),
        "sources": sources,
        "now": now,
        "head": head,
    }


def _context(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    heading_of = heading.of(request, endpoint)
    return heading_of | {
        "version": (heading_of["head"].epoch, endpoint.pk, endpoint.revision),
        "document": detail.document_of(endpoint),
        "configurations": detail.configurations(endpoint),
        "timeline": activity.latest(endpoint, now=heading_of["now"]),
    }
