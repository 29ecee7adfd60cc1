"""What a first visit weighs, and that a page at rest asks for nothing but its polls."""

from __future__ import annotations

import pytest

from tests.harness import Desk
from tests.journeys.conftest import Visitors

pytestmark = pytest.mark.journey

SHIFTS = """
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("path", ["/endpoints/", "/operations/", "/w/lab/e/customer-ltv/"])
def test_a_first_visit_is_five_requests_and_sixty_kilobytes(
    desk: Desk, visit: Visitors, path: str
) -> None:
    page = visit("vera")
    page.add_init_script(SHIFTS)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    asked: list[str] = []
    came: list[float] = []
    session.on("Network.requestWillBeSent", lambda it: asked.append(it["request"]["url"]))
    session.on("Network.loadingFinished", lambda it: came.append(it["encodedDataLength"]))

    page.goto(path, wait_until="networkidle")

    asked = [url for url in asked if not url.startswith("data:") and "/changes/" not in url]
    assert len(asked) <= 5, asked
    assert sum(came) <= 60_000
    assert page.evaluate("window.shifts") < 0.01


def test_at_rest_nothing_is_asked_for_but_what_is_new(desk: Desk, visit: Visitors) -> None:
    page = visit("vera")
    page.goto("/endpoints/", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.wait_for_timeout(6_000)

    assert asked
    assert [url for url in asked if "/endpoints/changes/" not in url] == []


def test_what_moves_comes_to_rest(desk: Desk, visit: Visitors) -> None:
    """Within five seconds: else a page that is open all day keeps a processor at work, and nobody
    can make it stop (WCAG 2.2.2)."""
    page = visit("vera")
    page.goto("/endpoints/")

    ends = page.evaluate(
        "document.getAnimations().map((it) => it.effect.getComputedTiming().endTime)"
    )

    assert ends, "an endpoint that is updating turns"
    assert max(ends) <= 5_000
