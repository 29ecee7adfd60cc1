"""On a phone, in Japanese, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Visitors
from tests.journeys.pages import path_of, row

pytestmark = pytest.mark.journey

ENDPOINT = "lab/fraud-scorer"
PAGES = [
    "/endpoints/",
    path_of(ENDPOINT),
    f"{path_of(ENDPOINT)}stop/",
    f"{path_of(ENDPOINT)}delete/",
    "/operations/",
    "/account/password/",
]


def scrolls_sideways(page: Page) -> bool:
    wider: bool = page.evaluate(
        "document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"
    )
    return wider


def test_a_phone_never_scrolls_sideways(visit: Visitors) -> None:
    page = visit("mika", viewport={"width": 360, "height": 740})
    for path in PAGES:
        page.goto(path)
        assert not scrolls_sideways(page), path
    page.goto("/endpoints/")
    expect(row(page, ENDPOINT)).to_be_visible()


def test_japanese_keeps_databricks_own_words_for_the_status(visit: Visitors) -> None:
    page = visit("vera", locale="ja-JP")
    page.goto("/endpoints/")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_role("heading", level=1)).to_have_text("エンドポイント")
    expect(row(page, ENDPOINT)).to_contain_text("Not ready (Update failed)")
    page.goto(path_of(ENDPOINT))
    expect(page.locator("body")).to_contain_text("Not ready (Update failed)")


def test_the_language_chosen_on_the_page_stays(visit: Visitors) -> None:
    page = visit("vera")
    page.goto("/endpoints/?status=stopped")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert page.url.endswith("/endpoints/?status=stopped")
    page.goto("/operations/")
    expect(page.locator("html")).to_have_attribute("lang", "ja")


def test_the_theme_chosen_on_the_page_stays(visit: Visitors) -> None:
    page = visit("vera", color_scheme="light")
    page.goto("/endpoints/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_label("Switch theme").click()
    dark = page.evaluate(background)
    assert dark != light
    page.goto("/operations/")
    assert page.evaluate(background) == dark
