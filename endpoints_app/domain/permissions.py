"""Who may do what with an endpoint: what is granted, what somebody wants, and the smallest change.

A level that somebody wants is the one granted directly on the endpoint; what is inherited, from
the workspace or a folder, stays as it is whatever is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class PrincipalKind(StrEnum):
    USER = "user"
    GROUP = "group"
    SERVICE_PRINCIPAL = "service_principal"


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """A user by mail address, a group by name, a service principal by application id."""

    kind: PrincipalKind
    name: str


CAN_VIEW, CAN_QUERY, CAN_MANAGE = "CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"
LEVELS = (CAN_VIEW, CAN_QUERY, CAN_MANAGE)
"""Weakest first; each allows what those before it allow (Databricks documentation)."""


def strongest(levels: Iterable[str]) -> str | None:
    """The strongest of the levels we know, else any of those we do not, else None."""
    return max(levels, key=lambda level: (_rank(level), level), default=None)


def is_raise(before: str | None, after: str | None) -> bool:
    """Whether `after` allows more and no less. With a level we do not know nobody can tell: no."""
    if before is None or after is None:
        return before is None and after is not None
    return -1 < _rank(before) < _rank(after)


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


# What is granted --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inherited:
    """A level that comes from above; `sources` are Databricks' own paths, such as `/jobs/`."""

    level: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What one principal holds. `direct` has one level, except where Databricks sends more."""

    principal: Principal
    direct: tuple[str, ...] = ()
    inherited: tuple[Inherited, ...] = ()
    display_name: str = ""

    @property
    def level(self) -> str | None:
        """The level granted on the endpoint itself."""
        return strongest(self.direct)

    @property
    def inherited_level(self) -> str | None:
        return strongest(grant.level for grant in self.inherited)

    @property
    def effective(self) -> str | None:
        """What counts in the end: the strongest, wherever it comes from."""
        return strongest([*self.direct, *(grant.level for grant in self.inherited)])


@dataclass(frozen=True, slots=True)
class Access:
    """An endpoint's access control list, one entry per principal.

    `unreadable` counts direct grants that could not be read, so that they could not be sent back:
    replacing the list would lose them.
    """

    entries: tuple[Entry, ...] = ()
    unreadable: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry], *, unreadable: int = 0) -> Access:
        """Entries of the same principal become one."""
        merged: dict[Principal, Entry] = {}
        for entry in entries:
            if (before := merged.get(entry.principal)) is not None:
                entry = Entry(
                    entry.principal,
                    tuple(dict.fromkeys((*before.direct, *entry.direct))),
                    tuple(dict.fromkeys((*before.inherited, *entry.inherited))),
                    before.display_name or entry.display_name,
                )
            merged[entry.principal] = entry
        return cls(tuple(merged.values()), unreadable)

    def entry(self, principal: Principal) -> Entry:
        """Its entry; an empty one for a principal that is not in the list."""
        found = (entry for entry in self.entries if entry.principal == principal)
        return next(found, Entry(principal))

    @property
    def direct(self) -> dict[Principal, str]:
        """What is granted on the endpoint itself: what a form shows and a change changes."""
        return {entry.principal: entry.level for entry in self.entries if entry.level is not None}

    @property
    def direct_managers(self) -> frozenset[Principal]:
        return frozenset(who for who, level in self.direct.items() if level == CAN_MANAGE)


# What somebody wants ----------------------------------------------------------------------------

Wanted = Mapping[Principal, str | None]
"""Principal → the level it is to have directly, None to remove it. Who is absent stays."""


class Method(StrEnum):
    PATCH = "PATCH"  # adds, or sets anew, what it lists
    PUT = "PUT"  # replaces all direct grants by what it lists


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes for one principal; `keeps` is what it still holds by inheritance."""

    principal: Principal
    before: str | None
    after: str | None
    keeps: str | None = None
    display_name: str = ""

    @property
    def is_raise(self) -> bool:
        return is_raise(self.before, self.after)

    @property
    def effective_before(self) -> str | None:
        return strongest(level for level in (self.before, self.keeps) if level)

    @property
    def effective_after(self) -> str | None:
        return strongest(level for level in (self.after, self.keeps) if level)


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest request that brings what is wanted; without differences there is none."""

    differences: tuple[Difference, ...]
    method: Method | None
    grants: tuple[tuple[Principal, str], ...]


class Unreadable(Exception):
    """Only replacing the whole list would do, and part of it cannot be sent back."""


def change(current: Access, wanted: Wanted) -> Change:
    """From what is granted to what is wanted.

    PATCH with the differences alone while everything only rises, because it cannot lose what
    somebody else granted. PUT with the whole list as soon as one is lowered or removed: it must be
    made from a reading of this moment. Raises Unreadable.
    """
    differences = tuple(
        Difference(entry.principal, entry.level, level, entry.inherited_level, entry.display_name)
        for entry, level in ((current.entry(who), level) for who, level in wanted.items())
        if entry.level != level
    )
    if not differences:
        return Change((), None, ())
    if all(difference.is_raise for difference in differences):
        raised = tuple((d.principal, d.after) for d in differences if d.after is not None)
        return Change(differences, Method.PATCH, raised)
    if current.unreadable:
        raise Unreadable
    changed = {difference.principal: difference.after for difference in differences}
    kept = [
        (entry.principal, level)
        for entry in current.entries
        if entry.principal not in changed
        for level in entry.direct
    ]
    set_anew = [(who, level) for who, level in changed.items() if level is not None]
    return Change(differences, Method.PUT, (*kept, *set_anew))


# What must not happen by accident ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ourselves:
    """The principal whose credentials this program uses, and the groups it is in."""

    name: str
    groups: frozenset[str] = frozenset()

    def includes(self, principal: Principal) -> bool:
        if principal.kind is PrincipalKind.GROUP:
            return principal.name in self.groups
        return principal.name.casefold() == self.name.casefold()

    def is_named_by(self, principal: Principal) -> bool:
        return principal.kind is not PrincipalKind.GROUP and self.includes(principal)


class Danger(StrEnum):
    """What a change would do that needs a confirmation of its own."""

    LAST_MANAGER = "last_manager"  # nobody is left who manages it by a grant of its own
    OURSELVES = "ourselves"  # this program would lose a level, or a grant that names it
    OURSELVES_UNKNOWN = "ourselves_unknown"  # it may be us: the workspace did not say who we are


def dangers(current: Access, change: Change, ourselves: Ourselves | None) -> frozenset[Danger]:
    """What must be confirmed before the change is sent; `ourselves` is None if not known."""
    found: set[Danger] = set()
    after = _after(current, change)
    if current.direct_managers and CAN_MANAGE not in after.values():
        found.add(Danger.LAST_MANAGER)
    losing = [d for d in change.differences if not d.is_raise]
    if ourselves is None:
        # A group may hold us as well as a name may.
        if losing:
            found.add(Danger.OURSELVES_UNKNOWN)
    elif any(ourselves.is_named_by(d.principal) for d in losing) or _falls(
        current, after, [d for d in losing if ourselves.includes(d.principal)], ourselves
    ):
        found.add(Danger.OURSELVES)
    return frozenset(found)


def _after(current: Access, change: Change) -> dict[Principal, str]:
    after: dict[Principal, str | None] = {**current.direct}
    after |= {difference.principal: difference.after for difference in change.differences}
    return {who: level for who, level in after.items() if level is not None}


def _falls(
    current: Access,
    after: Mapping[Principal, str],
    losing: Sequence[Difference],
    ourselves: Ourselves,
) -> bool:
    """Whether our own level, by name and through groups, is weaker afterwards."""
    if not losing:
        return False
    from_above = [e.inherited_level for e in current.entries if ourselves.includes(e.principal)]
    before = [e.effective for e in current.entries if ourselves.includes(e.principal)]
    then = [level for who, level in after.items() if ourselves.includes(who)]
    return _rank(strongest(filter(None, [*then, *from_above]))) < _rank(
        strongest(filter(None, before))
    )


# Two people at once -----------------------------------------------------------------------------


def moved(seen: Mapping[Principal, str], current: Access) -> tuple[Difference, ...]:
    """What somebody else changed since a form was made of `seen`, the direct grants of then."""
    now = current.direct
    return tuple(
        Difference(
            who,
            seen.get(who),
            now.get(who),
            current.entry(who).inherited_level,
            current.entry(who).display_name,
        )
        for who in sorted({*seen, *now})
        if seen.get(who) != now.get(who)
    )


def counts(entries: Iterable[Entry], levels: Collection[str]) -> dict[PrincipalKind, int]:
    """How many of each kind hold one of these levels in the end; nobody of a kind leaves it out."""
    held = [entry.principal.kind for entry in entries if entry.effective in levels]
    return {kind: held.count(kind) for kind in PrincipalKind if kind in held}
