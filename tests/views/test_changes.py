"""What an open page is answered with when it asks what is new."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from endpoints_app.models import Fleet as FleetRow
from endpoints_app.services import live
from tests.views.conftest import Fleet
from tests.views.pages import listed, news, one, soup, statuses, text


def look(client: Client, since: str = "", url: str = "/endpoints/changes/", **filters: str) -> Any:
    return client.get(url, {"since": since, **filters}, headers={"HX-Request": "true"})


def cursor() -> str:
    """Where a page that is opened now begins to ask."""
    return live.read_head().cursor(timezone.now())


def test_a_page_begins_to_ask_where_it_ended(as_vera: Client) -> None:
    for url in ("/endpoints/", "/operations/", "/w/lab/e/churn/"):
        assert one(soup(as_vera.get(url)), "#poll")["data-cursor"] == cursor()


# Nothing new -----------------------------------------------------------------------------------


def test_without_news_the_answer_is_204_and_a_handful_of_headers(as_vera: Client) -> None:
    response = look(as_vera, cursor())

    assert response.status_code == 204
    assert response.content == b""
    assert set(response.headers) == {
        "Cache-Control",
        "Desk-Cursor",
        "Desk-Observed",
        "Desk-Pace",
        "X-Content-Type-Options",
    }
    assert not response.cookies
    wire = ["HTTP/1.1 204 No Content", *(f"{name}: {text}" for name, text in response.items())]
    by_the_server = [
        "Server: gunicorn",
        "Date: Sun, 22 Nov 2026 03:00:00 GMT",
        "Connection: keep-alive",
    ]
    assert sum(len(line) + 2 for line in wire + by_the_server) + 2 <= 400


def test_the_age_of_the_data_travels_on_the_204_too(fleet: Fleet, as_vera: Client) -> None:
    since = cursor()
    fleet.forward(15)
    fleet.answered()

    response = look(as_vera, since)

    assert response.status_code == 204
    assert response["Desk-Observed"] == f"{fleet.workspace.pk}={int(fleet.clock.now.timestamp())}"


def test_every_kind_of_page_has_its_204(fleet: Fleet, as_vera: Client, otto: User) -> None:
    operation = fleet.ask("lead-scoring", "stop", otto)
    for url in ("/operations/", f"/operations/{operation.pk}/", "/w/lab/e/churn/"):
        assert look(as_vera, cursor(), f"{url}changes/").status_code == 204


@pytest.mark.usefixtures("cached")
def test_a_204_asks_the_database_who_asks_once_and_then_nothing(
    as_vera: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    urls = ("/endpoints/", "/operations/", "/w/lab/e/churn/")
    for url in urls:
        as_vera.get(url)  # the process knows the fleet
    since = cursor()
    with django_assert_num_queries(1):  # the account with its roles
        for url in urls:
            assert look(as_vera, since, f"{url}changes/").status_code == 204


def test_a_cache_that_is_gone_costs_a_poll_the_session_and_the_head(
    as_vera: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    since = cursor()

    with django_assert_num_queries(1 + 4):  # the session; revision, sources, outages
        assert look(as_vera, since).status_code == 204


# News ------------------------------------------------------------------------------------------


def test_only_what_changed_comes_and_bare_rows_survive_in_templates(
    fleet: Fleet, as_vera: Client
) -> None:
    since = cursor()
    row = fleet.read(
        fleet.document("customer-ltv")
        | {"state": {"ready": "NOT_READY", "config_update": "NOT_UPDATING"}}
    )

    response = look(as_vera, since)

    found = news(response)
    assert statuses(found) == {"customer-ltv": "stopped"}
    fragment = one(found, "wrapped > tr")
    assert fragment["id"] == f"row-{row.pk}"
    assert fragment["hx-swap-oob"] == "true"
    assert not found.select("tr:not(wrapped tr)"), "a bare row is lost behind another element"
    assert response["Desk-Cursor"] != since
    assert look(as_vera, response["Desk-Cursor"]).status_code == 204


def test_the_counts_come_with_it(fleet: Fleet, as_vera: Client) -> None:
    since = cursor()
    fleet.bury("fraud-scorer")

    found = news(look(as_vera, since))

    assert text(found, "#counts a:first-child b") == "1"
    assert one(found, "#counts")["hx-swap-oob"] == "true"
    assert str(one(found, "#note")["data-title"]).startswith("1 not ready")


def test_a_deleted_endpoint_comes_as_deleted_and_without_a_status(
    fleet: Fleet, as_vera: Client
) -> None:
    since = cursor()
    fleet.bury("churn")

    assert statuses(news(look(as_vera, since))) == {"churn": "gone"}


def test_a_changed_row_comes_whatever_the_filter_says(fleet: Fleet, as_vera: Client) -> None:
    since = cursor()
    row = fleet.change("churn")

    found = news(look(as_vera, since, status="stopped"))

    assert listed(found) == ["churn"]
    assert str(row.pk) not in str(one(found, "#note")["data-shown"]).split()


def test_an_operation_is_news_of_its_endpoint(fleet: Fleet, as_vera: Client, otto: User) -> None:
    since = cursor()
    fleet.ask("customer-ltv", "stop", otto)

    response = look(as_vera, since)

    shown = one(news(response), 'tr[data-endpoint="lab/customer-ltv"] [data-operation]')
    assert (shown["data-operation"], shown["data-state"]) == ("stop", "queued")
    assert response["Desk-Pace"] == "1"


def test_a_row_is_the_same_for_every_reader_of_a_language(
    fleet: Fleet, as_vera: Client, as_mika: Client
) -> None:
    since = cursor()
    fleet.change("churn")

    rows = [one(news(look(client, since)), "tr[data-endpoint]") for client in (as_vera, as_mika)]

    assert rows[0] == rows[1]
    assert not rows[0].select("form, input, [nonce]")


def test_news_of_another_workspace_is_no_news(
    fleet: Fleet, ada: User, browser: Any, as_vera: Client
) -> None:
    fleet.other()
    as_ada = browser(ada)
    since = cursor()
    fleet.change("churn")

    assert not news(look(as_ada, since)).select("[data-endpoint]")


def test_over_a_hundred_changes_come_as_one_table(fleet: Fleet, as_vera: Client) -> None:
    since = cursor()
    some = fleet.document("lead-scoring")
    fleet.add(*(some | {"name": f"more-{n:03}", "id": f"id-{n}"} for n in range(100)))
    assert len(news(look(as_vera, since)).select("wrapped > tr")) == 100

    fleet.change("churn")
    found = news(look(as_vera, since))

    assert not found.select("wrapped")
    assert one(found, "#fleet")["hx-swap-oob"] == "true"
    assert len(listed(found)) == 100


NONSENSE = [
    "",
    "0",
    "..",
    "{epoch}",
    "{epoch}.-1.{sources}",
    "{epoch}.٣.{sources}",
    "{epoch}.99999999.{sources}",
    "{epoch}.99999999999999999999999999.{sources}",
    "{epoch}.0.ffffffff",
    "ffffffff.{revision}.{sources}",
    "\0",
    "x" * 5000,
    "<script>",
]


@pytest.mark.parametrize(
    "url", ["/endpoints/changes/", "/operations/changes/", "/w/lab/e/churn/changes/"]
)
def test_an_unknown_cursor_is_answered_with_everything(url: str, as_vera: Client) -> None:
    epoch, revision, sources = cursor().split(".")
    for nonsense in NONSENSE:
        since = nonsense.format(epoch=epoch, revision=revision, sources=sources)

        response = look(as_vera, since, url)

        assert response.status_code == 200, since
        assert one(soup(response), "#fleet, #operations, #overview")["hx-swap-oob"] == "true"
        assert response["Desk-Cursor"] == cursor()


def test_a_restored_database_gets_a_full_answer(as_vera: Client) -> None:
    since = cursor()
    FleetRow.objects.all().delete()

    assert news(look(as_vera, since)).select("#fleet")


def test_news_costs_what_changed_and_not_the_page(
    fleet: Fleet, as_vera: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Who asks; the head; what changed, with its operation and who is on it; and its history. Who
    asks next causes none of it."""
    since = cursor()
    look(as_vera)
    fleet.change("churn")

    with django_assert_num_queries(2 + 3 + 1 + 1):
        look(as_vera, since)
    with django_assert_num_queries(2 + 3):
        look(as_vera, since)


