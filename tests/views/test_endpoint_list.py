"""The list: what it shows, in which order, and that the address is its only state."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, Workspace
from tests.views.conftest import SHOWN, Fleet
from tests.views.pages import listed, one, soup, statuses, text

STOPPED = {"card-ocr-v1", "vision-defects"}
WITHOUT_CACHE = 3
"""What the fleet's revision, sources and open operations cost when the cache does not answer."""


def page(client: Client, query: str = "") -> BeautifulSoup:
    response = client.get(f"/endpoints/{query}")
    assert response.status_code == 200, response.status_code
    return soup(response)


def counts(found: BeautifulSoup) -> dict[str, int]:
    """Tone → number, of the strip above the list."""
    items = {}
    for link in found.select("#counts a"):
        tone = one(link, "use")["href"]
        items[str(tone).lstrip("#")] = int(text(link, "b"))
    return items


# What it shows ---------------------------------------------------------------------------------


def test_each_endpoint_is_a_row_with_its_status_in_databricks_words(
    fleet: Fleet, as_vera: Client
) -> None:
    found = page(as_vera)

    assert statuses(found) == SHOWN
    row = one(found, 'tr[data-endpoint="lab/demand-forecast"]')
    badge = one(row, '[data-status="ready_update_failed"]')
    assert badge.get_text(strip=True) == "Ready (Update failed)"
    assert one(row, "th a")["href"] == "/w/lab/e/demand-forecast/"


def test_every_badge_says_the_label_of_its_status(as_vera: Client) -> None:
    for badge in page(as_vera).select("tr [data-status]"):
        assert badge.get_text(strip=True) == Status(badge["data-status"]).label


def test_the_worst_comes_first(as_vera: Client) -> None:
    shown = [Status(value) for value in statuses(page(as_vera)).values()]

    assert shown == sorted(shown, key=lambda status: -status.severity)
    assert shown[0] is Status.UPDATE_FAILED


def test_the_counts_add_up_and_each_filters(fleet: Fleet, as_vera: Client) -> None:
    found = page(as_vera)

    assert counts(found) == {"bad": 2, "unknown": 1, "busy": 1, "but": 1, "good": 8, "off": 2}
    for link in found.select("#counts a"):
        narrowed = page(as_vera, str(link["href"]))
        assert len(listed(narrowed)) == int(text(link, "b"))
        assert sum(counts(narrowed).values()) == 15, "the strip keeps what the filter hides"


def test_the_title_says_what_matters_to_who_sees_only_the_tab(
    fleet: Fleet, as_vera: Client
) -> None:
    assert text(page(as_vera), "title").startswith("2 not ready")

    for name in ("fraud-scorer", "checkout-ranker"):
        fleet.bury(name)
    assert text(page(as_vera), "title").startswith("1 unknown")

    fleet.bury("kyc-face-match")
    assert text(page(as_vera), "title").startswith("Endpoints")


def test_it_says_when_databricks_last_answered(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(20)

    time = page(as_vera).select("#fresh time")[0]

    assert time["datetime"] == "2026-11-22T03:00:00Z"
    assert time.get_text(strip=True) == "20 s ago"


def test_a_deleted_endpoint_is_not_in_it(fleet: Fleet, as_vera: Client) -> None:
    fleet.bury("churn")

    assert "churn" not in listed(page(as_vera))


def test_before_the_first_reading_it_says_that_it_waits(fleet: Fleet, as_vera: Client) -> None:
    Endpoint.objects.all().delete()
    Workspace.objects.update(observed_at=None)
    waiting = text(page(as_vera), "main")

    Workspace.objects.update(error="Unauthenticated")
    failing = text(page(as_vera), "main")

    assert "lab" in waiting
    assert "refuses our credentials" in failing


def test_without_any_workspace_it_says_how_to_name_one(fleet: Fleet, as_vera: Client) -> None:
    Workspace.objects.all().delete()

    assert "Name a workspace" in text(page(as_vera), "main")


# Filters, order, pages -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?status=stopped", STOPPED),
        (
            "?status=update_failed&status=unknown",
            {"fraud-scorer", "kyc-face-match"},
        ),
        ("?kind=external", {"gpt-4o-proxy"}),
        ("?kind=external&kind=feature_spec", {"gpt-4o-proxy", "geo-features"}),
        ("?q=CHURN", {"churn"}),
        ("?q=card ocr", {"card-ocr-v1"}),
        ("?q=%25", set()),
        ("?q=_", set()),
        ("?status=stopped&q=vision", {"vision-defects"}),
        ("?attention=1&status=stopped", set()),
        ("?workspace=lab&status=stopped", STOPPED),
        ("?budget=none&kind=external", set()),
        ("?q=", None),
        ("?status=&workspace=&kind=&owner=&tag=", None),
    ],
)
def test_a_filter_leaves_what_matches(query: str, names: set[str] | None, as_vera: Client) -> None:
    found = page(as_vera, query)

    if names is None:
        assert len(listed(found)) == 15
    else:
        assert set(listed(found)) & set(listed(page(as_vera))) == set(listed(found))
        if query not in ("?q=%25", "?q=_"):
            assert set(listed(found)) == names


