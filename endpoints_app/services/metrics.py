"""The metrics of one endpoint over a span of time: what its charts and its dialog say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints_app.domain import uptime
from endpoints_app.domain.charts import Axis
from endpoints_app.domain.metric_charts import Chart, Range, charts
from endpoints_app.domain.metric_gaps import Gap, gaps
from endpoints_app.domain.metrics import MINUTE, Grain, Stretch, total, window
from endpoints_app.domain.status import Status
from endpoints_app.models import (
    ConfigVersion,
    Endpoint,
    MetricSample,
    Operation,
    Outage,
    StatusChange,
)
from endpoints_app.services import metric_grains
from endpoints_app.services.live import Head

STALE = timedelta(minutes=4)  # the newest minute is older than that: something keeps us
MOMENTS = 40  # in the list below the charts
NAMED = timedelta(minutes=2)  # shorter gaps count, and are not listed one by one


@dataclass(frozen=True, slots=True)
class Moment:
    """Something to tell on the time axis."""

    at: datetime
    change: StatusChange | None = None
    operation: Operation | None = None
    config: ConfigVersion | None = None
    gap: Gap | None = None

    @property
    def is_mark(self) -> bool:
        """Changes of status are seen in the trace, gaps in the charts."""
        return self.operation is not None or self.config is not None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the minutes that were exported; None where none was."""

    requests: float | None
    errors_4xx: float | None
    errors_5xx: float | None
    not_ready: Sequence[uptime.Span]
    not_exported: Sequence[Gap]
    not_sampled: Sequence[Gap]
    concurrency: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    range: Range
    axis: Axis
    entity: str
    entities: Sequence[str]
    charts: Sequence[Chart]
    spans: Sequence[uptime.Span]
    moments: Sequence[Moment]
    more_moments: bool
    totals: Totals
    newest: Stretch | None  # the last minute that was asked for, in this time
    newest_data: datetime | None  # until when there are numbers

    @property
    def is_empty(self) -> bool:
        return all(chart.is_empty for chart in self.charts)

    @property
    def stale_from(self) -> datetime | None:
        """When its numbers are old, unless newer ones come."""
        return self.newest_data + STALE if self.newest_data is not None else None

    def is_stale(self, now: datetime) -> bool:
        return self.stale_from is not None and now > self.stale_from

    @property
    def marks(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.is_mark]


def read(endpoint: Endpoint, range_: Range, *, entity: str, head: Head, now: datetime) -> Panel:
    """All that the panel shows, from our own rows: nobody waits for Databricks."""
    axis = Axis(now - range_.span, now, range_.step)
    entities = metric_grains.entities(endpoint.pk, axis, range_.grain)
    entity = entity if entity in entities else ""
    told = metric_grains.stretches(endpoint.pk, {"", entity}, axis, range_.grain)
    whole, shown = told[""], told[entity]
    spans, changes = _status(endpoint, axis, head)
    holes = gaps(whole, spans, start=axis.start, end=axis.end)
    moments, more = _moments(endpoint, axis, changes, holes)
    readings = [stretch.reading for stretch in shown]
    exported = [stretch for stretch in whole if stretch.reading]
    return Panel(
        range=range_,
        axis=axis,
        entity=entity,
        entities=entities,
        charts=charts(range_, axis, shown, whole),
        spans=spans,
        moments=moments,
        more_moments=more,
        totals=Totals(
            requests=total("requests", readings),
            errors_4xx=total("errors_4xx", readings),
            errors_5xx=total("errors_5xx", readings),
            not_ready=[span for span in spans if is_down(span.status)],
            not_exported=[gap for gap in holes if gap.not_exported],
            not_sampled=[gap for gap in holes if not gap.not_exported],
            concurrency=shown[-1].reading.values.get("concurrency") if shown else None,
        ),
        newest=whole[-1] if whole else None,
        newest_data=exported[-1].end if exported else None,
    )


def is_down(status: Status | None) -> bool:
    """Nobody could query it, and nobody had asked for that."""
    return status is not None and status.serving is False and status is not Status.STOPPED


def rows(endpoint: Endpoint, range_: Range, *, entity: str, now: datetime) -> Iterator[Stretch]:
    """What is kept of that time, as fine as it is kept."""
    return metric_grains.finest(endpoint.pk, entity, start=now - range_.span, end=now)


# Gaps and moments ------------------------------------------------------------------------------


def _status(
    endpoint: Endpoint, axis: Axis, head: Head
) -> tuple[Sequence[uptime.Span], list[StatusChange]]:
    changes = list(
        StatusChange.objects.filter(endpoint=endpoint, at__gt=axis.start, at__lte=axis.end)
        .select_related("operation")
        .order_by("at", "pk")
    )
    outages = Outage.objects.filter(workspace=endpoint.workspace_id, end__gt=axis.start)
    unread = list(outages.values_list("start", "end"))
    for source in head.sources:
        if source.pk == endpoint.workspace_id and source.is_stale(axis.end):
            unread.append((source.observed_at or axis.start, axis.end))
    spans = uptime.spans(
        [uptime.Change(change.at, change.former, change.status) for change in changes],
        start=axis.start,
        end=axis.end,
        first_seen=endpoint.first_seen_at,
        current=None if endpoint.gone_at else endpoint.known_status,
        unread=unread,
    )
    return spans, changes


def _moments(
    endpoint: Endpoint, axis: Axis, changes: Sequence[StatusChange], holes: Sequence[Gap]
) -> tuple[list[Moment], bool]:
    """Newest first, as many as a list can show; and whether there are more."""
    operations = Operation.objects.filter(
        endpoint=endpoint, requested_at__gt=axis.start, requested_at__lte=axis.end
    )
    configs = ConfigVersion.objects.filter(
        endpoint=endpoint,
        after__isnull=False,
        first_seen_at__gt=axis.start,
        first_seen_at__lte=axis.end,
    ).defer("content", "changes", "secrets")
    found = [Moment(change.at, change=change) for change in changes]
    found += [Moment(it.requested_at, operation=it) for it in operations[: MOMENTS + 1]]
    found += [
        Moment(it.first_seen_at, config=it)
        for it in configs.select_related("operation").order_by("-first_seen_at")[: MOMENTS + 1]
    ]
    found += [Moment(gap.start, gap=gap) for gap in holes if gap.lasted >= NAMED]
    found.sort(key=lambda moment: moment.at, reverse=True)
    return found[:MOMENTS], len(found) > MOMENTS


# Traffic ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests in the last hour: of as many of its minutes as are known."""

    requests: float
    minutes: int
    newest: datetime  # the end of the last one


def traffic(endpoint: Endpoint, *, now: datetime) -> Traffic | None:
    """None when nothing is known. One query, and nobody is asked."""
    end = window(now, 1)
    found = MetricSample.objects.filter(
        endpoint=endpoint,
        grain=Grain.MINUTE,
        entity="",
        at__gte=end - timedelta(hours=1),
        at__lt=end,
        requests__isnull=False,
    ).order_by("at")
    known = list(found.values_list("at", "minutes", "requests"))
    if not known:
        return None
    last_at, last_minutes, _ = known[-1]
    return Traffic(
        requests=sum(requests or 0 for _, _, requests in known),
        minutes=sum(minutes for _, minutes, _ in known),
        newest=last_at + last_minutes * MINUTE,
    )
