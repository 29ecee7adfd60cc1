"""Entries of the timeline, each drawn once for all its readers.

What happened does not change: an entry is kept by all that its table tells of it, so that one that
goes on, as an open operation, is drawn anew with each step, and nothing has to be forgotten. It
holds nothing of a person who reads it and nothing that the clock tells; what day is today is said
above it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.models import Endpoint
from endpoints_app.services import activity
from endpoints_app.services.activity import Entry, Found
from endpoints_app.services.shelf import Shelf

_kept: Shelf[Hashable, str] = Shelf(most=4_000)
"""Of about a kilobyte each, and half of one that they are kept by."""


def drawn(endpoint: Endpoint, entries: Sequence[Entry | Found], now: datetime) -> SafeString:
    """In the order given, with the days above them."""
    former = (endpoint.uid or str(endpoint.pk)) if endpoint.gone_at else ""
    # All of the endpoint that an entry shows is in its links.
    place = get_language(), endpoint.pk, endpoint.workspace.name, endpoint.name, former
    parts: list[str] = []
    for _, of_day in groupby(entries, lambda entry: entry.key.at.astimezone(UTC).date()):
        some = list(of_day)
        parts.append(_day(some[0].key.at, now))
        for entry in some:
            key = (place, entry)
            found = _kept.get(key) if isinstance(entry, Found) else None
            if found is None:
                found = _draw(endpoint, entry, former)
                if isinstance(entry, Found):
                    _kept.put(key, found)
            parts.append(found)
    return SafeString("\n".join(parts))


def forget() -> None:
    _kept.clear()


def _draw(endpoint: Endpoint, entry: Entry | Found, former: str) -> str:
    if isinstance(entry, Found):
        entry = activity.entry_of(endpoint, entry)
    # Without the request, so that no token can get into what others are shown.
    context = {"entry": entry, "endpoint": endpoint, "full": True, "former": former}
    return _rendered("activity/_entry.html", context)


def _day(at: datetime, now: datetime) -> str:
    day, today = at.astimezone(UTC).date(), now.astimezone(UTC).date()
    said = next((n for n in (0, 1) if day == today - timedelta(days=n)), None)
    key = (get_language(), day, said)
    found = _kept.get(key)
    return found or _kept.put(key, _rendered("activity/_day.html", {"at": at, "now": now}))


def _rendered(template: str, context: dict[str, Any]) -> str:
    return get_template(template).render(context).strip()
