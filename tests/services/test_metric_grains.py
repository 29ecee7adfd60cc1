"""The same minutes in coarser rows: less to read, and not a word that the minutes do not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.db import connection

from endpoints_app.domain.charts import Axis
from endpoints_app.domain.metric_charts import Chart, Range
from endpoints_app.domain.metrics import MINUTE, Grain, window
from endpoints_app.models import Endpoint, MetricSample, MetricWatch
from endpoints_app.services import live, metric_grains, metric_samples, metrics
from endpoints_app.services.metrics import Panel
from tests.conftest import Lab
from tests.services.conftest import at_once, listed

DAY = 24 * 60
LATENCY = [[10, 1.0], [50, 2.0], [None, 2.0]]


@pytest.fixture
def endpoint(lab: Lab) -> Endpoint:
    """Watched, and read at the beginning of an hour."""
    listed(lab)
    lab.clock.now = window(lab.clock.now, 60) + timedelta(hours=1)
    return watched(lab, 0)


def watched(lab: Lab, number: int) -> Endpoint:
    rows = lab.workspace.endpoints.filter(gone_at=None, status="ready")
    found = rows.select_related("workspace").order_by("name")[number]
    metric_samples.watch(found, now=lab.clock())
    return found


def recorded(lab: Lab, endpoint: Endpoint, minutes: int, **options: Any) -> None:
    """The last so many minutes, each with its requests."""
    start = lab.clock() - minutes * MINUTE
    MetricSample.objects.bulk_create(
        MetricSample(
            endpoint=endpoint,
            at=start + i * MINUTE,
            requests=i % 7,
            cpu=i % 100,
            latency=LATENCY,
            **options,
        )
        for i in range(minutes)
    )


def lived(lab: Lab, endpoint: Endpoint, minutes: int, *, seed: int = 3) -> None:
    """As it may be: some minutes missing, some idle, some refused, and an entity of its own."""
    random, start = Random(seed), lab.clock() - minutes * MINUTE
    made, mood = [], ""
    for i in range(minutes):
        if random.random() < 0.03:
            mood = random.choice(["", "", "", "missing", "idle", "TimedOut", "nothing"])
        if mood == "missing":
            continue
        sample = MetricSample(endpoint=endpoint, at=start + i * MINUTE)
        if mood in ("", "idle"):
            sample.requests, sample.errors_5xx = random.randrange(60), float(i % 5 == 0)
        else:
            sample.answer = mood
        if not mood:
            sample.cpu, sample.memory = float(random.randrange(100)), 50.0
            sample.concurrency = 4.0
            slow = random.randrange(5)
            sample.latency = [[10, 5.0], [100, 9.0 + slow], [None, 10.0 + slow]]
        made.append(sample)
        if not mood and i % 3:
            made.append(MetricSample(endpoint=endpoint, at=sample.at, entity="a-1", requests=i % 4))
    MetricSample.objects.bulk_create(made, batch_size=500)


def rows(endpoint: Endpoint, grain: Grain) -> list[MetricSample]:
    return list(MetricSample.objects.filter(endpoint=endpoint, grain=grain).order_by("at"))


# Keeping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [50, 130, 500])
def test_five_minutes_and_hours_add_up_to_the_same(
    batch: int, lab: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_grains, "BATCH", batch)
    other = watched(lab, 1)
    for each in (endpoint, other):
        recorded(lab, each, 240)
    asked_for = sum(i % 7 for i in range(240))
    lab.clock.forward(600)
    metric_grains.roll_up(now=lab.clock())
    for each in (endpoint, other):
        for grain, latency in ((Grain.FIVE, 5), (Grain.HOUR, 60)):
            kept = rows(each, grain)
            assert sum(row.requests or 0 for row in kept) == asked_for
            assert {row.minutes for row in kept} == {grain}
            assert len(kept) == 240 / grain
            assert kept[0].latency == [[10, latency], [50, 2.0 * latency], [None, 2.0 * latency]]
        assert len(rows(each, Grain.MINUTE)) == 240, "a day long minutes are kept as well"
    assert rows(endpoint, Grain.FIVE)[0].cpu == 2


def test_a_second_time_there_is_nothing_to_do(
    lab: Lab, endpoint: Endpoint, django_assert_num_queries: Any
) -> None:
    lived(lab, endpoint, 300)
    lab.clock.forward(600)
    metric_grains.roll_up(now=lab.clock())
    before = list(MetricSample.objects.order_by("pk").values_list())
    with django_assert_num_queries(3):
        metric_grains.roll_up(now=lab.clock())
    assert list(MetricSample.objects.order_by("pk").values_list()) == before


def test_a_window_that_may_still_get_a_minute_is_left_alone(lab: Lab, endpoint: Endpoint) -> None:
    recorded(lab, endpoint, 120)
    metric_grains.roll_up(now=lab.clock())
    settled = metric_grains.settled(lab.clock())
    assert lab.clock() - settled == metric_grains.LATE
    assert rows(endpoint, Grain.FIVE)[-1].at == settled - 5 * MINUTE
    assert [row.at for row in rows(endpoint, Grain.HOUR)] == [lab.clock() - timedelta(hours=2)]
    lab.clock.forward(600)
    metric_grains.roll_up(now=lab.clock())
    assert len(rows(endpoint, Grain.FIVE)) == 120 / 5
    assert len(rows(endpoint, Grain.HOUR)) == 2


def test_after_a_day_minutes_are_forgotten_and_five_of_them_are_not(
    lab: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_grains, "BATCH", 50)
    recorded(lab, endpoint, DAY + 120)
    metric_grains.roll_up(now=lab.clock())
    minutes = rows(endpoint, Grain.MINUTE)
    assert minutes[0].at == lab.clock() - metric_grains.FINE
    assert len(minutes) == DAY
    five = rows(endpoint, Grain.FIVE)
    assert five[0].at == lab.clock() - (DAY + 120) * MINUTE
    assert sum(row.minutes for row in five) == DAY + 120 - 10


def test_rolling_up_writes_in_small_batches(
    lab: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a transaction of its own, so that no click waits for it."""
    monkeypatch.setattr(metric_grains, "BATCH", 50)
    recorded(lab, endpoint, DAY + 200)
    sizes: list[int] = []
    create = type(MetricSample.objects.all()).bulk_create
    writing = live.writing
    begun = []

    def noted(self: Any, made: Any, **options: Any) -> Any:
        listed = list(made)
        sizes.append(len(listed))
        return create(self, listed, **options)

    def counted() -> Any:
        begun.append(1)
        return writing()

    monkeypatch.setattr(type(MetricSample.objects.all()), "bulk_create", noted)
    monkeypatch.setattr(live, "writing", counted)
    metric_grains.roll_up(now=lab.clock())
    assert len(sizes) >= 30
    assert max(sizes) <= 10
    assert len(begun) == len(sizes) + 200 / 50


