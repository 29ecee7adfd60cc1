"""Every address of the status page, by the access that opens it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from bs4 import BeautifulSoup
from django.conf import LazySettings
from django.test import Client

from endpoints_app.domain import status_views
from endpoints_app.models import StatusView
from tests.views.conftest import Fleet
from tests.views.pages import soup, text

TAILS = ["", "status.json", "health", "feed.atom", "badge.svg", "churn/", "churn/badge.svg"]
TOKEN = "a-long-and-random-token"


def addresses(root: str) -> list[str]:
    return [f"{root}{tail}" for tail in TAILS] + [f"{root}?show=all", f"{root}?lang=ja"]


OPEN = ["/status.json", "/status/", "/status/health", "/status/feed.atom", "/status/badge.svg"]
OPEN += addresses("/status/lab/")
BEHIND_A_LINK = addresses(f"/status/t/{TOKEN}/")


def open_with(mode: str, settings: LazySettings | Any, fleet: Fleet) -> list[str]:
    """The page is opened in this way; returns its addresses."""
    settings.STATUS_PAGE_ACCESS = mode
    fleet.publish()
    if mode != "token":
        return OPEN
    StatusView.objects.create(
        slug="team",
        title="Team",
        workspace=fleet.workspace,
        token_digest=status_views.digest(TOKEN),
        token_made_at=fleet.clock.now,
    )
    fleet.publish()
    return BEHIND_A_LINK


def look(url: str = "/status/", **headers: str) -> BeautifulSoup:
    return soup(Client().get(url, headers=headers))


def first(found: BeautifulSoup) -> str:
    """What needs attention most."""
    return " ".join(found.select(".abn > li")[0].get_text(" ").split())


def head(found: BeautifulSoup) -> str:
    return text(found, ".verdict.now h1")


def icon(found: BeautifulSoup) -> str:
    """What its picture in the tab says."""
    return unquote(str(found.select("#icon")[0]["href"]))
