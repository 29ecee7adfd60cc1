"""The status page at 3 a.m.: each state on a phone, and what is left when all else is gone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard import programs
from tests.emulated import BROKEN, WELL
from tests.harness import Desk
from tests.journeys.conftest import PATIENCE, Visitors
from tests.journeys.looks import PHONE, look_at, pictures
from tests.journeys.pages import path_of
from tests.waiting import eventually

pytestmark = pytest.mark.journey

HEADING = ".verdict.now h1"


@pytest.fixture(scope="module")
def shared_desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of two workspaces, one of them small in what matters here; its page is public."""
    directory = tmp_path_factory.mktemp("status")
    env = {
        "SYNC_SECONDS": "4",
        "STATUS_PAGE_ACCESS": "public",
        "STATUS_SNAPSHOT_DIR": str(directory / "snapshot"),
    }
    with Desk(directory, workspaces={"lab": 0, "prod": 1}, env=env) as desk:
        for workspace in desk.workspaces:
            for name in names(desk, workspace):
                tell(desk, workspace, name, WELL)
        eventually(lambda: document(desk)["verdict"] == "ok", what="All well")
        yield desk


def names(desk: Desk, workspace: str) -> list[str]:
    listed = [it for it in document(desk)["endpoints"] if it["workspace"] == workspace]
    return [it["name"] for it in listed]


