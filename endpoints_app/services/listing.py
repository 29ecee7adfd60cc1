"""The list of endpoints: filters, order and pages over what the last readings say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from endpoints_app.domain import uptime
from endpoints_app.domain.ages import MINUTE, next_step
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import NEEDS_ATTENTION, Status
from endpoints_app.models import Acknowledgement, Endpoint, Operation, StatusChange
from endpoints_app.services import acknowledging, roster
from endpoints_app.services.live import TRACE, Head
from endpoints_app.services.roster import ORDERS, Member, Roster, Version
from endpoints_app.services.statements import Statement

__all__ = ["ORDERS", "Member", "Version"]

PAGE_SIZE = 100
TRACE_STEP = timedelta(minutes=10)
"""What the strip of a day may lag: less than its thinnest mark."""
TOLD_OF_TRACE = frozenset({Status.NOT_READY, Status.UPDATE_FAILED, Status.UNKNOWN})
"""What its words count and add up."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for. Empty means any."""

    text: str = ""
    statuses: frozenset[Status] = frozenset()
    workspaces: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    owner: str = ""
    tag: str = ""
    budget: str = ""
    attention: bool = False
    sort: str = "status"
    page: int = 1

    @property
    def narrowed(self) -> bool:
        return self != Filters(sort=self.sort, page=self.page)


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint as a reader sees it now; the same for every reader of a language."""

    endpoint: Endpoint
    status: Status
    stale: bool
    operation: Operation | None = None
    trace: Sequence[uptime.Span] = ()
    taken: Acknowledgement | None = None  # who is on it

    @property
    def idle(self) -> bool:
        return self.endpoint.idle and self.status is Status.READY

    @property
    def can_stop(self) -> bool:
        return self.endpoint.known_kind.can_stop

    def true_until(self, now: datetime) -> datetime:
        """How long a row that was drawn `now` may be shown to others: until a time in it would
        read differently, or its trace has visibly moved on."""
        times = [self.endpoint.changed_at]
        if self.operation is not None:
            times.append(self.operation.requested_at)
        if self.taken is not None:
            times.append(self.taken.until)
        quiet = self.status in (Status.READY, Status.STOPPED)
        return min([now + (TRACE_STEP if quiet else MINUTE), *(next_step(at, now) for at in times)])

    def trace_until(self, now: datetime) -> datetime:
        """How long also what is said of the trace stays true: trouble at its end grows by the
        minute, trouble at its beginning wanes, and what begins within it will."""
        told = [span for span in self.trace if span.status in TOLD_OF_TRACE]
        moves = any(span in (self.trace[0], self.trace[-1]) for span in told)
        wanes = (span.start + TRACE for span in told if span.start + TRACE > now)
        return min([now + (MINUTE if moves else TRACE_STEP), *wanes])


@dataclass(frozen=True, slots=True)
class Counts:
    """Endpoints per shown status, and of each how many from which source."""

    by_source: dict[Status, dict[int, int]]

    @property
    def key(self) -> Hashable:
        """Equal for equal counts."""
        return frozenset((status, *of.items()) for status, of in self.by_source.items())

    @property
    def total(self) -> int:
        return self.of(self.by_source)

    @property
    def attention(self) -> int:
        return self.of(NEEDS_ATTENTION)

    @property
    def not_serving(self) -> int:
        """Those that cannot serve and were not stopped on purpose."""
        return self.of({Status.UPDATE_FAILED, Status.NOT_READY})

    def of(self, statuses: Collection[Status]) -> int:
        return sum(sum(self.by_source.get(status, {}).values()) for status in statuses)


@dataclass(frozen=True, slots=True)
class Page:
    members: Sequence[Member]
    counts: Counts  # with every filter but status and attention
    fleet: int  # without any filter
    matching: int  # with every filter
    filters: Filters = field(default_factory=Filters)

    @property
    def pks(self) -> list[int]:
        return [member.pk for member in self.members]

    @property
    def versions(self) -> list[Version]:
        return [member.version for member in self.members]

    @property
    def hidden(self) -> int:
        return self.fleet - self.matching

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // PAGE_SIZE))

    @property
    def first(self) -> int:
        return (self.filters.page - 1) * PAGE_SIZE + 1 if self.members else 0

    @property
    def last(self) -> int:
        return self.first + len(self.members) - 1 if self.members else 0


def page(visible: Collection[int], filters: Filters, head: Head, now: datetime) -> Page:
    """Which endpoints one page of the list shows. No query while nothing has changed."""
    seen, everybody = frozenset(visible), roster.at(head)
    stale = head.stale(now) & seen
    names = {source.name: source.pk for source in head.sources}
    narrowed = _narrowed(everybody, seen, filters, names)
    counts = _counts(narrowed.counts, stale)
    shown = _shown(everybody, seen, filters, stale, names)
    matching = len(shown)
    last = max(1, -(-matching // PAGE_SIZE))
    filters = replace(filters, page=min(filters.page, last))  # fewer than there were
    start = (filters.page - 1) * PAGE_SIZE
    return Page(
        members=shown[start : start + PAGE_SIZE],
        counts=counts,
        fleet=sum(n for (workspace, _), n in everybody.counts.items() if workspace in seen),
        matching=matching,
        filters=filters,
    )


def rows(endpoints: Sequence[Endpoint], head: Head, now: datetime) -> list[Row]:
    """What each row shows. Three queries, whatever their number."""
    pks = [endpoint.pk for endpoint in endpoints]
    under_way = {it.endpoint_id: it for it in Operation.objects.open().filter(endpoint__in=pks)}
    taken = acknowledging.standing(pks, now)
    return _rows(endpoints, under_way, taken, head, now)


def rows_of(versions: Sequence[Version], head: Head, now: datetime) -> list[Row]:
    """In the order asked for; one that was forgotten meanwhile is left out. Two queries, or one
    when all of them are what has just changed."""
    found = roster.at(head).rows(versions)
    missing = [version.pk for version in versions if version.pk not in found]
    if missing:
        found |= Endpoint.objects.for_rows().in_bulk(missing)
    endpoints = [found[version.pk] for version in versions if version.pk in found]
    return _joined(endpoints, head, now)


def row_of(endpoint: Endpoint, head: Head, now: datetime) -> Row:
    """Of one that came with what is under way, as `access.endpoint_for()` finds it. One query."""
    (row,) = _joined([endpoint], head, now)
    return row


def _joined(endpoints: Sequence[Endpoint], head: Head, now: datetime) -> list[Row]:
    under_way, taken = {}, {}
    for endpoint in endpoints:
        if operation := getattr(endpoint, "open_operation", None):
            under_way[endpoint.pk] = operation
        acknowledgement = getattr(endpoint, "acknowledgement", None)
        if acknowledgement is not None and acknowledgement.until > now:
            taken[endpoint.pk] = acknowledgement
    return _rows(endpoints, under_way, taken, head, now)


def _rows(
    endpoints: Sequence[Endpoint],
    under_way: Mapping[int, Operation],
    taken: Mapping[int, Acknowledgement],
    head: Head,
    now: datetime,
) -> list[Row]:
    stale = head.stale(now)
    traces = _traces(endpoints, head, now)
    return [
        Row(
            endpoint=endpoint,
            status=Status.UNKNOWN if endpoint.workspace_id in stale else endpoint.known_status,
            stale=endpoint.workspace_id in stale,
            operation=under_way.get(endpoint.pk),
            trace=traces[endpoint.pk],
            taken=taken.get(endpoint.pk),
        )
        for endpoint in endpoints
    ]


def changed_since(
    revision: int, visible: Collection[int], head: Head, *, limit: int
) -> list[Version] | None:
    """Endpoints, gone ones too, whose row changed after `revision`; None when that was too long
    ago to tell, or when they are more than `limit`."""
    changed = roster.at(head).changed_since(revision, frozenset(visible))
    return changed if changed is not None and len(changed) <= limit else None


def choices(visible: Collection[int], head: Head) -> tuple[list[str], list[str]]:
    """Owners and tags there are to filter by."""
    everybody, seen = roster.at(head), frozenset(visible)

    def find() -> tuple[list[str], list[str]]:
        members = [it for it in everybody.members.values() if it.workspace in seen]
        tags = {tag for lines in {it.tag_lines for it in members} for tag in _offered(lines)}
        return sorted({it.owner for it in members} - {""}), sorted(tags)

    return everybody.remember(("choices", seen), find)


def _offered(tag_lines: str) -> Iterator[str]:
    """Of a tag with a value the line `key=value`; the key alone would find others too."""
    lines = tag_lines.strip("\n").split("\n") if tag_lines else []
    for key, pair in zip(lines[::2], lines[1::2], strict=False):
        yield key if pair == f"{key}=" else pair


@dataclass(frozen=True, slots=True)
class _Narrowed:
    members: Sequence[Member]
    counts: Counter[tuple[int, Status]]


def _narrowed(
    everybody: Roster, seen: frozenset[int], filters: Filters, names: Mapping[str, int]
) -> _Narrowed:
    """What all filters but status and attention leave, in the order asked for."""
    wanted = replace(filters, statuses=frozenset(), attention=False, page=1)
    order = wanted.sort.removeprefix("-")

    def find() -> _Narrowed:
        members: Sequence[Member] = everybody.in_order(order)
        counts = everybody.counts
        within = seen
        if wanted.workspaces:
            within &= {names[name] for name in wanted.workspaces if name in names}
        fits = _fits(wanted)
        if fits or any(workspace not in within for workspace, _ in counts):
            members = [m for m in members if m.workspace in within and all(f(m) for f in fits)]
            counts = Counter((m.workspace, m.status) for m in members)
        return _Narrowed(members[::-1] if wanted.sort.startswith("-") else members, counts)

    return everybody.remember(("narrowed", seen, wanted), find)


def _fits(filters: Filters) -> list[Callable[[Member], bool]]:
    fits: list[Callable[[Member], bool]] = [
        lambda member, word=word: word in member.search  # type: ignore[misc]
        for word in filters.text.lower().split()
    ]
    if filters.kinds:
        kinds = {kind.value for kind in filters.kinds}
        fits.append(lambda member: member.kind in kinds)
    if filters.owner:
        fits.append(lambda member: member.owner == filters.owner)
    if filters.tag:
        line = f"\n{filters.tag}\n"
        fits.append(lambda member: line in member.tag_lines)
    if filters.budget:
        fits.append(lambda member: member.budget.is_asked_for(filters.budget, Kind(member.kind)))
    return fits


def _shown(
    everybody: Roster,
    seen: frozenset[int],
    filters: Filters,
    stale: frozenset[int],
    names: Mapping[str, int],
) -> Sequence[Member]:
    """What all filters leave, in the order asked for. A stale workspace's count as Unknown."""
    narrowed = _narrowed(everybody, seen, filters, names).members
    wanted = filters.statuses
    if filters.attention:
        wanted = wanted & NEEDS_ATTENTION if wanted else NEEDS_ATTENTION
    asked = bool(filters.statuses or filters.attention)
    by_status = filters.sort.removeprefix("-") == "status"
    if not asked and not (stale and by_status):
        return narrowed

    def status(member: Member) -> Status:
        return Status.UNKNOWN if member.workspace in stale else member.status

    def find() -> Sequence[Member]:
        shown = [m for m in narrowed if status(m) in wanted] if asked else list(narrowed)
        if stale and by_status:
            shown.sort(key=lambda m: (-status(m).severity, m.name, m.pk))
            if filters.sort.startswith("-"):
                shown.reverse()
        return shown

    return everybody.remember(("shown", seen, replace(filters, page=1), stale), find)


