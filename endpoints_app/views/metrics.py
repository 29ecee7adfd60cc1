"""The Metrics tab: charts of what an endpoint exported, from rows of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import get_template
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
from endpoints_app.services.upstream import Problem
from endpoints_app.views import csv_file, guards, heading, kept_charts
from endpoints_app.views.kept_charts import LONGEST, UNSETTLED, Drawn


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name)
    return _page(request, endpoint)


def _page(
    request: HttpRequest, endpoint: Endpoint, *, problem: str = "", status: int = 200
) -> HttpResponse:
    range_, watched, charts = _charts(request, endpoint)
    may_keep = guards.access_of(request).may(Action.KEEP_METRICS, endpoint.workspace_id)
    context = heading.of(request, endpoint) | _addresses(endpoint, range_, charts.entity)
    context |= {
        "tab": "metrics",
        "title": _("Metrics"),
        "problem": problem,
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
    endpoint = guards.endpoint(request, workspace, name)
    _, _, charts = _charts(request, endpoint)
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
        return _page(request, endpoint, problem=said % {"n": metric_samples.MOST}, status=409)
    query = urlencode({"range": Range.of(request.GET.get("range", "")).key})
    return redirect(f"{reverse('metrics', args=[workspace, name])}?{query}")


def _charts(request: HttpRequest, endpoint: Endpoint) -> tuple[Range, Watched, Drawn]:
    """Whoever comes here watches, and the sampling begins."""
    now, head = timezone.now(), guards.head(request)
    watched = metric_samples.watch(endpoint, now=now)
    range_ = Range.of(request.GET.get("range", ""))
    entity = request.GET.get("entity", "")
    key = kept_charts.key_of(endpoint, range_, entity, watched, head, now)

    def draw() -> Drawn:
        panel = metrics.read(endpoint, range_, entity=entity, head=head, now=now)
        return _draw(endpoint, panel, watched.watch, now)

    return range_, watched, kept_charts.drawn(key, now, draw)


def _draw(endpoint: Endpoint, panel: Panel, watch: MetricWatch | None, now: datetime) -> Drawn:
    state = _state(endpoint, panel, now)
    crowded = False
    if watch is not None and endpoint.gone_at is None and state in ("empty", "stale"):
        crowded = not metric_samples.is_sampled(watch, now=now)
    newest = panel.newest
    problem = None
    if newest is not None and newest.answer and newest.answer not in UNEXPORTED:
        problem = Problem(newest.answer, "", None)
    version = f"{state}.{_seconds(newest.end if newest else None)}.{_seconds(_last(panel))}"
    context = _addresses(endpoint, panel.range, panel.entity) | {
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
    html = SafeString(get_template("metrics/_charts.html").render(context))
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


def _addresses(endpoint: Endpoint, range_: Range, entity: str) -> dict[str, str]:
    place = [endpoint.workspace.name, endpoint.name]
    asked = {"id": endpoint.uid or str(endpoint.pk)} if endpoint.gone_at else {}
    asked |= {"range": range_.key}
    asked |= {"entity": entity} if entity else {}
    query = urlencode(asked)
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
