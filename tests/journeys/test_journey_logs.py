"""Read a log in a browser: it grows under the reader's eyes and never takes the place away."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.pages import expect_never_reloaded, mark, path_of, row
from tests.waiting import eventually

pytestmark = pytest.mark.journey

LINES = [
    f"2026-11-22T02:{i // 60:02}:{i % 60:02}Z {level}  ranker  shard {i}"
    for i in range(400)
    for level in ["ERROR" if i % 50 == 0 else "INFO"]
]


@pytest.fixture
def says(desk: Desk) -> Callable[[list[str]], None]:
    """What the workspace answers from now on wherever it is asked for logs."""

    def say(lines: list[str]) -> None:
        desk.lab.clear_faults()
        text = "\n".join(lines) + "\n"
        desk.lab.fault(
            "status", status=200, body={"logs": text}, match={"path": "served-models/.*logs$"}
        )

    return say


def read(page: Page, endpoint: str) -> None:
    """Open the tab and wait for the log."""
    page.goto(f"{path_of(endpoint)}logs/")
    until_there(page, page.url.partition("?")[0] + "?read=1")


def until_there(page: Page, url: str) -> None:
    """A busy machine may need a second asking."""

    def there() -> bool:
        page.wait_for_timeout(500)
        if page.locator("#lines .ln").count():
            return True
        page.goto(url)
        return False

    eventually(there, within=60, what="The log")


def from_end(page: Page) -> int:
    distance = page.evaluate(
        "(() => { const l = document.querySelector('#lines');"
        " return l.scrollHeight - l.scrollTop - l.clientHeight })()"
    )
    return int(distance)


def test_a_log_is_followed_until_the_reader_scrolls_up(
    desk: Desk, visit: Visitors, says: Callable[[list[str]], None]
) -> None:
    says(LINES)
    page = visit("vera")
    read(page, "lab/lead-scoring")
    mark(page)
    expect(page.locator("#L400")).to_be_visible()
    says([*LINES, "INFO one more"])
    expect(page.locator("#L401")).to_be_visible()
    assert from_end(page) < 5

    page.locator("#lines").evaluate("log => (log.scrollTop = 100)")
    says([*LINES, "INFO one more", "INFO two more", "INFO three more"])
    follow = page.get_by_role("button", name="2 new lines")
    expect(follow).to_be_visible()
    assert page.locator("#lines").evaluate("log => log.scrollTop") == 100
    follow.click()
    expect(follow).to_be_hidden()
    expect(page.locator("#L403")).to_be_in_viewport()
    assert page.locator(".ln").count() == 403, "none came twice"

    says(["2026-11-22T05:00:00Z INFO after a restart"])
    expect(page.locator(".gap:not(.cap)")).to_contain_text("never read")
    expect_never_reloaded(page)


def test_find_filter_wrap_and_line_are_in_the_address(
    desk: Desk, visit: Visitors, says: Callable[[list[str]], None]
) -> None:
    says(LINES)
    page = visit("vera")
    read(page, "lab/basket-recommender")
    mark(page)
    field = page.get_by_role("searchbox", name="Find in this log")
    field.fill("shard 39")
    found = page.locator("#log-found")
    expect(found).to_have_text("11 / 11")
    page.get_by_role("link", name="Next match").click()
    expect(found).to_have_text("1 / 11")
    expect(page.locator("#L40")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("q=shard"))

    page.get_by_label("Level").select_option("err")
    expect(page.locator("#L40")).to_be_hidden()
    expect(page.locator("#L51")).to_be_attached()
    page.get_by_label("Level").select_option("")

    page.get_by_role("switch", name="Wrap").click()
    expect(page.locator("#lines")).to_have_class(re.compile("nowrap"))
    page.locator("#L40 > a").click()
    expect(page).to_have_url(re.compile("line=40-"))
    expect_never_reloaded(page)

    elsewhere = visit("otto")
    until_there(elsewhere, page.url)
    expect(elsewhere.locator("#L40.here")).to_be_in_viewport()
    expect(elsewhere.locator("#lines")).to_have_class(re.compile("nowrap"))
    expect(elsewhere.locator("#log-found")).to_have_text("11 / 11")


def test_from_the_badge_of_a_failed_update_to_its_build_log(
    desk: Desk, visit: Visitors, says: Callable[[list[str]], None]
) -> None:
    says(["Collecting torch", "ERROR: Could not find a version", "token=abcdef"])
    page = visit("vera")
    page.goto("/endpoints/")
    row(page, "lab/fraud-scorer").get_by_role("link", name="Build logs").click()
    expect(page).to_have_url(re.compile("/logs/pending/.*/build/"))
    read(page, "lab/fraud-scorer")
    expect(page.locator(".ln.err")).to_contain_text("Could not find a version")
    expect(page.locator("#lines")).not_to_contain_text("abcdef")


def test_without_scripts_it_is_a_plain_page(
    desk: Desk, visit: Visitors, says: Callable[[list[str]], None]
) -> None:
    says(LINES)
    page = visit("vera", java_script_enabled=False)
    page.goto(f"{path_of('lab/customer-ltv')}logs/")
    if page.get_by_role("link", name="Read the log").is_visible():
        page.get_by_role("link", name="Read the log").click()
    until_there(page, page.url.partition("?")[0] + "?read=1")
    page.get_by_role("searchbox", name="Find in this log").fill("shard 7")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#log-found")).to_have_text("1 / 11")
    page.get_by_role("link", name="Next match").click()
    expect(page.locator("#log-found")).to_have_text("2 / 11")
    expect(page.locator("mark#match")).to_be_in_viewport()


def test_twenty_thousand_lines_scroll_smoothly(
    desk: Desk, visit: Visitors, says: Callable[[list[str]], None]
) -> None:
    """Frames while scrolling 10,000 pixels: most are on time, none hangs."""
    says([LINES[i % 400] + f" of {i}" for i in range(20_000)])
    page = visit("vera")
    read(page, "lab/churn")
    page.goto(page.url.partition("?")[0] + "?lines=20000")
    until_there(page, page.url)
    expect(page.locator("#L20000")).to_be_in_viewport()
    frames = page.evaluate(
        """async () => {
          const log = document.querySelector("#lines"), took = [];
          log.scrollTop = log.scrollHeight / 2;
          await new Promise((done) => setTimeout(done, 500));
          for (let i = 0, last = performance.now(); i < 250; i++) {
            log.scrollTop += 40;
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            took.push(now - last);
            last = now;
          }
          return took.sort((a, b) => a - b);
        }"""
    )
    assert len(frames) == 250
    assert frames[125] < 34, f"half of the frames took more than {frames[125]:.0f} ms"
    assert frames[237] < 200, f"one in twenty took more than {frames[237]:.0f} ms"
