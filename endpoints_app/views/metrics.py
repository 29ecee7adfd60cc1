"""The Metrics tab: charts of what an endpoint exported, from rows of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from endpoints_app.domain.metric_charts import QUANTILES, Range
from endpoints_app.domain.metrics import NAMES, UNEXPORTED, Stretch, quantile
from endpoints_app.domain.roles import Action
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, MetricWatch
from endpoints_app.services import metric_samples, metrics
from endpoints_app.services.metric_samples import Watched
from endpoints_app.services.metrics import Panel
from endpoints_app.services.roster import Member, Version
from endpoints_app.services.upstream import Problem
from endpoints_app.views import csv_file, guards, kept_charts, kept_heading
from endpoints_app.views.kept_charts import LONGEST, UNSETTLED, Drawn


@dataclass(slots=True)
class Asked:
    """The endpoint that a request is about: read only where what is known by heart does not do."""

    request: HttpRequest
    place: tuple[str, str]
    known: Member | None = None
    found: Endpoint | None = None

    @classmethod
    def of(cls, request: HttpRequest, workspace: str, name: str) -> Asked:
        asked = cls(request, (workspace, name), guards.known(request, workspace, name))
        if asked.known is None:
            asked.read()
        return asked

    def read(self) -> Endpoint:
        if self.found is None:
            self.found = guards.endpoint(self.request, *self.place)
        return self.found

    @property
    def version(self) -> Version:
        if self.known is not None:
            return self.known.version
        endpoint = self.read()
        return Version(endpoint.revision, endpoint.pk, endpoint.workspace_id)

    @property
    def former(self) -> str:
        """The id in its address when it is gone."""
        if self.known is not None or (endpoint := self.read()).gone_at is None:
            return ""
        return endpoint.uid or str(endpoint.pk)


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    return _page(Asked.of(request, workspace, name))


def _page(asked: Asked, *, problem: str = "", status: int = 200) -> HttpResponse:
    request = asked.request
    range_, watched, charts = _charts(asked)
    may_keep = guards.access_of(request).may(Action.KEEP_METRICS, asked.version.workspace)
    context = kept_heading.of(request, asked.known, "metrics", asked.read)
    context |= _addresses(asked.place, asked.former, range_, charts.entity) | {
        "title": _("Metrics"),
        "problem": problem,
        "gone": bool(asked.former),
        "may_keep": may_keep,
        "kept": watched.watch is not None and watched.watch.kept,
        "charts": charts,
        "range": range_,
        "ranges": list(Range),
    }
    return render(request, "metrics/page.html", context, status=status)


@require_safe
def part(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """204 while nothing is new."""
    _, _, charts = _charts(Asked.of(request, workspace, name))
    if charts.version == request.GET.get("since"):
        return HttpResponse(status=204)
    return HttpResponse(charts.html)


@require_POST
def keep(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The switch: sampled whether or not anybody watches."""
    endpoint = guards.endpoint(request, workspace, name, Action.KEEP_METRICS)
    on = request.POST.get("keep")
    if on not in ("on", "off") or endpoint.gone_at is not None:
        return HttpResponse(_("keep must be on or off."), status=400)
    try:
        metric_samples.keep(endpoint, on == "on", by=request.user, now=timezone.now())  # type: ignore[arg-type]
    except metric_samples.TooMany:
        said = _("The metrics of %(n)s endpoints are kept already, and more are not sampled.")
        said %= {"n": metric_samples.MOST}
        return _page(Asked.of(request, workspace, name), problem=said, status=409)
    query = urlencode({"range": Range.of(request.GET.get("range", "")).key})
    return redirect(f"{reverse('metrics', args=[workspace, name])}?{query}")


def _charts(asked: Asked) -> tuple[Range, Watched, Drawn]:
    """Whoever comes here watches, and the sampling begins."""
    request, now = asked.request, timezone.now()
    head = guards.head(request)
    watched = metric_samples.watched(asked.version.pk)
    if not watched.is_noted(now):
        watched = metric_samples.watch(asked.read(), now=now)
    range_ = Range.of(request.GET.get("range", ""))
    entity = request.GET.get("entity", "")

    def draw() -> Drawn:
        panel = metrics.read(asked.read(), range_, entity=entity, head=head, now=now)
        return _draw(asked, panel, watched.watch, now)

    key = kept_charts.key_of(asked.version, range_, entity, watched, head, now)
    return range_, watched, kept_charts.drawn(key, now, draw)