def document(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{desk.url}/status.json", timeout=5).json()
    return found


def tell(desk: Desk, workspace: str, name: str, state: dict[str, str]) -> None:
    """Behind everybody's back."""
    desk.workspaces[workspace].tell(name, state)


def until(desk: Desk, name: str, status: str) -> None:
    def shown() -> bool:
        return any(
            it["name"] == name and it["workspace"] == "lab" and it["status"] == status
            for it in document(desk)["endpoints"]
        )

    eventually(shown, what=f"{name} as {status}")


@pytest.fixture
def phone(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """Nobody's, in a context that lets axe in."""
    context = chromium.new_context(base_url=desk.url, bypass_csp=True, **PHONE)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_all_good(desk: Desk, phone: Page) -> None:
    phone.goto("/status/")
    expect(phone.locator(HEADING)).to_contain_text(re.compile("^All .* can serve$"))
    assert phone.context.cookies() == []
    look_at(phone, "good")


def test_two_down_one_of_them_taken(desk: Desk, phone: Page, visit: Visitors) -> None:
    """What the operator says in the app stands on the open page, which was never reloaded."""
    for name in ("fraud-scorer", "checkout-ranker"):
        tell(desk, "lab", name, BROKEN)
        until(desk, name, "not_ready")
    phone.goto("/status/")
    expect(phone.locator(HEADING)).to_contain_text("2 of")
    expect(phone).to_have_title(re.compile("^2 down"))
    expect(phone.locator(".abn > li")).to_have_count(2)

    otto = visit("otto")
    otto.goto(path_of("lab/fraud-scorer"))
    otto.locator("#act-acknowledge").click()
    otto.get_by_label("Role or team").fill("ML platform on-call")
    otto.get_by_role("button", name="Acknowledge").click()
    expect(otto.locator("#on-it")).to_contain_text("ML platform on-call")
    expect(phone.locator(".abn")).to_contain_text("ML platform on-call")
    look_at(phone, "two-down")

    for name in ("fraud-scorer", "checkout-ranker"):
        tell(desk, "lab", name, WELL)
        until(desk, name, "ready")
    expect(otto.locator("#on-it")).to_be_empty()
    expect(phone.locator(HEADING)).not_to_contain_text("cannot")


def test_a_deliberate_stop_is_no_failure(desk: Desk, phone: Page) -> None:
    desk.person("otto").ask("lab/lead-scoring", "stop")
    until(desk, "lead-scoring", "stopped")
    phone.goto("/status/")
    expect(phone.locator(HEADING)).not_to_contain_text("cannot")
    expect(phone.locator(".tl")).to_contain_text("lead-scoring")
    look_at(phone, "stopped")


def test_work_is_planned_in_the_app_and_explains_what_it_covers(
    desk: Desk, phone: Page, visit: Visitors
) -> None:
    """Entered in the planner's own zone; while it lasts what it covers is no trouble."""
    otto = visit("otto", timezone_id="Asia/Tokyo")
    otto.goto("/status-desk/maintenance/")
    otto.get_by_role("link", name="Plan work").click()
    expect(otto.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    start = datetime.now(UTC) + timedelta(hours=9) - timedelta(minutes=5)
    otto.get_by_label("What is done").fill("churn moves to a larger size")
    otto.get_by_label("Begins").fill(start.strftime("%Y-%m-%dT%H:%M"))
    otto.get_by_label("Ends").fill((start + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M"))
    otto.get_by_label("Endpoints one by one").check()
    otto.get_by_placeholder("Find an endpoint").last.fill("lab/churn")
    otto.get_by_label("lab/churn", exact=True).check()
    otto.locator("#plan").get_by_role("button", name="Plan work").click()
    expect(otto.get_by_text("It covers 1 endpoint today.")).to_be_visible()

    tell(desk, "lab", "churn", BROKEN)
    until(desk, "churn", "not_ready")
    phone.goto("/status/")
    expect(phone.get_by_text("churn moves to a larger size").first).to_be_visible()
    expect(phone.locator(HEADING)).not_to_contain_text("cannot serve,")
    look_at(phone, "maintenance")
    tell(desk, "lab", "churn", WELL)
    until(desk, "churn", "ready")


def test_one_silent_workspace_does_not_blank_the_other(desk: Desk, phone: Page) -> None:
    desk.workspaces["prod"].fault("status", status=503)
    phone.goto("/status/")
    expect(phone.locator(HEADING)).to_contain_text("unknown")
    expect(phone.locator(".abn")).to_contain_text("endpoints of prod")
    expect(phone.locator(".src")).to_contain_text("lab")
    look_at(phone, "one-stale")


def test_when_nobody_reads_any_more_all_of_it_is_unknown(desk: Desk, phone: Page) -> None:
    phone.goto("/status/")
    desk.kill("worker-sync", "beat")
    expect(phone.locator(HEADING)).to_contain_text("Unknown")
    assert requests.get(f"{desk.url}/status/health", timeout=5).status_code == 504
    look_at(phone, "all-unknown")


# What outlives it ------------------------------------------------------------------------------


@pytest.fixture
def file_server(shared_desk: Desk) -> Iterator[str]:
    """A plain file server on the snapshot's folder."""
    port, folder = programs.free_port(), shared_desk.directory / "snapshot"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/"
    eventually(lambda: requests.get(url, timeout=5).ok, what="The file server")
    yield url
    process.kill()
    process.wait()


def colours(page: Page) -> set[str]:
    """Of all icons: grey when all three parts are nearly alike."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('main svg, main svg *, main .badge, main b')]"
        ".filter(e => e.checkVisibility() && !e.closest('.over'))"
        ".flatMap(e => { const s = getComputedStyle(e);"
        " const f = e.closest('main') && getComputedStyle(document.documentElement).filter;"
        " return [s.color, s.stroke, s.fill]; })"
    )
    return {colour for colour in found if is_coloured(colour)}


def is_coloured(colour: str) -> bool:
    parts = [float(n) for n in re.findall(r"[\d.]+", colour)[:3]]
    return len(parts) == 3 and max(parts) - min(parts) > 40


def is_neutral(page: Page) -> bool:
    """No colour on it, whether by rules or by a filter over all of it."""
    grey = page.evaluate(
        "[document.documentElement, document.body, document.getElementById('main')]"
        ".some(e => getComputedStyle(e).filter.includes('grayscale(1)'))"
    )
    return bool(grey) or not colours(page)


def test_with_everything_dead_a_file_server_still_tells_the_truth(
    shared_desk: Desk,
    chromium: Browser,
    file_server: str,
) -> None:
    desk, folder = shared_desk, shared_desk.directory / "snapshot"
    desk.mend()
    tell(desk, "lab", "fraud-scorer", BROKEN)

    def written() -> bool:
        listed = json.loads((folder / "status.json").read_text())["endpoints"]
        down = [it["name"] for it in listed if it["status"] in ("not_ready", "update_failed")]
        return down == ["fraud-scorer"]

    eventually(written, what="The snapshot of what is down")
    desk.kill(*desk.programs)
    for database in desk.directory.glob("db.sqlite3*"):
        database.rename(database.with_name(f"lost-{database.name}"))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{desk.url}/status/", timeout=5)

    told = json.loads((folder / "status.json").read_text())
    observed = datetime.fromisoformat(told["observed_at"])
    valid_until = observed + timedelta(seconds=told["max_age"])
    contexts: list[BrowserContext] = []

    def visitor(at: datetime | None, **options: Any) -> Page:
        context = chromium.new_context(**PHONE, **options)
        contexts.append(context)
        page = context.new_page()
        if at is not None:
            page.clock.install(time=at)
        page.goto(file_server)
        return page

    # Fresh, with a script: as the page itself would be.
    fresh = visitor(observed + timedelta(seconds=1))
    expect(fresh.locator(HEADING)).to_contain_text("1 of")
    expect(fresh.locator("main")).to_contain_text("fraud-scorer")
    expect(fresh.locator(".over")).to_be_hidden()
    assert not is_neutral(fresh)
    look_at(fresh, "snapshot-fresh")

    # Without one, nothing can tell its age: no colour, and the time until which it counts.
    plain = visitor(None, java_script_enabled=False)
    expect(plain.locator(HEADING)).to_contain_text("1 of")
    expect(plain.locator("main")).to_contain_text(
        f"Valid until {valid_until:%Y-%m-%d %H:%M:%S} UTC"
    )
    assert "fresh" not in (plain.locator("html").get_attribute("class") or "")
    if folder := pictures():
        plain.screenshot(path=folder / "snapshot-no-script.png", full_page=True)
    grey = visitor(None, java_script_enabled=True)
    grey.evaluate("document.documentElement.className = 'still'")  # as without a script
    assert is_neutral(grey)

    # Past that time the script says so, above everything.
    stale = visitor(valid_until + timedelta(seconds=1))
    expect(stale.locator(".over")).to_be_visible()
    expect(stale.locator(".over")).to_contain_text(re.compile("Unknown since"))
    expect(stale).to_have_title(re.compile("^Unknown"))
    assert is_neutral(stale)
    look_at(stale, "snapshot-stale")

    # Fresh when it was opened, and then the clock goes on.
    fresh.clock.fast_forward(told["max_age"] * 1000)
    expect(fresh.locator(".over")).to_be_visible()
    assert is_neutral(fresh)

    # And in the other language, from one file to the next.
    fresh.get_by_role("link", name="日本語").click()
    expect(fresh.locator("html")).to_have_attribute("lang", "ja")
    for context in contexts:
        context.close()
