"""Entries of the timeline that were drawn before say what their rows say now, to all alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints_app.models import AuditEntry, Endpoint, LogSnapshot, Operation, StatusChange
from endpoints_app.services import audit
from endpoints_app.services.shelf import Shelf
from endpoints_app.views import kept_entries
from tests.views.conftest import Fleet
from tests.views.pages import kept_or_not, soup, text

NAME = "customer-ltv"
URL = f"/w/lab/e/{NAME}/activity/"
QUERIES = 6
"""Account, endpoint, timeline, its counts, what the last thirty days told, and who did how much."""


@pytest.fixture
def row(fleet: Fleet, otto: User, mika: User) -> Endpoint:
    """One of which each kind of entry is told."""
    fleet.forward(60)
    fleet.ask(NAME, "stop", otto, reason="idle at night")
    fleet.forward(60)
    found = fleet.endpoint(NAME)
    audit.of_endpoint(
        found, "permissions saved", by=mika, now=fleet.clock.now, detail={"reason": "on call"}
    )
    for log in ("build", "server"):
        LogSnapshot.objects.create(
            endpoint=found,
            log=log,
            entity="m",
            config_version=1,
            taken_at=fleet.clock.now,
            text="a line",
        )
    document = fleet.document(NAME)
    document["config"]["config_version"] += 1
    fleet.read(document)
    return fleet.endpoint(NAME)


def timeline(client: Client, query: str = "", language: str = "en") -> str:
    response = client.get(f"{URL}{query}", headers={"accept-language": language})
    assert response.status_code == 200
    found = soup(response).select_one("#timeline")
    return str(found)


def test_a_timeline_is_the_same_whether_its_entries_were_kept_or_not(
    row: Endpoint, as_vera: Client, as_mika: Client
) -> None:
    """Two readers in two languages, and the parts in between, each as if it were the first."""
    first = kept_or_not(
        timeline, ("", "?type=operations", "?type=logs"), [as_vera, as_mika], kept_entries.forget
    )
    assert len(set(first)) == 6
    assert "停止" in first[1]


def test_an_entry_is_drawn_once(row: Endpoint, as_vera: Client) -> None:
    first = timeline(as_vera)
    kept = list(kept_entries._kept)

    assert timeline(as_vera) == first
    assert list(kept_entries._kept) == kept
    assert len(kept) == first.count('class="at"') + first.count('class="day"')


def test_what_goes_on_is_told_as_it_is_now(row: Endpoint, fleet: Fleet, as_vera: Client) -> None:
    assert 'class="pips"' in timeline(as_vera)

    operation = Operation.objects.get()
    at = operation.requested_at
    Operation.objects.update(state="sent", sending_at=at, sent_at=at)
    assert "sent 03:01:00" in words(timeline(as_vera))
    Operation.objects.update(state="confirmed", outcome="read", settled_at=at + timedelta(40))
    told = timeline(as_vera)
    assert "settled" in words(told)
    assert 'class="pips"' not in told
    AuditEntry.objects.filter(action="permissions saved").update(actor_name="Somebody else")
    assert "Somebody else" in timeline(as_vera)
    LogSnapshot.objects.filter(log="build").delete()
    assert "Build" not in timeline(as_vera, "?type=logs")


def words(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def test_one_that_was_deleted_has_links_of_its_own(
    row: Endpoint, fleet: Fleet, as_vera: Client
) -> None:
    timeline(as_vera)
    gone = fleet.bury(NAME)

    links = soup(as_vera.get(f"{URL}?id={gone.uid}")).select("#timeline a.at")
    assert links
    assert all(str(link["href"]).startswith(f"?id={gone.uid}&at=") for link in links)


def test_today_is_yesterday_tomorrow(row: Endpoint, fleet: Fleet, as_vera: Client) -> None:
    now = fleet.clock.now
    assert "Today, " in timeline(as_vera)
    with time_machine.travel(now + timedelta(days=1), tick=False):
        assert "Yesterday, " in timeline(as_vera)
    with time_machine.travel(now + timedelta(days=2), tick=False):
        told = timeline(as_vera)
    assert "Yesterday, " not in told
    assert f"{datetime.date(now).day} November 2026" in told


def test_no_entry_holds_anything_of_its_reader(
    row: Endpoint, as_vera: Client, fleet: Fleet
) -> None:
    timeline(as_vera)

    kept = list(kept_entries._kept)
    assert kept
    for html in kept:
        assert "csrf" not in html
        assert "Vera" not in html


def test_the_page_asks_little_and_a_long_history_nothing_more(
    row: Endpoint, fleet: Fleet, as_vera: Client, cached: None
) -> None:
    StatusChange.objects.bulk_create(
        StatusChange(
            endpoint=row, was="ready", now="stopped", at=fleet.clock.now - timedelta(minutes=n)
        )
        for n in range(300)
    )
    timeline(as_vera)  # statements are written
    for query in ("", "?type=status", "?who=Otto", "?month=2026-11"):
        timeline(as_vera, query)
        with CaptureQueriesContext(connection) as asked:
            timeline(as_vera, query)
        assert len(asked) == QUERIES, query
    timeline(as_vera, "?period=24h")
    with CaptureQueriesContext(connection) as asked:
        timeline(as_vera, "?period=24h")
    assert len(asked) == QUERIES + 1


def test_the_counts_are_of_all_pages(row: Endpoint, fleet: Fleet, as_vera: Client) -> None:
    """The second one says the same of the whole as the first."""
    StatusChange.objects.bulk_create(
        StatusChange(
            endpoint=row, was="ready", now="stopped", at=fleet.clock.now - timedelta(minutes=n)
        )
        for n in range(60)
    )
    first = soup(as_vera.get(URL))
    older = str(first.select('#timeline a[rel="next"]')[0]["href"])
    second = soup(as_vera.get(f"{URL}{older}"))

    for part in ("nav.tabs.in", "section[aria-labelledby=mo-h]"):
        assert text(first, part) == text(second, part)


def test_old_entries_make_room(
    row: Endpoint, as_vera: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = timeline(as_vera)
    monkeypatch.setattr(kept_entries, "_kept", Shelf(most=3))

    assert timeline(as_vera) == first
    assert len(kept_entries._kept) <= 3
