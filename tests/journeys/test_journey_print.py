"""On paper: all that a page tells, none of what can only be pressed, and nothing cut off."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Visitors
from tests.journeys.looks import print_out
from tests.journeys.pages import path_of

pytestmark = pytest.mark.journey

ENDPOINT = path_of("lab/lead-scoring")


@pytest.mark.parametrize(
    ("name", "address", "told"),
    [
        ("list", "/endpoints/", "lead-scoring"),
        ("overview", ENDPOINT, "Served entities"),
        ("activity", f"{ENDPOINT}activity/", "when first seen"),
        ("metrics", f"{ENDPOINT}metrics/?range=1h", "Requests"),
        ("permissions", f"{ENDPOINT}permissions/", "CAN MANAGE"),
        ("operations", "/operations/", "Operations"),
        ("budget-report", "/budget/", "Without a policy"),
        ("status", "/status/", "serve"),
        ("status-of-one", "/status/lab/lead-scoring/", "90 days"),
    ],
)
def test_it_prints(visit: Visitors, name: str, address: str, told: str) -> None:
    page = visit("mika", reduced_motion="reduce")
    page.goto(address)
    page.get_by_text(told).first.wait_for(timeout=90_000)
    print_out(page, name)
    assert told in page.locator("main").inner_text()