def test_what_needs_attention_is_what_is_not_well(as_vera: Client) -> None:
    shown = set(statuses(page(as_vera, "?attention=1")).values())

    assert shown == {"update_failed", "not_ready", "unknown", "ready_update_failed"}


def test_owner_and_tag_filter_by_what_the_page_offers(fleet: Fleet, as_vera: Client) -> None:
    for name in ("owner", "tag"):
        offered = page(as_vera).select(f"select[name={name}] option")
        values = [option.get("value", option.get_text()) for option in offered]
        value = next(str(v) for v in values if v)
        response = as_vera.get("/endpoints/", {name: value})
        found = listed(soup(response))
        assert 0 < len(found) < 15
        for endpoint in found:
            row = fleet.endpoint(endpoint)
            assert value == row.owner or f"\n{value}\n" in row.tag_lines


def test_budget_policies_filter_by_name_and_what_has_none(
    fleet: Fleet, as_vera: Client, settings: Any
) -> None:
    settings.BUDGET_POLICY_NAMES = {"6f1c": "shop-search"}
    policies = {"churn": "6f1c", "credit-limit": "6f1c", "customer-ltv": "90ab"}
    for name in SHOWN:
        bare = fleet.document(name)
        for key in ("budget_policy_id", "effective_budget_policy_id"):
            bare.pop(key, None)
        if name in policies:
            bare["effective_budget_policy_id"] = policies[name]
        fleet.read(bare)

    options = {
        str(option.get("value")): option.get_text()
        for option in page(as_vera).select("select[name=budget] option")
    }
    without = set(listed(page(as_vera, "?budget=none")))

    assert options == {
        "": "any",
        "none": "without one",
        "unknown": "not known yet",
        "90ab": "90ab",
        "6f1c": "shop-search",
    }
    assert set(listed(page(as_vera, "?budget=6f1c"))) == {"churn", "credit-limit"}
    assert without == SHOWN.keys() - policies - {"gpt-4o-proxy", "databricks-gte-large-en"}
    assert listed(page(as_vera, "?budget=unknown")) == []


def test_the_budget_filter_survives_a_refresh_and_other_filters(as_vera: Client) -> None:
    found = page(as_vera, "?budget=none&q=e&sort=name")

    assert "budget=none" in str(one(found, "[hx-get*='changes']")["hx-get"])
    assert one(found, "#filters option[value=none][selected]")
    assert one(found, "form.find input[type=hidden][name=budget][value=none]")
    for link in (*found.select("#counts a"), *found.select("thead a")):
        assert "budget=none" in str(link["href"])


@pytest.mark.parametrize("key", ["name", "owner", "changed", "status"])
def test_every_order_has_its_reverse(key: str, as_vera: Client) -> None:
    there, back = (listed(page(as_vera, f"?sort={sort}")) for sort in (key, f"-{key}"))

    assert len(there) == 15
    assert there == back[::-1]


def test_the_order_by_name_is_the_order_of_names(as_vera: Client) -> None:
    found = listed(page(as_vera, "?sort=name"))

    assert found == sorted(found)


def test_a_filter_of_another_workspace_filters_nothing_there(fleet: Fleet, as_vera: Client) -> None:
    fleet.other(fleet.document("churn") | {"name": "elsewhere", "id": "of-other"})

    assert set(listed(page(as_vera, "?workspace=other"))) == {"elsewhere"}
    assert len(listed(page(as_vera))) == 16


@pytest.fixture
def many(fleet: Fleet) -> int:
    """More than two pages."""
    churn = fleet.document("lead-scoring")
    fleet.add(*(churn | {"name": f"more-{n:03}", "id": f"id-{n}"} for n in range(200)))
    return 215


def test_pages_follow_each_other_without_gap_or_overlap(many: int, as_vera: Client) -> None:
    seen: list[str] = []
    query = "?sort=name"
    for _ in range(3):
        found = page(as_vera, query)
        seen += listed(found)
        following = found.select('nav.pages a[rel="next"]')
        query = str(following[0]["href"]) if following else ""

    assert not query
    assert len(seen) == many
    assert seen == sorted(set(seen))


def test_a_page_beyond_the_last_is_the_last(many: int, as_vera: Client) -> None:
    last, beyond = (listed(page(as_vera, f"?page={n}")) for n in (3, 99_999))

    assert len(last) == 15
    assert beyond == last


