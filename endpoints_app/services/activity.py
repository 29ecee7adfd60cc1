"""The one timeline of an endpoint: all that happened to it, whoever did it and whoever saw it.

A page of it is one statement, and goes on at a key (time, source, number), not at a number of rows:
what is new meanwhile moves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, Generic, TypeVar

from django.db import models

from endpoints_app.domain.activity import Filters, Key, Kind, kind_of
from endpoints_app.domain.events import Event
from endpoints_app.models import (
    AuditEntry,
    ConfigVersion,
    Endpoint,
    LogSnapshot,
    Operation,
    Outage,
    SchemaCopy,
    StatusChange,
)
from endpoints_app.services import activity_query
from endpoints_app.services.activity_query import LOGS, MODELS

PAGE_SIZE: Final = 50
LATEST: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A moment; the one field that is set says what happened. An operation is one moment of the
    whole timeline, and up to three of the short one: `step` is "asked", "sent" or "settled"."""

    key: Key
    change: StatusChange | None = None
    operation: Operation | None = None
    step: str = ""
    config: ConfigVersion | None = None
    audit: AuditEntry | None = None
    kept: Sequence[LogSnapshot] = ()
    schema: SchemaCopy | None = None
    outage: Outage | None = None
    event: Event | None = None
    name: str = ""  # of the element on the page

    @property
    def at(self) -> datetime:
        return self.key.at

    @property
    def kind(self) -> Kind:
        if self.audit is not None:
            return kind_of(self.audit.action)
        for field, kind in _KINDS.items():
            if getattr(self, field):
                return kind
        return Kind.STATUS


_KINDS: Final = {
    "operation": Kind.OPERATIONS,
    "config": Kind.CONFIGS,
    "kept": Kind.LOGS,
    "schema": Kind.SCHEMA,
    "event": Kind.EVENTS,
}


@dataclass(frozen=True, slots=True)
class Found:
    """An entry as its table tells of it, and not yet read: where two are equal, so is all that the
    timeline says of them."""

    key: Key
    rows: tuple[tuple[Key, Any], ...]  # several of the logs that were kept at once


E = TypeVar("E", Entry, Found, Entry | Found, covariant=True)
Some = TypeVar("Some", Entry, Entry | Found)


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    entries: Sequence[E]
    older: Key | None  # where the next page goes on


def page(
    endpoint: Endpoint, filters: Filters, *, now: datetime, size: int = PAGE_SIZE
) -> Page[Entry]:
    """The newest entries, or those from the filters' place on. One statement."""
    rows = found(endpoint, filters, now=now, size=size)
    return Page([entry_of(endpoint, it) for it in rows.entries], rows.older)


def found(
    endpoint: Endpoint, filters: Filters, *, now: datetime, size: int = PAGE_SIZE
) -> Page[Found]:
    """The same page for who has drawn most of it before."""
    rows = activity_query.newest(endpoint, filters, now, size + 1)
    older = rows[size - 1][0] if len(rows) > size else None
    return Page(_found(rows[:size]), older)


def with_events(
    page: Page[Some], filters: Filters, told: Sequence[Event], *, now: datetime
) -> Page[Some]:
    """The page with the events that lie in its span; what a filter asks for they have to match."""
    if filters.who or filters.kind not in (None, Kind.EVENTS):
        return page
    start, end = filters.span(now)
    place = filters.place
    among: list[Some] = [
        Entry(Key(event.at, EVENT, number), event=event, name=f"event-{number}")
        for number, event in enumerate(reversed(told), start=1)
        if (start is None or event.at >= start) and (end is None or event.at < end)
    ]
    if place is not None:
        among = [entry for entry in among if entry.key < place or entry.key == filters.at]
    if page.older is not None:
        among = [entry for entry in among if entry.key > page.older]
    among += page.entries
    among.sort(key=lambda entry: entry.key, reverse=True)
    return Page(among, page.older)


EVENT: Final = 0
"""Where an event stands among what has its time: last."""


def latest(endpoint: Endpoint, *, now: datetime, size: int = LATEST) -> list[Entry]:
    """The few moments of the overview, each step of an operation as one."""
    moments: list[Entry] = []
    for entry in page(endpoint, Filters(), now=now, size=size).entries:
        moments += _steps(entry, entry.operation) if entry.operation else [entry]
    moments.sort(key=lambda e: (e.at, _STEPS.get(e.step, 2)), reverse=True)
    return moments[:size]


