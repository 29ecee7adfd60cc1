"""What the status page's history is counted from: stretches of many endpoints, days that are over.

A day is counted once, when it is over and its workspaces have been read since, and then kept. What
is counted with each writing is the time after the last kept day: a few hours of changes, whatever
the size of the fleet, since endpoints without any are counted together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from endpoints_app.domain import uptime
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Figure
from endpoints_app.domain.uptime import Change, Stretch, Totals
from endpoints_app.models import Endpoint, StatusChange, StatusDays
from endpoints_app.services import live

DAYS = 90
DAY = timedelta(hours=24)
LEAD = timedelta(hours=24)
"""So much earlier the changes are read: whether what was updating had been stopped before."""
CHUNK = 500

Gaps = Mapping[int, Sequence[tuple[datetime, datetime]]]
Windows = tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Life:
    """An endpoint as its history needs it; `current` is None when it is gone."""

    pk: int
    workspace: int
    first_seen: datetime
    current: Status | None
    windows: Windows = ()  # of planned work


@dataclass(frozen=True, slots=True)
class Scope:
    """`kept_as` names its days; `key` its figure in the facts."""

    key: str
    kept_as: str
    lives: Sequence[Life]
    workspaces: Sequence[int]


@dataclass(slots=True)
class Book:
    """What is known at one writing, shared by all scopes."""

    now: datetime
    gaps: Gaps
    observed: Mapping[int, datetime | None]
    since: datetime  # from here on all changes are at hand
    changes: dict[int, list[Change]] = field(default_factory=dict)


def known_from(now: datetime) -> datetime:
    """Older changes may be forgotten: nothing is told of the time before."""
    return now - timedelta(days=settings.HISTORY_DAYS)


def read_changes(
    since: datetime, endpoints: Iterable[int] | None = None
) -> dict[int, list[Change]]:
    """By endpoint, oldest first."""
    found = StatusChange.objects.filter(at__gt=since)
    if endpoints is not None:
        found = found.filter(endpoint__in=list(endpoints))
    statuses = {status.value: status for status in Status}
    changes: dict[int, list[Change]] = {}
    rows = found.order_by("at", "pk").values_list("endpoint_id", "at", "was", "now")
    for pk, at, was, now in rows.iterator(chunk_size=2000):
        changes.setdefault(pk, []).append(Change(at, statuses.get(was), statuses.get(now)))
    return changes


def kept(keys: Iterable[str]) -> dict[str, StatusDays]:
    return {row.scope: row for row in StatusDays.objects.filter(scope__in=list(keys))}


def open_since(rows: Iterable[StatusDays], now: datetime) -> datetime:
    """From where on changes are needed to tell what is not yet kept, and the last 24 hours."""
    starts = [_midnight(row.through + timedelta(days=1)) for row in rows]
    return min([now - DAY, *starts]) - LEAD


def figure(scope: Scope, row: StatusDays | None, book: Book) -> Figure:
    """The last 24 hours and 90 days; without kept days yet, the 24 hours alone."""
    now = book.now
    told = list(_told(scope.lives, book, book.since))
    strip = uptime.worst(told, now - DAY, now)
    day = _sum((Totals.of(uptime.clipped(t, now - DAY, now)), weight) for t, weight in told)
    if row is None:
        return Figure(strip, day)
    calendar = uptime.days(now.date(), DAYS, UTC)
    fresh = [entry for entry in calendar if entry[0] > row.through]
    open_days = uptime.by_day(told, fresh)
    days = [
        (d.isoformat(), Totals(*row.days.get(d.isoformat(), ())))
        for d, _, _ in calendar
        if d <= row.through
    ]
    days += [(d.isoformat(), totals) for (d, _, _), totals in zip(fresh, open_days, strict=True)]
    return Figure(strip, day, days)


def close_days(
    scope: Scope, row: StatusDays | None, book: Book, edits: Iterable[tuple[datetime, datetime]]
) -> None:
    """Count and keep the days that are over. The first time, and when planned work of the past
    was entered or withdrawn since, all of them: their changes are read in chunks.

    `edits` are the starts of planned work, and when each was last changed.
    """
    last = _closed(scope, book)
    if last is None:
        return
    anew = row is None or any(
        start < _midnight(row.through + timedelta(days=1)) and changed > row.counted_at
        for start, changed in edits
    )
    if row is not None and not anew and row.through >= last:
        return
    calendar = uptime.days(last, DAYS, UTC)
    if row is not None and not anew:
        calendar = [entry for entry in calendar if entry[0] > row.through]
    start = calendar[0][1] - LEAD
    totals = [Totals()] * len(calendar)
    lives = list(scope.lives)
    if start >= book.since:
        totals = uptime.by_day(_told(lives, book, start), calendar)
    else:
        for i in range(0, len(lives), CHUNK):
            some = lives[i : i + CHUNK]
            chunk = Book(
                book.now,
                book.gaps,
                book.observed,
                start,
                read_changes(start, [life.pk for life in some]),
            )
            counted = uptime.by_day(_told(some, chunk, start), calendar)
            totals = [a + b for a, b in zip(totals, counted, strict=True)]
    days = {} if row is None or anew else dict(row.days)
    days |= {
        day.isoformat(): [round(number) for number in total.seconds]
        for (day, _, _), total in zip(calendar, totals, strict=True)
    }
    horizon = (last - timedelta(days=DAYS)).isoformat()
    days = {day: numbers for day, numbers in days.items() if day > horizon}
    with live.writing():
        StatusDays.objects.update_or_create(
            scope=scope.kept_as, defaults={"through": last, "days": days, "counted_at": book.now}
        )


def departed(since: datetime, workspaces: Iterable[int]) -> list[tuple[int, int, datetime]]:
    """Endpoints that are gone but were there after `since`: pk, workspace, first seen."""
    gone = Endpoint.objects.filter(Q(gone_at__gt=since), workspace__in=list(workspaces))
    return list(gone.values_list("pk", "workspace_id", "first_seen_at"))


def _closed(scope: Scope, book: Book) -> date | None:
    """The last day that is over and after whose end all its workspaces were read: until then a
    gap in our reading may still turn out to reach into it."""
    read = [book.observed.get(pk) for pk in scope.workspaces]
    if not read or not all(read):
        return None
    return min(at for at in read if at).astimezone(UTC).date() - timedelta(days=1)


def _told(
    lives: Iterable[Life], book: Book, start: datetime
) -> Iterator[tuple[list[Stretch], int]]:
    """What each counted as from `start` on. Those that did not change are told once for all."""
    alike: dict[tuple[int, Status | None, Windows], int] = {}
    for life in lives:
        changes = book.changes.get(life.pk, ())
        if not changes and life.first_seen <= start:
            if life.current is not None:
                key = (life.workspace, life.current, life.windows)
                alike[key] = alike.get(key, 0) + 1
            continue
        yield _tell(life, changes, book, start), 1
    for (workspace, status, windows), weight in alike.items():
        yield _tell(Life(0, workspace, start, status, windows), (), book, start), weight


def _tell(life: Life, changes: Sequence[Change], book: Book, start: datetime) -> list[Stretch]:
    tiled = uptime.spans(
        changes,
        start=start,
        end=book.now,
        first_seen=max(life.first_seen, known_from(book.now)),
        current=life.current,
        unread=book.gaps.get(life.workspace, ()),
    )
    return uptime.accounts(tiled, life.windows)


def _sum(parts: Iterable[tuple[Totals, int]]) -> Totals:
    whole = Totals()
    for totals, weight in parts:
        whole += totals * weight
    return whole


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
