"""What the timeline of an endpoint is read from: several tables, asked in one statement.

Building such a statement costs Django many times what the database needs for it. So each shape of
it is built once, with slots for what differs from one reader to the next, and kept as SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Final

from django.db import connection, models
from django.db.models import CharField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from endpoints_app.domain.activity import ACTIONS, Filters, Key, Kind
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

# Statements ------------------------------------------------------------------------------------


class _Slot(Enum):
    """What a statement gets when it is asked."""

    ENDPOINT = "endpoint"
    WORKSPACE = "workspace"
    WORKSPACE_NAME = "workspace name"
    NAME = "name"
    FIRST_SEEN = "first seen"
    GONE = "gone"
    WHO = "who"
    START = "start"
    END = "end"
    PLACE_AT = "place at"
    PLACE_PK = "place pk"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a question decides how its statement is written."""

    gone: bool
    kind: Kind | None
    who: bool
    start: bool
    end: bool
    place: int | None  # the source of the place's key
    inclusive: bool


def newest(endpoint: Endpoint, filters: Filters, now: datetime, size: int) -> list[tuple[Key, Any]]:
    """The key of `size` rows and what is told of each, from the filters' place on."""
    found = _ask(_newest, endpoint, filters, now, size)
    return [(Key(_moment(at), source, pk), told) for at, source, pk, told in found]


def per_kind(endpoint: Endpoint, filters: Filters, now: datetime) -> list[tuple[Kind, int]]:
    return [(Kind(what), n) for what, n in _ask(_per_kind, endpoint, filters, now, 0)]


def per_kind_and_month(
    endpoint: Endpoint, filters: Filters, now: datetime
) -> list[tuple[Kind, datetime, int]]:
    found = _ask(_per_kind_and_month, endpoint, filters, now, 0)
    return [(Kind(what), _moment(f"{month}-01"), n) for what, month, n in found]


_Build = Callable[[_Shape, int], "QuerySet[Any, Any] | None"]


def _ask(
    build: _Build, endpoint: Endpoint, filters: Filters, now: datetime, size: int
) -> list[Any]:
    start, end = filters.span(now)
    place = filters.place
    shape = _Shape(
        gone=endpoint.gone_at is not None,
        kind=filters.kind,
        who=bool(filters.who),
        start=start is not None,
        end=end is not None,
        place=place.source if place else None,
        inclusive=filters.before is None,
    )
    statement = _statement(connection.vendor, build, shape, size)
    if statement is None:
        return []
    sql, parameters = statement
    values = {
        _Slot.ENDPOINT: endpoint.pk,
        _Slot.WORKSPACE: endpoint.workspace_id,
        _Slot.WORKSPACE_NAME: endpoint.workspace.name,
        _Slot.NAME: endpoint.name,
        _Slot.FIRST_SEEN: _written(endpoint.first_seen_at),
        _Slot.GONE: _written(endpoint.gone_at),
        _Slot.WHO: filters.who,
        _Slot.START: _written(start),
        _Slot.END: _written(end),
        _Slot.PLACE_AT: _written(place.at if place else None),
        _Slot.PLACE_PK: place.pk if place else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, [values[it] if isinstance(it, _Slot) else it for it in parameters])
        return list(cursor.fetchall())


@cache
def _statement(
    vendor: str, build: _Build, shape: _Shape, size: int
) -> tuple[str, tuple[Any, ...]] | None:
    """None where no table can have what is asked for."""
    rows = build(shape, size)
    return rows.query.get_compiler(connection=connection).as_sql() if rows is not None else None


def _in(slot: _Slot) -> RawSQL:
    return RawSQL("%s", [slot])


def _written(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(at: datetime | str) -> datetime:
    """SQLite gives times as text, in UTC."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _newest(shape: _Shape, size: int) -> QuerySet[Any, Any] | None:
    parts = []
    for source in SOURCES:
        rows = source.matching(shape)
        if rows is None:
            continue
        some = rows.order_by("-moment", "-pk").values("pk")[:size]
        whole = source.model._default_manager.filter(pk__in=some).order_by()
        parts.append(
            whole.annotate(
                moment=F(source.at),
                source=Value(source.number),
                told=JSONObject(**{name: F(name) for name in source.fields}),
            ).values_list("moment", "source", "pk", "told")
        )
    if not parts:
        return None
    together: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True)
    return together.order_by("-moment", "-source", "-pk")[:size]


class _Month(Func):
    """ "2026-11". SQLite keeps times as text in UTC: to cut it off costs a fraction of calling
    Django's own function, which is one of Python, for each row."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 7)")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        said = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM')"
        return self.as_sql(compiler, connection, template=said)


def _per_kind(shape: _Shape, size: int) -> QuerySet[Any, Any] | None:
    return _counted(shape, lambda source: {})


def _per_kind_and_month(shape: _Shape, size: int) -> QuerySet[Any, Any] | None:
    return _counted(shape, lambda source: {"month": _Month(F(source.at))})


def _counted(shape: _Shape, by: Callable[[Source], dict[str, Func]]) -> QuerySet[Any, Any] | None:
    parts = []
    for source in SOURCES:
        for kind in source.kinds:
            rows = source.matching(replace(shape, kind=kind))
            if rows is not None:
                more = by(source)
                grouped = rows.order_by().values(what=Value(kind.value), **more)
                parts.append(grouped.annotate(n=Count("pk")).values_list("what", *more, "n"))
    return parts[0].union(*parts[1:], all=True) if parts else None


