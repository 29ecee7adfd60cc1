"""The page of permissions: what it shows, in each of its states, and by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from endpoints_app.services import upstream
from tests.conftest import Lab
from tests.views.pages import one, soup, text
from tests.views.permission_forms import (
    ANN,
    CREATOR,
    EDIT,
    NAME,
    PAGE,
    PART,
    ROUTE,
    TEAM,
    WITHOUT_ID,
    fault,
    rows,
    somebody_at_databricks,
)


@pytest.fixture(autouse=True)
def _workspace(lab: Lab, cached: None, patient: None) -> None:
    cache.clear()
    lab.sync()


@pytest.fixture
def somebody_else(lab: Lab) -> Iterator[Callable[..., None]]:
    with somebody_at_databricks(lab) as grant:
        yield grant


# Reading ----------------------------------------------------------------------------------------


def test_a_viewer_sees_who_may_do_what_and_where_it_comes_from(viewer: Client) -> None:
    found = soup(viewer.get(PAGE))
    assert rows(found) == {
        f"user:{CREATOR}": ("CAN MANAGE", "Direct"),
        f"group:{TEAM}": ("CAN QUERY", "Direct"),
        "group:admins": ("CAN MANAGE", "Inherited: CAN MANAGE from all endpoints of the workspace"),
    }
    assert "Can query serving endpoint" in found.get_text()
    assert text(found, ".tabs [aria-current]") == "Permissions"


def test_a_viewer_is_told_why_they_cannot_change_them(viewer: Client) -> None:
    found = soup(viewer.get(PAGE))
    assert not found.select("a#edit")
    assert text(found, "#edit-not") == (
        "To change permissions you need the role manager. You are viewer here."
    )


def test_a_manager_gets_the_way_to_the_form(manager: Client) -> None:
    assert one(soup(manager.get(PAGE)), "a#edit")["href"] == EDIT


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_change_them_gets_no_form_and_sends_none(
    method: str, lab: Lab, vera: User, otto: User, oscar: User, browser: Callable[[User], Client]
) -> None:
    for user, status in ((vera, 403), (otto, 403), (oscar, 404)):
        response = getattr(browser(user), method)(EDIT)
        assert response.status_code == status
        assert not soup(response).select("main form")
    assert "role manager" in soup(getattr(browser(vera), method)(EDIT)).get_text()
    assert lab.emulator.calls.writes == []


def test_a_search_finds_by_name_kind_level_and_source(viewer: Client) -> None:
    for query, expected in {
        "SEARCH": [f"group:{TEAM}"],
        "ingrid": [f"user:{CREATOR}"],
        "inherited": ["group:admins"],
        "group manage": ["group:admins"],
        "nobody": [],
    }.items():
        found = soup(viewer.get(PAGE, {"q": query}))
        assert list(rows(found)) == expected, query
        assert one(found, "input[name=q][placeholder^='Find in']")["value"] == query


def test_names_from_outside_are_text_and_nothing_else(
    viewer: Client, somebody_else: Callable[..., None]
) -> None:
    somebody_else(group_name="<script>alert(1)</script>", level="CAN_VIEW")
    found = soup(viewer.get(PAGE))
    assert "group:<script>alert(1)</script>" in rows(found)
    assert not [tag for tag in found.select("main script") if not tag.get("src")]


@pytest.mark.parametrize("client", ["viewer", "manager"])
def test_an_endpoint_without_an_id_says_that_it_has_none(
    client: str, lab: Lab, request: pytest.FixtureRequest
) -> None:
    page = f"/w/lab/e/{WITHOUT_ID}/permissions/"
    found = soup(request.getfixturevalue(client).get(page))
    assert text(found, "[data-state=empty] h3") == "This endpoint has no permissions of its own"
    assert not found.select("#edit, #edit-not")
    assert not [route for route in lab.emulator.calls.counts if "permissions" in route]


def test_a_form_for_an_endpoint_without_an_id_leads_to_its_page(manager: Client) -> None:
    page = f"/w/lab/e/{WITHOUT_ID}/permissions/"
    assert manager.get(f"{page}edit/").headers["Location"] == page


# States -----------------------------------------------------------------------------------------


def test_who_may_not_read_them_at_databricks_is_told_what_is_needed(
    viewer: Client, lab: Lab
) -> None:
    body = {"error_code": "PERMISSION_DENIED", "message": "no right to see it"}
    fault(lab, status=403, body=body)
    found = soup(viewer.get(PAGE))
    assert "CAN MANAGE" in text(found, "[data-state=forbidden] h3")
    assert "no right to see it" in text(found, "[data-state=forbidden]")
    assert "Ingrid Dahl" in text(found, "[data-state=forbidden] dd")


def test_an_error_says_what_when_and_how_to_try_again(viewer: Client, lab: Lab) -> None:
    body = {"error_code": "INTERNAL_ERROR", "message": "boom"}
    fault(lab, status=500, body=body)
    found = soup(viewer.get(PAGE))
    assert "HTTP 500: boom" in text(found, "[data-state=error]")
    again = one(found, "[data-state=error] a.btn")
    assert str(again["href"]).startswith(PAGE)
    assert str(again["hx-get"]).startswith(PART)
    assert one(found, "#title h1").get_text() == NAME


def test_the_old_list_stays_with_its_age_when_no_newer_one_comes(
    viewer: Client, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.get(PAGE)
    monkeypatch.setattr("endpoints_app.services.permissions.FRESH_SECONDS", 0)
    lab.emulator.fault("status", match={"route": ROUTE}, status=500)
    found = soup(viewer.get(PAGE))
    assert "As read at" in text(found, "[data-state=stale]")
    assert len(rows(found)) == 3
    assert one(found, "table.acl.faded")


def test_when_all_places_are_taken_it_asks_again_by_itself(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any, **how: Any) -> Any:
        raise upstream.Busy("later")

    monkeypatch.setattr(upstream, "page_call", busy)
    state = one(soup(viewer.get(PAGE)), "[data-state=busy]")
    assert str(state["hx-get"]).startswith(PART)
    assert state["hx-trigger"] == "load delay:3s"
    assert str(one(state, "a")["href"]).startswith(PAGE)


def test_where_scripts_run_the_page_comes_first_and_the_list_follows(
    viewer: Client, lab: Lab
) -> None:
    viewer.cookies["script"] = "on"
    found = soup(viewer.get(PAGE))
    panel = one(found, "#permissions")
    assert one(panel, ".skel")
    assert panel["hx-trigger"] == "load"
    assert lab.emulator.calls.counts[f"GET {ROUTE}"] == 0
    assert len(rows(soup(viewer.get(str(panel["hx-get"]))))) == 3
    assert not soup(viewer.get(PAGE)).select(".skel"), "at hand now"


def test_without_scripts_the_list_is_waited_for(viewer: Client) -> None:
    assert len(rows(soup(viewer.get(PAGE)))) == 3


# Refreshing -------------------------------------------------------------------------------------


def test_a_look_without_news_swaps_nothing_and_says_when_it_was_read(viewer: Client) -> None:
    panel = one(soup(viewer.get(PAGE)), "#permissions")
    response = viewer.get(str(panel["hx-get"]), headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert response.headers["Desk-Read"].isdigit()


def test_a_look_with_news_brings_the_list_with_one_root(
    viewer: Client, somebody_else: Callable[..., None]
) -> None:
    panel = one(soup(viewer.get(PAGE)), "#permissions")
    somebody_else(user_name=ANN, level="CAN_VIEW")
    found = soup(viewer.get(str(panel["hx-get"]), headers={"HX-Request": "true"}))
    assert [tag.get("id") for tag in found.find_all(recursive=False)] == ["permissions"]
    assert f"user:{ANN}" in rows(found)


def test_what_reads_itself_again_holds_no_field(manager: Client) -> None:
    panel = one(soup(manager.get(PAGE)), "[data-every]")
    assert not panel.select("input, select, textarea, form")
    assert not soup(manager.get(EDIT)).select("[data-every], script[src*='panel.js']")


def test_a_dialog_says_who_may_query_it_if_that_was_read_lately(manager: Client, lab: Lab) -> None:
    dialog = f"/w/lab/e/{NAME}/stop/"
    assert "May query it" not in soup(manager.get(dialog)).get_text()
    assert lab.emulator.calls.counts[f"GET {ROUTE}"] == 0
    manager.get(PAGE)
    said = " ".join(one(soup(manager.get(dialog)), "#ask .facts").get_text(" ").split())
    assert "May query it 1 user, 2 groups" in said
    assert lab.emulator.calls.counts[f"GET {ROUTE}"] == 1
