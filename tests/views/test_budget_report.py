"""The report on budget policies: a page that says who has none, and a file with everything."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints_app.models import Workspace
from endpoints_app.services import budget
from tests.views.conftest import SHOWN, Fleet
from tests.views.pages import inline, listed, news, one, soup, text

POLICIES = {"churn": "6f1c", "credit-limit": "6f1c", "customer-ltv": "90ab"}
IMPOSSIBLE = {"gpt-4o-proxy", "databricks-gte-large-en"}
WITHOUT = SHOWN.keys() - POLICIES - IMPOSSIBLE


def bare(fleet: Fleet, name: str, /, **more: Any) -> dict[str, Any]:
    document = fleet.document(name)
    for key in ("budget_policy_id", "effective_budget_policy_id"):
        document.pop(key, None)
    return document | more


@pytest.fixture(autouse=True)
def _policies(fleet: Fleet, settings: Any) -> None:
    settings.BUDGET_POLICY_NAMES = {"6f1c": "shop-search"}
    for name in SHOWN:
        own = POLICIES.get(name)
        fleet.read(bare(fleet, name, **({"effective_budget_policy_id": own} if own else {})))
    fleet.answered()


def page(client: Client, query: str = "") -> BeautifulSoup:
    response = client.get(f"/budget/{query}")
    assert response.status_code == 200
    return soup(response)


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"/budget/endpoints.csv{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    body = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body)))


def test_who_has_none_is_told_from_who_cannot_have_one(as_vera: Client) -> None:
    found = page(as_vera)

    assert set(listed(found)) == WITHOUT
    assert text(found, "#found") == "10 of 13 endpoints that can have one have none"
    assert "External model 1, nothing runs at Databricks" in text(found, "#impossible")
    assert "1, billed by use" in text(found, "#impossible")
    assert str(one(found, "title").string).startswith("10 without")
    assert not inline(found)


def test_policies_are_named_counted_and_lead_to_their_endpoints(as_vera: Client) -> None:
    found = page(as_vera)

    lines = {str(tr["data-policy"]): tr for tr in found.select("tr[data-policy]")}
    assert list(lines) == ["6f1c", "90ab"]
    assert [one(tr, "td.num").get_text() for tr in lines.values()] == ["2", "1"]
    assert text(lines["6f1c"], "th") == "shop-search"
    assert text(lines["90ab"], "th") == "90ab"
    link = one(lines["6f1c"], "a")
    assert set(listed(soup(as_vera.get(str(link["href"]))))) == {"churn", "credit-limit"}


def test_owners_lead_to_theirs_without_one(fleet: Fleet, as_vera: Client) -> None:
    found = page(as_vera)

    links = found.select("section[aria-labelledby=ow-h] dt a")
    assert links
    for link in links:
        without = int(link.parent.find_next_sibling("dd").get_text().split()[0])  # type: ignore[union-attr]
        theirs = listed(soup(as_vera.get(str(link["href"]))))
        assert len(theirs) == without > 0
        assert {fleet.endpoint(name).owner for name in theirs} == {link.get_text()}
    note = str(one(found, "#copy-note")["data-copy"])
    assert all(name in note for name in WITHOUT)


def test_what_was_only_listed_is_said_to_be_unknown(fleet: Fleet, as_vera: Client) -> None:
    row = fleet.endpoint("churn")
    type(row).objects.filter(pk=row.pk).update(effective_budget_policy="", budget_known=False)

    found = page(as_vera)

    assert "1 endpoint has only been listed so far" in text(found, "section[aria-labelledby=src-h]")
    assert "churn" not in listed(found)
    assert listed(soup(as_vera.get("/endpoints/?budget=unknown"))) == ["churn"]


def test_it_is_a_page_of_the_endpoints(as_vera: Client) -> None:
    assert text(page(as_vera), "nav.nav [aria-current]") == "Endpoints"


def test_what_is_gone_is_not_counted(fleet: Fleet, as_vera: Client) -> None:
    fleet.bury("lead-scoring")

    assert text(page(as_vera), "#found").startswith("9 of 12")
    assert "lead-scoring" not in {row["endpoint"] for row in rows(as_vera)}


# Who sees what ----------------------------------------------------------------------------------


@pytest.fixture
def two(fleet: Fleet, settings: Any) -> Workspace:
    settings.WORKSPACES = ["lab", "other"]
    return fleet.other(bare(fleet, "churn", name="theirs", budget_policy_id="77cd"))


def test_readers_see_the_workspaces_that_are_theirs(
    two: Workspace, ada: User, as_vera: Client, browser: Callable[[User], Client]
) -> None:
    both, theirs = page(as_vera), page(browser(ada))

    assert {str(tr["data-policy"]) for tr in both.select("tr[data-policy]")} == {
        "6f1c",
        "90ab",
        "77cd",
    }
    assert [str(tr["data-policy"]) for tr in theirs.select("tr[data-policy]")] == ["77cd"]
    assert listed(theirs) == []
    assert [row["endpoint"] for row in rows(browser(ada))] == ["theirs"]
    assert [row["endpoint"] for row in rows(browser(ada), "?workspace=lab")] == ["theirs"]


def test_a_workspace_can_be_chosen_in_the_address_and_is_kept(
    two: Workspace, as_vera: Client
) -> None:
    found = page(as_vera, "?workspace=other")

    assert [str(tr["data-policy"]) for tr in found.select("tr[data-policy]")] == ["77cd"]
    assert one(found, "#filters option[value=other][selected]")
    assert "workspace=other" in str(one(found, "a[download]")["href"])
    assert "workspace=other" in str(one(found, "tr[data-policy] a")["href"])
    assert "workspace=other" in str(one(found, "#poll")["hx-get"])
    assert [row["endpoint"] for row in rows(as_vera, "?workspace=other")] == ["theirs"]


def test_nonsense_in_the_address_filters_nothing_and_is_named(as_vera: Client) -> None:
    found = page(as_vera, "?workspace=nowhere&page=-1")

    assert "Workspace, Page" in text(found, "main > .notice")
    assert len(listed(found)) == len(WITHOUT)


# The file ---------------------------------------------------------------------------------------


def test_the_file_tells_all_of_every_endpoint(fleet: Fleet, as_vera: Client) -> None:
    found = {row["endpoint"]: row for row in rows(as_vera)}

    assert found.keys() == SHOWN.keys()
    assert {name for name, row in found.items() if row["budget_policy"] == "none"} == WITHOUT
    churn = found["churn"]
    assert (churn["budget_policy"], churn["policy_name"]) == ("inherited", "shop-search")
    assert (churn["policy_id"], churn["policy_id_set_on_endpoint"]) == ("6f1c", "")
    assert (churn["workspace"], churn["status"]) == ("lab", "Not ready (Updating)")
    assert {found[name]["budget_policy"] for name in IMPOSSIBLE} == {"cannot have one"}
    assert churn["owner"] == fleet.endpoint("churn").owner


def test_nothing_in_the_file_is_a_formula(fleet: Fleet, as_vera: Client) -> None:
    evil = '=HYPERLINK("http://evil.example","x")'
    fleet.read(
        bare(
            fleet,
            "churn",
            tags=[{"key": "owner", "value": evil}],
            budget_policy_id="@SUM(1+1)*cmd|' /C calc'!A0",
        )
    )
    fleet.add(bare(fleet, "lead-scoring", name="-2+3", id="f" * 32))

    found = rows(as_vera)

    for row in found:
        for text_ in row.values():
            assert not text_.startswith(("=", "+", "-", "@", "\t", "\r")), row
    assert f"'{evil}" in {row["owner"] for row in found}
    assert "'-2+3" in {row["endpoint"] for row in found}


def test_hostile_owners_and_policies_are_text_on_the_page(fleet: Fleet, as_vera: Client) -> None:
    evil = '"><script>alert(1)</script>&owner=x'
    fleet.read(bare(fleet, "churn", tags=[{"key": "owner", "value": evil}], budget_policy_id=evil))
    fleet.read(bare(fleet, "lead-scoring", tags=[{"key": "owner", "value": evil}]))

    found = page(as_vera)

    assert not inline(found)
    (link,) = [a for a in found.select("#report dt a") if a.get_text() == evil]
    assert listed(soup(as_vera.get(str(link["href"])))) == ["lead-scoring"]


# Time passes ------------------------------------------------------------------------------------


def test_a_silent_workspace_makes_its_statuses_unknown(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(3600)

    found = page(as_vera)

    assert {str(b["data-status"]) for b in found.select("#report .badge")} == {"unknown"}
    assert {row["status"] for row in rows(as_vera)} == {"Unknown"}
    assert set(listed(found)) == WITHOUT, "what its policies were does not change by itself"


def test_an_open_page_is_told_what_changed_and_nothing_else(fleet: Fleet, as_vera: Client) -> None:
    cursor = one(page(as_vera), "#poll")["data-cursor"]
    quiet = as_vera.get("/budget/changes/", {"since": cursor})
    assert quiet.status_code == 204
    assert "Desk-Observed" in quiet

    fleet.read(bare(fleet, "lead-scoring", budget_policy_id="6f1c"))
    told = news(as_vera.get("/budget/changes/", {"since": cursor}))

    assert {str(part["id"]) for part in told.select("[hx-swap-oob]")} == {"found", "report"}
    assert not told.select("form, input, select"), "nothing typed or chosen is swapped away"
    assert "lead-scoring" not in listed(told)


def test_pages_of_it_keep_the_address(as_vera: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PAGE_SIZE", 4)
    first = page(as_vera, "?workspace=lab")
    second = page(as_vera, str(one(first, "#page-next")["href"]).removeprefix("/budget/"))
    third = page(as_vera, "?workspace=lab&page=99")

    assert [len(listed(it)) for it in (first, second, third)] == [4, 4, 2]
    assert set(listed(first)) | set(listed(second)) | set(listed(third)) == WITHOUT


def test_nobody_without_reads_as_good_news(fleet: Fleet, as_vera: Client) -> None:
    for name in WITHOUT:
        fleet.read(bare(fleet, name, budget_policy_id="6f1c"))

    found = page(as_vera)

    assert "Every endpoint that can have one has one" in text(found, "#report")
    assert "Budget policies" in text(soup(as_vera.get("/endpoints/")), "footer")


def test_the_list_leads_here_with_the_number(as_vera: Client) -> None:
    link = one(soup(as_vera.get("/endpoints/")), "footer a[href='/budget/']")
    assert link.get_text() == "10 without a budget policy"


def test_more_endpoints_cost_no_more_queries(
    fleet: Fleet, as_vera: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Session, user, roles; revision, sources, open operations; of those without the changes,
    the statuses, and a page of rows. The rest is in memory."""
    page(as_vera)
    with django_assert_max_num_queries(3 + 3 + 3):
        page(as_vera)
    fleet.add(*(bare(fleet, "churn", name=f"more-{n}", id=f"{n:032}") for n in range(30)))
    with django_assert_max_num_queries(3 + 3 + 3 + 1):  # and those that are new
        page(as_vera)
