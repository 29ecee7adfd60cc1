"""Pages that ask for what has changed, and what they are answered with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from endpoints_app.forms import address
from endpoints_app.services import crowd
from endpoints_app.services.live import Head, Source
from endpoints_app.views import guards

Context = dict[str, Any]


def poll_url(request: HttpRequest, name: str) -> str:
    """Where a page asks what has changed, with the filters it was opened with."""
    return f"{reverse(name)}?{address.asked(request.GET)}"


def frame(poll_url: str, head: Head, sources: Sequence[Source], now: datetime) -> Context:
    """What `_poll.html` and the chip of the frame take."""
    return {
        "poll_url": poll_url,
        "cursor": head.cursor(now),
        "observed": observed(sources),
        "sources": sources,
        "now": now,
        "head": head,
    }


def changes(
    request: HttpRequest, template: str, context: Callable[[HttpRequest, datetime], Context]
) -> HttpResponse:
    """The parts of a page anew, out of band, or 204 where the asker has them already."""
    now, head = timezone.now(), guards.head(request)
    sources = guards.sources(request, head)
    if request.GET.get("since", "") == head.cursor(now):
        return unchanged(head, sources, now)
    response = render(request, template, context(request, now) | {"oob": True})
    return with_head(response, head, sources, now)


def unchanged(head: Head, sources: Sequence[Source], now: datetime) -> HttpResponse:
    """Nothing to swap; the age of the data travels all the same."""
    return with_head(HttpResponse(status=204), head, sources, now)


def with_head(
    response: HttpResponse, head: Head, sources: Sequence[Source], now: datetime
) -> HttpResponse:
    """The cursor to ask with next time and when that is, and when each of the page's workspaces
    last answered, for the browser's own clock to turn Unknown by."""
    response.headers["Desk-Cursor"] = head.cursor(now)
    response.headers["Desk-Observed"] = observed(sources)
    response.headers["Desk-Pace"] = f"{crowd.here.pace(moving=head.moving, now=now):g}"
    response.headers["Cache-Control"] = "no-store"
    return response


def observed(sources: Sequence[Source]) -> str:
    """`pk=seconds` of each, 0 for one that never answered."""
    return " ".join(
        f"{source.pk}={int(source.observed_at.timestamp()) if source.observed_at else 0}"
        for source in sources
    )
