"""Rows of the list, each drawn once for all its readers and kept while it stays true.

A row holds nothing of a person, so all readers of a language get the same one. It is kept in the
process that drew it: the memory that Redis would need for it is not the broker's to lose, and a
page costs no exchange with anybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.services import listing
from endpoints_app.services.listing import Version
from endpoints_app.services.live import Head
from endpoints_app.services.shelf import ShelfForATime

BETWEEN_CELLS = re.compile(r"\s*\n\s*(?=</?t[dhr]\b)")


_kept: ShelfForATime[tuple[Any, ...], str] = ShelfForATime(most=20_000)
"""Of about a kilobyte each."""


def drawn(
    versions: Sequence[Version], head: Head, now: datetime, *, oob: bool = False
) -> SafeString:
    """The rows one after the other; with `oob` each as a piece that replaces what has its id. Two
    queries when one of them has to be drawn, none otherwise."""
    places = _places(head, now)
    found: dict[int, str] = {}
    for version in versions:
        kept = _kept.get((version, places.get(version.workspace)), now)
        if kept is not None:
            found[version.pk] = kept
    missing = [version for version in versions if version.pk not in found]
    if missing:
        found |= _draw(missing, head, now, places)
    rows = [found[version.pk] for version in versions if version.pk in found]
    if oob:
        return SafeString("".join(f"<template>{_swapped(row)}</template>\n" for row in rows))
    return SafeString("".join(rows))


def forget() -> None:
    _kept.clear()


def _places(head: Head, now: datetime) -> dict[int, tuple[Any, ...]]:
    """Per workspace, what a row of it shows besides what the database says of it: the language,
    whether and since when its source is silent, and when it was before."""
    language = get_language()
    return {
        source.pk: (
            head.epoch,
            language,
            source.observed_at if source.is_stale(now) else None,
            source.unread[-1:],
        )
        for source in head.sources
    }


def _draw(
    versions: Sequence[Version], head: Head, now: datetime, places: dict[int, tuple[Any, ...]]
) -> dict[int, str]:
    template = get_template("endpoints/_row.html")
    asked = {version.pk: version for version in versions}
    found = {}
    for row in listing.rows_of(versions, head, now):
        html = BETWEEN_CELLS.sub("", template.render({"row": row, "now": now}).strip())
        version = asked[row.endpoint.pk]
        key = (version, places.get(version.workspace))
        found[version.pk] = _kept.put(key, html, now=now, until=row.true_until(now))
    return found


def _swapped(row: str) -> str:
    return row.replace("<tr ", '<tr hx-swap-oob="true" ', 1)
