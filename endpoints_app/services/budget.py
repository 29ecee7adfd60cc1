"""Which budget policies the fleet's usage is tagged by, and whose carries no tag."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from endpoints_app.domain.budget import Policy, Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.models import Endpoint


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


def tally(visible: Collection[int]) -> Tally:
    """One query, over an index that holds all of it."""
    living = Endpoint.objects.living().in_workspaces(visible).order_by()
    columns = ("effective_budget_policy", "budget_known", "kind", "owner")
    groups = []
    for policy, known, value, owner, number in living.values_list(*columns).annotate(
        number=Count("pk")
    ):
        kind = Kind(value)
        # Where an id is set is another question than whether there is one.
        standing = Policy(policy, policy, known).standing(kind)
        groups.append(Group(policy, standing, kind, owner, number))
    return Tally(groups)


def name_of(policy: str) -> str:
    """What the settings call it, else its id: Databricks tells names to account admins only."""
    found: dict[str, str] = settings.BUDGET_POLICY_NAMES
    return found.get(policy, policy)


def _sum(groups: Iterable[Group]) -> int:
    return sum(group.number for group in groups)
