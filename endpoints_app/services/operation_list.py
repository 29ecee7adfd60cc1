"""The page of all operations: filters over what was asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, F, Q

from endpoints_app.domain.lifecycle import OPEN, OperationKind, Outcome, State
from endpoints_app.models import Operation
from endpoints_app.models.operation import OperationQuerySet

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
    matching = _matching(visible, filters, now)
    counts = matching.aggregate(
        **{name: Count("pk", filter=condition) for name, condition in OUTCOMES.items()},
        everything=Count("pk"),
    )
    total = counts.pop("everything")
    shown = matching
    if filters.outcome:
        shown, total = matching.filter(OUTCOMES[filters.outcome]), counts[filters.outcome]
    filters = replace(filters, page=min(filters.page, max(1, -(-total // PAGE_SIZE))))
    start = (filters.page - 1) * PAGE_SIZE
    ordered = shown.for_rows().order_by(F("settled_at").desc(nulls_first=True), "-requested_at")
    return Page(list(ordered[start : start + PAGE_SIZE]), counts, total, filters)


def actors(visible: Collection[int]) -> list[str]:
    asked = Operation.objects.filter(endpoint__workspace__in=visible).order_by("actor_name")
    return list(asked.values_list("actor_name", flat=True).distinct())


def _matching(visible: Collection[int], filters: Filters, now: datetime) -> OperationQuerySet:
    matching = Operation.objects.filter(endpoint__workspace__in=visible)
    if filters.kind:
        matching = matching.filter(kind=filters.kind.value)
    if filters.workspace:
        matching = matching.filter(endpoint__workspace__name=filters.workspace)
    if filters.actor:
        matching = matching.filter(actor_name=filters.actor)
    if period := PERIODS.get(filters.period):
        still_open = Q(state__in=[state.value for state in OPEN])
        matching = matching.filter(Q(requested_at__gt=now - period) | still_open)
    return matching
