"""Permissions in real browsers: seen by all, changed by managers, with and without scripts."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.emulated import ENDPOINTS
from tests.harness import TOKEN, Desk
from tests.journeys.conftest import Visitors
from tests.journeys.looks import PHONE, look_at
from tests.journeys.pages import expect_never_reloaded, mark, path_of
from tests.waiting import eventually

pytestmark = pytest.mark.journey

ENDPOINT = "lab/checkout-ranker"
CREATOR = "lena.brandt@shop.example"
WITHOUT_ID = "lab/databricks-meta-llama-3-3-70b-instruct"
LONG = 45_000
"""Milliseconds: a page reads the list again every 15 s."""


def entry(page: Page, who: str) -> Locator:
    return page.locator(f'tr[data-principal="{who}"]')


@pytest.fixture(autouse=True)
def _as_it_began(desk: Desk) -> None:
    grant(desk, "PUT", {"user_name": CREATOR}, "CAN_MANAGE")
    grant(desk, "PATCH", {"group_name": "search"}, "CAN_QUERY")
    reader = desk.person("vera")

    def read() -> bool:
        shown = reader.page(f"{path_of(ENDPOINT)}permissions/?wait=1").select("tr[data-principal]")
        return {str(tag["data-principal"]) for tag in shown} == {
            f"user:{CREATOR}",
            "group:search",
            "group:admins",
        }

    eventually(read, within=60, what="the list as it began")


def grant(desk: Desk, method: str, principal: dict[str, str], level: str) -> dict[str, Any]:
    """Somebody at Databricks itself."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    name = ENDPOINT.partition("/")[2]
    found = requests.get(f"{desk.lab.url}{ENDPOINTS}/{name}", headers=headers, timeout=10).json()
    answer = requests.request(
        method,
        f"{desk.lab.url}/api/2.0/permissions/serving-endpoints/{found['id']}",
        json={"access_control_list": [{**principal, "permission_level": level}]},
        headers=headers,
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def open_form(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}permissions/?wait=1")
    page.get_by_role("link", name="Change permissions").click()
    expect(page.get_by_role("heading", name="Add somebody")).to_be_visible()


def test_a_manager_changes_several_at_once_while_a_viewer_looks_on(
    desk: Desk, visit: Visitors
) -> None:
    viewer, manager = visit("vera"), visit("mika")
    viewer.goto(path_of(ENDPOINT))
    viewer.get_by_role("link", name="Permissions", exact=True).click()
    expect(entry(viewer, "group:search")).to_contain_text("CAN QUERY")
    expect(viewer.locator("#edit-not")).to_contain_text("you need the role manager")
    viewer.get_by_placeholder("Find in permissions").fill("typed, not sent")
    mark(viewer)

    open_form(manager)
    manager.get_by_label("Level of search").select_option("CAN_MANAGE")
    manager.get_by_role("textbox", name="Who").fill("ann@example.com")
    manager.get_by_role("button", name="Review changes").click()
    diff = manager.locator("#diff")
    expect(diff).to_contain_text("search: CAN QUERY → CAN MANAGE")
    expect(diff).to_contain_text("ann@example.com: no direct grant → CAN QUERY")
    manager.get_by_label("Reason").fill("They take it over")
    manager.get_by_role("button", name="Save 2 changes").click()
    expect(manager.get_by_text("2 changes of permissions are saved")).to_be_visible()
    expect(entry(manager, "user:ann@example.com")).to_contain_text("CAN QUERY")
    expect(manager.get_by_text("They take it over")).to_be_visible()

    expect(entry(viewer, "group:search")).to_contain_text("CAN MANAGE", timeout=LONG)
    expect(entry(viewer, "user:ann@example.com")).to_be_visible()
    expect(viewer.get_by_placeholder("Find in permissions")).to_have_value("typed, not sent")
    expect_never_reloaded(viewer)


def test_without_scripts_two_editors_never_overwrite_each_other(
    desk: Desk, visit: Visitors
) -> None:
    visit.tolerated = "409"  # the browser's own word on the answer
    page = visit("mika", java_script_enabled=False)
    open_form(page)
    page.get_by_label("Level of search").select_option("Remove")
    page.get_by_role("textbox", name="Who").fill("ann@example.com")
    page.get_by_role("button", name="Another line").click()
    expect(page.get_by_role("textbox", name="Who")).to_have_count(2)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("#diff")).to_contain_text("search: CAN QUERY → no direct grant")

    grant(desk, "PATCH", {"user_name": "bob@example.com"}, "CAN_MANAGE")
    page.get_by_label("Reason").fill("Not theirs")
    page.get_by_role("button", name="Save 2 changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else changed these permissions")
    expect(page.locator("#theirs")).to_contain_text("bob@example.com: no direct grant → CAN MANAGE")
    expect(page.locator("#yours")).to_contain_text("search: CAN QUERY → no direct grant")
    expect(page.get_by_label("Level of search")).to_have_value("remove")
    expect(page.get_by_role("textbox", name="Who").first).to_have_value("ann@example.com")

    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_label("Reason")).to_have_value("Not theirs")
    page.get_by_role("button", name="Save 2 changes").click()
    expect(entry(page, "user:bob@example.com")).to_contain_text("CAN MANAGE")
    expect(entry(page, "user:ann@example.com")).to_contain_text("CAN QUERY")
    expect(entry(page, "group:search")).to_have_count(0)


