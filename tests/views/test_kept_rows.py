"""Rows are drawn once for all readers, and again when what they say is no longer so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import Tag
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation

from endpoints_app.models import Outage
from endpoints_app.services import listing, live
from endpoints_app.views import kept_rows
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rows that were drawn, in their order."""
    names: list[str] = []
    rows_of = listing.rows_of

    def counted(*args: Any) -> Any:
        rows = rows_of(*args)
        names.extend(row.endpoint.name for row in rows)
        return rows

    monkeypatch.setattr(listing, "rows_of", counted)
    return names


def row(client: Client, name: str = "customer-ltv", **headers: str) -> Tag:
    found = soup(client.get("/endpoints/", headers=headers or None))
    return one(found, f'tr[data-endpoint="lab/{name}"]')


def test_a_row_is_drawn_once_for_all_readers_of_a_language(
    fleet: Fleet, as_vera: Client, as_mika: Client, draws: list[str]
) -> None:
    first = row(as_vera)
    assert len(draws) == 15

    assert row(as_mika) == first
    assert len(draws) == 15

    japanese = {"accept-language": "ja"}
    assert "停止" in str(row(as_mika, **japanese))
    assert "停止" not in str(row(as_mika))
    assert len(draws) == 30


def test_what_changed_is_drawn_anew_and_nothing_else(
    fleet: Fleet, as_vera: Client, draws: list[str]
) -> None:
    row(as_vera)
    draws.clear()
    fleet.read(fleet.document("churn") | {"creator_display_name": "Nora", "tags": []})

    assert "Nora" in row(as_vera, "churn").get_text()
    assert draws == ["churn"]


def test_an_operation_shows_at_once(
    fleet: Fleet, as_vera: Client, otto: User, draws: list[str]
) -> None:
    row(as_vera)
    draws.clear()

    fleet.ask("customer-ltv", "stop", otto)

    assert row(as_vera).select('[data-operation="stop"]')
    assert draws == ["customer-ltv"]


def test_times_are_true_for_readers_without_a_script(fleet: Fleet, as_vera: Client) -> None:
    stopped = {"ready": "NOT_READY", "config_update": "NOT_UPDATING"}
    fleet.read(fleet.document("customer-ltv") | {"state": stopped})
    for seconds, said in [(0, "0 s ago"), (30, "30 s ago"), (30, "1 min ago"), (59, "1 min ago")]:
        fleet.forward(seconds)
        fleet.answered()
        assert text(row(as_vera), ".c-time") == said
    fleet.forward(1)
    fleet.answered()
    assert text(row(as_vera), ".c-time") == "2 min ago"


def test_the_strip_of_a_day_lags_ten_minutes_at_most(
    fleet: Fleet, as_vera: Client, draws: list[str]
) -> None:
    fleet.forward(86_400 * 7)  # no time of the rows reads differently soon
    fleet.answered()
    row(as_vera)
    draws.clear()

    fleet.forward(599)
    fleet.answered()
    row(as_vera)
    assert "customer-ltv" not in draws
    assert "fraud-scorer" in draws, "how long it has been down is said to the minute"

    fleet.forward(1)
    row(as_vera)
    assert "customer-ltv" in draws


def test_a_silent_source_and_the_gap_it_leaves_are_drawn(
    fleet: Fleet, as_vera: Client, draws: list[str]
) -> None:
    fleet.forward(3600 * 30)
    fleet.answered()
    assert not row(as_vera).select(".trace .unknown")

    fleet.forward(60)
    assert text(row(as_vera), "[data-status]") == "Unknown"

    start = timezone.now() - timedelta(seconds=60)
    Outage.objects.create(workspace=fleet.workspace, start=start, end=timezone.now())
    fleet.answered()
    back = row(as_vera)
    assert text(back, "[data-status]") == "Ready"
    assert back.select(".trace .unknown"), "history says that nobody looked"


def test_old_rows_make_room(fleet: Fleet, as_vera: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows._kept.shelf, "most", 20)
    for code in ("en", "ja"):
        with translation.override(code):
            head = live.read_head()
            page = listing.page([fleet.workspace.pk], listing.Filters(), head, timezone.now())
            assert kept_rows.drawn(page.versions, head, timezone.now()).count("<tr ") == 15

    assert 15 <= len(kept_rows._kept) <= 25


def test_a_row_holds_nothing_of_a_person(fleet: Fleet, as_mika: Client) -> None:
    found = soup(as_mika.get("/endpoints/"))

    for tr in found.select("tr[data-endpoint]"):
        assert not tr.select("form, input, [name=csrfmiddlewaretoken]")
        assert "Mika" not in str(tr)


@pytest.mark.usefixtures("cached")
def test_the_broker_s_redis_holds_no_row(fleet: Fleet, as_vera: Client) -> None:
    """Whatever is there is a session or the head: dead revisions cannot fill it."""
    for _ in range(3):
        fleet.change("churn")
        as_vera.get("/endpoints/")
        as_vera.get("/endpoints/changes/")

    kept = [key.partition(":1:")[2] for key in cache._cache]  # type: ignore[attr-defined]
    assert kept
    assert [key for key in kept if key != live.CACHE_KEY and "sessions" not in key] == []
