"""What stands behind the status page, on a phone: every form, with what is wrong in it and when it
is saved, in both themes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.emulated import BROKEN, WELL
from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.looks import PHONE, look_at
from tests.journeys.pages import path_of

pytestmark = pytest.mark.journey

DOWN = "lab/checkout-ranker"


@pytest.fixture
def manager(visit: Visitors) -> Page:
    visit.tolerated = "400|409"  # what a form is answered with that cannot be saved
    return visit("mika", bypass_csp=True, reduced_motion="reduce", **PHONE)


def look_at_form(page: Page, address: str, form: str) -> None:
    """As it is opened, and with what is wrong when it is sent so, past what the browser itself
    would not send."""
    page.goto(address)
    look_at(page, form)
    page.evaluate("id => document.getElementById(id).setAttribute('novalidate', '')", form)
    page.locator(f"#{form} .main").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look_at(page, f"{form}-wrong")


def test_planned_work(manager: Page) -> None:
    look_at_form(manager, "/status-desk/maintenance/plan/", "plan")

    manager.get_by_label("What is done").fill("New network routes")
    manager.get_by_label("Begins").fill("2100-11-28T06:00")
    manager.get_by_label("Ends", exact=True).fill("2100-11-28T08:00")
    manager.get_by_label("Time zone").fill("Asia/Tokyo")
    manager.get_by_label("All of a workspace").check()
    manager.get_by_label("Workspace", exact=True).select_option("lab")
    manager.locator("#plan .main").click()
    expect(manager.locator("table.plans")).to_contain_text("New network routes")
    look_at(manager, "planned")

    manager.get_by_role("link", name="Change").click()
    look_at(manager, "plan-changed")
    manager.get_by_role("button", name="Cancel this work").click()
    expect(manager.get_by_text("Canceled: New network routes")).to_be_visible()


def test_a_status_page_of_ones_own_and_its_link(manager: Page) -> None:
    look_at_form(manager, "/status-desk/views/make/", "view")

    manager.get_by_label("Title").fill("Shop")
    manager.get_by_label("Name in the address").fill("shop")
    manager.get_by_label("Endpoint", exact=True).fill("lab/fraud-scorer")
    manager.get_by_label("Name for the public").fill("Payment check")
    manager.locator("#view .main").click()
    expect(manager.get_by_text("Saved: Shop")).to_be_visible()
    look_at(manager, "views")

    manager.goto("/status-desk/view/shop/link/")
    look_at(manager, "view-link")
    manager.locator("main form .main").click()
    expect(manager.locator("#made-link")).to_have_value(re.compile("/status/t/"))
    look_at(manager, "view-link-made")

    manager.goto("/status-desk/view/shop/")
    manager.get_by_role("button", name="Remove this page").click()
    expect(manager).to_have_url(re.compile("/status-desk/views/$"))


def test_a_runbook_and_a_contact(manager: Page) -> None:
    look_at_form(manager, "/status-desk/links/make/", "link")

    manager.get_by_label("One endpoint").check()
    manager.locator("[name=endpoint]").fill("lab/fraud-scorer")
    manager.locator("[name=runbook_url]").fill("https://wiki.example.com/fraud")
    manager.locator("#link .main").click()
    expect(manager.locator("main")).to_contain_text("wiki.example.com")
    look_at(manager, "links")


def test_who_is_on_it_and_what_happened(desk: Desk, manager: Page) -> None:
    workspace, name = DOWN.split("/")
    desk.workspaces[workspace].tell(name, BROKEN)
    desk.person("mika").until_status(DOWN, "not_ready")

    manager.goto(f"{path_of(DOWN)}acknowledge/")
    look_at(manager, "acknowledge")
    manager.get_by_label("Role or team").fill("risk-ml on-call")
    manager.get_by_role("button", name="Acknowledge").click()
    expect(manager.locator("#on-it")).to_contain_text("risk-ml on-call")

    manager.goto(f"{path_of(DOWN)}incidents/")
    look_at(manager, "incident")
    manager.get_by_label("What happened").first.fill("A feature table was renamed.")
    manager.get_by_role("button", name="Publish").first.click()
    expect(manager.locator(".told")).to_contain_text("A feature table was renamed.")
    look_at(manager, "incident-told")
    manager.locator("[name=incident]").first.evaluate("input => (input.value = 1)")
    manager.get_by_label("What happened").first.fill("It is the wrong one.")
    manager.get_by_role("button", name="Publish").first.click()
    expect(manager.get_by_role("alert")).to_contain_text("It is the wrong one.")
    look_at(manager, "incident-astray")

    desk.workspaces[workspace].tell(name, WELL)
