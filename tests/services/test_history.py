"""What is too old goes in small parts, which others can come between, and which may end early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, models

from endpoints_app.models import AuditEntry, Endpoint, LogSnapshot, MetricSample, StatusChange
from endpoints_app.models.operation import Operation
from endpoints_app.services import history, live
from tests.conftest import Lab
from tests.services.conftest import listed

COUNTED: list[type[models.Model]] = [
    AuditEntry,
    Endpoint,
    LogSnapshot,
    MetricSample,
    Operation,
    StatusChange,
]
DAY = timedelta(days=1)


@pytest.fixture
def shown(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    listed(lab)
    StatusChange.objects.all().delete()
    monkeypatch.setattr(live, "PAUSE", 0)
    return lab


def kept() -> int:
    return sum(model._default_manager.count() for model in COUNTED)


@contextmanager
def parts(monkeypatch: pytest.MonkeyPatch, *, dying_after: int = 1_000) -> Iterator[list[int]]:
    """How many rows each transaction took away. With `dying_after` so many, the next one fails
    with what it did."""
    found: list[int] = []
    writing = live.writing

    @contextmanager
    def counted() -> Iterator[None]:
        with writing():
            before = kept()
            yield
            if len(found) == dying_after:
                raise SystemExit
            found.append(before - kept())

    with monkeypatch.context() as m:
        m.setattr(live, "writing", counted)
        yield found


def flips(endpoint: Endpoint, number: int, last: datetime) -> None:
    """So many status changes, one an hour, of which the last was at `last`."""
    StatusChange.objects.bulk_create(
        [
            StatusChange(endpoint=endpoint, was="ready", now="not_ready", at=at, after=at)
            for at in (last - timedelta(hours=n) for n in range(number))
        ],
        batch_size=500,
    )


def samples(endpoint: Endpoint, number: int, last: datetime) -> None:
    MetricSample.objects.bulk_create(
        [
            MetricSample(endpoint=endpoint, at=last - timedelta(minutes=n), grain=1)
            for n in range(number)
        ],
        batch_size=500,
    )


def test_years_of_history_and_metrics_go_five_hundred_at_a_time(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, some = shown.clock(), shown.endpoint("customer-ltv")
    flips(some, 1_201, now - settings.HISTORY_DAYS * DAY - DAY)
    flips(some, 7, now)
    samples(some, 1_600, now - settings.METRICS_DAYS * DAY - DAY)
    samples(some, 9, now)

    with parts(monkeypatch) as found:
        history.prune(now=now)

    assert sorted(found, reverse=True) == [500, 500, 500, 500, 500, 201, 100]
    assert StatusChange.objects.count() == 7
    assert MetricSample.objects.count() == 9


def test_what_goes_with_an_endpoint_does_not_make_its_part_larger(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics may be kept for longer than the endpoints they are of."""
    settings_before = settings.HISTORY_DAYS
    monkeypatch.setattr(settings, "HISTORY_DAYS", 1)
    assert settings_before > settings.METRICS_DAYS > 1
    now, some = shown.clock(), shown.endpoint("customer-ltv")
    flips(some, 700, now)
    samples(some, 1_100, now - 3 * DAY)
    Endpoint.objects.filter(pk=some.pk).update(gone_at=now - 2 * DAY)

    with parts(monkeypatch) as found:
        history.prune(now=now)

    assert max(found) == 500
    assert not Endpoint.objects.filter(pk=some.pk).exists()
    assert MetricSample.objects.count() + StatusChange.objects.count() == 0
    assert shown.workspace.endpoints.count() == 23


def test_what_an_interrupted_one_left_the_next_one_takes(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, some = shown.clock(), shown.endpoint("customer-ltv")
    flips(some, 1_700, now - settings.HISTORY_DAYS * DAY - DAY)

    with parts(monkeypatch, dying_after=2) as found, pytest.raises(SystemExit):
        history.prune(now=now)
    assert found == [500, 500]
    assert StatusChange.objects.count() == 700

    with parts(monkeypatch) as found:
        history.prune(now=now)
    assert found == [500, 200]
    assert not StatusChange.objects.exists()


def test_between_two_parts_others_are_let_in(shown: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    flips(shown.endpoint("customer-ltv"), 1_100, shown.clock() - 500 * DAY)
    let_in: list[bool] = []
    monkeypatch.setattr(
        live, "let_others_in", lambda: let_in.append(bool(connection.savepoint_ids))
    )

    history.prune(now=shown.clock())

    assert let_in == [False, False, False], "after each part, outside its transaction"


@pytest.mark.parametrize("model", [StatusChange, MetricSample, AuditEntry])
def test_the_oldest_are_found_by_an_index_however_many_there_are(shown: Lab, model: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # what it does with more rows than these
            for way in ("seqscan", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    oldest = model.objects.filter(at__lt=shown.clock()).order_by("at").values_list("pk")[:500]

    plan = oldest.explain()

    assert "index" in plan.lower()
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
