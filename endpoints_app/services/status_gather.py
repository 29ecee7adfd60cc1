"""What the status page is made from, gathered from the rows: no host, id, tag, owner, message or
document of an endpoint is taken along, and of people's entries only what they meant for the public.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch

from endpoints_app.domain import status_facts
from endpoints_app.domain.status_facts import (
    Facts,
    Member,
    Note,
    OnIt,
    Planned,
    View,
)
from endpoints_app.domain.status_links import Links, Rule, has_tag, links_of
from endpoints_app.domain.status_page import DOWN
from endpoints_app.domain.uptime import Change
from endpoints_app.models import (
    Acknowledgement,
    Endpoint,
    IncidentNote,
    Maintenance,
    Outage,
    StatusLink,
    StatusView,
    Workspace,
)
from endpoints_app.services import status_days, status_happenings, status_rows
from endpoints_app.services.live import stale_limit
from endpoints_app.services.status_days import Book, Life, Scope
from endpoints_app.services.status_rows import Row

BACK = timedelta(days=90)
LONGEST = 2.0  # seconds for counting days that are over


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
    rows = status_rows.living(names)
    by_pk = {row.entry.pk: row for row in rows}
    planned = [_window(w, rows) for w in entered.windows if w.cancelled_at is None]
    views = {v.slug: _view(v, rows) for v in entered.views}
    gaps, outages = _gaps(workspaces, now)

    scopes = _scopes(rows, entered.views, views, planned, names, now)
    kept = status_days.kept(scope.kept_as for scope in scopes)
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
        happenings=status_happenings.happenings(by_pk, names, outages, now),
        on_it=entered.on_it,
        planned=planned,
        notes=entered.notes,
        links=links,
        link_sets=link_sets,
        outages=outages,
        troubles=status_happenings.troubles(by_pk, names, planned, gaps, now),
        figures={s.key: status_days.figure(s, kept.get(s.kept_as), book) for s in scopes},
    )
    return facts, scopes, book


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
    entered: Iterable[StatusView],
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
    scopes = [Scope(f"w:{pk}", f"w:{pk}", there, [pk]) for pk, there in by_workspace.items()]
    for view in entered:
        shown = views[view.slug]
        members = [lives[m.entry] for m in shown.members if m.entry is not None]
        scopes.append(Scope(f"v:{view.slug}", _name_of_days(view), members, shown.workspaces))
    return scopes


def _name_of_days(view: StatusView) -> str:
    """A view that is made anew, or defined otherwise, does not inherit the days of the former."""
    members = [(m.workspace_id, m.name) for m in view.members.all()]
    said = repr((view.workspace_id, view.tag, sorted(members)))
    return f"v:{view.pk}:{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"


def close_days(scopes: Iterable[Scope], book: Book, entered: Entered) -> None:
    """The long count goes on with a later cycle, so that the writer is never away for long."""
    started = time.monotonic()
    edits = [(w.start, max(w.made_at, w.cancelled_at or w.made_at)) for w in entered.windows]
    kept = status_days.kept(scope.kept_as for scope in scopes)
    for scope in scopes:
        status_days.close_days(scope, kept.get(scope.kept_as), book, edits)
        if time.monotonic() - started > LONGEST:
            return


def _recent(rows: Iterable[Row], book: Book) -> dict[int, Sequence[Change]]:
    """The changes of those whose last 24 hours are shown on the page."""
    troubled = [row for row in rows if row.entry.status in DOWN][: status_happenings.TROUBLED]
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
