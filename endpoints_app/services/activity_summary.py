"""What the last thirty days of an endpoint come to, beside its timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, QuerySet, Value
from django.db.models.expressions import RawSQL

from endpoints_app.domain import uptime
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.status import Status
from endpoints_app.models import (
    AuditEntry,
    ConfigVersion,
    Endpoint,
    Operation,
    Outage,
    StatusChange,
)
from endpoints_app.services.live import Head
from endpoints_app.services.statements import Statement

WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Summary:
    """Shares are of what was read, in per cent; None where there was no such time."""

    could_serve: str | None
    unknown: str | None
    stopped: timedelta
    versions: int
    failed: int
    asked_by: Sequence[tuple[str, int]]
    people: Sequence[str]
    """Who did anything here at any time, as far as we know."""


def of(endpoint: Endpoint, head: Head, *, now: datetime) -> Summary:
    """Two queries."""
    start = now - WINDOW
    totals = uptime.Totals.of(uptime.accounts(_spans(endpoint, head, start, now)))
    told: dict[str, Counter[str]] = {what: Counter() for what in (PERSON, ASKED, MADE)}
    place = (endpoint.workspace.name, endpoint.name, _written(endpoint.first_seen_at))
    for row in _NUMBERS.rows(*place, endpoint.pk, _written(start)):
        told[row["what"]][row["name"]] += row["n"]
    made = told[MADE]
    return Summary(
        could_serve=_per_cent(totals.availability, totals),
        unknown=_per_cent(totals.unknown / totals.whole if totals.unknown else None, totals),
        stopped=timedelta(seconds=totals.stopped),
        versions=made.total(),
        failed=made[Stage.FAILED.value],
        asked_by=sorted(told[ASKED].items(), key=lambda it: (-it[1], it[0]))[:5],
        people=sorted(told[PERSON]),
    )


def _spans(endpoint: Endpoint, head: Head, start: datetime, now: datetime) -> list[uptime.Span]:
    changes: list[uptime.Change] = []
    unread: list[tuple[datetime, datetime]] = []
    for row in _HAPPENINGS.rows(endpoint.pk, endpoint.workspace_id, _written(start)):
        if row["is_outage"]:
            unread.append((row["begin"], row["until"]))
        else:
            was, became = (Status(row[it]) if row[it] else None for it in ("was", "now"))
            changes.append(uptime.Change(row["begin"], was, became))
    for source in head.sources:
        if source.pk == endpoint.workspace_id and source.is_stale(now):
            unread.append((source.observed_at or start, now))
    return uptime.spans(
        changes,
        start=start,
        end=now,
        first_seen=endpoint.first_seen_at,
        current=None if endpoint.gone_at else endpoint.known_status,
        unread=unread,
    )


def _per_cent(share: float | None, totals: uptime.Totals) -> str | None:
    if share is None:
        return None
    window = timedelta(seconds=totals.whole)
    return uptime.per_cent(share, window=window, poll=timedelta(seconds=settings.SYNC_SECONDS))


# Statements ------------------------------------------------------------------------------------

PERSON, ASKED, MADE = "person", "asked", "made"


def _numbers(workspace: str, name: str, first_seen: Any, pk: int, start: Any) -> QuerySet[Any, Any]:
    people = AuditEntry.objects.filter(workspace=workspace, endpoint=name, at__gte=_in(first_seen))
    asked = Operation.objects.filter(endpoint=pk, requested_at__gte=_in(start))
    made = ConfigVersion.objects.filter(
        endpoint=pk, after__isnull=False, first_seen_at__gte=_in(start)
    )
    parts = ((PERSON, "actor_name", people), (ASKED, "actor_name", asked), (MADE, "stage", made))
    first: QuerySet[Any, Any]
    first, *more = (
        rows.order_by().values(what=Value(what), name=F(field)).annotate(n=Count("pk"))
        for what, field, rows in parts
    )
    return first.union(*more, all=True)


def _happenings(pk: int, workspace: int, start: Any) -> QuerySet[Any, Any]:
    changes = StatusChange.objects.filter(endpoint=pk, at__gt=_in(start))
    outages = Outage.objects.filter(workspace=workspace, end__gt=_in(start))
    of_change = {"begin": F("at"), "until": F("at"), "is_outage": Value(0)}
    of_outage = {"begin": F("start"), "until": F("end"), "is_outage": Value(1)}
    told: QuerySet[Any, Any] = changes.order_by().values("pk", "was", "now", **of_change)
    unread = outages.order_by().values("pk", was=Value(""), now=Value(""), **of_outage)
    together: QuerySet[Any, Any] = told.union(unread, all=True)
    return together.order_by("begin", "pk")


def _in(sample: Any) -> RawSQL:
    return RawSQL("%s", [sample])


def _written(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


_NUMBERS: Statement[Any] = Statement(
    _numbers, "a workspace", "a name", "its first time", 2**62, "a time"
)
_HAPPENINGS: Statement[Any] = Statement(_happenings, 2**62, 2**62 + 1, "a time")
