"""What a status page says at one moment: the facts of the last reading, and the clock.

What is shown is the worse of status and staleness, decided here and each time. Nothing in a `Page`
names a row or an id: what it has no field for, no page, document or file can show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from endpoints_app.domain import uptime
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Entry, Facts, Figure, Planned, View
from endpoints_app.domain.status_links import Links
from endpoints_app.domain.uptime import Account, Incident, Span, Stretch, Totals

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


def scope_of(facts: Facts, slug: str, visible: Collection[int] | None = None) -> Scope | None:
    """The fleet for an empty slug, a named view, or a workspace. None where there is nothing, or
    nothing of it in the `visible` workspaces."""
    shown = {pk: n for pk, n in facts.workspaces.items() if visible is None or pk in visible}
    if not slug:
        return _whole("", "", facts, shown) if shown or visible is None else None
    if view := facts.views.get(slug):
        return _view(facts, view, shown)
    named = {pk: name for pk, name in shown.items() if name == slug}
    return _whole(slug, slug, facts, named) if named else None


def _whole(slug: str, title: str, facts: Facts, shown: Mapping[int, str]) -> Scope:
    return Scope(
        slug,
        title,
        [(entry, entry.name) for entry in facts.entries if entry.workspace in shown],
        shown,
        [(f"w:{pk}", name) for pk, name in shown.items()],
    )


def _view(facts: Facts, view: View, shown: Mapping[int, str]) -> Scope | None:
    workspaces = {pk: shown[pk] for pk in view.workspaces if pk in shown}
    if view.workspaces and not workspaces:
        return None
    title = view.title or view.slug
    if view.discreet:
        one = len(workspaces) == 1
        workspaces = {
            pk: "Databricks" if one else f"Databricks {i}" for i, pk in enumerate(workspaces, 1)
        }
    by_pk = {entry.pk: entry for entry in facts.entries}
    entries = []
    for member in view.members:
        if member.workspace in workspaces:
            entry = by_pk.get(member.entry) if member.entry is not None else None
            entries.append((entry or _absent(facts, member.workspace, member.name), member.shown))
    # The past of a view is that of all its workspaces: to who sees fewer it is not shown.
    whole = len(workspaces) == len(view.workspaces)
    figures = [(f"v:{view.slug}", title)] if whole else []
    return Scope(view.slug, title, entries, workspaces, figures, whole=False)


def _absent(facts: Facts, workspace: int, name: str) -> Entry:
    """A page that lists an endpoint does not forget it because Databricks has."""
    return Entry(0, workspace, name, Status.UNKNOWN, facts.written_at)


# A page ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One endpoint."""

    name: str
    workspace: str
    status: Status
    since: datetime
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


def page(
    facts: Facts, sources: Iterable[Source], seen_at: datetime, scope: Scope, now: datetime
) -> Page:
    """`seen_at` is when the writer of the facts last came by: when it stops, all is stale."""
    limit = timedelta(seconds=facts.stale_seconds)
    mine = [source for source in sources if source.pk in scope.workspaces]
    dead = now - seen_at > limit
    stale = {s.pk for s in mine if dead or s.observed_at is None or now - s.observed_at > limit}
    observed = {s.pk: s.observed_at for s in mine}
    items = _items(facts, scope, stale, observed, now)
    lines = [SourceLine(scope.workspaces[s.pk], s.observed_at, s.pk in stale, 0) for s in mine]
    numbers: dict[str, int] = {}
    for item in items:
        numbers[item.workspace] = numbers.get(item.workspace, 0) + 1
    lines = [
        SourceLine(line.name, line.observed_at, line.stale, numbers.get(line.name, 0))
        for line in lines
    ]
    attention, silent, quiet = _sorted_out(items, lines)
    verdict = _verdict(items, lines, now)
    poller = _poller(facts, mine, seen_at, dead, now)
    strips = _strips(facts, scope, stale, observed, now)
    detailed = [_with_strip(facts, item, strips) for item in attention[:EXPANDED]]
    answered = list(observed.values())
    fresh = [at for pk, at in observed.items() if pk not in stale and at]
    return Page(
        slug=scope.slug,
        title=scope.title,
        now=now,
        valid_until=min([*fresh, seen_at]) + limit,
        poll=timedelta(seconds=facts.poll_seconds),
        max_age=limit,
        verdict=verdict,
        hint=_hint(items, mine, stale, scope, dead),
        sources=sorted(lines, key=lambda line: not line.stale),
        poller=poller,
        attention=detailed,
        more=len(attention) - len(detailed),
        silent=silent,
        quiet=quiet,
        events=_events(facts, scope, stale, observed, now),
        planned=_planned(facts, scope, now),
        histories=_histories(facts, scope, stale, observed, now),
        troubles=_troubles(facts, scope),
        items=items,
        counts={s: sum(1 for item in items if item.status is s) for s in Status},
        observed_at=min((at for at in answered if at), default=None) if all(answered) else None,
    )


