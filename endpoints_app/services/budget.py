"""Which budget policies the fleet's usage is tagged by, and whose carries no tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from endpoints_app.domain.budget import Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.services import roster
from endpoints_app.services.live import Head


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints that differ in nothing a tally tells apart."""

    policy: str
    standing: Standing
    kind: Kind
    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class Tally:
    groups: Sequence[Group]

    def of(self, standing: Standing) -> int:
        return _sum(group for group in self.groups if group.standing is standing)

    @property
    def without(self) -> int:
        return self.of(Standing.NONE)

    @property
    def policies(self) -> list[str]:
        """The ids in use."""
        return sorted({group.policy for group in self.groups if group.policy})


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


def name_of(policy: str) -> str:
    """What the settings call it, else its id: Databricks tells names to account admins only."""
    found: dict[str, str] = settings.BUDGET_POLICY_NAMES
    return found.get(policy, policy)


def _sum(groups: Iterable[Group]) -> int:
    return sum(group.number for group in groups)
