"""The list as a place to work: filters that stay, a refresh that disturbs nobody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.pages import badge, expect_never_reloaded, expect_status, mark, row

pytestmark = pytest.mark.journey


def test_back_and_reload_keep_the_filters(visit: Visitors) -> None:
    page = visit("vera")
    page.goto("/endpoints/")
    page.locator("select[name=status]").select_option("stopped")
    expect(page).to_have_url(re.compile("status=stopped"))
    page.locator("select[name=kind]").select_option("custom")
    expect(page).to_have_url(re.compile("kind=custom"))
    filtered = page.url
    shown = page.locator("tr[data-endpoint]").count()
    assert shown > 0
    for each in badge(page.locator("tr[data-endpoint]")).all():
        expect(each).to_have_attribute("data-status", "stopped")

    page.reload()
    expect(page.locator("select[name=status]")).to_have_value("stopped")
    expect(page.locator("tr[data-endpoint]")).to_have_count(shown)

    row(page, "lab/card-ocr-v1").get_by_role("link", name="card-ocr-v1", exact=True).click()
    expect(page).to_have_url(re.compile("/w/lab/e/card-ocr-v1/$"))
    page.go_back()
    expect(page).to_have_url(filtered)
    expect(page.locator("select[name=status]")).to_have_value("stopped")
    expect(page.locator("select[name=kind]")).to_have_value("custom")
    expect(page.locator("tr[data-endpoint]")).to_have_count(shown)


def selected_text(page: Page) -> str:
    text: str = page.evaluate("getSelection().toString()")
    return text


def test_focus_and_selected_text_survive_a_refresh(desk: Desk, visit: Visitors) -> None:
    changing, reading = "lab/demand-forecast", "lab/geo-features"
    page, otto = visit("vera"), desk.person("otto")
    page.goto("/endpoints/")
    mark(page)
    name = row(page, changing).get_by_role("link", name="demand-forecast", exact=True)
    name.focus()
    row(page, reading).locator("th").evaluate("cell => getSelection().selectAllChildren(cell)")
    expect(name).to_be_focused()
    selected = selected_text(page)
    assert "geo-features" in selected

    otto.ask(changing, "stop")
    expect_status(page, changing, "stopped")

    expect(name).to_be_focused()
    assert selected_text(page) == selected
    expect_never_reloaded(page)


def test_what_leaves_the_filter_stays_to_be_seen_until_the_next_load(
    desk: Desk, visit: Visitors
) -> None:
    endpoint, otto = "lab/embed-multilingual", desk.person("otto")
    page = visit("vera")
    page.goto("/endpoints/?status=ready_update_failed")
    expect(row(page, endpoint)).to_be_visible()

    otto.ask(endpoint, "stop")
    expect_status(page, endpoint, "stopped")
    expect(row(page, endpoint)).to_be_visible()

    page.reload()
    expect(page.locator("#main, main").first).to_be_visible()
    expect(row(page, endpoint)).to_have_count(0)


def test_keys_walk_the_list_and_find(visit: Visitors) -> None:
    page = visit("vera")
    page.goto("/endpoints/")
    expect(row(page, "lab/geo-features")).to_be_visible()
    names = page.locator("tr[data-endpoint] th a")
    page.keyboard.press("j")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("geo")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]q=geo"))
    expect(page.locator("tr[data-endpoint]")).to_have_count(1)


def test_signing_out_ends_what_an_open_page_shows(visit: Visitors, desk: Desk) -> None:
    """The poll's 401 brings the page to the sign-in, and back where it was afterwards."""
    page = visit(None)
    page.goto("/endpoints/?status=ready")
    page.get_by_label("User name").fill("vera")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/endpoints/.status=ready$"))
    page.context.clear_cookies()
    visit.tolerated = "401"
    expect(page).to_have_url(re.compile("/account/sign-in/"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