def test_the_last_manager_is_guarded_by_a_tick_of_its_own(desk: Desk, visit: Visitors) -> None:
    visit.tolerated = "409"
    page = visit("mika")
    open_form(page)
    page.get_by_label(f"Level of {CREATOR}").select_option("Remove")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("[data-danger=last_manager]")).to_be_visible()
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.get_by_role("alert")).to_contain_text("confirm first")
    page.get_by_role("checkbox", name="Leave it without a direct manager").check()
    page.get_by_role("button", name="Save 1 change").click()
    expect(entry(page, "group:search")).to_be_visible()
    expect(entry(page, f"user:{CREATOR}")).to_have_count(0)


def test_what_was_not_sent_is_legible_on_a_phone(desk: Desk, visit: Visitors) -> None:
    visit.tolerated = "409"
    page = visit("mika", bypass_csp=True, reduced_motion="reduce", **PHONE)
    open_form(page)
    page.get_by_label("Level of search").select_option("CAN_MANAGE")
    page.get_by_role("button", name="Review changes").click()
    look_at(page, "permissions-review")
    grant(desk, "PATCH", {"user_name": "bob@example.com"}, "CAN_VIEW")
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.locator("#theirs")).to_contain_text("bob@example.com")
    look_at(page, "permissions-moved")

    page.get_by_label(f"Level of {CREATOR}").select_option("Remove")
    page.get_by_label("Level of search").select_option("Remove")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Save 2 changes").click()
    expect(page.get_by_role("alert")).to_contain_text("confirm first")
    look_at(page, "permissions-danger")


def test_a_form_in_use_is_left_alone(desk: Desk, visit: Visitors) -> None:
    page = visit("mika")
    open_form(page)
    page.get_by_label("Level of search").select_option("CAN_VIEW")
    mark(page)
    grant(desk, "PATCH", {"user_name": "bob@example.com"}, "CAN_VIEW")
    page.wait_for_timeout(3000)  # three looks of the page's poller
    expect(page.get_by_label("Level of search")).to_have_value("CAN_VIEW")
    expect(entry(page, "user:bob@example.com")).to_have_count(0)
    expect_never_reloaded(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_an_endpoint_without_an_id_has_no_permissions(scripts: bool, visit: Visitors) -> None:
    page = visit("vera", java_script_enabled=scripts)
    page.goto(f"{path_of(WITHOUT_ID)}permissions/")
    expect(page.get_by_text("This endpoint has no permissions of its own")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_scrolls_sideways(width: int, visit: Visitors) -> None:
    page = visit("mika", viewport={"width": width, "height": 900})
    for address in ("?wait=1", "edit/"):
        page.goto(f"{path_of(ENDPOINT)}permissions/{address}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0
