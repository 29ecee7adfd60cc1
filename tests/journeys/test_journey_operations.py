"""See it, stop it, start it, delete it; and everybody else sees that too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.harness import PASSWORD, Desk
from tests.journeys.conftest import Visitors
from tests.journeys.pages import (
    expect_never_reloaded,
    expect_status,
    mark,
    operation,
    path_of,
    row,
)

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
