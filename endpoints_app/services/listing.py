"""The list of endpoints: filters, order and pages over what the last readings say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Count, Q

from endpoints_app.domain import uptime
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import NEEDS_ATTENTION, Status
from endpoints_app.models import Acknowledgement, Endpoint, Operation, Outage, StatusChange
from endpoints_app.models.endpoint import EndpointQuerySet
from endpoints_app.services import acknowledging
from endpoints_app.services.live import Head

PAGE_SIZE = 100
TRACE = timedelta(hours=24)

ORDERS = {
    "status": ("-shown_severity", "name", "pk"),
    "name": ("name", "pk"),
    "owner": ("owner", "name", "pk"),
    "changed": ("-changed_at", "pk"),
}
"""What `sort` may say; with a minus before it, the other way round."""


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


@dataclass(frozen=True, slots=True)
class Counts:
    """Endpoints per shown status, and of each how many from which source."""

    by_source: dict[Status, dict[int, int]]

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
    pks: list[int]
    counts: Counts  # with every filter but status and attention
    fleet: int  # without any filter
    matching: int  # with every filter
    filters: Filters = field(default_factory=Filters)

    @property
    def hidden(self) -> int:
        return self.fleet - self.matching

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // PAGE_SIZE))

    @property
    def first(self) -> int:
        return (self.filters.page - 1) * PAGE_SIZE + 1 if self.pks else 0

    @property
    def last(self) -> int:
        return self.first + len(self.pks) - 1 if self.pks else 0


def page(visible: Collection[int], filters: Filters, head: Head, now: datetime) -> Page:
    """Which endpoints one page of the list shows. Three queries, two without filters."""
    stale = head.stale(now) & frozenset(visible)
    names = {source.name: source.pk for source in head.sources}
    fleet = Endpoint.objects.living().in_workspaces(visible)
    narrowed = _narrow(fleet, filters, names)
    counts = _count(narrowed, stale)
    total = counts.total
    if filters.narrowed and narrowed is not fleet:
        total = fleet.count()
    shown = narrowed
    wanted = filters.statuses
    if filters.attention:
        wanted = wanted & NEEDS_ATTENTION if wanted else NEEDS_ATTENTION
    matching = counts.total
    if filters.statuses or filters.attention:
        shown = shown.shown_as(wanted, stale)
        matching = counts.of(wanted)
    last = max(1, -(-matching // PAGE_SIZE))
    filters = replace(filters, page=min(filters.page, last))  # fewer than there were
    start = (filters.page - 1) * PAGE_SIZE
    ordered = shown.with_shown_severity(stale).order_by(*_order(filters.sort))
    pks = list(ordered.values_list("pk", flat=True)[start : start + PAGE_SIZE])
    return Page(pks=pks, counts=counts, fleet=total, matching=matching, filters=filters)


def rows(endpoints: Iterable[Endpoint], head: Head, now: datetime) -> list[Row]:
    """What each row shows. Four queries, whatever their number."""
    endpoints = list(endpoints)
    pks = [endpoint.pk for endpoint in endpoints]
    stale = head.stale(now)
    operations = {o.endpoint_id: o for o in Operation.objects.open().filter(endpoint__in=pks)}
    traces = _traces(endpoints, head, now)
    taken = acknowledging.standing(pks, now)
    return [
        Row(
            endpoint=endpoint,
            status=Status.UNKNOWN if endpoint.workspace_id in stale else endpoint.known_status,
            stale=endpoint.workspace_id in stale,
            operation=operations.get(endpoint.pk),
            trace=traces[endpoint.pk],
            taken=taken.get(endpoint.pk),
        )
        for endpoint in endpoints
    ]


def rows_of(page: Page, head: Head, now: datetime) -> list[Row]:
    found = Endpoint.objects.for_rows().in_bulk(page.pks)
    return rows([found[pk] for pk in page.pks if pk in found], head, now)


def changed_since(revision: int, visible: Collection[int], *, limit: int) -> list[Endpoint]:
    """Endpoints, gone ones too, whose row changed after `revision`; at most `limit` and one."""
    newer = Endpoint.objects.for_rows().in_workspaces(visible).filter(revision__gt=revision)
    return list(newer.order_by("revision")[: limit + 1])


def choices(visible: Collection[int]) -> tuple[list[str], list[str]]:
    """Owners and tags there are to filter by."""
    living = Endpoint.objects.living().in_workspaces(visible)
    owners = list(
        living.exclude(owner="").order_by("owner").values_list("owner", flat=True).distinct()
    )
    tags: set[str] = set()
    for found in living.exclude(tags={}).values_list("tags", flat=True).distinct():
        tags.update(f"{key}={value}" if value else key for key, value in found.items())
    return owners, sorted(tags)


def _narrow(fleet: EndpointQuerySet, filters: Filters, names: dict[str, int]) -> EndpointQuerySet:
    """All filters but status and attention."""
    conditions = Q()
    for word in filters.text.lower().split():
        conditions &= Q(search__contains=word)
    if filters.workspaces:
        conditions &= Q(workspace__in=[names[n] for n in filters.workspaces if n in names])
    if filters.kinds:
        conditions &= Q(kind__in=[kind.value for kind in filters.kinds])
    if filters.owner:
        conditions &= Q(owner=filters.owner)
    if filters.tag:
        conditions &= Q(tag_lines__contains=f"\n{filters.tag}\n")
    narrowed = fleet.filter(conditions) if conditions else fleet
    return narrowed.with_budget_policy(filters.budget) if filters.budget else narrowed


def _order(sort: str) -> list[str]:
    order = ORDERS[sort.removeprefix("-")]
    if not sort.startswith("-"):
        return list(order)
    return [term.removeprefix("-") if term.startswith("-") else f"-{term}" for term in order]


def _count(endpoints: EndpointQuerySet, stale: Collection[int]) -> Counts:
    counts: dict[Status, dict[int, int]] = {}
    grouped = endpoints.order_by().values_list("workspace_id", "status").annotate(n=Count("pk"))
    for workspace_id, value, number in grouped:
        status = Status.UNKNOWN if workspace_id in stale else Status(value)
        of_status = counts.setdefault(status, {})
        of_status[workspace_id] = of_status.get(workspace_id, 0) + number
    return Counts(counts)


def _traces(
    endpoints: Sequence[Endpoint], head: Head, now: datetime
) -> dict[int, Sequence[uptime.Span]]:
    """The last 24 hours of each."""
    start = now - TRACE
    changes: dict[int, list[uptime.Change]] = {}
    found = StatusChange.objects.filter(endpoint__in=[e.pk for e in endpoints], at__gt=start)
    for change in found.order_by("at", "pk"):
        changes.setdefault(change.endpoint_id, []).append(
            uptime.Change(change.at, change.former, change.status)
        )
    gaps: dict[int, list[tuple[datetime, datetime]]] = {}
    for outage in Outage.objects.filter(end__gt=start):
        gaps.setdefault(outage.workspace_id, []).append((outage.start, outage.end))
    stale = head.stale(now)
    for source in head.sources:
        if source.pk in stale and source.observed_at is not None:
            gaps.setdefault(source.pk, []).append((source.observed_at, now))
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
