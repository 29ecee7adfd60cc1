"""The page of permissions, and changing them with plain forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup, Tag
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from endpoints_app.models import AuditEntry
from endpoints_app.services import upstream
from tests.conftest import Lab
from tests.views.pages import one, soup, text

NAME = "basket-recommender"
WITHOUT_ID = "databricks-meta-llama-3-3-70b-instruct"
PAGE = f"/w/lab/e/{NAME}/permissions/"
EDIT = f"{PAGE}edit/"
PART = f"{PAGE}changes/"
ROUTE = "/api/2.0/permissions/serving-endpoints/{id}"

CREATOR = "ingrid.dahl@shop.example"
TEAM = "search"
ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def _workspace(lab: Lab, cached: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine is no failure.
    monkeypatch.setattr(upstream, "page_call", partial(upstream.page_call, seconds=20))
    cache.clear()
    lab.sync()


@pytest.fixture
def viewer(vera: User, browser: Callable[[User], Client]) -> Client:
    return browser(vera)


@pytest.fixture
def manager(mika: User, browser: Callable[[User], Client]) -> Client:
    return browser(mika)


@pytest.fixture
def somebody_else(lab: Lab) -> Iterator[Callable[..., None]]:
    url = lab.emulator.url + ROUTE.replace("{id}", lab.endpoint(NAME).uid)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {lab.emulator.token}"

        def grant(*, level: str, **principal: str) -> None:
            body = {"access_control_list": [{**principal, "permission_level": level}]}
            assert session.patch(url, json=body, timeout=5).status_code == 200
            cache.clear()

        yield grant


def fault(lab: Lab, kind: str = "status", **options: Any) -> None:
    match = {"route": options.pop("route", ROUTE)}
    if method := options.pop("method", ""):
        match["method"] = method
    lab.emulator.fault(kind, match=match, **options)
    cache.clear()


def rows(found: BeautifulSoup | Tag) -> dict[str, tuple[str, str]]:
    """Who → level, and where it comes from."""
    return {
        str(row["data-principal"]): (
            row.select("td")[1].get_text(strip=True),
            " ".join(row.select("td")[-1].get_text().split()),
        )
        for row in found.select("tr[data-principal]")
    }


def fields(found: BeautifulSoup) -> dict[str, list[str]]:
    """The form as a browser without scripts would send it, but for the button."""
    sent: dict[str, list[str]] = {}
    for tag in one(found, "main form[method=post].more").select("input, select, textarea"):
        name = str(tag.get("name") or "")
        if not name or (tag.get("type") == "checkbox" and not tag.has_attr("checked")):
            continue
        if tag.name == "select":
            options = tag.select("option[selected]") or tag.select("option")[:1]
            value = str(options[0]["value"])
        else:
            value = tag.get_text() if tag.name == "textarea" else str(tag.get("value", ""))
        sent.setdefault(name, []).append(value)
    return sent


def level_field(found: BeautifulSoup, who: str) -> str:
    return str(one(found, f'tr[data-principal="{who}"] select')["name"])


class Form:
    """A person and the form in front of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.response: Any = client.get(EDIT)
        self.typed = fields(self.page)

    @property
    def page(self) -> BeautifulSoup:
        return soup(self.response)

    def choose(self, who: str, level: str) -> None:
        self.typed[level_field(self.page, who)] = [level]

    def add(self, name: str, *, kind: str = "user", level: str = "CAN_QUERY") -> None:
        """Fill in the last of the empty lines."""
        for field, value in (("new-kind", kind), ("new-name", name), ("new-level", level)):
            self.typed[field][-1] = value

    def confirm(self, danger: str) -> None:
        self.typed.setdefault("confirm", []).append(danger)

    def press(self, step: str, **typed: str) -> Any:
        data = self.typed | {name: [value] for name, value in typed.items()} | {"step": [step]}
        self.response = self.client.post(EDIT, data)
        if self.response.status_code != 302:
            self.typed = fields(self.page)
        return self.response


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


# Changing ---------------------------------------------------------------------------------------


