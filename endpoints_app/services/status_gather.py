"""What the status page is made from, gathered from the rows: no host, id, tag, owner, message or
document of an endpoint is taken along, and of people's entries only what they meant for the public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch, Q

from endpoints_app.domain import status_facts, uptime
from endpoints_app.domain.lifecycle import State
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import (
    Entry,
    Facts,
    Happening,
    Member,
    Note,
    OnIt,
    Planned,
    Trouble,
    View,
)
from endpoints_app.domain.status_links import Links, Rule, has_tag, links_of
from endpoints_app.domain.status_page import DOWN, LATELY
from endpoints_app.domain.uptime import Change
from endpoints_app.models import (
    Acknowledgement,
    Endpoint,
    IncidentNote,
    Maintenance,
    Operation,
    Outage,
    StatusChange,
    StatusLink,
    StatusView,
    Workspace,
)
from endpoints_app.services import status_days
from endpoints_app.services.live import stale_limit
from endpoints_app.services.status_days import Book, Life, Scope

BACK = timedelta(days=90)
TROUBLES_BACK = timedelta(days=14)
TROUBLED = 100  # endpoints whose incidents and strips the document holds
NEW_ONES = 3  # so many first sights of one workspace are told one by one


@dataclass(frozen=True, slots=True)
class Row:
    """An endpoint as it is read for the document."""

    entry: Entry
    first_seen: datetime
    updated_at: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entered:
    """What people entered in the app. Names of persons, and their private notes, are not read."""

    views: Sequence[StatusView]
    links: Sequence[StatusLink]
    windows: Sequence[Maintenance]
    on_it: Sequence[OnIt]
    notes: Sequence[Note]

    @classmethod
    def read(cls, now: datetime) -> Entered:
        acknowledged = Acknowledgement.objects.standing(now)
        noted = IncidentNote.objects.filter(incident_start__gt=now - BACK)
        return cls(
            views=list(StatusView.objects.exclude(slug="").prefetch_related("members")),
            links=list(StatusLink.objects.all()),
            windows=list(
                Maintenance.objects.filter(end__gt=now - BACK).prefetch_related(
                    Prefetch("endpoints", Endpoint.objects.only("pk"))
                )
            ),
            on_it=[
                OnIt(*row) for row in acknowledged.values_list("endpoint_id", "role", "at", "until")
            ],
            notes=[
                Note(*row)
                for row in noted.values_list("endpoint_id", "incident_start", "text", "at")
            ],
        )

    @property
    def digest(self) -> str:
        said = (
            [
                (
                    (v.slug, v.title, v.workspace_id, v.tag),
                    [(m.workspace_id, m.name, m.alias, m.position) for m in v.members.all()],
                )
                for v in self.views
            ],
            [
                (it.endpoint_id, it.tag, it.runbook_url, it.contact_name, it.contact_url)
                for it in self.links
            ],
            [
                (
                    (w.pk, w.title, w.note, w.start, w.end, w.zone, w.workspace_id, w.tag),
                    (w.cancelled_at, *(e.pk for e in w.endpoints.all())),
                )
                for w in self.windows
            ],
            self.on_it,
            self.notes,
        )
        return repr(said)


def is_stale(workspace: Workspace, now: datetime) -> bool:
    return workspace.observed_at is None or now - workspace.observed_at > stale_limit()


def gather(
    workspaces: Sequence[Workspace], entered: Entered, now: datetime
) -> tuple[Facts, list[Scope], Book]:
    names = {w.pk: w.name for w in workspaces}
    rows = _rows(names)
    by_pk = {row.entry.pk: row for row in rows}
    planned = [_window(w, rows) for w in entered.windows if w.cancelled_at is None]
    views = {v.slug: _view(v, rows) for v in entered.views}
    gaps, outages = _gaps(workspaces, now)

    scopes = _scopes(rows, views, planned, names, now)
    kept = status_days.kept(scope.key for scope in scopes)
    since = status_days.open_since(kept.values(), now)
    book = Book(
        now=now,
        gaps=gaps,
        observed={w.pk: w.observed_at for w in workspaces},
        since=since,
        changes=status_days.read_changes(since),
    )
    links, link_sets = _links(rows, entered.links)
    facts = Facts(
        written_at=now,
        poll_seconds=settings.SYNC_SECONDS,
        stale_seconds=settings.STALE_SECONDS,
        workspaces=names,
        entries=[row.entry for row in rows],
        views=views,
        recent=_recent(rows, book),
        happenings=_happenings(by_pk, names, outages, now),
        on_it=entered.on_it,
        planned=planned,
        notes=entered.notes,
        links=links,
        link_sets=link_sets,
        outages=outages,
        troubles=_troubles(by_pk, names, planned, gaps, now),
        figures={s.key: status_days.figure(s, kept.get(s.key), book) for s in scopes},
    )
    return facts, scopes, book


def _rows(names: Mapping[int, str]) -> list[Row]:
    statuses = {status.value: status for status in Status}
    found = Endpoint.objects.living().in_workspaces(list(names))
    fields = (
        "pk", "workspace_id", "name", "status", "status_since", "last_known", "updating",
        "config_version", "pending_version", "first_seen_at", "updated_at", "tags",
    )  # fmt: skip
    rows = []
    for pk, ws, name, value, since, last, *configs, first, updated, tags in found.order_by(
        "workspace__name", "name"
    ).values_list(*fields):
        entry = Entry(pk, ws, name, statuses[value], since, statuses.get(last), *configs)
        rows.append(Row(entry, first, updated, tags))
    return rows


def _window(window: Maintenance, rows: Iterable[Row]) -> Planned:
    """A workspace, what carries a tag (in one workspace or in all), or its endpoints."""
    entries, whole = {e.pk for e in window.endpoints.all()}, set()
    if window.tag:
        entries |= {row.entry.pk for row in rows if _tagged(row, window.tag, window.workspace_id)}
    elif window.workspace_id is not None:
        whole.add(window.workspace_id)
    return Planned(
        window.title,
        window.note,
        window.start,
        window.end,
        window.zone,
        frozenset(entries),
        frozenset(whole),
    )


def _tagged(row: Row, tag: str, workspace: int | None) -> bool:
    return (workspace is None or row.entry.workspace == workspace) and has_tag(row.tags, tag)


def _view(view: StatusView, rows: Sequence[Row]) -> View:
    if view.is_list:
        there = {(row.entry.workspace, row.entry.name): row.entry.pk for row in rows}
        members = [
            Member(there.get((m.workspace_id, m.name)), m.workspace_id, m.name, m.alias)
            for m in view.members.all()
        ]
        return View(view.slug, view.title, members, sorted({m.workspace for m in members}))
    members = [
        Member(row.entry.pk, row.entry.workspace, row.entry.name)
        for row in rows
        if (view.workspace_id is None or row.entry.workspace == view.workspace_id)
        and (not view.tag or has_tag(row.tags, view.tag))
    ]
    workspaces = {m.workspace for m in members}
    if view.workspace_id is not None:
        workspaces.add(view.workspace_id)
    return View(view.slug, view.title, members, sorted(workspaces))


def _gaps(
    workspaces: Iterable[Workspace], now: datetime
) -> tuple[dict[int, list[tuple[datetime, datetime]]], list[status_facts.Outage]]:
    """When nobody read a workspace: kept outages, and the one that may last."""
    pks = [w.pk for w in workspaces]
    found = Outage.objects.filter(end__gt=now - BACK, workspace__in=pks).order_by("end")
    outages = [
        status_facts.Outage(*row) for row in found.values_list("workspace_id", "start", "end")
    ]
    gaps: dict[int, list[tuple[datetime, datetime]]] = {}
    for outage in outages:
        gaps.setdefault(outage.workspace, []).append((outage.start, outage.end))
    for w in workspaces:
        if w.observed_at is not None and is_stale(w, now):
            gaps.setdefault(w.pk, []).append((w.observed_at, now))
    return gaps, outages


def _scopes(
    rows: Sequence[Row],
    views: Mapping[str, View],
    planned: Sequence[Planned],
    names: Mapping[int, str],
    now: datetime,
) -> list[Scope]:
    """Each workspace, with those of its endpoints that are gone, and each named view."""
    lives = {
        row.entry.pk: Life(
            row.entry.pk,
            row.entry.workspace,
            row.first_seen,
            row.entry.status,
            tuple((p.start, p.end) for p in planned if p.covers(row.entry)),
        )
        for row in rows
    }
    by_workspace: dict[int, list[Life]] = {pk: [] for pk in names}
    for life in lives.values():
        by_workspace[life.workspace].append(life)
    for pk, workspace, first_seen in status_days.departed(now - BACK, names):
        by_workspace[workspace].append(Life(pk, workspace, first_seen, None))
    scopes = [Scope(f"w:{pk}", there, [pk]) for pk, there in by_workspace.items()]
    for view in views.values():
        members = [lives[m.entry] for m in view.members if m.entry is not None]
        scopes.append(Scope(f"v:{view.slug}", members, view.workspaces))
    return scopes


def close_days(scopes: Iterable[Scope], book: Book, entered: Entered) -> None:
    """Of one scope in each cycle the long count, so that the writer is never away for long."""
    edits = [(w.start, max(w.made_at, w.cancelled_at or w.made_at)) for w in entered.windows]
    kept = status_days.kept(scope.key for scope in scopes)
    for scope in scopes:
        if status_days.close_days(scope, kept.get(scope.key), book, edits):
            return


def _recent(rows: Iterable[Row], book: Book) -> dict[int, Sequence[Change]]:
    """The changes of those whose last 24 hours are shown on the page."""
    troubled = [row for row in rows if row.entry.status in DOWN][:TROUBLED]
    start = book.now - timedelta(hours=24)
    return {
        row.entry.pk: [c for c in book.changes.get(row.entry.pk, ()) if c.at > start]
        for row in troubled
    }


def _links(rows: Iterable[Row], links: Iterable[StatusLink]) -> tuple[dict[int, int], list[Links]]:
    """Each different set of links once."""
    rules = [
        Rule(Links(it.runbook_url, it.contact_name, it.contact_url), it.endpoint_id, it.tag)
        for it in links
    ]
    places: dict[Links, int] = {}
    found = {}
    if rules:
        for row in rows:
            theirs = links_of(row.entry.pk, row.tags, rules)
            if theirs != Links():
                found[row.entry.pk] = places.setdefault(theirs, len(places))
    return found, list(places)


# What happened ---------------------------------------------------------------------------------


def _happenings(
    rows: Mapping[int, Row],
    names: Mapping[int, str],
    outages: Iterable[status_facts.Outage],
    now: datetime,
) -> list[Happening]:
    since = now - LATELY
    found = [
        Happening(
            o.end, o.workspace, None, "", "answered", lasted=int((o.end - o.start).total_seconds())
        )
        for o in outages
        if o.end > since
    ]
    flipped = set()
    new: dict[int, list[Happening]] = {}
    changes = StatusChange.objects.filter(at__gt=since, endpoint__workspace__in=list(names))
    for at, pk, was, to, ours, ws, name in changes.values_list(
        "at",
        "endpoint_id",
        "was",
        "now",
        "operation_id",
        "endpoint__workspace_id",
        "endpoint__name",
    ):
        flipped.add(pk)
        if was == to:
            continue  # another reason, the same status
        if not was:
            new.setdefault(ws, []).append(Happening(at, ws, pk, name, "new"))
            continue
        entry = rows[pk].entry if pk in rows else None
        latest = entry is not None and entry.status.value == to and entry.since == at
        config = (entry.pending or entry.config) if entry and latest else None
        found.append(Happening(at, ws, pk, name, to or "gone", ours is not None, config))
    for ws, seen in new.items():
        if len(seen) <= NEW_ONES:
            found += seen
        else:
            found.append(Happening(max(h.at for h in seen), ws, None, "", "many", config=len(seen)))
    found += [
        Happening(row.updated_at, e.workspace, e.pk, e.name, "config", config=e.config)
        for pk, row in rows.items()
        if (e := row.entry).status is Status.READY
        and row.updated_at
        and since < row.updated_at <= now
        and e.config is not None
        and not e.updating
        and pk not in flipped
    ]
    return sorted([*found, *_operations(rows, since)], key=lambda h: h.at, reverse=True)


def _operations(rows: Mapping[int, Row], since: datetime) -> list[Happening]:
    """Those whose outcome no change of status shows: under way, failed, not confirmed."""
    open_now = Q(state__in=[State.QUEUED, State.SENDING, State.SENT])
    ended = Q(state__in=[State.FAILED, State.NOT_CONFIRMED], settled_at__gt=since)
    found = []
    for pk, kind, state, asked, settled in Operation.objects.filter(open_now | ended).values_list(
        "endpoint_id", "kind", "state", "requested_at", "settled_at"
    ):
        if row := rows.get(pk):
            what = f"{kind}:{state if settled else 'open'}"
            e = row.entry
            found.append(Happening(settled or asked, e.workspace, pk, e.name, what, ours=True))
    return found


def _troubles(
    rows: Mapping[int, Row],
    names: Mapping[int, str],
    planned: Sequence[Planned],
    gaps: status_days.Gaps,
    now: datetime,
) -> list[Trouble]:
    """Incidents of the last days, newest first, of the endpoints that had trouble most lately."""
    start = now - TROUBLES_BACK
    down = [status.value for status in DOWN]
    came_down = Q(now__in=down) | Q(now=Status.UPDATING.value, was__startswith="ready")
    lately = StatusChange.objects.filter(
        came_down, at__gt=start, endpoint__workspace__in=list(names), endpoint__gone_at=None
    )
    pks = dict.fromkeys(lately.order_by("-at").values_list("endpoint_id", flat=True)[:500])
    still = (row.entry.pk for row in rows.values() if row.entry.status in DOWN)
    chosen = list(dict.fromkeys([*still, *pks]))[:TROUBLED]
    changes = status_days.read_changes(start - status_days.LEAD, chosen)
    found = []
    for pk in chosen:
        row = rows.get(pk)
        if row is None:
            continue
        told = uptime.accounts(
            uptime.spans(
                changes.get(pk, ()),
                start=start - status_days.LEAD,
                end=now,
                first_seen=row.first_seen,
                current=row.entry.status,
                unread=gaps.get(row.entry.workspace, ()),
            ),
            [(p.start, p.end) for p in planned if p.covers(row.entry)],
        )
        found += [
            Trouble(
                pk,
                row.entry.workspace,
                row.entry.name,
                incident.start,
                incident.end,
                int(incident.down.total_seconds()),
            )
            for incident in uptime.incidents(told)
        ]
    return sorted(found, key=lambda trouble: trouble.start, reverse=True)[:TROUBLED]
