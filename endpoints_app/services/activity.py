"""The one timeline of an endpoint: all that happened to it, whoever did it and whoever saw it.

What happened lies in several tables, and a page of it is one statement: of each table the latest
rows, under each other, the newest first. It goes on at a key (time, source, number), not at a
number of rows, so that what is new meanwhile moves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import JSONObject, TruncMonth

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

PAGE_SIZE: Final = 50
LATEST: Final = 12
PERIODS: Final = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


class Kind(StrEnum):
    """What a reader may ask for alone."""

    STATUS = "status"
    OPERATIONS = "operations"
    CONFIGS = "configs"
    PERMISSIONS = "permissions"
    BUDGET = "budget"
    LOGS = "logs"
    SCHEMA = "schema"
    REQUESTS = "requests"
    NOTED = "noted"  # what people said of it here, as that they are on it
    EVENTS = "events"  # what Databricks tells; not kept here
    OUTSIDE = "outside"  # of several kinds: done by nobody that we know


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The place of an entry among all of an endpoint: no two have the same."""

    at: datetime
    source: int
    pk: int

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}-{self.source}-{self.pk}"

    @classmethod
    def read(cls, text: str) -> Key | None:
        """A key out of an address; None for whatever else stands there."""
        parts = text.split("-")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            return None
        micros, source, pk = map(int, parts)
        try:
            return cls(_EPOCH + timedelta(microseconds=micros), source, pk)
        except OverflowError:
            return None


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filters:
    """`before` leaves out the entry of that key, `at` begins with it. `month` is its first day."""

    kind: Kind | None = None
    who: str = ""
    period: str = ""
    month: datetime | None = None
    before: Key | None = None
    at: Key | None = None

    @property
    def place(self) -> Key | None:
        return self.before or self.at

    @property
    def narrowed(self) -> bool:
        return bool(self.kind or self.who or self.period or self.month or self.place)

    def span(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """From, inclusive, and until, exclusive."""
        if self.month is not None:
            return self.month, (self.month + timedelta(days=32)).replace(day=1)
        period = PERIODS.get(self.period)
        return (now - period if period else None), None


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
    parts = []
    for source in _SOURCES:
        rows = source.matching(endpoint, filters, now)
        if rows is None:
            continue
        if filters.place is not None:
            rows = rows.filter(source.from_(filters.place, inclusive=filters.before is None))
        newest = rows.order_by("-moment", "-pk").values("pk")[: size + 1]
        whole = source.model._default_manager.filter(pk__in=newest).order_by()
        parts.append(
            whole.annotate(
                moment=F(source.at),
                source=Value(source.number),
                told=JSONObject(**{name: F(name) for name in source.fields}),
            ).values_list("moment", "source", "pk", "told")
        )
    if not parts:
        return Page([], None)
    together = parts[0].union(*parts[1:], all=True).order_by("-moment", "-source", "-pk")
    found = list(together[: size + 1])
    older = Key(*found[size - 1][:3]) if len(found) > size else None
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


def everything(endpoint: Endpoint, filters: Filters, *, now: datetime) -> Iterator[Entry]:
    """All that match, page by page."""
    while True:
        one = page(endpoint, filters, now=now, size=500)
        yield from one.entries
        if one.older is None:
            return
        filters = replace(filters, before=one.older, at=None)


def counts(endpoint: Endpoint, filters: Filters, *, now: datetime) -> dict[Kind, int]:
    """How many entries each kind has, by the filters' time and person. One statement."""
    parts = []
    for source in _SOURCES:
        for kind in Kind:
            rows = source.matching(endpoint, replace(filters, kind=kind), now)
            if rows is not None:
                counted = rows.order_by().values(what=Value(kind.value)).annotate(n=Count("pk"))
                parts.append(counted.values_list("what", "n"))
    found = dict.fromkeys(Kind, 0)
    for what, n in parts[0].union(*parts[1:], all=True) if parts else ():
        found[Kind(what)] += n
    return found


def months(endpoint: Endpoint, filters: Filters, *, now: datetime) -> list[tuple[datetime, int]]:
    """How many entries each month has, the latest first. One statement."""
    parts = []
    for source in _SOURCES:
        rows = source.matching(endpoint, replace(filters, period="", month=None), now)
        if rows is not None:
            by_month = rows.order_by().annotate(month=TruncMonth(source.at, tzinfo=UTC))
            parts.append(by_month.values("month").annotate(n=Count("pk")).values_list("month", "n"))
    found: dict[datetime, int] = {}
    for month, n in parts[0].union(*parts[1:], all=True) if parts else ():
        found[month] = found.get(month, 0) + n
    return sorted(found.items(), reverse=True)


def people(endpoint: Endpoint) -> list[str]:
    """Who did anything here, as far as we know."""
    known = _audit(endpoint).order_by("actor_name").values_list("actor_name", flat=True)
    return list(known.distinct())


def kind_of(action: str) -> Kind:
    """The kind of an entry of the record, by its first word."""
    return next((kind for word, kind in _ACTIONS.items() if action.startswith(word)), Kind.NOTED)


_ACTIONS: Final = {
    "permissions ": Kind.PERMISSIONS,
    "budget policy ": Kind.BUDGET,
    "request ": Kind.REQUESTS,
}


# Where it comes from ---------------------------------------------------------------------------


def _audit(endpoint: Endpoint) -> QuerySet[AuditEntry]:
    """The record goes by names: what is older or younger than this endpoint is another's."""
    rows = AuditEntry.objects.filter(
        workspace=endpoint.workspace.name,
        endpoint=endpoint.name,
        at__gte=endpoint.first_seen_at,
    )
    return rows.filter(at__lte=endpoint.gone_at) if endpoint.gone_at else rows


def _recorded(endpoint: Endpoint) -> QuerySet[AuditEntry]:
    """What is no operation's: of what was sent its outcome, and the sending where there is none."""
    rows = _audit(endpoint).filter(operation=None)
    for sent, outcomes in _OUTCOMES.items():
        outcome = AuditEntry.objects.filter(
            workspace=OuterRef("workspace"),
            endpoint=OuterRef("endpoint"),
            actor_name=OuterRef("actor_name"),
            at__range=(OuterRef("at"), OuterRef("at") + timedelta(minutes=10)),
            action__in=outcomes,
        )
        rows = rows.filter(~Q(action=sent) | ~Exists(outcome))
    return rows


_OUTCOMES: Final = {
    "request sent": ["request answered", "request not answered"],
    "permissions asked": ["permissions saved", "permissions refused", "permissions not confirmed"],
    "budget policy asked": [
        "budget policy changed",
        "budget policy refused",
        "budget policy not confirmed",
    ],
}


def _outages(endpoint: Endpoint) -> QuerySet[Outage]:
    rows = Outage.objects.filter(workspace=endpoint.workspace_id, end__gt=endpoint.first_seen_at)
    return rows.filter(start__lt=endpoint.gone_at) if endpoint.gone_at else rows


def _of_action(kind: Kind) -> Q:
    words = [word for word, its_kind in _ACTIONS.items() if its_kind is kind]
    wanted = Q()
    for word in words:
        wanted |= Q(action__startswith=word)
    for word in () if words else _ACTIONS:
        wanted &= ~Q(action__startswith=word)
    return wanted


@dataclass(frozen=True, slots=True)
class _Source:
    """One table. `kinds` gives for each kind that it has rows of which of them; `who` is the field
    that names a person."""

    number: int
    model: type[models.Model]
    rows: Callable[[Endpoint], QuerySet[Any]]
    at: str
    fields: Sequence[str]
    kinds: Mapping[Kind, Q]
    who: str = ""

    def matching(self, endpoint: Endpoint, filters: Filters, now: datetime) -> QuerySet[Any] | None:
        """None where nothing of this table can match."""
        if filters.kind is not None and filters.kind not in self.kinds:
            return None
        if filters.who and not self.who:
            return None
        rows: QuerySet[Any] = self.rows(endpoint).annotate(moment=F(self.at))
        if filters.kind is not None:
            rows = rows.filter(self.kinds[filters.kind])
        if filters.who:
            rows = rows.filter(**{self.who: filters.who})
        start, end = filters.span(now)
        if start is not None:
            rows = rows.filter(moment__gte=start)
        if end is not None:
            rows = rows.filter(moment__lt=end)
        return rows

    def from_(self, key: Key, *, inclusive: bool) -> Q:
        """What stands below the key, or with `inclusive` at it."""
        earlier = Q(moment__lt=key.at)
        if self.number > key.source:
            return earlier
        if self.number < key.source:
            return earlier | Q(moment=key.at)
        last = Q(pk__lte=key.pk) if inclusive else Q(pk__lt=key.pk)
        return earlier | (Q(moment=key.at) & last)


_BY_NOBODY: Final = Q(operation=None, after__isnull=False)

# Numbers order what has one time: a cause comes before its effect.
_SOURCES: Final = (
    _Source(
        1,
        Operation,
        lambda endpoint: Operation.objects.filter(endpoint=endpoint),
        "requested_at",
        (
            *("kind", "state", "outcome", "refusal", "detail", "actor_name", "reason"),
            *("config_before", "config_after", "requested_at", "sending_at", "sent_at"),
            *("moved_at", "finish_by", "settled_at", "settled_by", "status_before"),
        ),
        {Kind.OPERATIONS: Q()},
        who="actor_name",
    ),
    _Source(
        2,
        AuditEntry,
        _recorded,
        "at",
        ("at", "actor_name", "action", "detail"),
        {
            kind: _of_action(kind)
            for kind in (Kind.PERMISSIONS, Kind.BUDGET, Kind.REQUESTS, Kind.NOTED)
        },
        who="actor_name",
    ),
    _Source(
        3,
        LogSnapshot,
        lambda endpoint: LogSnapshot.objects.filter(endpoint=endpoint),
        "taken_at",
        (
            *("log", "entity", "config_version", "problem", "taken_at", "operation_id"),
            "operation__kind",
        ),
        {Kind.LOGS: Q()},
    ),
    _Source(
        4,
        ConfigVersion,
        lambda endpoint: ConfigVersion.objects.filter(endpoint=endpoint),
        "first_seen_at",
        (
            *("version", "stage", "after", "first_seen_at", "made_at", "active_at", "ended_at"),
            *("message", "cut", "compared_with", "changes", "changed", "operation_id"),
            *("operation__kind", "operation__actor_name", "operation__reason"),
        ),
        {Kind.CONFIGS: Q(), Kind.OUTSIDE: _BY_NOBODY},
        who="operation__actor_name",
    ),
    _Source(
        5,
        SchemaCopy,
        lambda endpoint: SchemaCopy.objects.filter(endpoint=endpoint),
        "first_read_at",
        ("config_version", "first_read_at"),
        {Kind.SCHEMA: Q()},
    ),
    _Source(
        6,
        StatusChange,
        lambda endpoint: StatusChange.objects.filter(endpoint=endpoint),
        "at",
        ("was", "now", "reason", "message", "after", "at", "operation_id"),
        {Kind.STATUS: Q(), Kind.OUTSIDE: _BY_NOBODY & ~Q(was="")},
        who="operation__actor_name",
    ),
    _Source(7, Outage, _outages, "end", ("start", "end"), {Kind.STATUS: Q()}),
)
_BY_NUMBER: Final = {source.number: source for source in _SOURCES}


# Rows ------------------------------------------------------------------------------------------


def _entries(endpoint: Endpoint, found: Iterable[tuple[Any, ...]]) -> list[Entry]:
    entries: list[Entry] = []
    rows = [(Key(at, source, pk), told) for at, source, pk, told in found]
    for (number, _), group in groupby(rows, lambda row: (row[0].source, row[0].at)):
        made = [(key, _row(_BY_NUMBER[number].model, endpoint, key, told)) for key, told in group]
        if number == 3:  # logs kept at once are one entry
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