def test_several_changes_are_reviewed_in_words_and_then_saved(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_MANAGE")
    form.add(ANN, level="CAN_VIEW")
    form.press("review")
    diff = [" ".join(item.get_text(" ").split()) for item in form.page.select("#diff li")]
    assert diff == [
        f"{TEAM} : CAN QUERY → CAN MANAGE May now stop, change and delete it, and change its "
        "permissions",
        f"{ANN} : no direct grant → CAN VIEW May now see it",
    ]
    assert lab.emulator.calls.writes == [], "a review sends nothing"
    response = form.press("save", reason="on call this week")
    assert response.headers["Location"] == PAGE
    found = soup(manager.get(PAGE))
    assert "2 changes of permissions are saved" in found.get_text()
    assert rows(found)[f"group:{TEAM}"] == ("CAN MANAGE", "Direct")
    assert rows(found)[f"user:{ANN}"] == ("CAN VIEW", "Direct")
    assert "on call this week" in one(found, ".tl").get_text()
    assert [write.method for write in lab.emulator.calls.writes] == ["PATCH"]


def test_removing_says_that_the_whole_list_is_replaced(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "remove")
    form.press("review")
    assert f"{TEAM}: CAN QUERY → no direct grant" in one(form.page, "#diff").get_text()
    assert "(PUT)" in form.page.get_text()
    form.press("save")
    assert list(rows(soup(manager.get(PAGE)))) == [f"user:{CREATOR}", "group:admins"]
    assert [write.method for write in lab.emulator.calls.writes] == ["PUT"]


def test_another_line_keeps_what_was_typed(manager: Client) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_VIEW")
    form.add("ml-platform", kind="group", level="CAN_MANAGE")
    form.press("add")
    assert form.typed["new-name"] == ["ml-platform", ""]
    assert form.typed["new-kind"][0] == "group"
    assert form.typed["new-level"][0] == "CAN_MANAGE"
    assert form.typed[level_field(form.page, f"group:{TEAM}")] == ["CAN_VIEW"]
    row = one(form.page, f'tr[data-principal="group:{TEAM}"]')
    assert "was CAN QUERY" in row.get_text()


def test_back_from_the_review_everything_is_as_it_was_typed(manager: Client) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "remove")
    form.add(ANN)
    form.press("review")
    form.press("back", reason="half a reason")
    assert form.typed[level_field(form.page, f"group:{TEAM}")] == ["remove"]
    assert form.typed["new-name"][0] == ANN
    assert form.typed["reason"] == ["half a reason"]


def test_a_search_in_the_form_keeps_what_was_chosen(manager: Client) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_VIEW")
    form.press("enter", q="ingrid", found="")
    assert list(rows(form.page)) == [f"user:{CREATOR}", f"group:{TEAM}"], "edited ones stay"
    form.press("review")
    assert len(form.page.select("#diff li")) == 1


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("user", CREATOR.upper(), "Already in the list"),
        ("group", TEAM, "Already in the list"),
        ("user", "ann", "mail address"),
        ("service_principal", "checkout-prod", "application ID"),
        ("group", "tab\there", "cannot be a name"),
    ],
)
def test_a_line_that_cannot_be_is_told_at_the_line(
    kind: str, name: str, said: str, manager: Client, lab: Lab
) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_VIEW")
    form.add(name, kind=kind)
    assert form.press("review").status_code == 400
    field = one(form.page, "input[name=new-name][aria-invalid]")
    assert field["value"] == name
    assert said in text(form.page, f"#{field['aria-describedby']}")
    assert form.typed[level_field(form.page, f"group:{TEAM}")] == ["CAN_VIEW"]
    assert lab.emulator.calls.writes == []


