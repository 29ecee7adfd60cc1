"""Who may do what with an endpoint: the page, and the part of it that reads itself again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app import sentences
from endpoints_app.domain.permissions import (
    LEVELS,
    Access,
    Entry,
    Ourselves,
    PrincipalKind,
    counts,
)
from endpoints_app.domain.roles import Action
from endpoints_app.models import AuditEntry, Endpoint
from endpoints_app.services import audit, permissions
from endpoints_app.services.upstream import Busy, Copy
from endpoints_app.views import guards, heading

CHANGES_SHOWN = 5


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Read before it is sent. Where scripts run and nothing is at hand, the page comes at once and
    the list follows: a workspace that hangs does not keep the rest of the page away."""
    endpoint = guards.endpoint(request, workspace, name)
    follows = guards.runs_scripts(request) and "wait" not in request.GET
    if follows and has_list(endpoint) and permissions.at_hand(endpoint) is None:
        context: dict[str, Any] = {"state": "loading"}
    else:
        context = _read(request, endpoint)
    access = guards.access_of(request)
    may_edit = access.may(Action.PERMISSIONS, endpoint.workspace_id)
    context |= {
        "tab": "permissions",
        "title": _("Permissions"),
        "q": _query(request),
        "may_edit": may_edit,
        "why_not": ""
        if may_edit
        else sentences.roles.lacking(Action.PERMISSIONS, access.best_role(endpoint.workspace_id)),
    }
    context |= heading.of(request, endpoint) | _addresses(request, endpoint)
    return render(request, "permissions/page.html", context)


@require_safe
def changes(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """204 while it says what the page shows; the time of the reading travels all the same."""
    endpoint = guards.endpoint(request, workspace, name)
    context = _read(request, endpoint)
    since = request.GET.get("since", "")
    unchanged = since and context["version"] == since
    if unchanged or (since and context["state"] == "busy"):
        response = HttpResponse(status=204)
    else:
        context |= {"endpoint": endpoint, "q": _query(request), "now": timezone.now()}
        context |= _addresses(request, endpoint)
        response = render(request, "permissions/_list.html", context)
    if copy := context.get("copy"):
        response.headers["Desk-Read"] = str(int(copy.read_at.timestamp()))
    return response


def has_list(endpoint: Endpoint) -> bool:
    """Pay-per-token endpoints have no id, and so no access control list."""
    return bool(endpoint.uid) and endpoint.gone_at is None


@dataclass(frozen=True, slots=True)
class Row:
    entry: Entry
    is_us: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many hold a level in the end; a group counts as one, whatever its members."""

    level: str
    number: int
    kinds: Mapping[PrincipalKind, int]


def _read(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """What the list's template shows; `state` is empty where there is a list to show."""
    if not has_list(endpoint):
        return {"state": "none", "version": "none"}
    now = timezone.now()
    try:
        copy = permissions.read(endpoint, now=now)
    except Busy:
        return {"state": "busy", "version": ""}
    if copy.value is None:
        state = _failure(copy)
        return {"state": state, "copy": copy, "version": _version(state, copy.problem)}
    us = permissions.ourselves(endpoint.workspace.name, now=now)
    levels = permissions.levels(endpoint, now=now)
    recorded = list(audit.changed_here(endpoint, "permissions")[:CHANGES_SHOWN])
    return {
        "state": "",
        "copy": copy,
        "rows": _rows(copy.value, us, _query(request)),
        "all": len(copy.value.entries),
        "direct": len(copy.value.direct),
        "inherited": sum(bool(entry.inherited) for entry in copy.value.entries),
        "tallies": _tallies(copy.value),
        "levels": levels,
        "recorded": recorded,
        "changed": next((e for e in recorded if e.action == "permissions saved"), None),
        "version": _version(
            copy.value, copy.problem, us and sorted(us.groups), levels, _latest(recorded)
        ),
    }


def _failure(copy: Copy[Access]) -> str:
    kind = copy.problem.kind if copy.problem else ""
    return {"PermissionDenied": "forbidden", "DoesNotExist": "gone"}.get(kind, "error")


def _rows(access: Access, us: Ourselves | None, query: str) -> list[Row]:
    """Direct ones first, the strongest first among them, as they are what can be changed."""
    order = {level: -rank for rank, level in enumerate(LEVELS)}
    found = [entry for entry in access.entries if matches(entry, query)]
    found.sort(key=lambda e: (not e.direct, order.get(e.effective or "", 1), e.principal))
    return [Row(e, us is not None and us.is_named_by(e.principal)) for e in found]


def matches(entry: Entry, query: str) -> bool:
    """Whether the words of `query` are all in what its line says."""
    said = " ".join(
        [
            entry.principal.name,
            entry.display_name,
            str(sentences.permissions.PRINCIPALS[entry.principal.kind]),
            sentences.permissions.level(entry.effective),
            sentences.permissions.origin(entry),
        ]
    ).casefold()
    return all(word in said for word in query.casefold().split())


def _tallies(access: Access) -> list[Tally]:
    tallies = []
    for level in reversed(LEVELS):
        kinds = counts(access.entries, [level])
        tallies.append(Tally(level, sum(kinds.values()), kinds))
    return tallies


def _query(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:200]


def _latest(recorded: Sequence[AuditEntry]) -> int:
    return recorded[0].pk if recorded else 0


def _version(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _addresses(request: HttpRequest, endpoint: Endpoint) -> dict[str, str]:
    """Where to read it again: the page without a script, the part with one."""
    kept = {"q": _query(request), "id": request.GET.get("id", "")}
    given = {key: value for key, value in kept.items() if value}
    place = (endpoint.workspace.name, endpoint.name)
    return {
        "page_url": f"{reverse('permissions', args=place)}?{urlencode({'wait': '1'} | given)}",
        "part_url": f"{reverse('permissions-changes', args=place)}?{urlencode(given)}",
        "target": "permissions",
    }