def _items(
    facts: Facts,
    scope: Scope,
    stale: Collection[int],
    observed: Mapping[int, datetime | None],
    now: datetime,
) -> list[Item]:
    running = [window for window in facts.planned if window.start <= now < window.end]
    on_it = {o.entry: o for o in facts.on_it if o.at <= now < o.until}
    items = []
    for entry, name in scope.entries:
        status, since, known = entry.status, entry.since, entry.last_known
        if entry.workspace in stale and status is not Status.UNKNOWN:
            status, since, known = Status.UNKNOWN, observed[entry.workspace] or since, status
        trouble = on_it.get(entry.pk)
        items.append(
            Item(
                name=name,
                workspace=scope.workspaces[entry.workspace],
                status=status,
                since=since,
                planned=_excused(status, entry, running),
                absent=entry.pk == 0,
                updating=entry.updating,
                config=entry.config,
                pending=entry.pending,
                last_known=known,
                role=trouble.role if trouble else "",
                until=trouble.until if trouble else None,
                links=facts.links_of(entry.pk),
            )
        )
    return items


def _excused(status: Status, entry: Entry, running: Iterable[Planned]) -> bool:
    """That work is planned excuses what does not serve; it does not make the unknown known."""
    troubled = status in DOWN or status is Status.UPDATING
    return troubled and any(window.covers(entry) for window in running)


def _sorted_out(
    items: Iterable[Item], lines: Sequence[SourceLine]
) -> tuple[list[Item], list[Silent], Quiet]:
    """In need of attention, worst first; silent workspaces as a line each; and the rest."""
    stale = {line.name: line for line in lines if line.stale}
    known: dict[str, dict[Status, int]] = {name: {} for name in stale}
    attention, quiet = [], []
    for item in items:
        if item.workspace in stale:
            status = item.last_known or Status.UNKNOWN
            counts = known[item.workspace]
            counts[status] = counts.get(status, 0) + 1
        elif item.planned or item.status in (Status.READY, Status.STOPPED, Status.UPDATING):
            quiet.append(item)
        else:
            attention.append(item)
    attention.sort(key=lambda item: (-item.status.severity, item.since, item.name))
    silent = [
        Silent(name, line.number, line.observed_at, known[name]) for name, line in stale.items()
    ]
    tally: dict[Status, int] = {}
    for item in quiet:
        tally[item.status] = tally.get(item.status, 0) + 1
    order = (Status.READY, Status.UPDATING, Status.NOT_READY, Status.UPDATE_FAILED, Status.STOPPED)
    return attention, silent, Quiet({s: tally[s] for s in order if s in tally}, quiet)


def _verdict(items: Sequence[Item], lines: Sequence[SourceLine], now: datetime) -> Verdict:
    def number(*statuses: Status) -> int:
        return sum(1 for item in items if item.status in statuses and not item.planned)

    down = number(*DOWN)
    unknown = number(Status.UNKNOWN)
    updating = number(Status.UPDATING)
    failed = number(Status.READY_UPDATE_FAILED)
    planned = sum(1 for item in items if item.planned)
    silent = [(line.name, line.observed_at) for line in lines if line.stale]
    fresh = [line.observed_at for line in lines if not line.stale and line.observed_at]
    ever = [line.observed_at for line in lines if line.observed_at]
    if len(silent) == len(lines) or (items and unknown == len(items)):
        kind = Kind.UNKNOWN
    elif down:
        kind = Kind.DOWN
    elif unknown or silent:
        kind = Kind.PARTLY_UNKNOWN
    elif updating:
        kind = Kind.UPDATING
    elif planned:
        kind = Kind.PLANNED
    elif failed:
        kind = Kind.UPDATE_FAILED
    else:
        kind = Kind.GOOD if items else Kind.EMPTY
    return Verdict(
        kind=kind,
        total=len(items),
        down=down,
        unknown=unknown,
        updating=updating,
        planned=planned,
        stopped=number(Status.STOPPED),
        serving=number(Status.READY, Status.READY_UPDATE_FAILED),
        update_failed=failed,
        observed_at=min(fresh, default=max(ever, default=None)),
        silent=silent,
        since=max(ever, default=None) if len(silent) == len(lines) else None,
    )


