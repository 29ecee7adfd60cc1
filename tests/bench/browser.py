"""What a browser has to do: a first visit, a refresh, and an hour of rest in ten seconds."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
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
TURNING = 6  # seconds, for which icons of what is under way may turn
VISITS = 9


@dataclass(slots=True)
class Seen:
    what: str
    longest_task_ms: float
    cpu_ms: float  # of that task: the rest of it others had the processor
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

        visits = []
        for _ in range(VISITS):
            reader = Reader(browser, url, cookie)
            visits.append(reader.traced("first visit", reader.opens))
            if len(visits) < VISITS:
                reader.context.close()
        visits.sort(key=lambda visit: visit.longest_task_ms)
        found += [visits[VISITS // 2], replace(visits[-1], what=f"the slowest of {VISITS}")]
        page = reader.page

        def one_row() -> None:
            fleet.change(lab)
            _look(page)

        def whole_table() -> None:
            fleet.change_all(lab)
            _look(page)

        page.wait_for_timeout(TURNING * 1000)
        found.append(reader.traced(f"rest, {REST} s", lambda: page.wait_for_timeout(REST * 1000)))
        found.append(reader.traced("refresh, one row", one_row))
        found.append(reader.traced("refresh, the whole table", whole_table))
        browser.close()
    return found


class Reader:
    """Somebody who is signed in and has never been here: nothing is in the browser's cache."""

    def __init__(self, browser: Any, url: str, cookie: str) -> None:
        self.browser, self.url = browser, url
        self.context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        self.context.add_init_script(f"({OBSERVE})()")
        self.page = self.context.new_page()
        self.came: list[float] = []
        network = self.context.new_cdp_session(self.page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda it: self.came.append(it["encodedDataLength"]))

    def opens(self) -> None:
        self.page.goto(f"{self.url}/endpoints/", wait_until="load")

    def traced(self, what: str, act: Callable[[], Any]) -> Seen:
        before = len(self.came), sum(self.came)
        self.browser.start_tracing(page=self.page)
        act()
        tasks = _tasks(json.loads(self.browser.stop_tracing())["traceEvents"])
        longest, cpu = max(tasks, default=(0.0, 0.0))
        busy = round(sum(lasted for lasted, _ in tasks), 1)
        requests, size = len(self.came) - before[0], round(sum(self.came) - before[1])
        shift = self.page.evaluate("window.shifts")
        return Seen(what, longest, cpu, busy, requests, size, shift)


def _look(page: Any) -> None:
    with page.expect_response(lambda response: "/changes/" in response.url):
        page.evaluate("htmx.trigger('#poll', 'desk:look')")
    page.wait_for_timeout(500)


def _tasks(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """How long each task of the page's main thread took, and of that the processor, in
    milliseconds. Of several renderers the page's is the one that lays out."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: dict[tuple[int, int], list[tuple[float, float]]] = {thread: [] for thread in mains}
    styled = Counter[tuple[int, int]]()
    for event in events:
        thread = (event.get("pid", 0), event.get("tid", 0))
        if thread in mains and event.get("name") == "RunTask":
            lasted, used = event.get("dur", 0), event.get("tdur", 0)
            tasks[thread].append((round(lasted / 1000, 2), round(used / 1000, 2)))
        styled[thread] += event.get("name") in ("UpdateLayoutTree", "ParseHTML")
    return max(tasks.items(), key=lambda it: styled[it[0]])[1]