# Staleness -------------------------------------------------------------------------------------


def test_a_source_that_falls_silent_is_news_though_nothing_was_written(
    fleet: Fleet, as_vera: Client
) -> None:
    since = cursor()
    revision = live.read_head().revision
    fleet.forward(44)
    assert look(as_vera, since).status_code == 204

    fleet.forward(2)
    response = look(as_vera, since)

    assert response.status_code == 200
    assert set(statuses(news(response)).values()) == {"unknown"}
    assert live.read_head().revision == revision


def test_a_source_that_answers_again_is_news_too(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(60)
    since = cursor()
    fleet.answered()

    assert "ready" in statuses(news(look(as_vera, since))).values()


# Headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/endpoints/changes/",
        "/operations/changes/",
        "/w/lab/e/churn/changes/",
        "/w/lab/e/churn/stop/dialog/",
    ],
)
def test_no_fragment_is_kept_by_anybody(url: str, as_vera: Client) -> None:
    response = as_vera.get(url)

    assert response["Cache-Control"] == "no-store"
    assert {"Cookie", "Accept-Language"} <= set(response["Vary"].split(", "))
    assert not soup(response).select("html, head, body, header.top, footer")


@pytest.mark.parametrize(
    "url", ["/endpoints/changes/", "/operations/changes/", "/w/lab/e/churn/changes/"]
)
def test_each_piece_of_an_answer_has_an_id_that_the_page_has(url: str, as_vera: Client) -> None:
    page, found = soup(as_vera.get(url.removesuffix("changes/"))), soup(as_vera.get(url))

    pieces = found.select("[hx-swap-oob]")
    assert pieces
    for piece in pieces:
        assert page.select(f"#{piece['id']}"), piece["id"]
