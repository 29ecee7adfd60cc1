"""The browser that walks through journeys, takes the pictures, and is measured by the bench."""

from __future__ import annotations

from playwright.sync_api import Browser, Playwright

from tests.needs import CHROMIUM

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM.required(), args=FLAGS)