# Tables ---------------------------------------------------------------------------


def _audit(shape: _Shape) -> QuerySet[AuditEntry]:
    """The record goes by names: what is older or younger than this endpoint is another's."""
    rows = AuditEntry.objects.filter(
        workspace=_in(_Slot.WORKSPACE_NAME),
        endpoint=_in(_Slot.NAME),
        at__gte=_in(_Slot.FIRST_SEEN),
    )
    return rows.filter(at__lte=_in(_Slot.GONE)) if shape.gone else rows


def _recorded(shape: _Shape) -> QuerySet[AuditEntry]:
    """What is no operation's: of what was sent its outcome, and the sending where there is none."""
    rows = _audit(shape).filter(operation=None)
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


def _outages(shape: _Shape) -> QuerySet[Outage]:
    rows = Outage.objects.filter(workspace=_in(_Slot.WORKSPACE), end__gt=_in(_Slot.FIRST_SEEN))
    return rows.filter(start__lt=_in(_Slot.GONE)) if shape.gone else rows


def _own(model: type[models.Model]) -> Callable[[_Shape], QuerySet[Any]]:
    return lambda shape: model._default_manager.filter(endpoint=_in(_Slot.ENDPOINT))


def _of_action(kind: Kind) -> Q:
    words = [word for word, its_kind in ACTIONS.items() if its_kind is kind]
    wanted = Q()
    for word in words:
        wanted |= Q(action__startswith=word)
    for word in () if words else ACTIONS:
        wanted &= ~Q(action__startswith=word)
    return wanted


@dataclass(frozen=True, slots=True)
class Source:
    """One table. `kinds` gives for each kind that it has rows of which of them; `who` is the field
    that names a person."""

    number: int
    model: type[models.Model]
    rows: Callable[[_Shape], QuerySet[Any]]
    at: str
    fields: Sequence[str]
    kinds: Mapping[Kind, Q]
    who: str = ""

    def matching(self, shape: _Shape) -> QuerySet[Any] | None:
        """None where nothing of this table can match."""
        if shape.kind is not None and shape.kind not in self.kinds:
            return None
        if shape.who and not self.who:
            return None
        rows: QuerySet[Any] = self.rows(shape).annotate(moment=F(self.at))
        if shape.kind is not None:
            rows = rows.filter(self.kinds[shape.kind])
        if shape.who:
            rows = rows.filter(**{self.who: _in(_Slot.WHO)})
        if shape.start:
            rows = rows.filter(moment__gte=_in(_Slot.START))
        if shape.end:
            rows = rows.filter(moment__lt=_in(_Slot.END))
        if shape.place is not None:
            rows = rows.filter(self._from(shape.place, inclusive=shape.inclusive))
        return rows

    def _from(self, place: int, *, inclusive: bool) -> Q:
        """What stands below the place, or with `inclusive` at it."""
        earlier = Q(moment__lt=_in(_Slot.PLACE_AT))
        if self.number > place:
            return earlier
        same_time = Q(moment=_in(_Slot.PLACE_AT))
        if self.number < place:
            return earlier | same_time
        pk = _in(_Slot.PLACE_PK)
        return earlier | (same_time & (Q(pk__lte=pk) if inclusive else Q(pk__lt=pk)))


_BY_NOBODY: Final = Q(operation=None, after__isnull=False)

LOGS: Final = 3

# Numbers order what has one time: a cause comes before its effect.
SOURCES: Final = (
    Source(
        1,
        Operation,
        _own(Operation),
        "requested_at",
        (
            *("kind", "state", "outcome", "refusal", "detail", "actor_name", "reason"),
            *("config_before", "config_after", "requested_at", "sending_at", "sent_at"),
            *("moved_at", "finish_by", "settled_at", "settled_by", "status_before"),
        ),
        {Kind.OPERATIONS: Q()},
        who="actor_name",
    ),
    Source(
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
    Source(
        LOGS,
        LogSnapshot,
        _own(LogSnapshot),
        "taken_at",
        (
            *("log", "entity", "config_version", "problem", "taken_at", "operation_id"),
            "operation__kind",
        ),
        {Kind.LOGS: Q()},
    ),
    Source(
        4,
        ConfigVersion,
        _own(ConfigVersion),
        "first_seen_at",
        (
            *("version", "stage", "after", "first_seen_at", "made_at", "active_at", "ended_at"),
            *("message", "cut", "compared_with", "changes", "changed", "operation_id"),
            *("operation__kind", "operation__actor_name", "operation__reason"),
        ),
        {Kind.CONFIGS: Q(), Kind.OUTSIDE: _BY_NOBODY},
        who="operation__actor_name",
    ),
    Source(
        5,
        SchemaCopy,
        _own(SchemaCopy),
        "first_read_at",
        ("config_version", "first_read_at"),
        {Kind.SCHEMA: Q()},
    ),
    Source(
        6,
        StatusChange,
        _own(StatusChange),
        "at",
        ("was", "now", "reason", "message", "after", "at", "operation_id"),
        {Kind.STATUS: Q(), Kind.OUTSIDE: _BY_NOBODY & ~Q(was="")},
        who="operation__actor_name",
    ),
    Source(7, Outage, _outages, "end", ("start", "end"), {Kind.STATUS: Q()}),
)
MODELS: Final = {source.number: source.model for source in SOURCES}