def everything(
    endpoint: Endpoint, filters: Filters, *, told: Sequence[Event] = (), now: datetime
) -> Iterator[Entry]:
    """All that match, page by page, with the events that were told."""
    while True:
        one = page(endpoint, filters, now=now, size=500)
        yield from with_events(one, filters, told, now=now).entries
        if one.older is None:
            return
        filters = replace(filters, before=one.older, at=None)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries there are on all pages: of each `kind` by the filters' time and person, and
    in each of the `months`, the latest first, by their kind and person."""

    kinds: Mapping[Kind, int]
    months: Sequence[tuple[datetime, int]]

    @property
    def all(self) -> int:
        """What nobody here did is of other kinds too."""
        return sum(n for kind, n in self.kinds.items() if kind is not Kind.OUTSIDE)


def tally(endpoint: Endpoint, filters: Filters, *, now: datetime) -> Tally:
    """One statement; a second one for a period, which is not made of months."""
    anything = replace(filters, kind=None, before=None, at=None)
    by_month = activity_query.per_kind_and_month(
        endpoint, replace(anything, period="", month=None), now
    )
    months: Counter[datetime] = Counter()
    for kind, month, n in by_month:
        if kind is (filters.kind or kind) and (filters.kind or kind is not Kind.OUTSIDE):
            months[month] += n
    if filters.period and filters.month is None:
        in_time = activity_query.per_kind(endpoint, anything, now)
    else:
        in_time = [(kind, n) for kind, at, n in by_month if at == (filters.month or at)]
    kinds = dict.fromkeys(Kind, 0)
    for kind, n in in_time:
        kinds[kind] += n
    return Tally(kinds, sorted(months.items(), reverse=True))


# Rows ------------------------------------------------------------------------------------------


def _found(rows: Iterable[tuple[Key, Any]]) -> list[Found]:
    entries: list[Found] = []
    for (source, _), group in groupby(rows, lambda row: (row[0].source, row[0].at)):
        some = tuple(group)
        if source == LOGS:  # those kept at once are one entry
            entries.append(Found(some[0][0], some))
            continue
        entries += [Found(row[0], (row,)) for row in some]
    return entries


def entry_of(endpoint: Endpoint, told: Found) -> Entry:
    rows = [_row(MODELS[key.source], endpoint, key, what) for key, what in told.rows]
    key, row = told.key, rows[0]
    match row:
        case LogSnapshot():
            return Entry(key, kept=rows, name=f"kept-{row.pk}")
        case StatusChange():
            return Entry(key, change=row, name=f"change-{row.pk}")
        case Operation():
            return Entry(key, operation=row, name=f"operation-{row.pk}")
        case ConfigVersion():
            return Entry(key, config=row, name=f"config-{row.version}")
        case AuditEntry():
            return Entry(key, audit=row, name=f"record-{row.pk}")
        case SchemaCopy():
            return Entry(key, schema=row, name=f"schema-{row.pk}")
    return Entry(key, outage=row, name=f"outage-{row.pk}")


def _steps(entry: Entry, operation: Operation) -> list[Entry]:
    moments = (
        (operation.requested_at, "asked"),
        (operation.sent_at or operation.sending_at, "sent"),
        (operation.settled_at, "settled"),
    )
    return [
        replace(entry, key=replace(entry.key, at=at), step=step, name=f"{entry.name}-{step}")
        for at, step in moments
        if at
    ]


_STEPS: Final = {"asked": 0, "sent": 1, "settled": 3}


def _row(model: type[models.Model], endpoint: Endpoint, key: Key, told: Any) -> Any:
    """A row as its table has it, as far as the timeline tells of it; not to be saved."""
    if isinstance(told, str):
        told = json.loads(told)
    row, of_operation = model(pk=key.pk), {}
    for name, value in told.items():
        if name.startswith("operation__"):
            of_operation[name.removeprefix("operation__")] = value
        else:
            setattr(row, name, _value(model._meta.get_field(name), value))
    if hasattr(model, "endpoint_id"):
        row.endpoint = endpoint  # type: ignore[attr-defined]
    if told.get("operation_id") and of_operation:
        row.operation = Operation(  # type: ignore[attr-defined]
            pk=told["operation_id"], endpoint=endpoint, **of_operation
        )
    return row


def _value(field: Any, value: Any) -> Any:
    """As the field has it, from JSON: SQLite writes times without a zone, booleans as numbers and
    JSON within JSON as text."""
    if isinstance(field, models.DateTimeField) and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(field, models.BooleanField):
        return bool(value)
    if isinstance(field, models.JSONField) and isinstance(value, str):
        return json.loads(value)
    return value
