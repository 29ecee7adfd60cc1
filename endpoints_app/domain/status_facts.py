"""What the status page is made from, as it is kept between a sync and a reader.

Only what is listed here is kept: no host, id of Databricks, token, tag, owner, message or document
has a field. `dump` and `load` turn it into JSON and back; times are whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_links import Links
from endpoints_app.domain.uptime import Account, Change, Stretch, Totals

NOTHING = Totals()
FORMAT = 2
"""Raise when the form changes: a row of another form is as good as none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An endpoint as the last reading showed it; `pk` never leaves the server."""

    pk: int
    workspace: int
    name: str
    status: Status
    since: datetime
    last_known: Status | None = None  # before it was Unknown
    updating: bool = False
    config: int | None = None
    pending: int | None = None
    longer: bool = False  # it was so when first seen: since when is not known


@dataclass(frozen=True, slots=True)
class Member:
    """A place in a named view; `entry` is None where no endpoint has the name now."""

    entry: int | None
    workspace: int
    name: str
    alias: str = ""

    @property
    def shown(self) -> str:
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class View:
    """A named page. Only a list of endpoints has members with an alias."""

    slug: str
    title: str
    members: Sequence[Member]
    workspaces: Sequence[int]

    @property
    def discreet(self) -> bool:
        """Everything in it has another name to the public: its workspaces have none at all."""
        return bool(self.members) and all(member.alias for member in self.members)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something of the last hours, about an endpoint or, without one, about a workspace.

    `what` is a status, "gone", "new", "config", "answered", or an operation such as "stop:open".
    `ours`: an operation asked for here brought it.
    """

    at: datetime
    workspace: int
    entry: int | None
    name: str
    what: str
    ours: bool = False
    config: int | None = None
    lasted: int = 0  # seconds, of an outage


@dataclass(frozen=True, slots=True)
class OnIt:
    entry: int
    role: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    title: str
    note: str
    start: datetime
    end: datetime
    zone: str
    entries: frozenset[int] = frozenset()
    workspaces: frozenset[int] = frozenset()  # whole ones

    def covers(self, entry: Entry) -> bool:
        return entry.pk in self.entries or entry.workspace in self.workspaces


