"""Planned work: who plans it, changes it, ends it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from endpoints_app.domain.roles import Action
from endpoints_app.models import Maintenance
from endpoints_app.models.maintenance import MaintenanceQuerySet
from endpoints_app.services import audit, live, scopes
from endpoints_app.services.access import Access, Forbidden, NotVisible

LONGEST = timedelta(days=31)
"""A longer window would hide what it should explain."""
LATEST_ENTRY = timedelta(days=1)
"""How long after its begin a window may still be entered: history is not rewritten."""
PAST_SHOWN = timedelta(days=30)


class Over(Exception):
    """It is past, and history is not rewritten."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`endpoints` are rows; a workspace or a tag may stand in their place."""

    title: str
    note: str
    start: datetime
    end: datetime
    zone: str
    workspace: int | None = None
    tag: str = ""
    endpoints: Sequence[int] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Windows:
    now: list[Maintenance]
    ahead: list[Maintenance]
    past: list[Maintenance]  # also what was cancelled


def windows(visible: Collection[int], now: datetime) -> Windows:
    """What touches these workspaces. Two queries."""
    lately = list(_touching(visible).filter(end__gt=now - PAST_SHOWN))
    standing = [w for w in lately if w.cancelled_at is None and not w.is_over(now)]
    past = [w for w in lately if w.cancelled_at is not None or w.is_over(now)]
    return Windows(
        now=[w for w in standing if w.start <= now],
        ahead=[w for w in standing if w.start > now],
        past=sorted(past, key=lambda w: w.start, reverse=True),
    )


def _touching(visible: Collection[int]) -> MaintenanceQuerySet:
    everywhere = Q(workspace=None) & ~Q(tag="")
    mine = Q(workspace__in=visible) | Q(endpoints__workspace__in=visible) | everywhere
    found = Maintenance.objects.filter(mine).distinct()
    return found.select_related("workspace").prefetch_related("endpoints__workspace")


def window_for(access: Access, visible: Collection[int], pk: int) -> Maintenance:
    """Raises NotVisible, and Forbidden for who sees it but may not change it."""
    window = _touching(visible).filter(pk=pk).first()
    if window is None:
        raise NotVisible
    if not may_change(access, window):
        raise Forbidden(Action.MAINTAIN)
    return window


def may_change(access: Access, window: Maintenance) -> bool:
    return scopes.may(access, Action.MAINTAIN, _workspaces(window))


def _workspaces(window: Maintenance) -> set[int | None]:
    """In which one needs the right; None is all."""
    if window.workspace_id is not None or window.tag:
        return {window.workspace_id}
    return {endpoint.workspace_id for endpoint in window.endpoints.all()}


def plan(wanted: Wanted, *, by: User, now: datetime) -> Maintenance:
    with live.writing():
        window = Maintenance(made_by=by, made_by_name=audit.name_of(by), made_at=now)
        _write(window, wanted)
        _record("work planned", window, by=by, now=now)
    return window


def change(window: Maintenance, wanted: Wanted, *, by: User, now: datetime) -> None:
    """Raises Over for what is past or was cancelled meanwhile."""
    with live.writing():
        _still_standing(window, now)
        _write(window, wanted)
        _record("planned work changed", window, by=by, now=now)


def cancel(window: Maintenance, *, by: User, now: datetime) -> None:
    """What has not begun will not have been; what has, ends now. Raises Over."""
    with live.writing():
        _still_standing(window, now)
        if window.start < now:
            window.end = now
            window.save(update_fields=["end"])
        else:
            window.cancelled_at = now
            window.save(update_fields=["cancelled_at"])
        _record("planned work cancelled", window, by=by, now=now)


def _still_standing(window: Maintenance, now: datetime) -> None:
    """Of two who change it at once the second meets what the first made of it."""
    window.refresh_from_db(fields=["start", "end", "cancelled_at"])
    if window.cancelled_at is not None or window.is_over(now):
        raise Over


def _write(window: Maintenance, wanted: Wanted) -> None:
    window.title, window.note = wanted.title, wanted.note
    window.start, window.end, window.zone = wanted.start, wanted.end, wanted.zone
    window.workspace_id, window.tag = wanted.workspace, wanted.tag
    window.save()
    window.endpoints.set(wanted.endpoints)
    live.next_revision()


def _record(action: str, window: Maintenance, *, by: User, now: datetime) -> None:
    workspace = window.workspace.name if window.workspace_id and window.workspace else ""
    detail = {
        "title": window.title,
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        "tag": window.tag,
    }
    audit.of_status_page(action, by=by, now=now, workspace=workspace, detail=detail)
