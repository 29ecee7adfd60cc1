"""Which endpoints a status page is about: the fleet, a workspace, or a named view."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Entry, Facts, View
from endpoints_app.domain.status_page import Scope


def scope_of(facts: Facts, slug: str, visible: Collection[int] | None = None) -> Scope | None:
    """The fleet for an empty slug, a named view, or a workspace. None where there is nothing, or
    nothing of it in the `visible` workspaces."""
    shown = {pk: n for pk, n in facts.workspaces.items() if visible is None or pk in visible}
    if not slug:
        hidden = visible is not None and bool(facts.workspaces) and not shown
        return None if hidden else _whole("", "", facts, shown)
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
