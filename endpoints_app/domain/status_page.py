"""What a status page says at one moment.

Nothing in a `Page` names a row or an id: what it has no field for, no page, document or file can
show. `domain/status_build.py` makes one from the facts of the last reading, and the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Entry
from endpoints_app.domain.status_links import Links
from endpoints_app.domain.uptime import Span, Stretch, Totals

DOWN = frozenset({Status.UPDATE_FAILED, Status.NOT_READY})

LATELY = timedelta(hours=2)

DAY = timedelta(hours=24)

AHEAD = timedelta(days=14)

LATE_CYCLES = 1.5

EXPANDED = 40
"""So many endpoints in trouble are shown one by one; the rest is a count and a link."""


@dataclass(frozen=True, slots=True)
class Source:
    """When a workspace last answered, as far as the writer of the facts knows."""

    pk: int
    name: str
    observed_at: datetime | None
    failing: bool = False  # it was asked since, and did not answer


@dataclass(frozen=True, slots=True)
class Scope:
    """Which endpoints a page is about, and what they and their workspaces are called there."""

    slug: str
    title: str
    entries: Sequence[tuple[Entry, str]]
    workspaces: Mapping[int, str]
    figures: Sequence[tuple[str, str]]  # key of the facts' figure, and its name
    whole: bool = True  # also about what is no longer there


@dataclass(frozen=True, slots=True)
class Item:
    """One endpoint."""

    name: str
    workspace: str
    status: Status
    since: datetime
    longer: bool = False  # it was so when first seen
    planned: bool = False  # within planned work, which explains that it does not serve
    absent: bool = False
    updating: bool = False
    config: int | None = None
    pending: int | None = None
    last_known: Status | None = None
    role: str = ""  # who is on it
    until: datetime | None = None
    links: Links = field(default_factory=Links)
    strip: Sequence[Span] = ()

    @property
    def serving(self) -> bool | None:
        return self.status.serving


@dataclass(frozen=True, slots=True)
class Silent:
    """All endpoints of a workspace that does not answer, in one line."""

    workspace: str
    number: int
    since: datetime | None
    known: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Quiet:
    """What needs nobody, as counts and, as long as they are few, by name."""

    counts: Mapping[Status, int]
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class SourceLine:
    name: str
    observed_at: datetime | None
    stale: bool
    number: int


class Pace(StrEnum):
    ON_TIME = "on_time"
    LATE = "late"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Poller:
    """Our own: `waiting` workspaces are overdue; `seen_at` is when it last wrote."""

    pace: Pace
    waiting: int
    seen_at: datetime


class Kind(StrEnum):
    """What the first sentence says, the worst first."""

    UNKNOWN = "unknown"  # of everything
    DOWN = "down"
    PARTLY_UNKNOWN = "partly_unknown"
    UPDATING = "updating"
    PLANNED = "planned"
    UPDATE_FAILED = "update_failed"
    GOOD = "good"
    EMPTY = "empty"


TONES = {
    Kind.UNKNOWN: "unknown",
    Kind.DOWN: "bad",
    Kind.PARTLY_UNKNOWN: "unknown",
    Kind.UPDATING: "busy",
    Kind.PLANNED: "off",
    Kind.UPDATE_FAILED: "but",
    Kind.GOOD: "good",
    Kind.EMPTY: "off",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: Kind
    total: int
    down: int
    unknown: int
    updating: int
    planned: int
    stopped: int
    serving: int
    update_failed: int
    observed_at: datetime | None  # the oldest answer that still counts, else the newest of all
    silent: Sequence[tuple[str, datetime | None]]  # workspaces, and since when
    since: datetime | None  # of UNKNOWN

    @property
    def tone(self) -> str:
        return TONES[self.kind]

    @property
    def known(self) -> int:
        return self.total - self.unknown

    @property
    def word(self) -> str:
        """For machines: `down`, `unknown` or `ok`."""
        if self.kind is Kind.DOWN:
            return "down"
        return "unknown" if self.kind in (Kind.UNKNOWN, Kind.PARTLY_UNKNOWN) else "ok"


class Pattern(StrEnum):
    """What is affected as a whole: where to look first."""

    NONE = ""
    ENDPOINT = "endpoint"
    ENDPOINTS = "endpoints"
    WORKSPACE = "workspace"
    WORKSPACES = "workspaces"
    POLLER = "poller"


@dataclass(frozen=True, slots=True)
class Hint:
    pattern: Pattern
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A line of "what changed"; `what` as in the facts, or "silent"."""

    at: datetime
    name: str
    what: str
    ours: bool = False
    config: int | None = None
    lasted: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Window:
    """Planned work, and which of the page's endpoints it is about."""

    title: str
    note: str
    start: datetime
    end: datetime
    zone: str
    names: Sequence[str]
    number: int
    running: bool


@dataclass(frozen=True, slots=True)
class PastTrouble:
    name: str
    workspace: str
    start: datetime
    end: datetime | None
    down: timedelta
    notes: Sequence[tuple[datetime, str]] = ()


@dataclass(frozen=True, slots=True)
class History:
    name: str
    strip: Sequence[Stretch]
    day: Totals
    days: Sequence[tuple[str, Totals]]

    @property
    def known(self) -> timedelta:
        """So much of the 24 hours there is anything to tell of."""
        return sum((s.lasted for s in self.strip if s.account), timedelta())


@dataclass(frozen=True, slots=True)
class Page:
    slug: str
    title: str
    now: datetime
    valid_until: datetime  # without a later answer nothing of it is to be believed
    poll: timedelta
    max_age: timedelta
    verdict: Verdict
    hint: Hint
    sources: Sequence[SourceLine]
    poller: Poller
    attention: Sequence[Item]  # worst first
    more: int  # in need of attention, and not among them
    silent: Sequence[Silent]
    quiet: Quiet
    events: Sequence[Event]
    planned: Sequence[Window]
    histories: Sequence[History]
    troubles: Sequence[PastTrouble]
    items: Sequence[Item]  # all, by workspace and name
    counts: Mapping[Status, int]
    observed_at: datetime | None  # the oldest answer; None while one has never come

    @property
    def stale(self) -> bool:
        return not self.sources or any(source.stale for source in self.sources)

    @property
    def last_trouble(self) -> PastTrouble | None:
        return next((trouble for trouble in self.troubles if trouble.end), None)


@dataclass(frozen=True, slots=True)
class EndpointPage:
    page: Page  # of the scope that it belongs to
    item: Item
    strip: Sequence[Span]
    day: Totals
    days: Sequence[tuple[str, Totals]]
    changes: Sequence[Event]  # newest first
    incidents: Sequence[PastTrouble]  # newest first

    @property
    def known(self) -> timedelta:
        return sum((s.end - s.start for s in self.strip if s.status), timedelta())


NINETY = 90

CHANGES = 20

INCIDENTS = 20
