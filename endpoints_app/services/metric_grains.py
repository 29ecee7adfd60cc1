"""The same minutes, kept in three grains: by themselves for a day, and as rows of five minutes and
of an hour. A chart adds up the coarsest of which its points consist, so that one of two weeks reads
some hundred rows and not twenty thousand minutes.

Coarser rows come when their time is over, and hold exactly what the finer ones say: neighbours
become one only where they have the same metrics (domain/metrics.py). So it does not matter to a
chart which grain it was made from, and what is not yet in a coarse row is read from finer ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.db.models import Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from endpoints_app.domain.charts import Axis
from endpoints_app.domain.metrics import MINUTE, Grain, Stretch, rolled_up, window
from endpoints_app.models import MetricSample, MetricWatch
from endpoints_app.models.metric_sample import STRETCH, stretch_of
from endpoints_app.services import live

FINE: Final = timedelta(days=1)
"""So long minutes are kept by themselves."""

LATE: Final = timedelta(minutes=10)
"""A minute that has not been written by then is not written any more: what is in a coarse row stays
as it is."""

BATCH = 500


# Reading ---------------------------------------------------------------------------------------


def stretches(
    endpoint: int, entities: Collection[str], axis: Axis, grain: Grain
) -> dict[str, list[Stretch]]:
    """Of each entity what is known of that time, oldest first. What began before it and reaches
    into it is in it. One statement."""
    first = _next(axis.start, grain)
    columns = ("entity", "grain", *STRETCH)
    some, *more = [
        piece.filter(entity__in={*entities, ""}).values_list(*columns)
        for piece in _pieces(endpoint, axis.start, axis.end, grain)
    ]
    rows = list(some.union(*more, all=True).order_by("at"))
    since = _since([(of, at) for _, of, at, *_ in rows], first, grain)
    told: dict[str, list[Stretch]] = {entity: [] for entity in entities}
    for entity, of, *values in rows:
        at = values[0]
        counts = at >= since[of] or (of == grain.finer and at < first)
        if counts and entity in told and (stretch := stretch_of(values)).end > axis.start:
            told[entity].append(stretch)
    return told


def entities(endpoint: int, axis: Axis, grain: Grain) -> list[str]:
    """Those that were told apart in that time. One statement, which reads an index."""
    some, *more = [
        piece.exclude(entity="").values_list("entity", flat=True)
        for piece in _pieces(endpoint, axis.start, axis.end, grain)
    ]
    return list((some.union(*more) if more else some.distinct()).order_by("entity"))


def finest(endpoint: int, entity: str, *, start: datetime, end: datetime) -> Iterator[Stretch]:
    """Minutes where they are kept, and before that rows of five. As many as there are: one by
    one."""
    theirs = MetricSample.objects.filter(endpoint=endpoint)
    oldest = theirs.filter(grain=Grain.MINUTE).aggregate(at=Min("at"))["at"]
    fine = window(oldest, Grain.FIVE) if oldest else end
    told = theirs.filter(
        Q(grain=Grain.MINUTE) | Q(grain=Grain.FIVE, at__lt=fine),
        entity=entity,
        at__gte=window(start, Grain.FIVE),
        at__lt=end,
    )
    rows = told.order_by("at").values_list(*STRETCH)
    return map(stretch_of, rows.iterator(chunk_size=1000))


def _next(at: datetime, grain: Grain) -> datetime:
    """The first window that does not begin before it."""
    begin = window(at, grain)
    return begin if begin == at else _end(at, grain)


def _pieces(
    endpoint: int, start: datetime, end: datetime, grain: Grain
) -> list[QuerySet[MetricSample]]:
    """Rows of `grain`, and finer ones where those do not reach: before the first whole window, and
    after the newest. At its edges the same time may be there twice. Each is a piece of one index:
    SQLite would read all of an endpoint for a condition with OR."""
    theirs = MetricSample.objects.filter(endpoint=endpoint).order_by()
    first = _next(start, grain)
    pieces = [theirs.filter(grain=grain, at__gte=first, at__lt=end)]
    if grain is not Grain.MINUTE:
        head = window(start, grain.finer)
        pieces.append(theirs.filter(grain=grain.finer, at__gte=head, at__lt=min(first, end)))
    while grain is not Grain.MINUTE:
        newest = theirs.filter(grain=grain).order_by("-at").values("at")[:1]
        since = Coalesce(Subquery(newest), Value(first))
        grain = grain.finer
        pieces.append(theirs.filter(grain=grain, at__gte=since, at__lt=end))
    return pieces


def _since(
    rows: Sequence[tuple[int, datetime]], first: datetime, grain: Grain
) -> dict[int, datetime]:
    """For each grain, until when coarser ones tell everything."""
    newest = dict(rows)
    since = {}
    for of in sorted(Grain, reverse=True):
        since[int(of)] = first
        if of <= grain and of in newest:
            first = max(first, _end(newest[of], of))
    return since


# Keeping ---------------------------------------------------------------------------------------


def settled(now: datetime) -> datetime:
    """Before it nothing is written any more but coarser rows."""
    return window(now - LATE, Grain.FIVE)


def roll_up(*, now: datetime) -> None:
    """Make the coarser rows whose time is over, and forget minutes after a day: in batches."""
    for grain in (Grain.FIVE, Grain.HOUR):
        before = window(settled(now), grain)
        for endpoint_id in _behind(grain, before):
            while _roll_up(endpoint_id, grain, before):
                pass
    old = MetricSample.objects.filter(grain=Grain.MINUTE, at__lt=window(now - FINE, Grain.FIVE))
    while pks := list(old.order_by("at").values_list("pk", flat=True)[:BATCH]):
        with live.writing():
            MetricSample.objects.filter(pk__in=pks).delete()


def _behind(grain: Grain, before: datetime) -> list[int]:
    """Endpoints that have finer rows of a window that is over. One statement."""
    theirs = MetricSample.objects.filter(endpoint=OuterRef("endpoint")).order_by("-at")
    coarse = theirs.filter(grain=grain)
    finer = theirs.filter(grain=grain.finer, at__lt=before)
    newest = MetricWatch.objects.order_by("pk").values_list(
        "endpoint_id", Subquery(coarse.values("at")[:1]), Subquery(finer.values("at")[:1])
    )
    return [
        pk for pk, coarse, finer in newest if finer and (not coarse or finer >= _end(coarse, grain))
    ]


def _end(at: datetime, grain: Grain) -> datetime:
    """Of the window that it lies in."""
    return window(at, grain) + grain * MINUTE


def _roll_up(endpoint_id: int, grain: Grain, before: datetime) -> bool:
    """One batch; returns whether there is more."""
    with live.writing():
        theirs = MetricSample.objects.filter(endpoint=endpoint_id)
        newest = theirs.filter(grain=grain).aggregate(at=Max("at"))["at"]
        finer = theirs.filter(grain=grain.finer, at__lt=before)
        if newest is not None:
            finer = finer.filter(at__gte=_end(newest, grain))
        rows = list(finer.order_by("at").values_list("entity", *STRETCH)[:BATCH])
        more = len(rows) == BATCH
        if more:  # the last window may go on
            last = window(rows[-1][1], grain)
            rows = [row for row in rows if row[1] < last]
        MetricSample.objects.bulk_create(
            MetricSample.of(endpoint_id, stretch, entity=entity, grain=grain)
            for entity, together in groupby(sorted(rows, key=_entity), _entity)
            for stretch in rolled_up((stretch_of(row[1:]) for row in together), minutes=grain)
        )
    return more


def _entity(row: tuple[Any, ...]) -> str:
    return str(row[0])
