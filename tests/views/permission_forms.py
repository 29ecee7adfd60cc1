"""The form of permissions as people fill it in, and what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from bs4 import BeautifulSoup, Tag
from django.core.cache import cache
from django.test import Client

from tests.conftest import Lab
from tests.views.pages import one, soup

NAME = "basket-recommender"
WITHOUT_ID = "databricks-meta-llama-3-3-70b-instruct"
PAGE = f"/w/lab/e/{NAME}/permissions/"
EDIT = f"{PAGE}edit/"
PART = f"{PAGE}changes/"
ROUTE = "/api/2.0/permissions/serving-endpoints/{id}"

CREATOR = "ingrid.dahl@shop.example"
TEAM = "search"
ANN = "ann@example.com"


@contextmanager
def somebody_at_databricks(lab: Lab) -> Iterator[Callable[..., None]]:
    """Grants there what Serving Desk did not ask for."""
    url = lab.emulator.url + ROUTE.replace("{id}", lab.endpoint(NAME).uid)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {lab.emulator.token}"

        def grant(*, level: str, **principal: str) -> None:
            body = {"access_control_list": [{**principal, "permission_level": level}]}
            assert session.patch(url, json=body, timeout=5).status_code == 200
            cache.clear()

        yield grant


def fault(lab: Lab, kind: str = "status", **options: Any) -> None:
    match = {"route": options.pop("route", ROUTE)}
    if method := options.pop("method", ""):
        match["method"] = method
    lab.emulator.fault(kind, match=match, **options)
    cache.clear()


def rows(found: BeautifulSoup | Tag) -> dict[str, tuple[str, str]]:
    """Who → level, and where it comes from."""
    return {
        str(row["data-principal"]): (
            row.select("td")[1].get_text(strip=True),
            " ".join(row.select("td")[-1].get_text().split()),
        )
        for row in found.select("tr[data-principal]")
    }


def fields(found: BeautifulSoup) -> dict[str, list[str]]:
    """The form as a browser without scripts would send it, but for the button."""
    sent: dict[str, list[str]] = {}
    for tag in one(found, "main form[method=post].more").select("input, select, textarea"):
        name = str(tag.get("name") or "")
        if not name or (tag.get("type") == "checkbox" and not tag.has_attr("checked")):
            continue
        if tag.name == "select":
            options = tag.select("option[selected]") or tag.select("option")[:1]
            value = str(options[0]["value"])
        else:
            value = tag.get_text() if tag.name == "textarea" else str(tag.get("value", ""))
        sent.setdefault(name, []).append(value)
    return sent


def level_field(found: BeautifulSoup, who: str) -> str:
    return str(one(found, f'tr[data-principal="{who}"] select')["name"])


class Form:
    """A person and the form in front of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.response: Any = client.get(EDIT)
        self.typed = fields(self.page)

    @property
    def page(self) -> BeautifulSoup:
        return soup(self.response)

    def choose(self, who: str, level: str) -> None:
        self.typed[level_field(self.page, who)] = [level]

    def add(self, name: str, *, kind: str = "user", level: str = "CAN_QUERY") -> None:
        """Fill in the last of the empty lines."""
        for field, value in (("new-kind", kind), ("new-name", name), ("new-level", level)):
            self.typed[field][-1] = value

    def confirm(self, danger: str) -> None:
        self.typed.setdefault("confirm", []).append(danger)

    def press(self, step: str, **typed: str) -> Any:
        data = self.typed | {name: [value] for name, value in typed.items()} | {"step": [step]}
        self.response = self.client.post(EDIT, data)
        if self.response.status_code != 302:
            self.typed = fields(self.page)
        return self.response
