"""What a GET of an endpoint by its name proves, and how it is written: any number at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from endpoints_app.databricks_api import wire
from endpoints_app.models import Endpoint, StatusChange
from endpoints_app.services import readings
from endpoints_app.services.readings import Answer

LONGEST_WAIT = timedelta(minutes=10)  # between two looks at what stays out of reach
QUIET = ("observed_at", "document_at", "next_look_at")
"""What also a look without news writes, and no page shows."""


@dataclass(frozen=True, slots=True)
class Look:
    """A GET by name and what came of it: the document, or none where no endpoint has the name.

    `unanswered` proves nothing: no answer, a 403, a proxy's 404, or one that the list of the same
    cycle contradicts. It is not known, which is not deleted.
    """

    pk: int
    asked_at: datetime
    document: wire.Endpoint | None = None
    unanswered: bool = False


@dataclass(slots=True)
class _News:
    """What there is to save, and the rows that only their times change."""

    changed: list[Endpoint]
    new: list[Endpoint]
    changes: list[StatusChange | None]
    quiet: list[Endpoint]


def write_look(pk: int, document: wire.Endpoint | None, asked_at: datetime) -> Endpoint:
    """As `write`, of one; returns its row as it is then, which may rest on a newer reading."""
    return write([Look(pk, asked_at, document)])[pk]


def write(looks: Sequence[Look]) -> dict[int, Endpoint]:
    """Take in what was read, inside the caller's `writing()`: as many statements for ten as for
    one. Returns the rows by their keys."""
    rows = Endpoint.objects.select_related("workspace").in_bulk([look.pk for look in looks])
    news = _News([], [], [], [])
    for look in looks:
        row = rows.get(look.pk)
        if row is None or row.gone_at is not None:
            continue
        if look.unanswered:
            _not_known(row, look.asked_at, news)
        elif look.asked_at >= row.read_at():
            _take_in(row, look, news)
    if news.changed or news.new:
        readings.save(news.changed, news.new, news.changes)
    if news.quiet:
        Endpoint.objects.bulk_update(news.quiet, QUIET, batch_size=readings.BATCH)
    return rows


def _take_in(row: Endpoint, look: Look, news: _News) -> None:
    if look.document is None:
        news.changes.append(readings.bury(row, look.asked_at))
        news.changed.append(row)
        return
    answer = Answer(look.document, look.asked_at)
    if readings.is_another(row, look.document):
        news.changes.append(readings.bury(row, look.asked_at))
        news.changed.append(row)
        news.new.append(readings.first_sight(row.workspace, row.name, answer))
        return
    shown = _shown(row)
    change = readings.take_in(row, answer)
    row.next_look_at = _next_look(row, look.asked_at)
    if change is not None or _shown(row) != shown:
        news.changes.append(change)
        news.changed.append(row)
    else:
        news.quiet.append(row)


def _not_known(row: Endpoint, asked_at: datetime, news: _News) -> None:
    """It is asked again later, so that one endpoint that never answers does not keep the others
    waiting."""
    later = asked_at + _wait(row, asked_at)
    change, read_at = None, row.observed_at
    if row.missing_since is not None and asked_at >= row.read_at():
        change = readings.miss(row, asked_at, look_at=later)
    if change is not None:
        news.changes.append(change)
        news.changed.append(row)
    else:
        row.observed_at, row.next_look_at = read_at, later
        news.quiet.append(row)


def _shown(row: Endpoint) -> tuple[object, ...]:
    """All that a page shows of it: only a change in these is news to a browser."""
    unseen = (*QUIET, "revision")
    return tuple(getattr(row, name) for name in readings.WRITTEN if name not in unseen)


def _next_look(row: Endpoint, asked_at: datetime) -> datetime | None:
    if row.updating:
        return asked_at + timedelta(seconds=settings.SYNC_FAST_SECONDS)
    if row.missing_since is not None:
        return asked_at + _wait(row, asked_at)
    return None


def _wait(row: Endpoint, asked_at: datetime) -> timedelta:
    """As long again as it has been out of reach, at least a cycle: a workspace that shows us a
    thousand endpoints and lets us read none is asked ever less often."""
    lasted = asked_at - (row.missing_since or row.observed_at)
    return min(max(lasted, timedelta(seconds=settings.SYNC_SECONDS)), LONGEST_WAIT)
