"""The status page is light, needs no script, and speaks two languages; also without a request."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.test import Client

from endpoints_app.models import (
    Endpoint,
)
from endpoints_app.services import status_page, status_render
from endpoints_app.services.status_render import Addresses
from tests.views.conftest import Fleet
from tests.views.pages import inline, text
from tests.views.status_pages import head, look

pytestmark = pytest.mark.usefixtures("public")


# Light, without a script, in both languages -----------------------------------------------------


def test_all_of_it_weighs_less_than_50_kb(fleet: Fleet) -> None:
    """Page, style, scripts, as they travel; and a fleet in which forty are down."""
    scorer = fleet.document("fraud-scorer")
    fleet.add(*(scorer | {"name": f"failing-{i:03}", "id": f"{i:032}"} for i in range(300)))
    fleet.publish()

    page = Client().get("/status/", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    found = BeautifulSoup(gzip.decompress(page.content), "html.parser")
    assert len(found.select(".abn > li")) == 40
    assert "264 more endpoints need attention." in str(found)
    parts = [len(page.content)]
    for tag in found.select("link[rel=stylesheet], script[src]"):
        path = str(tag.get("href") or tag.get("src")).removeprefix("/static/").partition("?")[0]
        place = finders.find(path)
        assert place, path
        parts.append(len(gzip.compress(Path(place).read_bytes(), 6)))
    assert len(parts) == 4
    assert sum(parts) < 50_000, parts


def test_a_large_fleet_is_a_short_page(fleet: Fleet) -> None:
    """Ten thousand: the healthy are a count, and the plain list has pages."""
    model = fleet.endpoint("customer-ltv")
    model.document = None
    rows = []
    for i in range(10_000):
        row = copy.copy(model)
        row.pk, row.name, row.uid = None, f"model-{i:05}", f"{i:032}"
        rows.append(row)
    Endpoint.objects.bulk_create(rows, batch_size=500)
    fleet.publish()

    page = Client().get("/status/", headers={"Accept-Encoding": "gzip"})
    listed = Client().get("/status/?show=all&page=3", headers={"Accept-Encoding": "gzip"})

    assert len(page.content) < 10_000
    assert len(listed.content) < 20_000
    rows = BeautifulSoup(gzip.decompress(listed.content), "html.parser")
    assert len(rows.select(".all li")) == 500
    assert "1001–1500 of 10015" in text(rows, "main header")


def test_without_a_script_it_renews_itself_and_says_it_all(fleet: Fleet) -> None:
    fleet.publish()
    found = look()

    refresh = found.select("head noscript meta[http-equiv=refresh]")
    assert [tag["content"] for tag in refresh] == ["30"]
    main = found.select("main")[0]
    assert (main["hx-get"], main["hx-select"], main["hx-swap"]) == (
        "/status/",
        "#main",
        "outerHTML",
    )
    assert not inline(found)
    assert not found.select("form, input, button")
    for tag in found.select("script[src], link[href], img"):
        assert str(tag.get("src") or tag.get("href")).startswith(("/", "data:image/svg+xml,"))


def test_it_speaks_the_readers_language_or_the_one_asked_for(fleet: Fleet) -> None:
    fleet.publish()
    japanese = "14 件中 2 件のエンドポイントが応答できません。ほかに 1 件が不明です"

    assert head(look(**{"Accept-Language": "ja,en;q=0.5"})) == japanese
    assert head(look("/status/?lang=ja")) == japanese
    assert head(look("/status/?lang=en", **{"Accept-Language": "ja"})).startswith("2 of 14")
    assert head(look("/status/?lang=xx", **{"Accept-Language": "fr"})).startswith("2 of 14")
    found = look("/status/?lang=ja")
    assert found.html
    assert found.html["lang"] == "ja"
    assert [str(a["href"]) for a in found.select(".nav a[hreflang]")] == ["?lang=en"]
    assert "Not ready (Update failed)" in str(found), "the labels stay as Databricks has them"


def test_names_are_text_wherever_they_stand(fleet: Fleet) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    fleet.add(fleet.document("fraud-scorer") | {"name": hostile, "id": "1" * 32})
    fleet.publish()

    for url in ("/status/", "/status/lab/", "/status/?show=all", "/status/feed.atom"):
        assert b"<img" not in Client().get(url).content, url
    link = next(str(a["href"]) for a in look().select("h3 a") if "img" in str(a["href"]))
    assert head(look(link)).startswith(hostile)
    ElementTree.fromstring(Client().get(f"{link}badge.svg").content)  # noqa: S314


# Outside of a request --------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_static_page_stands_alone_and_is_neutral_by_itself(
    language: str, good: Fleet, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(1):
        payload = status_page.read_public()
        page = status_page.build(payload, "", good.clock.now)
    assert page is not None
    written = status_render.page(
        page, language, Addresses(pages=False, other_language="x.html"), static=True
    )
    found = BeautifulSoup(written, "html.parser")

    assert found.html
    assert found.html["lang"] == language
    assert found.html["class"] == ["still"], "neutral until its script has found it fresh"
    assert int(str(found.html["data-valid"])) == int(good.clock.now.timestamp()) + 45
    assert not found.select("script[src], link[rel=stylesheet], [hx-get]")
    assert found.select("head > noscript > meta[http-equiv=refresh]")
    links = [str(a["href"]) for a in found.select("a[href]")]
    assert set(links) <= {"#main", "", "status.json", "x.html"}
    assert "Valid until 2026-11-22 03:00:45 UTC" in written or language == "ja"
    assert "2026-11-22 03:00:45 UTC" in written, "the time until which it is valid"
