"""Changing permissions with plain forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from endpoints_app.models import AuditEntry
from tests.conftest import Lab
from tests.views.pages import one, soup, text
from tests.views.permission_forms import (
    ANN,
    CREATOR,
    EDIT,
    PAGE,
    TEAM,
    Form,
    fault,
    level_field,
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