def links(found: BeautifulSoup) -> list[dict[str, list[str]]]:
    """The queries of the links that lead back to the list."""
    hrefs = [str(a["href"]) for a in found.select("#counts a, thead a, nav.pages a")]
    assert hrefs
    return [parse_qs(urlsplit(href).query) for href in hrefs]


def test_every_link_of_the_list_keeps_the_other_filters(many: int, as_vera: Client) -> None:
    found = page(as_vera, "?q=more&workspace=lab&kind=custom&sort=name")

    for query in links(found):
        assert query["q"] == ["more"]
        assert query["workspace"] == ["lab"]
        assert query["kind"] == ["custom"]


def test_a_changed_filter_starts_at_the_first_page(many: int, as_vera: Client) -> None:
    found = page(as_vera, "?q=more&page=2")

    for link in found.select("#counts a, thead a"):
        assert "page" not in parse_qs(urlsplit(str(link["href"])).query)


def test_the_poll_carries_the_filters(as_vera: Client) -> None:
    url = str(one(page(as_vera, "?q=card&status=stopped&sort=name"), "#poll")["hx-get"])

    assert urlsplit(url).path == "/endpoints/changes/"
    assert parse_qs(urlsplit(url).query) == {"q": ["card"], "status": ["stopped"], "sort": ["name"]}


def test_the_search_box_keeps_the_words(as_vera: Client) -> None:
    assert one(page(as_vera, "?q=card+ocr"), "input[name=q][type=search]")["value"] == "card ocr"


# Nonsense --------------------------------------------------------------------------------------

NONSENSE = {
    "status=dead": "Status",
    "status=ready&status=dead": "Status",
    "kind=robot": "Kind",
    "workspace=../../etc": "Workspace",
    "workspace=other": "Workspace",
    "page=0": "Page",
    "page=-1": "Page",
    "page=999999999999999999999999": "Page",
    "page=one": "Page",
    "sort=evil": "Order",
    "sort=--name": "Order",
    "sort=name;drop": "Order",
    "q=" + "x" * 10_000: "Find an endpoint",
    "q=%00": "Find an endpoint",
    "owner=%00": "Owner",
    "tag=%00": "Tag",
    "owner=" + "x" * 10_000: "Owner",
    "budget=%00": "Budget policy",
}


@pytest.mark.parametrize("query", NONSENSE, ids=lambda query: query[:30])
def test_nonsense_in_the_address_filters_nothing_and_is_named(query: str, as_vera: Client) -> None:
    found = page(as_vera, f"?{query}")

    assert NONSENSE[query] in text(found, "main > .notice")
    assert len(listed(found)) == 15
    assert as_vera.get(f"/endpoints/changes/?{query}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "q=%FF%FE",
        "q=a&q=b&page=1&page=2&sort=name&sort=owner",
        "unheard=of&since=whatever",
        "&&&=&==",
        "attention=yes&attention=no",
        "q=" + "%20a" * 100,
        "q=%F0%9F%94%A5",
        "owner=nobody&tag=nothing%3Dat%20all",
        "page=99999",
    ],
)
def test_what_is_odd_in_the_address_breaks_nothing(query: str, as_vera: Client) -> None:
    found = page(as_vera, f"?{query}")

    assert found.select("#fleet")
    assert as_vera.get(f"/endpoints/changes/?{query}").status_code == 200


def test_what_is_in_order_needs_no_remark(as_vera: Client) -> None:
    assert not page(as_vera, "?status=stopped&page=1&sort=-name&q=a").select("main > .notice")


def test_looking_changes_nothing(fleet: Fleet, as_vera: Client) -> None:
    before = list(Endpoint.objects.order_by("pk").values()), list(Workspace.objects.values())

    for query in ("", "?sort=-name&status=ready", "?q=%00"):
        response = as_vera.get(f"/endpoints/{query}")
        assert "sessionid" not in response.cookies

    assert (
        list(Endpoint.objects.order_by("pk").values()),
        list(Workspace.objects.values()),
    ) == before


# Cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?status=ready&q=e", "?sort=-owner", "?page=2"])
def test_more_rows_cost_no_more_queries(
    query: str,
    fleet: Fleet,
    as_vera: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    request: Any,
) -> None:
    """Who asks; nothing about the endpoints, which the process knows, and whose rows it keeps."""
    who = 2
    page(as_vera, query)
    with django_assert_num_queries(who + WITHOUT_CACHE):
        page(as_vera, query)

    request.getfixturevalue("many")
    with django_assert_max_num_queries(who + WITHOUT_CACHE + 1 + 2):
        page(as_vera, query)  # what is new; its rows, if they were more; and their history
    with django_assert_num_queries(who + WITHOUT_CACHE):
        page(as_vera, query)
