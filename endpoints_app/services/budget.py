"""Which budget policies the fleet's usage is tagged by, and whose carries no tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings

from endpoints_app.domain.budget import Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import detail, roster, running
from endpoints_app.services.live import Head

T = TypeVar("T")

PAGE_SIZE = 100
PERIOD = timedelta(days=30)


def name_of(policy: str) -> str:
    """What the settings call it, else its id: Databricks tells names to account admins only."""
    found: dict[str, str] = settings.BUDGET_POLICY_NAMES
    return found.get(policy, policy)


# Counted ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints that differ in nothing a tally tells apart."""

    policy: str
    standing: Standing
    kind: Kind
    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class PolicyLine:
    id: str
    number: int
    owners: Sequence[str]  # those with the most endpoints first


@dataclass(frozen=True, slots=True)
class OwnerLine:
    name: str
    without: int
    all: int


@dataclass(frozen=True, slots=True)
class Tally:
    groups: Sequence[Group]

    def of(self, *standings: Standing) -> int:
        return sum(group.number for group in self.groups if group.standing in standings)

    @property
    def without(visible: Collection[int], head: Head, now: datetime, *, page: int) -> Without:
    """The longest running first: their usage matters most. Three queries."""
    found = _without(visible, head)
    # Wider than what is meant, and narrower than the fleet: who counts is said in one place.
    untagged = Endpoint.objects.living().in_workspaces(visible).filter(effective_budget_policy="")
    shares = running.share_of_time(untagged, head, now, period=PERIOD)
    found.sort(key=lambda it: -shares.get(it.pk, 0.0))
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(page, pages)
    pks = [it.pk for it in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
    rows = Endpoint.objects.select_related("workspace").defer("search", "tag_lines").in_bulk(pks)
    stale = head.stale(now)
    by_owner: dict[str, list[str]] = {}
    for it in found:
        by_owner.setdefault(it.owner, []).append(it.name)
    lines = [_line(rows[pk], stale, shares) for pk in pks if pk in rows]
    return Without(lines, by_owner, page, pages)


def _without(visible: Collection[int], head: Head) -> list[roster.Member]:
    """By name."""
    return [
        it
        for it in roster.at(head).in_order("name")
        if it.workspace in visible and it.budget.standing(Kind(it.kind)) is Standing.NONE
    ]


def every(visible: Collection[int], head: Head, now: datetime) -> Iterator[Line]:
    """All living endpoints, for a file: by workspace and name."""
    living = Endpoint.objects.living().in_workspaces(visible)
    shares = running.share_of_time(living, head, now, period=PERIOD)
    stale = head.stale(now)
    for endpoint in living.for_rows().order_by("workspace__name", "name").iterator(500):
        yield _line(endpoint, stale, shares)


def _line(endpoint: Endpoint, stale: Collection[int], shares: dict[int, float]) -> Line:
    silent = endpoint.workspace_id in stale
    status = Status.UNKNOWN if silent else endpoint.known_status
    return Line(endpoint, status, silent, shares.get(endpoint.pk, 0.0))
