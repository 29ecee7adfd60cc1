"""What the Metrics tab costs, and for how long its charts are kept."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.metric_charts import Range
from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import (
    Endpoint,
    MetricSample,
)
from endpoints_app.services import metric_grains, metrics
from endpoints_app.views import kept_charts
from tests.views.conftest import Fleet
from tests.views.metric_pages import (
    KEEP,
    NAME,
    PAGE,
    PART,
    Sample,
)
from tests.views.pages import one, soup

# What it costs ---------------------------------------------------------------------------------


def fortnight(fleet: Fleet, endpoint: Endpoint) -> None:
    """As it is kept: a day of minutes, thirteen days of five minutes."""
    minute = fleet.clock.now - 1440 * MINUTE
    five = fleet.clock.now - timedelta(days=14)
    latency = [[bound, float(i)] for i, bound in enumerate([*range(5, 130, 5), None])]
    values = {"errors_4xx": 0.0, "errors_5xx": 1.0, "cpu": 4.0, "memory": 5.0, "latency": latency}
    MetricSample.objects.bulk_create(
        [
            MetricSample(endpoint=endpoint, at=minute + i * MINUTE, requests=i % 90, **values)
            for i in range(1440)
        ]
        + [
            MetricSample(
                endpoint=endpoint,
                at=five + 5 * i * MINUTE,
                minutes=5,
                requests=400 + 300 * math.sin(i / 60),
                grain=5,
                **values,
            )
            for i in range(13 * 288)
        ],
        batch_size=500,
    )


@pytest.mark.parametrize("range_", ["1h", "24h", "14d"])
def test_a_fortnight_costs_few_queries_and_a_small_page(
    range_: str,
    as_vera: Client,
    fleet: Fleet,
    endpoint: Endpoint,
    cached: None,
    django_assert_max_num_queries: Any,
) -> None:
    """Who asks, and what came last; and where something is new what is drawn of it."""
    fortnight(fleet, endpoint)
    as_vera.get(PAGE)
    metric_grains.roll_up(now=fleet.clock.now)
    kept_charts.forget()
    with django_assert_max_num_queries(11):
        answer = as_vera.get(PAGE, {"range": range_})
    with django_assert_max_num_queries(2):
        again = as_vera.get(PAGE, {"range": range_})
    with django_assert_max_num_queries(2):
        as_vera.get(PART, {"range": range_})
    assert charts_of(again) == charts_of(answer)
    assert len(answer.content) < 150_000
    drawn = sum(len(str(path["d"])) for path in soup(answer).select("svg.plot svg path"))
    assert drawn < 90_000


def charts_of(answer: Any) -> str:
    return str(one(soup(answer), "#metrics"))


@pytest.fixture
def times_drawn(monkeypatch: pytest.MonkeyPatch) -> list[Range]:
    """What was read for charts that were drawn."""
    drawn: list[Range] = []
    read = metrics.read

    def noted(endpoint: Endpoint, range_: Range, **options: Any) -> metrics.Panel:
        drawn.append(range_)
        return read(endpoint, range_, **options)

    monkeypatch.setattr(metrics, "read", noted)
    return drawn


def test_charts_are_drawn_once_for_all_their_readers(
    as_vera: Client, as_otto: Client, sample: Sample, times_drawn: list[Range]
) -> None:
    sample(60)
    seen = {charts_of(reader.get(PAGE)) for reader in (as_vera, as_otto, as_vera)}
    assert len(seen) == 1
    assert times_drawn == [Range.DAY]
    assert not {"Vera", "Otto", "csrf"} & set(re.findall(r"\w+", seen.pop()))
    as_vera.get(PAGE, {"range": "1h"})
    as_vera.get(PAGE, {"range": "1h", "entity": "other"})
    as_vera.get(PAGE, headers={"Accept-Language": "ja"})
    assert times_drawn == [Range.DAY, Range.HOUR, Range.HOUR, Range.DAY]


@pytest.mark.parametrize("what", ["sample", "status", "operation", "keep", "silence", "time"])
def test_charts_are_drawn_anew_when_something_is_new(
    what: str,
    fleet: Fleet,
    endpoint: Endpoint,
    as_vera: Client,
    as_otto: Client,
    otto: User,
    sample: Sample,
    times_drawn: list[Range],
) -> None:
    sample(60)
    before = charts_of(as_vera.get(PAGE))
    fleet.forward(1)
    as_vera.get(PAGE)
    assert len(times_drawn) == 1
    match what:
        case "sample":
            MetricSample.objects.create(endpoint=endpoint, at=fleet.clock.now - MINUTE, requests=3)
        case "status":
            document = fleet.document(NAME)
            document["state"]["ready"] = "NOT_READY"
            fleet.read(document)
        case "operation":
            fleet.ask(NAME, "stop", otto)
        case "keep":
            as_otto.post(KEEP, {"keep": "on"})
        case "silence":
            fleet.forward(50)
        case "time":
            fleet.forward(60)
            fleet.answered()
    after = charts_of(as_vera.get(PAGE))
    assert len(times_drawn) == 2
    assert after != before


def test_charts_are_kept_no_longer_than_they_are_fresh(
    as_vera: Client, fleet: Fleet, sample: Sample
) -> None:
    sample(60)
    fleet.forward(238)
    assert 'data-state="stale"' not in charts_of(as_vera.get(PAGE))
    fleet.forward(3)
    assert 'data-state="stale"' in charts_of(as_vera.get(PAGE))


def test_no_more_charts_are_kept_than_there_is_room_for(
    as_vera: Client, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_charts._kept, "most", 8)
    sample(5)
    for number in range(20):
        as_vera.get(PART, {"entity": str(number)})
    assert len(kept_charts._kept) <= 8
