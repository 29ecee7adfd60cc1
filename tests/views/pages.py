"""A page as its reader finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bs4 import BeautifulSoup, Tag


def soup(response: Any) -> BeautifulSoup:
    assert response["Content-Type"].startswith("text/html"), response["Content-Type"]
    return BeautifulSoup(response.content, "html.parser")


def news(response: Any) -> BeautifulSoup:
    """A fragment as htmx takes it: what is in a template counts, named `wrapped`."""
    found = soup(response)
    for template in found.find_all("template"):
        template.name = "wrapped"
    return found


def one(found: BeautifulSoup | Tag, css: str) -> Tag:
    """The only element that the selector finds."""
    tags = found.select(css)
    assert len(tags) == 1, f"{len(tags)} × {css} in {found.get_text(' ', strip=True)[:2000]}"
    return tags[0]


def text(found: BeautifulSoup | Tag, css: str) -> str:
    """Its words, with single spaces."""
    return " ".join(one(found, css).get_text(" ").split())


def listed(found: BeautifulSoup | Tag) -> list[str]:
    """The endpoints of the list, in its order."""
    return [
        str(row["data-endpoint"]).partition("/")[2] for row in found.select("tr[data-endpoint]")
    ]


def statuses(found: BeautifulSoup | Tag) -> dict[str, str]:
    """Endpoint → what its badge says."""
    return {
        str(row["data-endpoint"]).partition("/")[2]: str(
            row.select("[data-status]")[0]["data-status"]
        )
        for row in found.select("tr[data-endpoint]")
    }


def inline(found: BeautifulSoup) -> list[str]:
    """What the policy would forbid: scripts, styles and handlers written into the page."""
    bad = [str(tag)[:200] for tag in found.find_all("script") if not tag.get("src")]
    bad += [str(tag)[:200] for tag in found.find_all("style")]
    for tag in found.find_all(True):
        for name, value in tag.attrs.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                bad.append(f"<{tag.name} {name}={value}>")
            if name in ("href", "src", "action") and str(value).lower().startswith("javascript:"):
                bad.append(f"<{tag.name} {name}={value}>")
    return bad


def kept_or_not(
    told: Callable[..., Any],
    queries: tuple[str, ...],
    clients: list[Any],
    forget: Callable[[], None],
) -> list[Any]:
    """What several readers are told in two languages, each as if nobody had asked before; the same
    is told, in whatever order, to who comes when all of it is kept."""
    asked = [
        (client, query, language)
        for query in queries
        for client in clients
        for language in ("en", "ja")
    ]
    first = []
    for each in asked:
        forget()
        first.append(told(*each))

    assert [told(*each) for each in asked] == first
    assert [told(*each) for each in reversed(asked)] == first[::-1]
    return first