def _poller(
    facts: Facts, mine: Sequence[Source], seen_at: datetime, dead: bool, now: datetime
) -> Poller:
    late = timedelta(seconds=LATE_CYCLES * facts.poll_seconds)
    waiting = [
        s for s in mine if not s.failing and (s.observed_at is None or now - s.observed_at > late)
    ]
    if dead:
        return Poller(Pace.SILENT, len(mine), seen_at)
    return Poller(Pace.LATE if waiting else Pace.ON_TIME, len(waiting), seen_at)


def _hint(
    items: Sequence[Item],
    mine: Sequence[Source],
    stale: Collection[int],
    scope: Scope,
    dead: bool,
) -> Hint:
    names = [scope.workspaces[s.pk] for s in mine if s.pk in stale]
    if stale and (dead or not any(s.failing for s in mine if s.pk in stale)):
        return Hint(Pattern.POLLER)
    if len(names) > 1:
        return Hint(Pattern.WORKSPACES)
    down = [item for item in items if item.status in DOWN and not item.planned]
    if names:
        return Hint(Pattern.WORKSPACE, names[0]) if not down else Hint(Pattern.NONE)
    if len(down) == 1:
        return Hint(Pattern.ENDPOINT, down[0].name)
    places = {item.workspace for item in down}
    if len(places) == 1:
        (place,) = places
        there = [item for item in items if item.workspace == place]
        if len(down) > 2 and 2 * len(down) > len(there):
            return Hint(Pattern.WORKSPACE, place)
    return Hint(Pattern.ENDPOINTS if down else Pattern.NONE)


def _strips(
    facts: Facts,
    scope: Scope,
    stale: Collection[int],
    observed: Mapping[int, datetime | None],
    now: datetime,
) -> dict[tuple[str, str], list[Span]]:
    """The last 24 hours of those whose changes the facts hold, by name and workspace."""
    strips = {}
    for entry, name in scope.entries:
        if entry.pk in facts.recent:
            strips[scope.workspaces[entry.workspace], name] = uptime.spans(
                facts.recent[entry.pk],
                start=now - DAY,
                end=now,
                first_seen=now - DAY,  # else its first sight is among the changes
                current=entry.status,
                unread=unread(facts, entry.workspace, stale, observed, now),
            )
    return strips


def unread(
    facts: Facts,
    workspace: int,
    stale: Collection[int],
    observed: Mapping[int, datetime | None],
    now: datetime,
) -> list[tuple[datetime, datetime]]:
    """When nobody read this workspace, up to now."""
    gaps = [(o.start, o.end) for o in facts.outages if o.workspace == workspace]
    if workspace in stale:
        gaps.append((observed[workspace] or facts.written_at, now))
    return gaps


def _with_strip(facts: Facts, item: Item, strips: Mapping[tuple[str, str], Sequence[Span]]) -> Item:
    if item.status in DOWN:
        return replace(item, strip=strips.get((item.workspace, item.name), ()))
    return item


def _events(
    facts: Facts,
    scope: Scope,
    stale: Collection[int],
    observed: Mapping[int, datetime | None],
    now: datetime,
) -> list[Event]:
    names = {entry.pk: name for entry, name in scope.entries if entry.pk}
    events = []
    for h in facts.happenings:
        if now - h.at > LATELY or h.workspace not in scope.workspaces:
            continue
        name = scope.workspaces[h.workspace] if h.entry is None else names.get(h.entry, "")
        if not name and scope.whole:
            name = h.name
        if name:
            lasted = timedelta(seconds=h.lasted)
            events.append(Event(h.at, name, h.what, h.ours, h.config, lasted))
    for pk in stale:
        at = observed[pk]
        if at is not None and now - at <= LATELY:
            events.append(Event(at, scope.workspaces[pk], "silent"))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _planned(facts: Facts, scope: Scope, now: datetime) -> list[Window]:
    windows = []
    for p in facts.planned:
        if p.end <= now or p.start > now + AHEAD:
            continue
        covered = [name for entry, name in scope.entries if p.covers(entry)]
        if not covered and not (scope.whole and p.workspaces & set(scope.workspaces)):
            continue
        running = p.start <= now
        windows.append(
            Window(p.title, p.note, p.start, p.end, p.zone, covered[:3], len(covered), running)
        )
    return sorted(windows, key=lambda window: window.start)


