"""Who may do what with an endpoint at Databricks: read live for all who look, changed with care."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from endpoints_app.databricks_api import WorkspaceClient, errors
from endpoints_app.databricks_api.wire_permissions import (
    AccessControl,
    Permission,
    PermissionLevel,
    Permissions,
)
from endpoints_app.domain import permissions as rules
from endpoints_app.domain.permissions import (
    Access,
    Change,
    Danger,
    Difference,
    Entry,
    Inherited,
    Method,
    Ourselves,
    Principal,
    PrincipalKind,
    Wanted,
)
from endpoints_app.models import AuditEntry, Endpoint
from endpoints_app.services import audit, clients, saving, upstream
from endpoints_app.services.saving import (
    READ_SECONDS,
    WRITE_SECONDS,
    NotSaved,
    Replaced,
    one_at_a_time,
    sent_once,
)
from endpoints_app.services.upstream import Busy, Copy, Problem, shared_read

log = logging.getLogger(__name__)

FRESH_SECONDS = 10.0
KEPT_SECONDS = 15 * 60.0
FRESH_FACTS_SECONDS = 5 * 60.0  # the levels there are, and who we are
KEPT_FACTS_SECONDS = 24 * 60 * 60.0


# Reading ----------------------------------------------------------------------------------------


def read(endpoint: Endpoint, *, now: datetime) -> Copy[Access]:
    """The access control list, at most ten seconds old or with what keeps us from it. Raises Busy.

    Only for an endpoint with an id: the others have none.
    """
    return shared_read(
        _key(endpoint),
        endpoint.workspace.name,
        lambda seconds: _read(_client(endpoint), endpoint, seconds),
        now=now,
        fresh=FRESH_SECONDS,
        kept=KEPT_SECONDS,
    )


def at_hand(endpoint: Endpoint) -> Copy[Access] | None:
    """What was read in the last minutes, without asking Databricks."""
    return upstream.at_hand(_key(endpoint))


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may query an endpoint, by kind of principal, as far as it was read lately."""

    kinds: Mapping[PrincipalKind, int]
    read_at: datetime


def callers(endpoint: Endpoint) -> Callers | None:
    """Without asking Databricks: None where nobody has looked in the last minutes."""
    copy = at_hand(endpoint)
    if copy is None or copy.value is None:
        return None
    may_query = (rules.CAN_QUERY, rules.CAN_MANAGE)
    return Callers(rules.counts(copy.value.entries, may_query), copy.read_at)


def levels(endpoint: Endpoint, *, now: datetime) -> tuple[PermissionLevel, ...]:
    """Databricks' own words for each level, or nothing if it does not say. They are the same for
    all endpoints of a workspace."""
    workspace = endpoint.workspace.name
    try:
        copy = shared_read(
            f"permission-levels:{workspace}",
            workspace,
            lambda seconds: _client(endpoint).get_permission_levels(endpoint.uid, deadline=seconds),
            now=now,
            fresh=FRESH_FACTS_SECONDS,
            kept=KEPT_FACTS_SECONDS,
        )
    except Busy:
        return ()
    return copy.value or ()


def ourselves(workspace: str, *, now: datetime) -> Ourselves | None:
    """The principal of our credentials there, or None if the workspace does not say."""
    try:
        copy = shared_read(
            f"me:{workspace}",
            workspace,
            lambda seconds: _me(clients.client_for(workspace), seconds),
            now=now,
            fresh=FRESH_FACTS_SECONDS,
            kept=KEPT_FACTS_SECONDS,
        )
    except Busy:
        return None
    return copy.value


# Saving -----------------------------------------------------------------------------------------


class Moved(NotSaved):
    """Somebody else changed the list since the form was made; `access` is the list as it is now."""

    def __init__(self, access: Access, differences: Collection[Difference]) -> None:
        super().__init__("The access control list has changed since it was read.")
        self.access = access
        self.differences = differences


class NeedsConfirmation(NotSaved):
    """The change could lock somebody out, and that was not confirmed by itself."""

    def __init__(self, dangers: frozenset[Danger]) -> None:
        super().__init__(", ".join(sorted(dangers)))
        self.dangers = dangers


class Unsendable(NotSaved):
    """Part of the list cannot be read, so that it cannot be replaced without losing that part."""


class NotConfirmed(saving.NotConfirmed[Access]):
    """`found` is the list that the read showed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a form was made of: the endpoint's id, and the direct grants of that moment."""

    uid: str
    direct: Mapping[Principal, str]


def save(
    endpoint: Endpoint,
    wanted: Wanted,
    *,
    seen: Seen,
    confirmed: Collection[Danger],
    reason: str,
    by: User,
    now: datetime,
) -> Change:
    """Read once more, compare with what the person saw, send the smallest change, and read again.

    Returns what was changed, which a read has confirmed; without differences nothing was sent.
    Raises NotSaved, NotConfirmed, and Busy, with which nothing was sent either.
    """
    if seen.uid != endpoint.uid:
        raise Replaced
    us = ourselves(endpoint.workspace.name, now=now)
    attempt = _Attempt(endpoint, wanted, seen, frozenset(confirmed), reason, by, now, us)
    return one_at_a_time(_key(endpoint), endpoint.workspace.name, attempt.run)


