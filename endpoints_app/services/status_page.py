"""Read what a status page is made from: one query, whoever asks and however large the fleet is.

`read_public`, `read_by_token` and `read_by_user` are the three ways in. Each process keeps the
facts that it parsed last; the query brings them again only when their version is another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from endpoints_app.domain import (
    status_build,
    status_facts,
    status_page,
    status_scope,
    status_views,
    uptime,
)
from endpoints_app.domain.roles import Action, Role
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Facts
from endpoints_app.domain.status_page import EndpointPage, Page, Source
from endpoints_app.models import StatusChange, StatusPayload, StatusView
from endpoints_app.services.access import Access
from endpoints_app.services.statements import Statement

BACK = timedelta(days=status_page.NINETY + 1)


@dataclass(frozen=True, slots=True)
class Payload:
    """The facts, how old they are, and `version`, which names them and with `key` their age."""

    version: int
    facts: Facts
    sources: tuple[Source, ...]
    seen_at: datetime

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal pages, at the same moment."""
        return self.version, self.sources, self.seen_at


def build(
    payload: Payload, slug: str, now: datetime, *, visible: frozenset[int] | None = None
) -> Page | None:
    """What the page of a view (empty: the fleet) says at this moment; None where there is none.

    `visible` are the workspaces that the reader may see, None means all.
    """
    scope = status_scope.scope_of(payload.facts, slug, visible)
    if scope is None:
        return None
    return status_build.page(payload.facts, payload.sources, payload.seen_at, scope, now)


def build_endpoint(
    payload: Payload,
    slug: str,
    name: str,
    now: datetime,
    *,
    workspace: str = "",
    visible: frozenset[int] | None = None,
) -> EndpointPage | None:
    """One endpoint of a view, by the name that it has there; `workspace` tells namesakes apart.
    One query: its changes of the last 90 days."""
    scope = status_scope.scope_of(payload.facts, slug, visible)
    if scope is None:
        return None
    found = [
        (entry, shown)
        for entry, shown in scope.entries
        if shown == name and workspace in ("", scope.workspaces[entry.workspace])
    ]
    if not found:
        return None
    entry, shown = found[0]
    whole = status_build.page(payload.facts, payload.sources, payload.seen_at, scope, now)
    statuses = {status.value: status for status in Status}
    horizon = now - min(BACK, timedelta(days=settings.HISTORY_DAYS))
    rows = list(
        StatusChange.objects.filter(endpoint=entry.pk, at__gt=horizon)
        .order_by("-at", "-pk")
        .values_list("at", "was", "now", "operation_id", "endpoint__first_seen_at")[:MOST_CHANGES]
    )
    rows.reverse()
    first_seen = max(rows[0][4], horizon) if rows else min(entry.since, horizon)
    if len(rows) == MOST_CHANGES:
        first_seen = rows[0][0]  # nothing is told of the time before
    return status_build.endpoint_page(
        payload.facts,
        whole,
        payload.sources,
        entry,
        (shown, scope.workspaces[entry.workspace]),
        [uptime.Change(at, statuses.get(was), statuses.get(to)) for at, was, to, *_ in rows],
        {at for at, _, _, operation, _ in rows if operation is not None},
        first_seen,
    )


MOST_CHANGES = 3000


# The three ways in -----------------------------------------------------------------------------


def read_public() -> Payload:
    known = _known
    rows = _PUBLIC.rows(_version(known))
    return _payload(rows[0] if rows else {}, known)


def read_by_token(token: str) -> tuple[Payload, str] | None:
    """The payload, and the view that this link opens; None when it opens none (any more)."""
    known = _known
    rows = _BY_TOKEN.rows(status_views.digest(token), _version(known))
    if not rows or not status_views.opens(token, rows[0]["token_digest"]):
        return None
    return _payload(rows[0], known), rows[0]["slug"]


def read_by_user(session: SessionBase) -> tuple[Payload, Access] | None:
    """The payload, and what the signed-in person may see; None for nobody, or a closed account."""
    known, pk = _known, session.get(SESSION_KEY)
    if pk is None:
        return None
    rows = _BY_USER.rows(int(pk), _version(known))
    if not rows or not _is_theirs(session, rows[0]["password"]):
        return None
    return _payload(rows[0], known), _access(rows)


A_VERSION = 2**62 + 1  # drawn ones are smaller
A_DIGEST = "a digest"
A_PERSON = 2**31 - 1

_PUBLIC = Statement(
    lambda version: StatusPayload.objects.filter(pk=1).values(**StatusPayload.columns(version)),
    A_VERSION,
)
_BY_TOKEN = Statement(
    lambda digest, version: (
        StatusView.objects.exclude(token_digest="")
        .filter(token_digest=digest)
        .values("slug", "token_digest", **StatusPayload.columns(version))
    ),
    A_DIGEST,
    A_VERSION,
)
_BY_USER = Statement(
    lambda pk, version: User.objects.filter(pk=pk, is_active=True).values(
        "password",
        "is_superuser",
        "groups__desk_role__role",
        "groups__desk_role__workspace_id",
        **StatusPayload.columns(version),
    ),
    A_PERSON,
    A_VERSION,
)


def visible_to(access: Access, payload: Payload) -> frozenset[int]:
    return frozenset(pk for pk in payload.facts.workspaces if access.may(Action.SEE, pk))


def _is_theirs(session: SessionBase, password: str) -> bool:
    """As Django asks it: a session ends with the password that it was opened by."""
    person = User(password=password)
    kept = session.get(HASH_SESSION_KEY, "")
    hashes = [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, each) for each in hashes)


def _access(rows: Sequence[Mapping[str, Any]]) -> Access:
    if rows[0]["is_superuser"]:
        return Access(frozenset(Role), {})
    held = [
        (row["groups__desk_role__role"], row["groups__desk_role__workspace_id"])
        for row in rows
        if row["groups__desk_role__role"]
    ]
    everywhere = frozenset(Role(role) for role, workspace in held if workspace is None)
    by_workspace: dict[int, frozenset[Role]] = {}
    for role, workspace in held:
        if workspace is not None:
            by_workspace[workspace] = by_workspace.get(workspace, frozenset()) | {Role(role)}
    return Access(everywhere, by_workspace)


# What this process knows -----------------------------------------------------------------------

Known = tuple[int, Facts]

_known: Known | None = None


def _version(known: Known | None) -> int:
    return known[0] if known else 0


def _payload(row: Mapping[str, Any], known: Known | None) -> Payload:
    """Before the first writing: facts without any workspace, of which nothing is known."""
    global _known
    version = row.get("payload_version") or 0
    seen_at = row.get("payload_seen_at")
    if text := row.get("payload_document"):
        facts = status_facts.load(json.loads(text))
        if facts is not None:
            known = _known = (version, facts)
    if known is None or known[0] != version or seen_at is None:
        ever = datetime.fromtimestamp(0, UTC)
        return Payload(0, Facts(ever, settings.SYNC_SECONDS, settings.STALE_SECONDS), (), ever)
    names = known[1].workspaces
    sources = tuple(
        Source(int(pk), names[int(pk)], datetime.fromtimestamp(at, UTC) if at else None, bool(bad))
        for pk, (at, bad) in (row["payload_sources"] or {}).items()
        if int(pk) in names
    )
    return Payload(version, known[1], sources, seen_at)
