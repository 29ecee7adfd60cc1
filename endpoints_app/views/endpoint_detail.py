"""One endpoint's overview, and what changed in it.

All of it but the frame is drawn once for everybody with the same roles in its workspace, and kept
in the process while it is true, as its heading is (kept_heading.py): until something is told of the
endpoint, which gives it a new revision, or a time in it would read differently. Only when it was
last read is filled in for each reader, since every reading moves it. Nothing of a person is in it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from endpoints_app.domain.ages import end_of_day, next_step
from endpoints_app.models import Endpoint
from endpoints_app.services import activity, detail
from endpoints_app.services.live import Since
from endpoints_app.services.shelf import ShelfForATime
from endpoints_app.views import guards, heading, kept_heading, partial


@dataclass(frozen=True, slots=True)
class Overview:
    """`before` and `after` the time of the last reading, which is that of its workspace's list or
    a newer one of its own."""

    before: SafeString
    after: SafeString
    title: str
    poll_url: str
    workspace: int
    read_at: datetime
    listed: bool

    def last_read(self, listed_at: datetime | None) -> datetime:
        newer = self.listed and listed_at is not None and listed_at > self.read_at
        return listed_at if newer and listed_at is not None else self.read_at


READ_AT = SafeString("<!-- read at -->")
"""Stands for it in what is kept. Whatever an endpoint is called, text in a page is escaped."""

NOT_READ_YET = timedelta(seconds=10)
"""So long a page is kept that had no details to show: they are asked for again."""

_kept: ShelfForATime[Hashable, Overview] = ShelfForATime(most=1_000)
"""Of some fifteen kilobytes each."""


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    known = guards.known(request, workspace, name)
    key = kept_heading.key_of(request, known) if known is not None else None
    now = timezone.now()
    overview = _kept.get(key, now)
    if overview is None:
        overview, until = _drawn(request, _read(request, workspace, name))
        if key is not None:
            _kept.put(key, overview, now=now, until=until)
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


def _drawn(request: HttpRequest, endpoint: Endpoint) -> tuple[Overview, datetime]:
    """Also until when it is true."""
    context = _context(request, endpoint)
    # Without the request, so that no token can get into what others are shown.
    html = render_to_string("endpoints/_overview_whole.html", context | {"read_at": READ_AT})
    before, _, after = html.partition(READ_AT)
    overview = Overview(
        SafeString(before),
        SafeString(after),
        title=f"{endpoint.name} · {context['status_label']} · Serving Desk",
        poll_url=context["poll_url"],
        workspace=endpoint.workspace_id,
        read_at=endpoint.observed_at,
        listed=endpoint.missing_since is None,
    )
    return overview, _true_until(endpoint, context)


def _true_until(endpoint: Endpoint, context: dict[str, Any]) -> datetime:
    now, configurations = context["now"], context["configurations"]
    times = [heading.true_until(context), context["row"].trace_until(now), end_of_day(now)]
    pending = configurations.pending if configurations is not None else None
    changed_at = (pending and pending.started_at) or endpoint.updated_at
    times += [next_step(at, now) for at in (endpoint.status_since, changed_at) if at is not None]
    return min([*times, *([now + NOT_READ_YET] if endpoint.document is None else ())])


def _frame(request: HttpRequest, overview: Overview) -> dict[str, Any]:
    now, head = timezone.now(), guards.head(request)
    sources = heading.sources(head, overview.workspace)
    return {
        "overview": overview,
        "read_at": overview.last_read(sources[0].observed_at),
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
