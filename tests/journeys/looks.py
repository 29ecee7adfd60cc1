"""What is looked at on any page: axe is content, nothing scrolls sideways, paper shows it all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page

STANDARDS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}}


def pictures() -> Path | None:
    """`PICTURES=folder` keeps what the journeys look at."""
    folder = os.environ.get("PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) if folder else None


def complaints(page: Page) -> list[str]:
    """Axe's. It is a script of its own, which our Content-Security-Policy refuses: the page needs
    a context that bypasses it."""
    found = Axe().run(page, options=STANDARDS)["violations"]
    return [
        f"{it['id']}: {it['help']}: {node['html'][:160]}" for it in found for node in it["nodes"]
    ]


def look_at(page: Page, state: str) -> None:
    """In both themes."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        if folder := pictures():
            page.screenshot(path=folder / f"{state}-{theme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert complaints(page) == [], (state, theme)


def print_out(page: Page, name: str) -> None:
    """Paper has no buttons to press, and what is wider than it is lost."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    if folder := pictures():
        page.pdf(path=folder / f"{name}.pdf", format="A4")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    pressed = page.locator("button:visible, nav.tabs:visible, .nav:visible")
    assert [it.inner_text() for it in pressed.all()] == [], name