def _counts(grouped: Counter[tuple[int, Status]], stale: Collection[int]) -> Counts:
    counts: dict[Status, dict[int, int]] = {}
    for (workspace, known), number in grouped.items():
        status = Status.UNKNOWN if workspace in stale else known
        of_status = counts.setdefault(status, {})
        of_status[workspace] = of_status.get(workspace, 0) + number
    return Counts(counts)


def _traces(
    endpoints: Sequence[Endpoint], head: Head, now: datetime
) -> dict[int, Sequence[uptime.Span]]:
    """The last 24 hours of each."""
    start = now - TRACE
    changes: dict[int, list[uptime.Change]] = {}
    for found in _changes([endpoint.pk for endpoint in endpoints], start):
        change = uptime.Change(found["at"], _status(found["was"]), _status(found["now"]))
        changes.setdefault(found["endpoint_id"], []).append(change)
    gaps = {source.pk: list(source.unread) for source in head.sources}
    stale = head.stale(now)
    for source in head.sources:
        if source.pk in stale and source.observed_at is not None:
            gaps[source.pk].append((source.observed_at, now))
    return {
        endpoint.pk: uptime.spans(
            changes.get(endpoint.pk, ()),
            start=start,
            end=now,
            first_seen=endpoint.first_seen_at,
            current=None if endpoint.gone_at else endpoint.known_status,
            unread=gaps.get(endpoint.workspace_id, ()),
        )
        for endpoint in endpoints
    }


def _changes(endpoints: Sequence[int], start: datetime) -> Iterable[Any]:
    """One query, which for a single endpoint is not written anew."""
    if len(endpoints) == 1:
        return _CHANGES_OF_ONE.rows(*endpoints, start)
    return _told(StatusChange.objects.filter(endpoint__in=endpoints, at__gt=start))


def _told(changes: QuerySet[StatusChange]) -> QuerySet[StatusChange, Any]:
    return changes.order_by("at", "pk").values("endpoint_id", "at", "was", "now")


_CHANGES_OF_ONE = Statement(
    lambda pk, start: _told(StatusChange.objects.filter(endpoint=pk, at__gt=start)),
    *(2**62, datetime(2000, 1, 1, tzinfo=UTC)),
)


def _status(value: str) -> Status | None:
    return Status(value) if value else None