def test_two_workers_make_no_row_twice(shared_lab: Lab) -> None:
    listed(shared_lab)
    endpoint = watched(shared_lab, 0)
    recorded(shared_lab, endpoint, 200)
    shared_lab.clock.forward(900)
    calls: list[Callable[[], Any]] = [
        lambda: metric_grains.roll_up(now=shared_lab.clock()) for _ in range(4)
    ]
    assert at_once(*calls) == [None] * 4
    assert sum(row.minutes for row in rows(endpoint, Grain.FIVE)) == 200


# Reading ---------------------------------------------------------------------------------------


def panel(lab: Lab, endpoint: Endpoint, range_: Range, now: datetime, entity: str = "") -> Panel:
    return metrics.read(endpoint, range_, entity=entity, head=live.read_head(), now=now)


def said(found: Panel) -> list[object]:
    """All that the charts of a panel tell."""
    return [
        *map(drawn, found.charts),
        found.totals,
        found.moments,
        found.entities,
        found.newest_data,
    ]


def drawn(chart: Chart) -> object:
    numbers = [[value and round(value, 6) for value in line.values] for line in chart.lines]
    table = [
        (row.at, [round(n, 6) if isinstance(n, float) else n for n in row.numbers])
        for row in chart.rows
    ]
    return chart.name, numbers, chart.top, chart.holes, table, chart.sampled


@pytest.mark.parametrize("seed", [3, 4])
def test_what_is_drawn_is_the_same_before_and_after_rolling_up(
    seed: int, lab: Lab, endpoint: Endpoint
) -> None:
    lived(lab, endpoint, 3 * DAY + 17, seed=seed)
    moments = [lab.clock() + timedelta(seconds=s) for s in (0, 61, 754)]
    cases = [(range_, now, entity) for range_ in Range for now in moments for entity in ("", "a-1")]
    before = [said(panel(lab, endpoint, r, now, entity)) for r, now, entity in cases]
    assert any(charts[0][3] for charts in before), "there are holes"
    metric_grains.roll_up(now=moments[0])
    assert rows(endpoint, Grain.HOUR)
    for case, expected in zip(cases, before, strict=True):
        assert said(panel(lab, endpoint, *case)) == expected, case
    metric_grains.roll_up(now=moments[-1] + timedelta(minutes=2))
    for case, expected in zip(cases, before, strict=True):
        if case[0] is not Range.DAY:  # the first of its minutes are forgotten now
            assert said(panel(lab, endpoint, *case)) == expected, case


