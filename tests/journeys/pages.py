"""The hooks that scripts may rely on, as locators."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def row(page: Page, endpoint: str) -> Locator:
    """The row of the list; `endpoint` is workspace/name."""
    return page.locator(f'tr[data-endpoint="{endpoint}"]')


def badge(root: Page | Locator, endpoint: str | None = None) -> Locator:
    if endpoint is None:
        return root.locator("[data-status]")
    return root.locator(f'[data-endpoint="{endpoint}"] [data-status]')


def expect_status(page: Page, endpoint: str, status: str, *, timeout: float | None = None) -> None:
    expect(badge(page, endpoint)).to_have_attribute("data-status", status, timeout=timeout)


def operation(page: Page, kind: str) -> Locator:
    return page.locator(f'[data-operation="{kind}"]')


def mark(page: Page) -> None:
    """A reload would wipe it out."""
    page.evaluate("window.neverReloaded = true")


def expect_never_reloaded(page: Page) -> None:
    assert page.evaluate("window.neverReloaded") is True


def path_of(endpoint: str) -> str:
    workspace, name = endpoint.split("/")
    return f"/w/{workspace}/e/{name}/"
