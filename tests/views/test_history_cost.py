"""A year of history costs a page nothing: what it reads, in queries and rows, stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.sql import compiler
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints_app import status_door
from endpoints_app.models import Endpoint, StatusChange, StatusDays
from endpoints_app.services import activity, roster, status_page, status_payload
from endpoints_app.views import endpoint_detail, kept_charts, kept_heading, kept_rows
from tests.views.conftest import SHOWN, Fleet

NAME = "basket-recommender"
OVERVIEW = f"/w/lab/e/{NAME}/"

Cost = tuple[int, int]


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each answer to the ORM had, as they are taken from the database."""
    counted: list[int] = []
    iterate: Callable[..., Iterator[list[Any]]] = compiler.cursor_iter

    def noted(*args: Any) -> Iterator[list[Any]]:
        for chunk in iterate(*args):
            counted.append(len(chunk))
            yield chunk

    monkeypatch.setattr(compiler, "cursor_iter", noted)
    return counted


@pytest.fixture
def cost(rows_read: list[int], cached: None) -> Callable[[Callable[[], Any]], Cost]:
    """Queries and rows of somebody who comes when no process has anything by heart."""

    def of(ask: Callable[[], Any]) -> Cost:
        ask()  # sessions and templates are there
        drawn = (kept_rows, kept_charts, kept_heading, endpoint_detail)
        for each in (*drawn, roster, status_payload):
            each.forget()
        status_door._kept.clear()
        status_page._known = None
        rows_read.clear()
        with CaptureQueriesContext(connection) as queries:
            ask()
        return len(queries), sum(rows_read)

    return of


def flip(fleet: Fleet, *, days: int = 365) -> None:
    """Each endpoint was not ready for an hour of every day, and was first seen before all that."""
    endpoints = list(Endpoint.objects.living())
    first = fleet.clock.now - timedelta(days=days + 1)
    Endpoint.objects.update(first_seen_at=first)
    StatusChange.objects.update(at=first)
    made = []
    for back in range(days):
        for hours, was, now in ((3, "ready", "not_ready"), (2, "not_ready", "ready")):
            at = fleet.clock.now - timedelta(days=back, hours=hours)
            made += [
                StatusChange(endpoint=it, was=was, now=now, after=at, at=at) for it in endpoints
            ]
    StatusChange.objects.bulk_create(made, batch_size=500)


IN_A_DAY = 2  # changes of one endpoint


@pytest.mark.parametrize(
    ("url", "endpoints"),
    [
        ("/endpoints/", len(SHOWN)),
        ("/endpoints/?sort=-changed&status=ready", len(SHOWN)),
        (OVERVIEW, 1),
        (f"{OVERVIEW}config/", 1),
        (f"{OVERVIEW}metrics/?range=1h", 1),
        ("/operations/", 0),
        ("/status/", 0),
        ("/status/lab/", 0),
        ("/status.json", 0),
    ],
)
def test_a_page_reads_of_a_year_the_last_day(
    url: str, endpoints: int, as_vera: Client, fleet: Fleet, cost: Callable[..., Cost]
) -> None:
    """Its strip, of each endpoint that is on it."""
    fleet.publish()
    queries, rows = cost(lambda: as_vera.get(url))
    flip(fleet)
    fleet.publish()
    with_history = cost(lambda: as_vera.get(url))
    latest = activity.LATEST if url == OVERVIEW else 0
    assert with_history[0] <= queries
    assert with_history[1] <= rows + endpoints * IN_A_DAY + latest


@pytest.mark.parametrize(
    ("url", "most"),
    [
        (f"{OVERVIEW}activity/", len(SHOWN) + 31 * IN_A_DAY + 20),  # a month is summed up
        (f"{OVERVIEW}activity/?type=status", len(SHOWN) + 31 * IN_A_DAY + 20),
        (f"{OVERVIEW}metrics/?range=14d", len(SHOWN) + 15 * IN_A_DAY + 20),
        (f"/status/lab/{NAME}/", 91 * IN_A_DAY + 20),
    ],
)
def test_a_page_about_history_reads_as_much_of_it_as_it_tells(
    url: str, most: int, as_vera: Client, fleet: Fleet, cost: Callable[..., Cost]
) -> None:
    fleet.publish()
    queries, _ = cost(lambda: as_vera.get(url))
    flip(fleet)
    fleet.publish()
    with_history = cost(lambda: as_vera.get(url))
    assert with_history[0] <= queries
    assert with_history[1] <= most


def test_the_writer_of_the_status_page_reads_a_day_once(fleet: Fleet, rows_read: list[int]) -> None:
    """Days that are over are counted, and kept: after that it reads what is not yet, and of the
    troubled their last weeks."""
    flip(fleet)
    fleet.publish()
    assert StatusDays.objects.count() == 1
    for _ in range(3):
        fleet.forward(61)
        fleet.answered()
        rows_read.clear()
        assert status_payload.publish(now=fleet.clock.now)
        lately = len(SHOWN) * IN_A_DAY
        # Three days, two of happenings, fifteen of trouble twice, and entries; no endpoint.
        assert sum(rows_read) <= (3 + 2 + 2 * 15) * lately + 10
        rows_read.clear()
        assert not status_payload.publish(now=fleet.clock.now)
        assert sum(rows_read) <= 5