@dataclass(frozen=True, slots=True)
class Note:
    entry: int
    incident: datetime
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    workspace: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident of a scope, as the feed and "the last trouble" tell it."""

    entry: int
    workspace: int
    name: str
    start: datetime
    end: datetime | None
    down: int  # seconds


@dataclass(frozen=True, slots=True)
class Figure:
    """The history of a scope: 24 hours as stretches of the worst, 90 days as totals."""

    strip: Sequence[Stretch] = ()
    day: Totals = NOTHING
    days: Sequence[tuple[str, Totals]] = ()  # ISO date, oldest first, the last is today


@dataclass(frozen=True, slots=True)
class Facts:
    written_at: datetime
    poll_seconds: float
    stale_seconds: float
    workspaces: Mapping[int, str] = field(default_factory=dict)
    entries: Sequence[Entry] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    recent: Mapping[int, Sequence[Change]] = field(default_factory=dict)  # of troubled ones, 24 h
    happenings: Sequence[Happening] = ()
    on_it: Sequence[OnIt] = ()
    planned: Sequence[Planned] = ()
    notes: Sequence[Note] = ()
    links: Mapping[int, int] = field(default_factory=dict)  # entry → place in link_sets
    link_sets: Sequence[Links] = ()
    outages: Sequence[Outage] = ()
    troubles: Sequence[Trouble] = ()  # newest first
    figures: Mapping[str, Figure] = field(default_factory=dict)  # "w:<pk>", "v:<slug>", "all"

    def links_of(self, entry: int) -> Links:
        place = self.links.get(entry)
        return self.link_sets[place] if place is not None else Links()


def dump(facts: Facts) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "written_at": _s(facts.written_at),
        "poll": facts.poll_seconds,
        "stale": facts.stale_seconds,
        "workspaces": [[pk, name] for pk, name in facts.workspaces.items()],
        "entries": [
            [
                e.pk,
                e.workspace,
                e.name,
                e.status.value,
                _s(e.since),
                e.last_known.value if e.last_known else "",
                int(e.updating),
                e.config,
                e.pending,
                int(e.longer),
            ]
            for e in facts.entries
        ],
        "views": [
            [
                v.slug,
                v.title,
                [[m.entry, m.workspace, m.name, m.alias] for m in v.members],
                list(v.workspaces),
            ]
            for v in facts.views.values()
        ],
        "recent": [
            [pk, [[_s(c.at), _value(c.was), _value(c.now)] for c in changes]]
            for pk, changes in facts.recent.items()
        ],
        "happenings": [
            [_s(h.at), h.workspace, h.entry, h.name, h.what, int(h.ours), h.config, h.lasted]
            for h in facts.happenings
        ],
        "on_it": [[o.entry, o.role, _s(o.at), _s(o.until)] for o in facts.on_it],
        "planned": [
            [
                p.title,
                p.note,
                _s(p.start),
                _s(p.end),
                p.zone,
                sorted(p.entries),
                sorted(p.workspaces),
            ]
            for p in facts.planned
        ],
        "notes": [[n.entry, _s(n.incident), n.text, _s(n.at)] for n in facts.notes],
        "links": [[pk, place] for pk, place in facts.links.items()],
        "link_sets": [
            [link.runbook_url, link.contact_name, link.contact_url] for link in facts.link_sets
        ],
        "outages": [[o.workspace, _s(o.start), _s(o.end)] for o in facts.outages],
        "troubles": [
            [t.entry, t.workspace, t.name, _s(t.start), _s(t.end) if t.end else None, t.down]
            for t in facts.troubles
        ],
        "figures": [
            [
                key,
                [[_s(s.start), _s(s.end), s.account.value if s.account else ""] for s in f.strip],
                _totals(f.day),
                [[day, *_totals(totals)] for day, totals in f.days],
            ]
            for key, f in facts.figures.items()
        ],
    }


def load(document: Any) -> Facts | None:
    """None for what another version of the program has written."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return None
    statuses = {status.value: status for status in Status}
    return Facts(
        written_at=_t(document["written_at"]),
        poll_seconds=document["poll"],
        stale_seconds=document["stale"],
        workspaces=dict(document["workspaces"]),
        entries=[
            Entry(
                *(pk, ws, name, statuses[value], _t(since), statuses.get(last)),
                *(bool(moving), *configs, bool(longer)),
            )
            for pk, ws, name, value, since, last, moving, *configs, longer in document["entries"]
        ],
        views={
            slug: View(slug, title, [Member(*m) for m in members], workspaces)
            for slug, title, members, workspaces in document["views"]
        },
        recent={
            pk: [Change(_t(at), statuses.get(was), statuses.get(now)) for at, was, now in changes]
            for pk, changes in document["recent"]
        },
        happenings=[
            Happening(_t(at), ws, entry, name, what, bool(ours), config, lasted)
            for at, ws, entry, name, what, ours, config, lasted in document["happenings"]
        ],
        on_it=[OnIt(pk, role, _t(at), _t(until)) for pk, role, at, until in document["on_it"]],
        planned=[
            Planned(title, note, _t(start), _t(end), zone, *(frozenset(pks) for pks in covered))
            for title, note, start, end, zone, *covered in document["planned"]
        ],
        notes=[Note(pk, _t(start), text, _t(at)) for pk, start, text, at in document["notes"]],
        links=dict(document["links"]),
        link_sets=[Links(*parts) for parts in document["link_sets"]],
        outages=[Outage(ws, _t(start), _t(end)) for ws, start, end in document["outages"]],
        troubles=[
            Trouble(pk, ws, name, _t(start), _t(end) if end else None, down)
            for pk, ws, name, start, end, down in document["troubles"]
        ],
        figures={
            key: Figure(
                [Stretch(_t(a), _t(b), Account(value) if value else None) for a, b, value in strip],
                Totals(*day),
                [(iso, Totals(*totals)) for iso, *totals in days],
            )
            for key, strip, day, days in document["figures"]
        },
    )


def _s(at: datetime) -> int:
    return int(at.timestamp())


def _t(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _value(status: Status | None) -> str:
    return status.value if status else ""


def _totals(totals: Totals) -> list[int]:
    return [round(number) for number in totals.seconds]