def _histories(
    facts: Facts,
    scope: Scope,
    stale: Collection[int],
    observed: Mapping[int, datetime | None],
    now: datetime,
) -> list[History]:
    found = []
    for key, name in scope.figures:
        figure = facts.figures.get(key)
        if figure is None or not figure.days:
            continue
        if key.startswith("w:"):
            silent = [pk for pk in stale if key == f"w:{pk}"]
        else:
            silent = list(stale) if len(stale) == len(scope.workspaces) else []
        since = min((observed[pk] or now - DAY for pk in silent), default=None)
        found.append(History(name, _until(figure, since, now), figure.day, figure.days))
    return found


def _until(figure: Figure, unknown_since: datetime | None, now: datetime) -> list[Stretch]:
    """The strip as far as now: what nobody has read since is unknown."""
    told = list(figure.strip)
    if told and told[-1].end < now:
        told.append(Stretch(told[-1].end, now, told[-1].account))
    if unknown_since is not None:
        told = [
            piece
            for s in told
            for piece in (
                Stretch(s.start, min(s.end, unknown_since), s.account),
                Stretch(max(s.start, unknown_since), s.end, Account.UNKNOWN),
            )
        ]
    return uptime.clipped(told, now - DAY, now)


def _troubles(facts: Facts, scope: Scope) -> list[PastTrouble]:
    names = {entry.pk: name for entry, name in scope.entries if entry.pk}
    found = []
    for t in facts.troubles:
        if t.workspace not in scope.workspaces:
            continue
        name = names.get(t.entry) or (t.name if scope.whole else "")
        if name:
            found.append(
                PastTrouble(
                    name,
                    scope.workspaces[t.workspace],
                    t.start,
                    t.end,
                    timedelta(seconds=t.down),
                    notes_of(facts, t.entry, t.start, t.end),
                )
            )
    return found


def notes_of(
    facts: Facts, entry: int, start: datetime, end: datetime | None
) -> list[tuple[datetime, str]]:
    """What people told of the incident: a note names it by a moment within it."""
    return [
        (note.at, note.text)
        for note in facts.notes
        if note.entry == entry and start <= note.incident and (end is None or note.incident < end)
    ]


# One endpoint ----------------------------------------------------------------------------------


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


def endpoint_page(
    facts: Facts,
    whole: Page,
    sources: Iterable[Source],
    entry: Entry,
    shown: tuple[str, str],
    changes: Sequence[uptime.Change],
    ours: Collection[datetime],
    first_seen: datetime,
) -> EndpointPage | None:
    """`shown` are its name and its workspace's there. `changes`: of the last 90 days, oldest
    first; `ours` are the times of those that an operation asked for here brought."""
    now = whole.now
    item = next((i for i in whole.items if (i.name, i.workspace) == shown), None)
    if item is None:
        return None
    observed = {s.pk: s.observed_at for s in sources}
    silent = any(line.stale for line in whole.sources if line.name == item.workspace)
    stale = {entry.workspace} if silent else set()
    days = uptime.days(now.date(), NINETY, UTC)
    tiled = uptime.spans(
        changes,
        start=days[0][1],
        end=now,
        first_seen=first_seen,
        current=entry.status,
        unread=unread(facts, entry.workspace, stale, observed, now),
    )
    windows = [(p.start, p.end) for p in facts.planned if p.covers(entry)]
    told = uptime.accounts(tiled, windows)
    return EndpointPage(
        page=whole,
        item=item,
        strip=[Span(max(s.start, now - DAY), s.end, s.status) for s in tiled if s.end > now - DAY],
        day=Totals.of(uptime.clipped(told, now - DAY, now)),
        days=[
            (day.isoformat(), Totals.of(uptime.clipped(told, start, end)))
            for day, start, end in days
        ],
        changes=[
            Event(c.at, item.name, c.now.value if c.now else "gone", c.at in ours)
            for c in reversed(changes[-CHANGES:])
        ],
        incidents=[
            _told(facts, entry, item, incident)
            for incident in reversed(uptime.incidents(told)[-INCIDENTS:])
        ],
    )


def _told(facts: Facts, entry: Entry, item: Item, incident: Incident) -> PastTrouble:
    notes = notes_of(facts, entry.pk, incident.start, incident.end)
    return PastTrouble(
        item.name, item.workspace, incident.start, incident.end, incident.down, notes
    )