@dataclass(frozen=True, slots=True)
class _Attempt:
    endpoint: Endpoint
    wanted: Wanted
    seen: Seen
    confirmed: frozenset[Danger]
    reason: str
    by: User
    now: datetime
    ourselves: Ourselves | None

    def run(self) -> Change:
        client = _client(self.endpoint)
        before = _read(client, self.endpoint, READ_SECONDS)
        if differences := rules.moved(self.seen.direct, before):
            _keep(self.endpoint, before, self.now)
            raise Moved(before, differences)
        try:
            change = rules.change(before, self.wanted)
        except rules.Unreadable:
            raise Unsendable from None
        if change.method is None:
            return change
        if missing := rules.dangers(before, change, self.ourselves) - self.confirmed:
            raise NeedsConfirmation(missing)
        self._record("asked", before, change)
        problem = self._send(client, before, change)
        after = self._read_again(client)
        if after is None or not _brought(self.wanted, after):
            self._record("not confirmed", before, change, after=after, problem=problem)
            raise NotConfirmed(after, problem)
        self._record("saved", before, change, after=after)
        return change

    def _send(self, client: WorkspaceClient, before: Access, change: Change) -> Problem | None:
        """What came instead of a yes, where it may have been carried out all the same."""
        patch = change.method is Method.PATCH
        send = client.patch_permissions if patch else client.put_permissions
        return sent_once(
            lambda: send(self.endpoint.uid, map(_as_grant, change.grants), deadline=WRITE_SECONDS),
            lambda problem: self._record("refused", before, change, problem=problem),
        )

    def _read_again(self, client: WorkspaceClient) -> Access | None:
        try:
            after = _read(client, self.endpoint, READ_SECONDS)
        except errors.DatabricksError:
            upstream.drop(_key(self.endpoint))
            return None
        _keep(self.endpoint, after, self.now)
        return after

    def _record(
        self,
        action: str,
        before: Access,
        change: Change,
        *,
        after: Access | None = None,
        problem: Problem | None = None,
    ) -> None:
        detail: dict[str, Any] = {
            "reason": self.reason,
            "method": change.method,
            "changes": [_as_record(difference) for difference in change.differences],
            "before": _as_list(before),
        }
        if after is not None:
            detail["after"] = _as_list(after)
        if problem is not None:
            detail["answer"] = problem.message or problem.kind
        if self.confirmed:
            detail["confirmed"] = sorted(self.confirmed)
        audit.of_endpoint(
            self.endpoint, f"permissions {action}", by=self.by, now=self.now, detail=detail
        )


def _brought(wanted: Wanted, access: Access) -> bool:
    """Databricks may write a mail address its own way."""
    held = {(who.kind, who.name.casefold()): level for who, level in access.direct.items()}
    return all(held.get((who.kind, who.name.casefold())) == level for who, level in wanted.items())


# Documents --------------------------------------------------------------------------------------


def _read(client: WorkspaceClient, endpoint: Endpoint, seconds: float) -> Access:
    return _access(client.get_permissions(endpoint.uid, deadline=seconds))


def _access(permissions: Permissions) -> Access:
    entries, unreadable = [], 0
    for control in permissions.access:
        principal = _principal(control)
        direct = [p for p in control.permissions if not p.inherited]
        known = [p.level for p in direct if p.level is not None]
        if principal is None or ("all_permissions" not in control.raw and not direct):
            unreadable += len(direct) or not control.permissions
            continue
        unreadable += len(direct) - len(known)
        inherited = tuple(_inherited(p) for p in control.permissions if p.inherited and p.level)
        entries.append(Entry(principal, tuple(known), inherited, control.display_name or ""))
    return Access.of(entries, unreadable=unreadable)


def _inherited(permission: Permission) -> Inherited:
    return Inherited(permission.level or "", permission.inherited_from)


FIELDS = {
    PrincipalKind.USER: "user_name",
    PrincipalKind.GROUP: "group_name",
    PrincipalKind.SERVICE_PRINCIPAL: "service_principal_name",
}


def _principal(control: AccessControl) -> Principal | None:
    named = ((kind, getattr(control, field)) for kind, field in FIELDS.items())
    return next((Principal(kind, name) for kind, name in named if name), None)


def _as_grant(grant: tuple[Principal, str]) -> dict[str, str]:
    principal, level = grant
    return {FIELDS[principal.kind]: principal.name, "permission_level": level}


def _me(client: WorkspaceClient, seconds: float) -> Ourselves:
    me = client.get_me(deadline=seconds)
    return Ourselves(me.user_name or "", frozenset(me.groups))


# For the record ---------------------------------------------------------------------------------


def _as_list(access: Access) -> list[list[str]]:
    return [[who.kind.value, who.name, level] for who, level in sorted(access.direct.items())]


def _as_record(difference: Difference) -> dict[str, str | None]:
    return {
        "kind": difference.principal.kind.value,
        "name": difference.principal.name,
        "display_name": difference.display_name,
        "before": difference.before,
        "after": difference.after,
        "keeps": difference.keeps,
    }


def differences_of(entry: AuditEntry) -> list[Difference]:
    """What an entry of the record says was changed."""
    return [
        Difference(
            Principal(PrincipalKind(change["kind"]), change["name"]),
            change["before"],
            change["after"],
            change["keeps"],
            change["display_name"],
        )
        for change in entry.detail.get("changes", ())
    ]


# What is kept -----------------------------------------------------------------------------------


def _client(endpoint: Endpoint) -> WorkspaceClient:
    return clients.client_for(endpoint.workspace.name)


def _key(endpoint: Endpoint) -> str:
    return f"permissions:{endpoint.pk}:{endpoint.uid}"


def _keep(endpoint: Endpoint, access: Access, now: datetime) -> None:
    """Everybody sees at once what a save has read."""
    upstream.share(_key(endpoint), Copy(access, now), KEPT_SECONDS)
