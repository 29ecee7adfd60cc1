"""`make pictures`: the README's pictures, taken from the running program as `make run` shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Page, sync_playwright

from dashboard import programs
from tests.browser import launch

FOLDER = programs.BASE_DIR / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """The address of a demo of its own, and the manager's password."""
    with tempfile.TemporaryDirectory(prefix="desk-pictures-") as folder:
        port = programs.free_port()
        env = os.environ | {"VAR_DIR": folder, "PORT": str(port), "EMULATOR_TIME_SCALE": "0.1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.run"], cwd=programs.BASE_DIR, env=env
        )
        url = f"http://localhost:{port}"
        try:
            _until_read(url)
            lines = (Path(folder) / "accounts.txt").read_text().splitlines()
            yield url, dict(line.split()[:2] for line in lines)["manager"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _until_read(url: str) -> None:
    """Until every workspace has been read, and the details of its endpoints too."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if len(requests.get(f"{url}/status.json", timeout=5).json()["endpoints"]) >= 48:
                time.sleep(15)  # ten details each two seconds follow
                return
        except (requests.RequestException, KeyError, ValueError):
            pass
        time.sleep(0.5)
    raise TimeoutError("The demo was not read in time.")


def take(page: Page, url: str, theme: str) -> None:
    page.goto(f"{url}/endpoints/")
    page.screenshot(path=FOLDER / f"list-{theme}.png")
    page.goto(f"{url}/w/ml-lab/e/credit-limit/")
    page.screenshot(path=FOLDER / f"endpoint-{theme}.png")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demo() as (url, password), sync_playwright() as playwright:
        browser = launch(playwright)
        for theme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=theme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{url}/account/sign-in/")
            page.fill("[name=username]", "manager")
            page.fill("[name=password]", password)
            page.press("[name=password]", "Enter")
            page.wait_for_url("**/endpoints/")
            take(page, url, theme)
            if theme == "light":
                page.goto(f"{url}/w/ml-lab/e/basket-recommender/stop/")
                page.fill("[name=reason]", "Backtest needs the quota")
                page.click("button[name=kind]")
                page.wait_for_selector("[data-operation][data-state=sent]")
                page.screenshot(path=FOLDER / "operation-light.png", clip={"x": 0, "y": 0, **SIZE})
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.goto(f"{url}/status/")
            page.screenshot(path=FOLDER / f"status-{theme}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
