"""The one timeline of an endpoint: all that happened to it, whoever did it and whoever saw it.

A page of it is one statement, and goes on at a key (time, source, number), not at a number of rows:
what is new meanwhile moves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

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
class Page:
    entries: Sequence[Entry]
    older: Key | None  # where the next page goes on


def page(endpoint: Endpoint, filters: Filters, *, now: datetime, size: int = PAGE_SIZE) -> Page:
    """The newest entries, or those from the filters' place on. One statement."""
    found = activity_query.newest(endpoint, filters, now, size + 1)
    older = found[size - 1][0] if len(found) > size else None
    return Page(_entries(endpoint, found[:size]), older)


def with_events(page: Page, filters: Filters, told: Sequence[Event], *, now: datetime) -> Page:
    """The page with the events that lie in its span; what a filter asks for they have to match."""
    if filters.who or filters.kind not in (None, Kind.EVENTS):
        return page
    start, end = filters.span(now)
    place = filters.place
    among = [
        Entry(Key(event.at, EVENT, number), event=event, name=f"event-{number}")
        for number, event in enumerate(reversed(told), start=1)
        if (start is None or event.at >= start) and (end is None or event.at < end)
    ]
    if place is not None:
        among = [entry for entry in among if entry.key < place or entry.key == filters.at]
    if page.older is not None:
        among = [entry for entry in among if entry.key > page.older]
    together = sorted([*page.entries, *among], key=lambda entry: entry.key, reverse=True)
    return Page(together, page.older)


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


def counts(endpoint: Endpoint, filters: Filters, *, now: datetime) -> dict[Kind, int]:
    """How many entries each kind has, by the filters' time and person. One statement."""
    found = dict.fromkeys(Kind, 0)
    for what, n in activity_query.per_kind(endpoint, replace(filters, kind=None), now):
        found[Kind(what)] += n
    return found


def months(endpoint: Endpoint, filters: Filters, *, now: datetime) -> list[tuple[datetime, int]]:
    """How many entries each month has, the latest first. One statement."""
    found: dict[datetime, int] = {}
    whenever = replace(filters, period="", month=None)
    for month, n in activity_query.per_month(endpoint, whenever, now):
        found[month] = found.get(month, 0) + n
    return sorted(found.items(), reverse=True)


def people(endpoint: Endpoint) -> list[str]:
    """Who did anything here, as far as we know."""
    known = AuditEntry.objects.filter(
        workspace=endpoint.workspace.name, endpoint=endpoint.name, at__gte=endpoint.first_seen_at
    )
    return list(known.order_by("actor_name").values_list("actor_name", flat=True).distinct())


# Rows ------------------------------------------------------------------------------------------


def _entries(endpoint: Endpoint, found: Iterable[tuple[Key, int, Any]]) -> list[Entry]:
    entries: list[Entry] = []
    for (source, _), group in groupby(found, lambda row: (row[1], row[0].at)):
        made = [(key, _row(MODELS[source], endpoint, key, told)) for key, _, told in group]
        if source == LOGS:  # those kept at once are one entry
            key, first = made[0]
            logs = [row for _, row in made]
            entries.append(Entry(key, kept=logs, name=f"kept-{first.pk}"))
            continue
        entries += [_entry(key, row) for key, row in made]
    return entries


def _entry(key: Key, row: Any) -> Entry:
    match row:
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
