"""What nobody keeps reading is Unknown, on every open page and by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.looks import PHONE
from tests.journeys.pages import expect_never_reloaded, expect_status, mark, path_of

pytestmark = pytest.mark.journey

ENDPOINT = "lab/geo-features"
FAILED = "lab/fraud-scorer"
WHY = "No matching distribution found for lightgbm"
AFTER_THE_LEASE = 60_000  # milliseconds: the workspace that a dead sync had is free after 30 s


def test_with_worker_and_beat_dead_every_open_page_turns_unknown_and_back(
    desk: Desk, visit: Visitors
) -> None:
    fleet, detail = visit("vera"), visit("vera")
    fleet.goto("/endpoints/")
    detail.goto(path_of(ENDPOINT))
    for page in (fleet, detail):
        mark(page)
        expect_status(page, ENDPOINT, "ready")

    desk.kill("worker-sync", "worker-operations", "beat")
    for page in (fleet, detail):
        expect_status(page, ENDPOINT, "unknown")
    known = fleet.locator('tr[data-endpoint] [data-status]:not([data-status="unknown"])')
    expect(known).to_have_count(0)

    desk.start("worker-sync", "worker-operations", "beat")
    for page in (fleet, detail):
        expect_status(page, ENDPOINT, "ready", timeout=AFTER_THE_LEASE)
        expect_never_reloaded(page)


def test_with_web_dead_too_an_open_page_turns_unknown_by_its_own_clock(
    desk: Desk, visit: Visitors
) -> None:
    page, failed = visit("vera"), visit("vera", **PHONE)
    page.goto("/endpoints/")
    mark(page)
    expect_status(page, ENDPOINT, "ready")
    failed.goto(path_of(FAILED))
    reason = failed.get_by_text(WHY).filter(visible=True)
    expect(reason).to_have_count(1)

    visit.tolerated = "ERR_(CONNECTION|EMPTY)|^htmx:"  # what a poll without a server says
    desk.kill("web", "worker-sync", "worker-operations", "beat")
    expect_status(page, ENDPOINT, "unknown")
    known = page.locator('tr[data-endpoint] [data-status]:not([data-status="unknown"])')
    expect(known).to_have_count(0)
    expect_status(failed, FAILED, "unknown")
    expect(reason).to_have_count(1)  # the title tells of the age now
    chip = failed.locator("#fresh summary")
    expect(chip).to_have_text(re.compile(r"^lab silent for \d+ "), use_inner_text=True)

    desk.start("web", "worker-sync", "worker-operations", "beat")
    expect_status(page, ENDPOINT, "ready", timeout=AFTER_THE_LEASE)
    expect_never_reloaded(page)
