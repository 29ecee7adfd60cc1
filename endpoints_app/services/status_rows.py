"""The endpoints as the status page's document tells of them, held by the process that writes it.

Nearly all of a large fleet is as it was a second ago. What has a newer revision is read again, and
all of it now and then: a copy is never the truth.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Entry
from endpoints_app.models import Endpoint, Fleet

ALL_OF_IT = 600.0  # seconds after which it is read anew
FIELDS = (
    *("pk", "workspace_id", "name", "status", "status_since", "last_known", "updating"),
    *("config_version", "pending_version", "first_seen_at", "updated_at", "tags"),
)
STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Row:
    """An endpoint as it is read for the document."""

    entry: Entry
    first_seen: datetime
    updated_at: datetime | None
    tags: Mapping[str, str]


@dataclass(slots=True)
class _Held:
    epoch: UUID
    revision: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    read_at: float = field(default_factory=time.monotonic)


_held: _Held | None = None


def forget() -> None:
    global _held
    _held = None


def living(names: Mapping[int, str]) -> list[Row]:
    """The living endpoints of these workspaces, by workspace and name. Two queries."""
    rows = _newest().rows.values()
    found = [row for row in rows if row.entry.workspace in names]
    return sorted(found, key=lambda it: (names[it.entry.workspace], it.entry.name))


def _newest() -> _Held:
    """Revision first: what is held must not claim more than what was read after it."""
    global _held
    fleet = Fleet.objects.filter(pk=1).values_list("epoch", "revision").first()
    epoch, revision = fleet or (UUID(int=0), 0)
    held, news = _held, Endpoint.objects.all()
    if held is not None and _continues(held, epoch, revision):
        news = news.filter(revision__gt=held.revision)
    else:
        held, news = _Held(epoch), news.living()
    for gone_at, *values in list(news.values_list("gone_at", *FIELDS)):
        row = _row(*values)
        if gone_at is None:
            held.rows[row.entry.pk] = row
        else:
            held.rows.pop(row.entry.pk, None)
    held.revision = revision
    _held = held
    return held


def _continues(held: _Held, epoch: UUID, revision: int) -> bool:
    lately = time.monotonic() - held.read_at < ALL_OF_IT
    return held.epoch == epoch and held.revision <= revision and lately


def _row(*values: Any) -> Row:
    pk, ws, name, value, since, last, *more, first, updated, tags = values
    known = (pk, ws, name, STATUSES[value], since, STATUSES.get(last))
    return Row(Entry(*known, *(*more, since == first)), first, updated, tags)