def test_a_form_without_changes_stays_where_it_is(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    assert form.press("review").status_code == 200
    assert "Nothing is changed yet" in text(form.page, "#notice")
    form.press("save")
    assert lab.emulator.calls.writes == []


def test_somebody_elses_change_gives_the_form_again_with_both_versions(
    manager: Client, lab: Lab, somebody_else: Callable[..., None]
) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_MANAGE")
    form.add(ANN)
    form.press("review")
    somebody_else(group_name=TEAM, level="CAN_VIEW")
    somebody_else(user_name="bob@example.com", level="CAN_QUERY")
    response = form.press("save", reason="handover")
    assert response.status_code == 409
    theirs = " ".join(text(form.page, "#theirs").split())
    assert f"{TEAM}: CAN QUERY → CAN VIEW" in theirs
    assert "bob@example.com: no direct grant → CAN QUERY" in theirs
    assert f"{TEAM}: CAN QUERY → CAN MANAGE" in text(form.page, "#yours")
    assert form.typed[level_field(form.page, f"group:{TEAM}")] == ["CAN_MANAGE"]
    assert form.typed["new-name"][0] == ANN
    assert form.typed["reason"] == ["handover"]
    assert "user:bob@example.com" in rows(form.page)
    assert AuditEntry.objects.count() == 0
    form.press("review")
    assert f"{TEAM}: CAN VIEW → CAN MANAGE" in one(form.page, "#diff").get_text()
    assert form.press("save").status_code == 302
    assert {"user:bob@example.com", f"user:{ANN}"} <= rows(soup(manager.get(PAGE))).keys()


def test_it_is_told_at_the_review_already(
    manager: Client, somebody_else: Callable[..., None]
) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "remove")
    somebody_else(user_name="bob@example.com", level="CAN_QUERY")
    assert form.press("review").status_code == 409
    assert "bob@example.com" in text(form.page, "#theirs")
    assert form.typed[level_field(form.page, f"group:{TEAM}")] == ["remove"]


def test_the_last_manager_goes_only_when_that_is_ticked(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.choose(f"user:{CREATOR}", "remove")
    form.press("review")
    box = one(form.page, "[data-danger=last_manager] input[type=checkbox]")
    assert not box.has_attr("checked")
    assert form.press("save").status_code == 409
    assert lab.emulator.calls.writes == []
    assert "confirm first" in text(form.page, "#notice")
    form.confirm("last_manager")
    assert form.press("save").status_code == 302
    assert list(rows(soup(manager.get(PAGE)))) == [f"group:{TEAM}", "group:admins"]


def test_this_program_is_named_and_goes_only_when_that_is_ticked(
    manager: Client, somebody_else: Callable[..., None]
) -> None:
    somebody_else(user_name="ops@example.com", level="CAN_MANAGE")
    found = soup(manager.get(PAGE))
    assert "this program" in text(found, 'tr[data-principal="user:ops@example.com"] th')
    form = Form(manager)
    form.choose("user:ops@example.com", "CAN_VIEW")
    form.press("review")
    assert one(form.page, "[data-danger=ourselves]")
    assert form.press("save").status_code == 409


def test_what_databricks_refuses_is_said_in_words(
    manager: Client, lab: Lab, somebody_else: Callable[..., None]
) -> None:
    form = Form(manager)
    form.add("admins", kind="group", level="CAN_VIEW")
    form.press("review")
    assert form.press("save").status_code == 422
    said = text(form.page, "#notice")
    assert "The admins group always manages every endpoint" in said
    assert "Cannot change permissions for group 'admins' to CAN_VIEW" in said
    assert form.typed["new-name"][0] == "admins"


def test_nothing_typed_is_lost_while_the_workspace_is_silent(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.choose(f"group:{TEAM}", "CAN_MANAGE")
    form.add(ANN)
    form.press("review")
    fault(lab, status=500)
    assert form.press("save", reason="keep me").status_code == 503
    assert "nothing you typed is lost" in text(form.page, "#notice")
    assert form.typed["new-name"][0] == ANN
    assert form.typed["reason"] == ["keep me"]
    assert form.typed["level-1"] == ["CAN_MANAGE"]
    assert lab.emulator.calls.writes == []


def test_what_may_have_been_carried_out_is_not_called_done(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.add(ANN)
    form.press("review")
    fault(lab, "drop", method="PATCH")
    assert form.press("save").status_code == 502
    assert "It may or may not have been carried out" in text(form.page, "#notice")
    assert form.typed["new-name"][0] == ANN


@pytest.mark.parametrize(
    "forged",
    [
        {"seen": "7"},
        {"seen": '[["user"]]'},
        {"seen": '[["robot", "x", "CAN_VIEW"]]'},
        {"seen": "[" * 100_000},
        {"level-0": "IS_OWNER"},
        {"new-level": "IS_OWNER"},
        {"new-kind": "robot"},
        {"new-name": ["a@b", "c@d"]},
        {"confirm": "everything"},
    ],
)
def test_what_no_form_of_ours_sends_is_a_bad_request(
    forged: dict[str, Any], manager: Client, lab: Lab
) -> None:
    form = Form(manager)
    assert manager.post(EDIT, form.typed | forged | {"step": "save"}).status_code == 400
    assert lab.emulator.calls.writes == []
