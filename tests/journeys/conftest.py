"""Real browsers on a whole Desk. What they complain about in their console fails the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser import launch
from tests.harness import Desk
from tests.harness import pytest_runtest_makereport as pytest_runtest_makereport

PATIENCE = 45_000  # milliseconds

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), env={"SYNC_SECONDS": "3"}) as desk:
        yield desk


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """Each test acts on endpoints of its own."""
    yield shared_desk
    shared_desk.mend()


class Visitors:
    """Opens browsers of their own for the cast, and remembers what their consoles say."""

    def __init__(self, chromium: Browser, desk: Desk) -> None:
        self._chromium = chromium
        self._desk = desk
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.tolerated = r"^$"  # a regular expression

    def __call__(self, name: str | None, **options: Any) -> Page:
        """A page of a browser of its own, where `name` is signed in; None: nobody is."""
        context = self._chromium.new_context(base_url=self._desk.url, **options)
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        if name is not None:
            cookies = self._desk.person(name).cookies
            context.add_cookies(
                [
                    {"name": cookie.name, "value": cookie.value or "", "url": self._desk.url}
                    for cookie in cookies
                ]
            )
        page = context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def leave(self) -> None:
        for context in self._contexts:
            context.close()
        untold = [it for it in self.complaints if not re.search(self.tolerated, it)]
        assert untold == []


@pytest.fixture
def visit(chromium: Browser, desk: Desk) -> Iterator[Visitors]:
    visitors = Visitors(chromium, desk)
    yield visitors
    visitors.leave()
