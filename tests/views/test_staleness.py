"""Staleness comes from the clock, wherever a status is shown, and is never stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import Endpoint, StatusChange, Workspace
from tests.views.conftest import Fleet
from tests.views.pages import listed, news, one, soup, statuses, text


@pytest.fixture
def silent(fleet: Fleet) -> Fleet:
    """Just past three cycles without an answer."""
    fleet.forward(45.1)
    return fleet


def test_at_the_limit_a_status_still_counts_and_past_it_it_does_not(
    fleet: Fleet, as_vera: Client
) -> None:
    fleet.forward(45)
    assert "ready" in statuses(soup(as_vera.get("/endpoints/"))).values()

    fleet.forward(0.1)
    assert set(statuses(soup(as_vera.get("/endpoints/"))).values()) == {"unknown"}


def test_each_row_says_unknown_and_what_was_known_last(silent: Fleet, as_vera: Client) -> None:
    row = one(soup(as_vera.get("/endpoints/")), 'tr[data-endpoint="lab/customer-ltv"]')

    assert text(row, "[data-status]") == "Unknown"
    assert "last known: Ready" in text(row, ".c-status")
    assert not row.select('[data-status="ready"]')


def test_the_list_says_which_workspace_is_silent_and_since_when(
    silent: Fleet, as_vera: Client
) -> None:
    notice = text(soup(as_vera.get("/endpoints/")), "#fleet .notice")

    assert "lab" in notice
    assert "2026-11-22 03:00:00 UTC" in notice


def test_counts_title_and_filters_know_no_other_status(silent: Fleet, as_vera: Client) -> None:
    found = soup(as_vera.get("/endpoints/"))
    numbers = [int(b.get_text()) for b in found.select("#counts b")]
    assert sorted(numbers) == [0, 0, 0, 0, 0, 15]
    assert text(found, "title").startswith("15 unknown")

    assert listed(soup(as_vera.get("/endpoints/?status=ready"))) == []
    assert len(listed(soup(as_vera.get("/endpoints/?status=unknown")))) == 15
    assert len(listed(soup(as_vera.get("/endpoints/?attention=1")))) == 15


def test_the_page_of_an_endpoint_says_unknown_and_keeps_the_facts(
    silent: Fleet, as_vera: Client
) -> None:
    found = soup(as_vera.get("/w/lab/e/customer-ltv/"))

    assert text(found, "#title [data-status]") == "Unknown"
    assert "last known: Ready" in text(found, "#title")
    for vital in found.select(".vitals > div"):
        assert "Unknown" in vital.get_text(" ")
    assert "Unknown" in text(found, "title")
    assert "Served entities" in text(found, "#overview")
    assert found.select_one("#overview.stale"), "its deployments are drawn as what was known last"


def test_polls_are_not_answered_with_nothing_new(fleet: Fleet, as_vera: Client) -> None:
    urls = ["/endpoints/changes/", "/w/lab/e/customer-ltv/changes/"]
    since = [as_vera.get(url)["Desk-Cursor"] for url in urls]
    fleet.forward(45.1)

    for url, cursor in zip(urls, since, strict=True):
        response = as_vera.get(url, {"since": cursor})
        assert response.status_code == 200
        shown = {str(badge["data-status"]) for badge in news(response).select("[data-status]")}
        assert shown == {"unknown"}


def test_the_json_says_unknown_since_the_last_answer(silent: Fleet, as_vera: Client) -> None:
    silent.publish()
    document = as_vera.get("/status.json").json()

    assert document["verdict"] == "unknown"
    assert document["counts"]["unknown"] == 15
    assert document["observed_at"] == "2026-11-22T03:00:00+00:00"
    for endpoint in document["endpoints"]:
        assert endpoint["status"] == "unknown"
        assert endpoint["serving"] is None


def test_nothing_of_it_is_stored(silent: Fleet, as_vera: Client) -> None:
    silent.publish()
    rows, changes = list(Endpoint.objects.order_by("pk").values()), StatusChange.objects.count()

    for url in ("/endpoints/", "/w/lab/e/churn/", "/status.json", "/endpoints/changes/"):
        assert as_vera.get(url).status_code == 200

    assert list(Endpoint.objects.order_by("pk").values()) == rows
    assert StatusChange.objects.count() == changes


def test_with_the_next_answer_everything_is_known_again(silent: Fleet, as_vera: Client) -> None:
    silent.answered()
    silent.publish()

    assert "ready" in statuses(soup(as_vera.get("/endpoints/"))).values()
    assert as_vera.get("/status.json").json()["counts"]["unknown"] == 1


def test_one_silent_workspace_takes_nothing_from_another(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(60)
    fleet.other(fleet.document("customer-ltv") | {"name": "elsewhere", "id": "of-other"})

    found = soup(as_vera.get("/endpoints/"))
    shown = statuses(found)
    assert shown.pop("elsewhere") == "ready"
    assert set(shown.values()) == {"unknown"}
    assert text(soup(as_vera.get("/w/other/e/elsewhere/")), "#title [data-status]") == "Ready"
    fleet.publish()
    document = as_vera.get("/status.json").json()
    assert (document["counts"]["unknown"], document["counts"]["ready"]) == (15, 1)
    assert document["verdict"] == "unknown"


def test_a_workspace_that_never_answered_is_unknown(fleet: Fleet, as_vera: Client) -> None:
    Workspace.objects.update(observed_at=None)
    fleet.other()

    assert set(statuses(soup(as_vera.get("/endpoints/"))).values()) == {"unknown"}
    fleet.publish()
    document = as_vera.get("/status.json").json()
    assert (document["observed_at"], document["verdict"]) == (None, "unknown")


def test_the_worst_first_is_the_worst_of_what_is_shown(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(60)
    failing = fleet.document("fraud-scorer") | {"name": "failing", "id": "1"}
    well = fleet.document("customer-ltv") | {"name": "well", "id": "2"}
    fleet.other(failing, well)

    shown = listed(soup(as_vera.get("/endpoints/")))

    assert shown[0] == "failing"
    assert shown[-1] == "well"


def test_what_is_not_known_may_still_be_asked_for(
    silent: Fleet, otto: User, browser: Callable[[User], Client]
) -> None:
    found = soup(browser(otto).get("/w/lab/e/churn/stop/"))

    assert found.select("#ask form"), "the live state is read before anything is sent"
    assert "has not answered lately" in text(found, "#ask")
