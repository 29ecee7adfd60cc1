"""The Activity tab: the whole timeline of an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app import sentences
from endpoints_app.domain.activity import PERIODS, Filters, Key, Kind
from endpoints_app.forms.address import not_understood
from endpoints_app.models import Endpoint
from endpoints_app.services import activity, activity_summary, events
from endpoints_app.services.activity import Entry, Found, Page
from endpoints_app.services.events import Told
from endpoints_app.services.upstream import Busy
from endpoints_app.views import csv_file, guards, kept_entries, kept_heading

MOST_ROWS = 20_000  # of a download


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Nobody is asked for it: Databricks' own events are read into it by a script, or with
    `?events=1` before it is sent."""
    endpoint = guards.endpoint(request, workspace, name)
    now, filters = timezone.now(), _filters(request)
    if ignored := _ignored(request, filters):
        messages.warning(request, ignored)
    known = guards.known(request, workspace, name)
    context = kept_heading.of(request, known, "activity", lambda: endpoint)
    context |= _urls(request, endpoint)
    context |= {"endpoint": endpoint, "title": _("Activity"), "now": now}
    found: Page[Entry | Found] = activity.found(endpoint, filters, now=now)
    found, asked = _with_events(request, endpoint, found, filters, now)
    tally = activity.tally(endpoint, filters, now=now)
    context |= {
        "filters": filters,
        "page": found,
        "entries": kept_entries.drawn(endpoint, found.entries, now),
        "ask_for_events": not asked and _may_have_events(endpoint, filters, now),
        "all": tally.all,
        "counts": [
            (kind, n, filters.kind is kind)
            for kind, n in tally.kinds.items()
            if n or filters.kind is kind
        ],
        "months": tally.months,
        "summary": activity_summary.of(endpoint, guards.head(request), now=now),
    }
    return render(request, "activity/page.html", context)


@require_safe
def with_events(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The same list with Databricks' own events in it; 204 where there are none to add."""
    endpoint = guards.endpoint(request, workspace, name)
    now, filters = timezone.now(), _filters(request)
    before: Page[Entry | Found] = activity.found(endpoint, filters, now=now)
    told = _told(endpoint, now)
    found = activity.with_events(before, filters, told.events, now=now) if told else before
    if told is not None and not told.trouble and len(found.entries) == len(before.entries):
        return HttpResponse(status=204)
    context = _urls(request, endpoint) | {
        "endpoint": endpoint,
        "filters": filters,
        "page": found,
        "entries": kept_entries.drawn(endpoint, found.entries, now),
        "now": now,
        "no_events": told is None or told.trouble,
    }
    return render(request, "activity/_timeline.html", context)


@require_safe
def download(request: HttpRequest, workspace: str, name: str) -> HttpResponseBase:
    """What the filters leave, as CSV, with Databricks' own events as far as it has them."""
    endpoint = guards.endpoint(request, workspace, name)
    now, filters = timezone.now(), _filters(request)
    told: Told | None = Told([])
    if _may_have_events(endpoint, filters, now):
        told = _told(endpoint, now)
    return csv_file.of(_rows(endpoint, filters, told, now), f"{endpoint.name}-activity")


def _told(endpoint: Endpoint, now: datetime) -> Told | None:
    try:
        return events.read(endpoint, now=now)
    except Busy:
        return None


def _rows(
    endpoint: Endpoint, filters: Filters, told: Told | None, now: datetime
) -> Iterator[list[str]]:
    head = [_("Time (UTC)"), _("Kind"), _("What"), _("Who"), _("Why"), _("Details")]
    yield head
    shown = told.events if told else []
    entries = activity.everything(endpoint, filters, told=shown, now=now)
    for entry in islice(entries, MOST_ROWS):
        said = sentences.activity.said(entry)
        at = entry.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        kind = str(sentences.activity.KINDS[entry.kind])
        yield [at, kind, said.what, said.who, said.why, said.more]
    if next(entries, None) is not None:
        yield [_("There is more: only the newest %s are in this file.") % MOST_ROWS]
    if told is None or told.trouble:
        yield [_("Databricks did not give its own events just now: some may be missing here.")]


def _with_events(
    request: HttpRequest,
    endpoint: Endpoint,
    found: Page[Entry | Found],
    filters: Filters,
    now: datetime,
) -> tuple[Page[Entry | Found], bool]:
    """With what is at hand, or with `?events=1` with what is asked for now."""
    told = events.known(endpoint, now=now)
    if told is None and "events" in request.GET:
        told = _told(endpoint, now)
    if told is None:
        return found, False
    return activity.with_events(found, filters, told.events, now=now), True


def _may_have_events(endpoint: Endpoint, filters: Filters, now: datetime) -> bool:
    wanted = not filters.who and filters.kind in (None, Kind.EVENTS)
    return wanted and events.are_there(endpoint, now=now)


def _filters(request: HttpRequest) -> Filters:
    """What does not say anything is left out."""
    asked = request.GET
    kind = next((kind for kind in Kind if kind.value == asked.get("type")), None)
    period = asked.get("period", "")
    return Filters(
        kind=kind,
        who=asked.get("who", "").replace("\0", ""),
        period=period if period in PERIODS else "",
        month=_month(asked.get("month", "")),
        before=Key.read(asked.get("before", "")),
        at=Key.read(asked.get("at", "")),
    )


def _ignored(request: HttpRequest, filters: Filters) -> str:
    """A sentence that names what was asked for and not understood, or nothing."""
    read = {
        "type": filters.kind,
        "period": filters.period,
        "month": filters.month,
        "before": filters.before,
        "at": filters.at,
    }
    return not_understood(
        name for name, understood in read.items() if request.GET.get(name) and not understood
    )


def _month(text: str) -> datetime | None:
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    return month if 1970 < month.year < 9999 else None


def _urls(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    place = [endpoint.workspace.name, endpoint.name]
    former = {"id": endpoint.uid or str(endpoint.pk)} if endpoint.gone_at else {}
    names = ("type", "who", "period", "month", "before", "at")
    asked = {name: request.GET[name] for name in names if request.GET.get(name)}
    here = former | asked
    without_place = {k: v for k, v in here.items() if k not in ("before", "at")}
    return {
        "page_url": f"{reverse('activity', args=place)}?{urlencode(here | {'events': '1'})}",
        "events_url": f"{reverse('activity-events', args=place)}?{urlencode(here)}",
        "csv_url": f"{reverse('activity-csv', args=place)}?{urlencode(without_place)}",
        "former": former.get("id", ""),
    }
