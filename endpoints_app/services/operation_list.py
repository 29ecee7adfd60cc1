"""The page of all operations: filters over what was asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from endpoints_app.domain.lifecycle import OPEN, OperationKind, Outcome, State
from endpoints_app.models import Operation
from endpoints_app.models.operation import OperationQuerySet
from endpoints_app.services.statements import Statement

PAGE_SIZE = 100

PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}

_NOT_SENT = Q(sending_at=None) | Q(outcome=Outcome.NO_EFFECT.value)
OUTCOMES = {
    "open": Q(state__in=[state.value for state in OPEN]),
    "not_confirmed": Q(state=State.NOT_CONFIRMED.value),
    "failed": Q(state=State.FAILED.value, sending_at__isnull=False),
    "done": Q(state=State.CONFIRMED.value) & ~Q(outcome=Outcome.NO_EFFECT.value),
    "not_done": ~Q(state__in=[state.value for state in OPEN]) & _NOT_SENT,
}
"""What the strip counts. An operation settled without being sent was not done."""


@dataclass(frozen=True, slots=True)
class Filters:
    outcome: str = ""
    kind: OperationKind | None = None
    workspace: str = ""
    actor: str = ""
    period: str = "24h"
    page: int = 1

    @property
    def chosen(self) -> bool:
        """Whether somebody chose them: the last day is what whoever opens the page gets."""
        return replace(self, page=1) != Filters()


@dataclass(frozen=True, slots=True)
class Page:
    operations: list[Operation]
    counts: dict[str, int]
    total: int
    filters: Filters

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def page(visible: Collection[int], filters: Filters, now: datetime) -> Page:
    """Open ones first, then the newest. Two queries."""
    seen, shape = frozenset(visible), Shape.of(filters)
    values = _values(filters, now)
    counts = dict.fromkeys((*OUTCOMES, EVERYTHING), 0)
    for row in _counted(seen, shape).rows(*values):
        counts |= {name: row[name] for name in counts}
    total = counts.pop(EVERYTHING)
    if filters.outcome:
        total = counts[filters.outcome]
    filters = replace(filters, page=min(filters.page, max(1, -(-total // PAGE_SIZE))))
    found = _shown(seen, shape, filters.outcome, filters.page).objects(*values)
    return Page(found, counts, total, filters)


def actors(visible: Collection[int]) -> list[str]:
    return [row["actor_name"] for row in _actors(frozenset(visible)).rows()]


# Statements ------------------------------------------------------------------------------------

EVERYTHING: Final = "everything"


class Shape(NamedTuple):
    """What of the filters decides how a statement is written."""

    kind: bool
    workspace: bool
    actor: bool
    period: bool

    @classmethod
    def of(cls, filters: Filters) -> Shape:
        asked = (filters.kind, filters.workspace, filters.actor, PERIODS.get(filters.period))
        return cls(*map(bool, asked))


SAMPLES: Final = Shape(*("a kind", "a workspace", "a name", "a time"))  # type: ignore[arg-type]


def _values(filters: Filters, now: datetime) -> list[Any]:
    """What stands where a statement has its samples."""
    start = now - PERIODS.get(filters.period, timedelta())
    kind = filters.kind.value if filters.kind else ""
    given = kind, filters.workspace, filters.actor, connection.ops.adapt_datetimefield_value(start)
    return [value for value, asked in zip(given, Shape.of(filters), strict=True) if asked]


def _samples(shape: Shape) -> list[Any]:
    return [sample for sample, asked in zip(SAMPLES, shape, strict=True) if asked]


@lru_cache(maxsize=64)
def _counted(visible: frozenset[int], shape: Shape) -> Statement[Any]:
    counts = {name: Count("pk", filter=condition) for name, condition in OUTCOMES.items()}

    def build(*_: Any) -> QuerySet[Any, Any]:
        together = _matching(visible, shape).order_by().values(whole=Value(1))
        return together.annotate(**counts, **{EVERYTHING: Count("pk")})

    return Statement(build, *_samples(shape))


@lru_cache(maxsize=256)
def _shown(
    visible: frozenset[int], shape: Shape, outcome: str, number: int
) -> Statement[Operation]:
    start = (number - 1) * PAGE_SIZE

    def build(*_: Any) -> OperationQuerySet:
        shown = _matching(visible, shape)
        if outcome:
            shown = shown.filter(OUTCOMES[outcome])
        ordered = shown.for_rows().order_by(F("settled_at").desc(nulls_first=True), "-requested_at")
        return ordered[start : start + PAGE_SIZE]

    return Statement(build, *_samples(shape))


@lru_cache(maxsize=64)
def _actors(visible: frozenset[int]) -> Statement[Any]:
    asked = _seen(visible).order_by("actor_name")
    return Statement(lambda: asked.values("actor_name").distinct())


def _seen(visible: frozenset[int]) -> OperationQuerySet:
    # Of no workspace Django writes no statement at all; none has the number 0.
    return Operation.objects.filter(endpoint__workspace__in=sorted(visible) or [0])


def _matching(visible: frozenset[int], shape: Shape) -> OperationQuerySet:
    matching = _seen(visible)
    if shape.kind:
        matching = matching.filter(kind=SAMPLES.kind)
    if shape.workspace:
        matching = matching.filter(endpoint__workspace__name=SAMPLES.workspace)
    if shape.actor:
        matching = matching.filter(actor_name=SAMPLES.actor)
    if shape.period:
        still_open = Q(state__in=[state.value for state in OPEN])
        start = RawSQL("%s", [SAMPLES.period])
        matching = matching.filter(Q(requested_at__gt=start) | still_open)
    return matching
