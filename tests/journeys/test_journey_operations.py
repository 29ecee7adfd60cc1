"""See it, stop it, start it, delete it; and everybody else sees that too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.pages import (
    expect_never_reloaded,
    expect_status,
    mark,
    operation,
    path_of,
    row,
)
from tests.prepare_desk import PASSWORD

pytestmark = pytest.mark.journey


def test_sign_in_filter_and_stop_with_a_reason_while_somebody_else_watches(
    desk: Desk, visit: Visitors
) -> None:
    endpoint = "lab/customer-ltv"
    page, elsewhere = visit(None), visit("vera")
    elsewhere.goto("/endpoints/")
    page.goto("/endpoints/")
    page.get_by_label("User name").fill("otto")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/endpoints/$"))

    page.locator("select[name=status]").select_option("ready")
    expect(page).to_have_url(re.compile(r"[?&]status=ready"))
    expect(row(page, endpoint)).to_be_visible()
    expect(row(page, "lab/card-ocr-v1")).to_have_count(0)

    mark(page)
    mark(elsewhere)
    row(page, endpoint).get_by_role("link", name="Stop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("HTTP 400")
    dialog.get_by_label("Reason").fill("Nobody asks it at night")
    dialog.get_by_role("button", name="Stop endpoint").click()
    expect(dialog).to_have_count(0)

    for one in (page, elsewhere):
        expect_status(one, endpoint, "stopped")
        expect(row(one, endpoint)).to_contain_text("Not ready (Stopped)")
        expect_never_reloaded(one)
    assert desk.lab.writes("customer-ltv") == [("stop", 200)]

    page.goto(path_of(endpoint))
    expect(operation(page, "stop")).to_have_attribute("data-state", "confirmed")
    expect(page.locator("body")).to_contain_text("Nobody asks it at night")


def test_a_start_shows_the_new_config_version(desk: Desk, visit: Visitors) -> None:
    endpoint, otto = "lab/customer-ltv", desk.person("otto")
    if otto.status(endpoint) == "ready":
        otto.ask(endpoint, "stop")
        otto.until_status(endpoint, "stopped")
    page = visit("otto")
    page.goto(path_of(endpoint))
    expect_status(page, endpoint, "stopped")

    mark(page)
    page.get_by_role("link", name="Start").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Start endpoint").click()
    expect(dialog).to_have_count(0)

    expect(operation(page, "start")).to_contain_text("config 7 → 8")
    expect(operation(page, "start")).to_have_attribute("data-state", "confirmed")
    expect_status(page, endpoint, "ready")
    expect_never_reloaded(page)


def test_a_delete_waits_for_the_typed_name(desk: Desk, visit: Visitors) -> None:
    endpoint = "lab/basket-recommender"
    page, elsewhere = visit("mika"), visit("vera")
    elsewhere.goto("/endpoints/")
    expect_status(elsewhere, endpoint, "ready")
    page.goto(path_of(endpoint))
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Delete").click()

    dialog = page.get_by_role("dialog")
    verb = dialog.get_by_role("button", name="Delete endpoint")
    typed = dialog.locator("input[name=confirm]")
    expect(verb).to_be_disabled()
    typed.fill("basket-recommendeR")
    expect(verb).to_be_disabled()
    typed.fill("basket-recommender")
    expect(verb).to_be_enabled()
    verb.click()
    expect(dialog).to_have_count(0)

    expect(operation(page, "delete")).to_have_attribute("data-state", "confirmed")
    expect_status(page, endpoint, "gone")
    expect_status(elsewhere, endpoint, "gone")
    assert desk.lab.writes("basket-recommender") == [("delete", 200)]

    elsewhere.reload()
    expect(row(elsewhere, "lab/geo-features")).to_be_visible()
    expect(row(elsewhere, endpoint)).to_have_count(0)


def test_escape_closes_the_dialog_and_nothing_is_sent(desk: Desk, visit: Visitors) -> None:
    endpoint = "lab/lead-scoring"
    page = visit("otto")
    page.goto(path_of(endpoint))
    stop = page.get_by_role("link", name="Stop")
    stop.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(stop).to_be_focused()
    assert desk.lab.writes("lead-scoring") == []


def test_a_viewer_sees_why_nothing_can_be_pressed(desk: Desk, visit: Visitors) -> None:
    endpoint = "lab/product-search-embeddings"
    page = visit("vera")
    page.goto(path_of(endpoint))
    stop = page.get_by_role("link", name="Stop")
    expect(stop).to_have_attribute("aria-disabled", "true")
    expect(stop).to_have_accessible_description(re.compile("operator", re.IGNORECASE))

    page.goto("/endpoints/")
    row(page, endpoint).get_by_role("link", name="Stop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("operator", re.IGNORECASE))
    expect(dialog.get_by_role("button", name="Stop endpoint")).to_have_count(0)
    assert desk.lab.writes("product-search-embeddings") == []


def test_stop_works_without_javascript(desk: Desk, visit: Visitors) -> None:
    endpoint = "lab/product-search-embeddings"
    page = visit("otto", java_script_enabled=False)
    page.goto("/endpoints/")
    row(page, endpoint).get_by_role("link", name="Stop").click()
    page.get_by_label("Reason").fill("Without a script")
    page.get_by_role("button", name="Stop endpoint").click()

    expect(page).to_have_url(re.compile(f"{path_of(endpoint)}$"))
    expect(operation(page, "stop")).to_be_visible()
    desk.person("otto").until_status(endpoint, "stopped")
    page.reload()
    expect_status(page, endpoint, "stopped")
    expect(page.locator("body")).to_contain_text("Without a script")
    assert desk.lab.writes("product-search-embeddings") == [("stop", 200)]


def test_a_failed_start_says_so_and_why(desk: Desk, visit: Visitors) -> None:
    """The workspace accepts it, then has no capacity: it falls back to Stopped."""
    endpoint = "lab/vision-defects"
    page = visit("otto")
    page.goto(path_of(endpoint))
    page.get_by_role("link", name="Start").click()
    page.get_by_role("dialog").get_by_role("button", name="Start endpoint").click()
    expect(operation(page, "start")).to_have_attribute("data-state", "failed")
    expect_status(page, endpoint, "stopped")
    assert desk.lab.writes("vision-defects") == [("start", 200)]
