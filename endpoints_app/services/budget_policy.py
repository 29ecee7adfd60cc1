"""The budget policy of one endpoint: read live for all who look, changed where a workspace can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from endpoints_app.databricks_api import WorkspaceClient, errors, wire
from endpoints_app.domain.budget import IMPOSSIBLE, Call, Policy
from endpoints_app.models import Endpoint
from endpoints_app.services import audit, clients, live, looks, saving, upstream
from endpoints_app.services.saving import (
    READ_SECONDS,
    WRITE_SECONDS,
    NotSaved,
    Replaced,
    one_at_a_time,
    sent_once,
)
from endpoints_app.services.upstream import Copy, Problem, shared_read

FRESH_SECONDS = 10.0
KEPT_SECONDS = 15 * 60.0


# Reading ----------------------------------------------------------------------------------------


def read(endpoint: Endpoint, *, now: datetime) -> Copy[Policy]:
    """At most ten seconds old, or with what keeps us from it. Raises Busy."""
    return shared_read(
        _key(endpoint),
        endpoint.workspace.name,
        lambda seconds: _policy(_document(_client(endpoint), endpoint, seconds)),
        now=now,
        fresh=FRESH_SECONDS,
        kept=KEPT_SECONDS,
    )


def at_hand(endpoint: Endpoint) -> Copy[Policy] | None:
    """The newest that is known without asking Databricks: read lately, or by the sync."""
    found = upstream.at_hand(_key(endpoint))
    live_copy = found if found is not None and found.value is not None else None
    synced_at = endpoint.document_at or (endpoint.observed_at if endpoint.policy.id else None)
    if synced_at is None or (live_copy is not None and live_copy.read_at >= synced_at):
        return live_copy
    return Copy(endpoint.policy, synced_at)


def call_for(endpoint: Endpoint) -> Call | None:
    """How its workspace takes a change, where its settings name a way: Databricks publishes none.
    None also for what cannot have a policy."""
    if endpoint.known_kind in IMPOSSIBLE or endpoint.gone_at is not None:
        return None
    calls: dict[str, Call] = settings.BUDGET_POLICY_CALLS
    return calls.get(endpoint.workspace.name)


# Saving -----------------------------------------------------------------------------------------


class Moved(NotSaved):
    """Somebody else changed it since the form was made; `policy` is how it is now."""

    def __init__(self, policy: Policy) -> None:
        super().__init__("The budget policy has changed since it was read.")
        self.policy = policy


class NotPossible(NotSaved):
    """The endpoint cannot have one, or its workspace has no way to change it."""


class NotConfirmed(saving.NotConfirmed[Policy]):
    """`found` is the policy that the read showed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a form was made of: the endpoint's id, and the policy set on it at that moment."""

    uid: str
    own: str


def save(
    endpoint: Endpoint,
    wanted: str,
    *,
    seen: Seen,
    reason: str,
    by: User,
    clock: Callable[[], datetime],
) -> bool:
    """Read once more, compare with what the person saw, send the one call, and read again.

    Returns whether something was sent, which a read has confirmed; it is not when the policy was
    set already. Raises NotSaved, NotConfirmed, and Busy, with which nothing was sent either.
    """
    call = call_for(endpoint)
    if call is None:
        raise NotPossible
    if seen.uid != endpoint.uid:
        raise Replaced
    attempt = _Attempt(endpoint, call, wanted, seen, reason, by, clock)
    return one_at_a_time(_key(endpoint), endpoint.workspace.name, attempt.run)


@dataclass(frozen=True, slots=True)
class _Attempt:
    endpoint: Endpoint
    call: Call
    wanted: str
    seen: Seen
    reason: str
    by: User
    clock: Callable[[], datetime]

    def run(self) -> bool:
        client = _client(self.endpoint)
        before = self._read(client)
        if before.own != self.seen.own:
            raise Moved(before)
        if before.own == self.wanted:
            return False
        self._record("asked", before)
        problem = sent_once(
            lambda: client.set_budget_policy(
                self.call.method,
                self.call.path,
                self.endpoint.name,
                self.wanted,
                deadline=WRITE_SECONDS,
            ),
            lambda problem: self._record("refused", before, problem=problem),
        )
        after = self._read_again(client)
        if after is None or after.own != self.wanted:
            self._record("not confirmed", before, after=after, problem=problem)
            raise NotConfirmed(after, problem)
        self._record("changed", before, after=after)
        return True

    def _read(self, client: WorkspaceClient) -> Policy:
        """Everybody sees at once what a save has read, and so do list and report."""
        asked_at = self.clock()
        document = _document(client, self.endpoint, READ_SECONDS)
        policy = _policy(document)
        upstream.share(_key(self.endpoint), Copy(policy, asked_at), KEPT_SECONDS)
        with live.writing():
            looks.write_look(self.endpoint.pk, document, asked_at)
        return policy

    def _read_again(self, client: WorkspaceClient) -> Policy | None:
        try:
            return self._read(client)
        except errors.DatabricksError:
            upstream.drop(_key(self.endpoint))
            return None

    def _record(
        self,
        action: str,
        before: Policy,
        *,
        after: Policy | None = None,
        problem: Problem | None = None,
    ) -> None:
        detail: dict[str, Any] = {
            "reason": self.reason,
            "method": self.call.method,
            "before": before.own,
            "wanted": self.wanted,
        }
        if after is not None:
            detail["after"] = after.own
        if problem is not None:
            detail["answer"] = problem.message or problem.kind
        audit.of_endpoint(
            self.endpoint, f"budget policy {action}", by=self.by, now=self.clock(), detail=detail
        )


# Documents --------------------------------------------------------------------------------------


def _document(client: WorkspaceClient, endpoint: Endpoint, seconds: float) -> wire.Endpoint:
    document = client.get_endpoint(endpoint.name, deadline=seconds)
    if (document.id or "") != endpoint.uid:
        raise errors.DoesNotExist("Another endpoint has this name now.")
    return document


def _policy(document: wire.Endpoint) -> Policy:
    own = document.budget_policy_id or ""
    return Policy(own, document.effective_budget_policy_id or own)


def _client(endpoint: Endpoint) -> WorkspaceClient:
    return clients.client_for(endpoint.workspace.name)


def _key(endpoint: Endpoint) -> str:
    return f"budget-policy:{endpoint.pk}:{endpoint.uid}"
