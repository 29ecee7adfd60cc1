"""A status page as text, inside a request or outside of one.

    payload = status_page.read_public()
    page = status_page.build(payload, "", now)          # or a view's slug; None: no such view
    text = status_render.page(page, "ja", Addresses(), static=True)

A static page stands alone: its style and script are within it, it links to nothing that needs the
program, and it is neutral until its script has found it fresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation

from endpoints_app.domain.status_page import Item, Page


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the page and its other forms are: `root` ends with a slash and is the page of the
    view. Without `apart`, endpoints lie below the page of their workspace."""

    root: str = ""
    fleet: str = ""  # what this view is a part of, if it may be opened
    json: str = "status.json"
    feed: str = ""
    other_language: str = ""
    apart: bool = True
    pages: bool = True  # there are pages behind the first

    def endpoint(self, item: Item, *, several: bool) -> str:
        if not self.pages:
            return ""
        name = f"{quote(item.name, safe='')}/"
        if not self.apart:
            return f"{self.root}{quote(item.workspace, safe='')}/{name}"
        return f"{self.root}{name}" + (f"?in={quote(item.workspace)}" if several else "")

    def workspace(self, name: str) -> str:
        return f"{self.root}{quote(name, safe='')}/" if self.pages and not self.apart else ""


Age = tuple[datetime | None, timedelta]
Text = tuple[str, str, datetime | None, timedelta]
"""A text, its content type, the oldest answer that it rests on, and for how long that counts."""


def page(page: Page, language: str, addresses: Addresses, *, static: bool = False) -> str:
    return render("status/page.html", page, language, addresses, static=static)


def render(
    template: str,
    page: Page,
    language: str,
    addresses: Addresses,
    more: Mapping[str, object] = MappingProxyType({}),
    *,
    static: bool = False,
) -> str:
    context: dict[str, object] = {"page": page, "addresses": addresses, "static": static, **more}
    if static:
        context |= {"style": _asset("status.css"), "script": _asset("status.js")}
    with translation.override(language):
        return render_to_string(template, context)


@cache
def _asset(name: str) -> str:
    path = finders.find(f"endpoints/{name}")
    return Path(path).read_text() if path else ""