def _draw(asked: Asked, panel: Panel, watch: MetricWatch | None, now: datetime) -> Drawn:
    endpoint = asked.read()
    state = _state(endpoint, panel, now)
    crowded = False
    if watch is not None and endpoint.gone_at is None and state in ("empty", "stale"):
        crowded = not metric_samples.is_sampled(watch, now=now)
    newest = panel.newest
    problem = None
    if newest is not None and newest.answer and newest.answer not in UNEXPORTED:
        problem = Problem(newest.answer, "", None)
    version = f"{state}.{_seconds(newest.end if newest else None)}.{_seconds(_last(panel))}"
    context = _addresses(asked.place, asked.former, panel.range, panel.entity) | {
        "endpoint": endpoint,
        "panel": panel,
        "state": state,
        "watch": watch,
        "crowded": crowded,
        "most": metric_samples.MOST,
        "problem_read": problem,
        "asked_at": newest.end if newest else None,
        "version": version,
        "now": now,
        "target": "metrics",
    }
    # Without the request, so that no token can get into what others are shown.
    html = SafeString(render_to_string("metrics/_charts.html", context))
    life = UNSETTLED if state else min(LONGEST, timedelta(seconds=panel.range.pace))
    ends = [now + life]
    if panel.stale_from is not None and panel.stale_from > now:
        ends.append(panel.stale_from)
    return Drawn(html, version, panel.entity, panel.entities, now, min(ends))


def _state(endpoint: Endpoint, panel: Panel, now: datetime) -> str:
    """Empty where there are charts to show and nothing to say before them."""
    answer = panel.newest.answer if panel.newest else ""
    stopped = endpoint.known_status is Status.STOPPED or endpoint.gone_at is not None
    if not panel.is_empty:
        return "stale" if panel.is_stale(now) and not stopped and answer not in UNEXPORTED else ""
    if endpoint.gone_at is not None:
        return "gone"
    if answer == "PermissionDenied":
        return "forbidden"
    if answer in UNEXPORTED:
        return "silent"
    if answer:
        return "error"
    return "stopped" if stopped else "empty"


def _last(panel: Panel) -> datetime | None:
    return panel.moments[0].at if panel.moments else None


def _seconds(at: datetime | None) -> int:
    return int(at.timestamp()) if at else 0


def _addresses(place: tuple[str, str], former: str, range_: Range, entity: str) -> dict[str, str]:
    asked = {"id": former, "range": range_.key, "entity": entity}
    query = urlencode({key: value for key, value in asked.items() if value})
    return {
        "page_url": f"{reverse('metrics', args=place)}?{query}",
        "part_url": f"{reverse('metrics-part', args=place)}?{query}",
        "csv_url": f"{reverse('metrics-csv', args=place)}?{query}",
        "keep_url": f"{reverse('metrics-keep', args=place)}?{query}",
    }


# The table as a file ---------------------------------------------------------------------------


@require_safe
def table(request: HttpRequest, workspace: str, name: str) -> HttpResponseBase:
    endpoint = guards.endpoint(request, workspace, name)
    range_ = Range.of(request.GET.get("range", ""))
    entity = request.GET.get("entity", "")
    found = metrics.rows(endpoint, range_, entity=entity, now=timezone.now())
    return csv_file.of(_rows(endpoint, entity, found), f"{endpoint.name}-metrics-{range_.key}")


def _rows(endpoint: Endpoint, entity: str, stretches: Iterator[Stretch]) -> Iterator[list[object]]:
    latency = [f"latency_{name}_ms" for name in QUANTILES]
    yield ["from_utc", "minutes", "endpoint", "entity", "answer", *NAMES, *latency]
    for stretch in stretches:
        reading = stretch.reading
        spread = reading.latency
        numbers = [reading.values.get(name) for name in NAMES]
        numbers += [quantile(spread, q) if spread else None for q in QUANTILES.values()]
        yield [
            f"{stretch.at:%Y-%m-%dT%H:%M:%SZ}",
            reading.minutes,
            endpoint.name,
            entity,
            stretch.answer,
            *("" if number is None else round(number, 3) for number in numbers),
        ]
