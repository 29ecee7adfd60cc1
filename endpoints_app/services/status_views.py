"""Named status pages: who makes them, what they show, and the links that open them.

The page of the whole fleet always exists; its row is made when it first gets a link.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet

from endpoints_app.domain import status_views as rules
from endpoints_app.domain.roles import Action
from endpoints_app.models import StatusView, StatusViewMember, Workspace
from endpoints_app.models.status_view import FLEET
from endpoints_app.services import audit, live, scopes
from endpoints_app.services.access import Access, Forbidden, NotVisible

FLEET_NAME = "fleet"
"""What the fleet's page is called in our own addresses; no view can have this name."""


@dataclass(frozen=True, slots=True)
class Member:
    workspace: int
    name: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    title: str
    slug: str
    workspace: int | None = None
    tag: str = ""
    members: Sequence[Member] = field(default_factory=tuple)


class SlugTaken(Exception):
    """Another page has this name."""


def views_for(access: Access) -> list[StatusView]:
    """Those that this person may change, the fleet's first where it is theirs. Two queries."""
    found = {view.slug: view for view in _with_members() if may_change(access, view)}
    if scopes.may_everywhere(access, Action.STATUS_VIEWS):
        found.setdefault(FLEET, StatusView(slug=FLEET))
    return sorted(found.values(), key=lambda view: (not view.is_fleet, view.title.lower()))


def view_for(access: Access, name: str) -> StatusView:
    """Raises NotVisible, and Forbidden for who may change status pages, but not this one."""
    if not may_any(access):
        raise Forbidden(Action.STATUS_VIEWS)
    slug = FLEET if name == FLEET_NAME else name
    view = None if "\0" in slug else _with_members().filter(slug=slug).first()
    if view is None and slug == FLEET:
        view = StatusView(slug=FLEET)
    if view is None:
        raise NotVisible
    if not may_change(access, view):
        raise Forbidden(Action.STATUS_VIEWS)
    return view


def may_any(access: Access) -> bool:
    """Whether there is any status page that this person could make."""
    held = [access.everywhere, *access.by_workspace.values()]
    return any(Action.STATUS_VIEWS in role.actions for roles in held for role in roles)


def may_change(access: Access, view: StatusView) -> bool:
    if view.is_list and view.pk:
        workspaces: Iterable[int | None] = {m.workspace_id for m in view.members.all()}
    else:
        workspaces = {view.workspace_id}
    return scopes.may(access, Action.STATUS_VIEWS, workspaces)


def save(view: StatusView | None, wanted: Wanted, *, by: User, now: datetime) -> StatusView:
    """Make it, or change what it shows; its link stays. Raises SlugTaken."""
    made = view is None
    with live.writing():
        view = view or StatusView()
        same = StatusView.objects.filter(slug=wanted.slug).exclude(pk=view.pk)
        # Each workspace has a page of its own, by its name.
        if same.exists() or Workspace.objects.filter(name=wanted.slug).exists():
            raise SlugTaken
        view.title, view.slug = wanted.title, wanted.slug
        view.workspace_id, view.tag = wanted.workspace, wanted.tag
        view.save()
        view.members.all().delete()
        StatusViewMember.objects.bulk_create(
            StatusViewMember(
                view=view,
                workspace_id=member.workspace,
                name=member.name,
                alias=member.alias,
                position=position,
            )
            for position, member in enumerate(wanted.members)
        )
        live.next_revision()
        _record("status page made" if made else "status page changed", view, by=by, now=now)
    return view


def remove(view: StatusView, *, by: User, now: datetime) -> None:
    """The page and its link; nothing that it showed."""
    with live.writing():
        _record("status page removed", view, by=by, now=now)
        view.delete()
        live.next_revision()


def make_link(view: StatusView, *, by: User, now: datetime) -> str:
    """A new token, given this once; one from before opens nothing any more."""
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    with live.writing():
        if view.pk is None:
            view, _ = StatusView.objects.get_or_create(slug=view.slug)
        kept = {"token_digest": rules.digest(token), "token_made_at": now}
        StatusView.objects.filter(pk=view.pk).update(**kept)
        live.next_revision()
        _record("status page link made", view, by=by, now=now)
    return token


def revoke_link(view: StatusView, *, by: User, now: datetime) -> bool:
    """False where there was none."""
    with live.writing():
        linked = StatusView.objects.filter(pk=view.pk).exclude(token_digest="")
        if not linked.update(token_digest="", token_made_at=None):
            return False
        live.next_revision()
        _record("status page link revoked", view, by=by, now=now)
    return True


def _with_members() -> QuerySet[StatusView]:
    members = Prefetch("members", StatusViewMember.objects.select_related("workspace"))
    return StatusView.objects.select_related("workspace").prefetch_related(members)


def _record(action: str, view: StatusView, *, by: User, now: datetime) -> None:
    workspace = view.workspace.name if view.workspace_id and view.workspace else ""
    detail = {"page": view.slug or FLEET_NAME, "tag": view.tag}
    audit.of_status_page(action, by=by, now=now, workspace=workspace, detail=detail)
