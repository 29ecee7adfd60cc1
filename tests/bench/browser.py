"""What a browser has to do: a first visit, a refresh, and an hour of rest in ten seconds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measuring import server

OBSERVE = """() => {
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}"""
REST = 10  # seconds


@dataclass(slots=True)
class Seen:
    what: str
    longest_task_ms: float
    busy_ms: float  # of the page's main thread
    requests: int = 0
    bytes: int = 0
    layout_shift: float = 0.0


def run(endpoints: int) -> list[Seen]:
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone
    from playwright.sync_api import sync_playwright

    from dashboard import programs
    from endpoints_app.models import Workspace
    from tests.bench import fleet
    from tests.browser import launch

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    fleet.fill(["lab"], endpoints)
    fleet.answered(timezone.now())
    client = Client()
    client.force_login(fleet.reader())
    cookie = client.cookies["sessionid"].value
    lab = Workspace.objects.get(name="lab")
    found: list[Seen] = []
    directory = Path(os.environ["VAR_DIR"])
    port = programs.free_port()
    url = f"http://localhost:{port}"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the fleet changes while Playwright's loop runs
    with server("dashboard.wsgi", port, dict(os.environ), directory), sync_playwright() as play:
        browser = launch(play)
        warm = browser.new_context()
        warm.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        warm.new_page().goto(f"{url}/endpoints/")  # the server has drawn its rows
        warm.close()

        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        context.add_init_script(f"({OBSERVE})()")
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        came: list[float] = []
        network.on("Network.loadingFinished", lambda it: came.append(it["encodedDataLength"]))

        def traced(what: str, act: Callable[[], Any]) -> None:
            before = len(came), sum(came)
            browser.start_tracing(page=page)
            act()
            events = json.loads(browser.stop_tracing())["traceEvents"]
            tasks = _tasks(events)
            shift = page.evaluate("window.shifts")
            requests, size = len(came) - before[0], round(sum(came) - before[1])
            found.append(
                Seen(what, max(tasks, default=0.0), round(sum(tasks), 1), requests, size, shift)
            )

        traced("first visit", lambda: page.goto(f"{url}/endpoints/", wait_until="load"))
        traced(f"rest, {REST} s", lambda: page.wait_for_timeout(REST * 1000))

        def one_row() -> None:
            fleet.change(lab)
            _look(page)

        def whole_table() -> None:
            fleet.change_all(lab)
            _look(page)

        traced("refresh, one row", one_row)
        traced("refresh, the whole table", whole_table)
        browser.close()
    return found


def _look(page: Any) -> None:
    with page.expect_response(lambda response: "/changes/" in response.url):
        page.evaluate("htmx.trigger('#poll', 'desk:look')")
    page.wait_for_timeout(500)


def _tasks(events: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of each task of the busiest renderer's main thread."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {}
    for event in events:
        thread = (event.get("pid", 0), event.get("tid", 0))
        if event.get("name") == "RunTask" and thread in mains:
            by_thread.setdefault(thread, []).append(round(event.get("dur", 0) / 1000, 2))
    return max(by_thread.values(), key=sum, default=[])
