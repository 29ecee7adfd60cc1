"""Which budget policies the fleet's usage is tagged by, and whose carries no tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
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


@dataclass(frozen=True)
class Tally:
    groups: Sequence[Group]

    def of(self, *standings: Standing) -> int:
        return sum(group.number for group in self.groups if group.standing in standings)

    @property
    def without(self) -> int:
        return self.of(Standing.NONE)

    @property
    def unknown(self) -> int:
        return self.of(Standing.UNKNOWN)

    @property
    def tagged(self) -> int:
        return self.of(Standing.SET, Standing.INHERITED)

    @property
    def impossible(self) -> int:
        return self.of(Standing.IMPOSSIBLE)

    @property
    def possible(self) -> int:
        """Those that can have one."""
        return sum(group.number for group in self.groups) - self.impossible

    @property
    def impossible_by_kind(self) -> list[tuple[Kind, int]]:
        numbers = self._numbers(lambda it: it.kind, Standing.IMPOSSIBLE)
        return sorted(numbers.items(), key=lambda it: -it[1])

    @cached_property
    def policies(self) -> list[PolicyLine]:
        """Those in use, the most used first."""
        found: dict[str, dict[str, int]] = {}
        for group in self.groups:
            if group.policy:
                owners = found.setdefault(group.policy, {})
                owners[group.owner] = owners.get(group.owner, 0) + group.number
        lines = [
            PolicyLine(policy, sum(owners.values()), sorted(owners, key=lambda o: (-owners[o], o)))
            for policy, owners in found.items()
        ]
        return sorted(lines, key=lambda line: (-line.number, name_of(line.id)))

    @property
    def owners(self) -> list[OwnerLine]:
        """Whose endpoints can have one; who has the most without first."""
        without = self._numbers(lambda it: it.owner, Standing.NONE)
        every = self._numbers(lambda it: it.owner, *(set(Standing) - {Standing.IMPOSSIBLE}))
        lines = [OwnerLine(owner, without.get(owner, 0), n) for owner, n in every.items()]
        return sorted(lines, key=lambda line: (-line.without, line.name))

    def _numbers(self, key: Callable[[Group], T], *standings: Standing) -> dict[T, int]:
        numbers: dict[T, int] = {}
        for group in self.groups:
            if group.standing in standings:
                numbers[key(group)] = numbers.get(key(group), 0) + group.number
        return numbers


def tally(visible: Collection[int], head: Head) -> Tally:
    """No query of its own."""
    everybody, seen = roster.at(head), frozenset(visible)

    def find() -> Tally:
        members = (it for it in everybody.members.values() if it.workspace in seen)
        grouped = Counter((it.budget, it.kind, it.owner) for it in members)
        return Tally(
            [
                # Where an id is set is another question than whether there is one.
                Group(policy.id, policy.standing(Kind(kind)), Kind(kind), owner, number)
                for (policy, kind, owner), number in grouped.items()
            ]
        )

    return everybody.remember(("budget", seen), find)


# Listed -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint of the report; `ran` is how much of the time it was not stopped, 0 to 1, and
    None where nobody knows."""

    endpoint: Endpoint
    status: Status
    stale: bool
    ran: float | None

    @property
    def hours_a_day(self) -> float | None:
        return None if self.ran is None else 24 * self.ran

    @property
    def sizes(self) -> list[str]:
        """Of what serves, or of what is to: lists do not carry them."""
        found = detail.configurations(self.endpoint)
        if found is None:
            return []
        shown = [entity for entity in found.entities if not entity.pending] or found.entities
        return list(dict.fromkeys(size for entity in shown if (size := entity.size)))


@dataclass(frozen=True, slots=True)
class Without:
    """A page of the endpoints without a policy; `names` are all of them, by owner."""

    lines: Sequence[Line]
    names: dict[str, list[str]]
    page: int
    pages: int


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
    ran = shares.get(endpoint.pk)
    if not ran and endpoint.known_status is Status.UNKNOWN:
        ran = None  # what was never seen running was not seen stopped either
    return Line(endpoint, status, silent, ran)
