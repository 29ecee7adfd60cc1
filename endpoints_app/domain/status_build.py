"""The facts of the last reading, and the clock → a status page.

What is shown is the worse of status and staleness, decided here and each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from endpoints_app.domain import status_verdict, uptime
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Entry, Facts, Figure, Planned
from endpoints_app.domain.status_page import (
    AHEAD,
    CHANGES,
    DAY,
    DOWN,
    EXPANDED,
    INCIDENTS,
    LATELY,
    NINETY,
    EndpointPage,
    Event,
    History,
    Item,
    Page,
    PastTrouble,
    Quiet,
    Scope,
    Silent,
    Source,
    SourceLine,
    Window,
)
from endpoints_app.domain.uptime import Account, Incident, Span, Stretch, Totals


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
    verdict = status_verdict.verdict(items, lines)
    poller = status_verdict.poller(facts, mine, seen_at, dead, now)
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
        hint=status_verdict.hint(items, mine, stale, scope, dead),
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
        longer = entry.longer
        if entry.workspace in stale and status is not Status.UNKNOWN:
            status, since, known = Status.UNKNOWN, observed[entry.workspace] or since, status
            longer = False
        trouble = on_it.get(entry.pk)
        items.append(
            Item(
                name=name,
                workspace=scope.workspaces[entry.workspace],
                status=status,
                since=since,
                longer=longer,
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
            (day.isoformat(), totals)
            for (day, _, _), totals in zip(days, uptime.by_day([(told, 1)], days), strict=True)
        ],
        changes=[
            Event(c.at, item.name, _what(c), c.at in ours)
            for c in reversed(changes[-CHANGES:])
            if c.was is not c.now  # another reason is no other status
        ],
        incidents=[
            _told(facts, entry, item, incident)
            for incident in reversed(uptime.incidents(told)[-INCIDENTS:])
        ],
    )


def _what(change: uptime.Change) -> str:
    if change.was is None:
        return "new"
    return change.now.value if change.now else "gone"


def _told(facts: Facts, entry: Entry, item: Item, incident: Incident) -> PastTrouble:
    notes = notes_of(facts, entry.pk, incident.start, incident.end)
    return PastTrouble(
        item.name, item.workspace, incident.start, incident.end, incident.down, notes
    )