def fortnight(lab: Lab, endpoint: Endpoint) -> None:
    """As it is kept, without a hole, of an endpoint with two entities."""
    made = []
    for grain, days in ((Grain.MINUTE, 1), (Grain.FIVE, 14), (Grain.HOUR, 14)):
        start, number = lab.clock() - timedelta(days=days), days * DAY // grain
        for entity in ("", "a-1", "b-1"):
            made += [
                MetricSample(
                    endpoint=endpoint,
                    entity=entity,
                    at=start + i * grain * MINUTE,
                    minutes=grain,
                    grain=grain,
                    requests=grain,
                )
                for i in range(number - (10 // grain if grain > 1 else 0))
            ]
    MetricSample.objects.bulk_create(made, batch_size=500)


MOST = {Range.HOUR: 60, Range.DAY: 330, Range.WEEK: 230, Range.FORTNIGHT: 400}


@pytest.mark.parametrize("range_", Range)
def test_a_chart_reads_some_hundred_rows_whatever_its_time(
    range_: Range,
    lab: Lab,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    fortnight(lab, endpoint)
    lab.clock.forward(754)
    axis = Axis(lab.clock() - range_.span, lab.clock(), range_.step)
    fetched = sum(
        piece.filter(entity="").count()
        for piece in metric_grains._pieces(endpoint.pk, axis.start, axis.end, range_.grain)
    )
    assert fetched <= MOST[range_]
    with django_assert_num_queries(1):
        told = metric_grains.stretches(endpoint.pk, {"", "a-1"}, axis, range_.grain)
    for stretches in told.values():
        assert sum(it.reading.minutes for it in stretches) >= range_.span / MINUTE - 13
        assert all(a.end <= b.at for a, b in pairwise(stretches))
    with django_assert_num_queries(1):
        assert metric_grains.entities(endpoint.pk, axis, range_.grain) == ["a-1", "b-1"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's")
@pytest.mark.parametrize("range_", Range)
def test_each_piece_is_read_from_one_end_of_the_index_to_the_other(
    range_: Range, lab: Lab, endpoint: Endpoint
) -> None:
    """SQLite reads all rows of an endpoint where a condition has an OR."""
    axis = Axis(lab.clock() - range_.span, lab.clock(), range_.step)
    for piece in metric_grains._pieces(endpoint.pk, axis.start, axis.end, range_.grain):
        assert "(endpoint_id=? AND grain=? AND at>? AND at<?)" in piece.explain()


def test_before_anything_is_rolled_up_minutes_are_read(lab: Lab, endpoint: Endpoint) -> None:
    recorded(lab, endpoint, 90)
    for range_ in Range:
        found = panel(lab, endpoint, range_, lab.clock())
        assert found.totals.requests == sum(i % 7 for i in range(90)) or range_ is Range.HOUR


def test_an_endpoint_that_nobody_watches_any_more_keeps_its_past(
    lab: Lab, endpoint: Endpoint
) -> None:
    recorded(lab, endpoint, 90)
    lab.clock.forward(3 * DAY * 60)
    metric_grains.roll_up(now=lab.clock())
    MetricWatch.objects.all().delete()
    assert not rows(endpoint, Grain.MINUTE)
    found = panel(lab, endpoint, Range.WEEK, lab.clock())
    assert found.totals.requests == sum(i % 7 for i in range(90))
    told = list(metrics.rows(endpoint, Range.WEEK, entity="", now=lab.clock()))
    assert [it.reading.minutes for it in told] == [5] * 18


def test_a_file_has_each_time_once(lab: Lab, endpoint: Endpoint) -> None:
    recorded(lab, endpoint, DAY + 65)
    metric_grains.roll_up(now=lab.clock())
    told = list(metrics.rows(endpoint, Range.WEEK, entity="", now=lab.clock()))
    assert sum(it.reading.minutes for it in told) == DAY + 65
    assert all(a.end == b.at for a, b in pairwise(told))
    assert [it.reading.minutes for it in told] == [5] * 13 + [1] * DAY


def test_traffic_of_an_hour_is_counted_once(lab: Lab, endpoint: Endpoint) -> None:
    recorded(lab, endpoint, 90)
    before = metrics.traffic(endpoint, now=lab.clock())
    metric_grains.roll_up(now=lab.clock())
    assert metrics.traffic(endpoint, now=lab.clock()) == before
    assert before is not None
    assert (before.minutes, before.requests) == (60, sum(i % 7 for i in range(30, 90)))
