"""Who is in the fleet, held in memory: what the list filters, sorts and counts by.

Every page and poll of the list asks the same few questions about all endpoints. Each web process
therefore keeps their answers' ground, some hundred bytes per living endpoint, and brings it up to
the head's revision with one query for what changed. It is a copy and never the truth: nothing
here is written back, a new process reads it anew, and staleness is added by whoever asks, from
the clock.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from endpoints_app.domain.budget import Policy
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import live
from endpoints_app.services.live import Head

RECENT = 1_000
"""So many changes back a poll is told what changed; one from before that gets the whole table."""

DRAWN = 100  # changed rows kept for the reader who draws them
REMEMBERED = 64  # answers

T = TypeVar("T")
Key = Callable[["Member"], tuple[Any, ...]]


class Version(NamedTuple):
    """Names all that the database says of one row of the list."""

    revision: int
    pk: int
    workspace: int


@dataclass(frozen=True, slots=True)
class Member:
    """One living endpoint, by what the list sorts and filters by."""

    pk: int
    workspace: int
    revision: int
    status: Status
    name: str
    uid: str
    kind: str
    owner: str
    changed_at: datetime
    search: str
    tag_lines: str
    budget: Policy

    @property
    def version(self) -> Version:
        return Version(self.revision, self.pk, self.workspace)


FIELDS = (
    *("pk", "workspace_id", "revision", "status", "name", "uid", "kind", "owner"),
    *("changed_at", "search", "tag_lines", "effective_budget_policy", "budget_known"),
)

ORDERS: dict[str, Key] = {
    "status": lambda it: (-it.status.severity, it.name, it.pk),
    "name": lambda it: (it.name, it.pk),
    "owner": lambda it: (it.owner, it.name, it.pk),
    "changed": lambda it: (-it.changed_at.timestamp(), it.pk),
}
"""What `sort` may say; with a minus before it, the other way round."""


@dataclass(frozen=True)
class Roster:
    """All living endpoints as of one revision. Never changed: a newer one takes its place."""

    epoch: str
    revision: int
    members: Mapping[int, Member]
    recent: Sequence[Version]
    """What changed last, gone ones too, by revision."""
    complete_since: int
    """`recent` has every change after this revision."""
    counts: Counter[tuple[int, Status]] = field(default_factory=Counter)
    """Endpoints per workspace and status."""
    changed: Mapping[int, Endpoint] = field(default_factory=dict)
    """Rows that were read to learn what changed: they are drawn next."""
    read_at: float = field(default_factory=time.monotonic)
    orders: dict[str, list[Member]] = field(default_factory=dict)
    found: dict[Any, Any] = field(default_factory=dict)
    """What was asked of this revision and may be asked again."""

    def in_order(self, name: str) -> list[Member]:
        if name not in self.orders:
            self.orders[name] = sorted(self.members.values(), key=ORDERS[name])
        return self.orders[name]

    def named(self, workspace: int, name: str) -> Member | None:
        """The living endpoint of that name."""
        order = self.in_order("name")
        for at in range(bisect_left(order, (name, 0), key=ORDERS["name"]), len(order)):
            if order[at].name != name:
                break
            if order[at].workspace == workspace:
                return order[at]
        return None

    def remember(self, key: Any, find: Callable[[], T]) -> T:
        """The answer to `key`, found once as long as this is the newest revision."""
        if key in self.found:
            with suppress(KeyError):  # another thread has just made room
                known: T = self.found[key]
                return known
        answer = find()
        if len(self.found) >= REMEMBERED:
            self.found.clear()
        self.found[key] = answer
        return answer

    def changed_since(self, revision: int, visible: Collection[int]) -> list[Version] | None:
        """Endpoints, gone ones too, whose row changed after `revision`, the latest change last;
        None when that was too long ago to tell."""
        if revision < self.complete_since:
            return None
        first = bisect_left(self.recent, (revision + 1,))
        return [version for version in self.recent[first:] if version.workspace in visible]

    def rows(self, versions: Collection[Version]) -> dict[int, Endpoint]:
        """Of these, the rows that were read when they changed."""
        return {
            pk: row
            for revision, pk, _ in versions
            if (row := self.changed.get(pk)) is not None and row.revision == revision
        }

    def with_changes(self, rows: Sequence[Endpoint], revision: int) -> Roster:
        """The next one; `rows` are what changed since this one."""
        members, counts = dict(self.members), self.counts.copy()
        recent = {version.pk: version for version in self.recent}
        went: list[Member] = []
        came: dict[int, Member] = {}
        for row in rows:
            member = _member([getattr(row, name) for name in FIELDS])
            revision = max(revision, member.revision)
            recent[member.pk] = member.version
            came.pop(member.pk, None)
            if (former := members.pop(member.pk, None)) is not None:
                counts[former.workspace, former.status] -= 1
                if former is self.members.get(former.pk):
                    went.append(former)
            if not row.gone_at:
                members[member.pk] = came[member.pk] = member
                counts[member.workspace, member.status] += 1
        kept = sorted(recent.values())
        dropped = kept[:-RECENT]
        moved = went, list(came.values())
        orders = {name: _patched(order, name, *moved) for name, order in [*self.orders.items()]}
        return Roster(
            epoch=self.epoch,
            revision=revision,
            members=members,
            recent=kept[-RECENT:],
            complete_since=dropped[-1].revision if dropped else self.complete_since,
            counts=+counts,  # without what there is none of any more
            orders=orders,
            changed={row.pk: row for row in rows[-DRAWN:]},
        )


def _member(values: Sequence[Any]) -> Member:
    given = dict(zip(FIELDS, values, strict=True))
    policy, known = given.pop("effective_budget_policy"), given.pop("budget_known")
    workspace, status = given.pop("workspace_id"), Status(given.pop("status"))
    return Member(**given, workspace=workspace, status=status, budget=Policy(policy, policy, known))


def _patched(
    before: list[Member], name: str, went: Sequence[Member], came: Sequence[Member]
) -> list[Member]:
    """The order with what changed in its new place: found by halving, since a fleet is large and a
    change is small. No two members have the same key."""
    key = ORDERS[name]
    if len(went) + len(came) > len(before) // 20:
        gone = {it.pk for it in went}
        return sorted([*(it for it in before if it.pk not in gone), *came], key=key)
    order = before.copy()
    for member in went:
        del order[bisect_left(order, key(member), key=key)]
    for member in came:
        insort(order, member, key=key)
    return order


_lock = threading.Lock()
_held: Roster | None = None


def at(head: Head) -> Roster:
    """The fleet at the head's revision or a later one. No query when this process has it, one when
    something has changed since."""
    global _held
    held = _held
    if held is not None and _serves(held, head):
        return held
    with _lock:  # threads that come at once wait for one reading
        held = _held
        if held is None or not _continues(held, head):
            held = _read(head)
        elif held.revision < head.revision:
            rows = Endpoint.objects.for_rows().filter(revision__gt=held.revision)
            held = held.with_changes(list(rows.order_by("revision")), head.revision)
        _held = held
        return held


def forget() -> None:
    """Begin anew, as a new process does."""
    global _held
    _held = None


def _serves(held: Roster, head: Head) -> bool:
    return _continues(held, head) and held.revision >= head.revision


def _continues(held: Roster, head: Head) -> bool:
    """Whether what is held is of this database. A head may be behind for as long as its copy
    lives; one that stays behind tells of a database that was restored under its old name."""
    if held.epoch != head.epoch:
        return False
    lately = time.monotonic() - held.read_at <= 2 * live.CACHE_SECONDS
    return held.revision <= head.revision or lately


def _read(head: Head) -> Roster:
    """All of it. What changed meanwhile is read twice: here, and as a change."""
    changes = Endpoint.objects.order_by("-revision", "-pk")
    found = changes.values_list("revision", "pk", "workspace_id")[: RECENT + 1]
    latest = [Version(*values) for values in found]
    dropped = latest[RECENT:]
    living = Endpoint.objects.living().values_list(*FIELDS)
    members = {values[0]: _member(values) for values in living.iterator(chunk_size=2_000)}
    return Roster(
        epoch=head.epoch,
        revision=head.revision,
        members=members,
        recent=sorted(latest[:RECENT]),
        complete_since=dropped[0].revision if dropped else 0,
        counts=Counter((it.workspace, it.status) for it in members.values()),
    )
