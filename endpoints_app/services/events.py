"""What a workspace itself tells of an endpoint: read when somebody looks, kept for a moment.

The path is in no reference: many workspaces have none, and that is no trouble worth a word. One
that says so is not asked again for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints_app.databricks_api import errors
from endpoints_app.domain import events
from endpoints_app.domain.events import Event
from endpoints_app.models import Endpoint
from endpoints_app.services import clients
from endpoints_app.services.upstream import Copy, at_hand, share, shared_read

FRESH_SECONDS = 20.0
KEPT_SECONDS = 600
ABSENT_SECONDS = 1800.0

ABSENT = frozenset(
    error.__name__
    for error in (errors.NotKnown, errors.DoesNotExist, errors.PermissionDenied, errors.BadRequest)
)
"""What a workspace says that has no events for us."""


@dataclass(frozen=True, slots=True)
class Told:
    """`trouble` names the error that kept us from asking anew; the events may then be older."""

    events: Sequence[Event]
    trouble: str = ""


def are_there(endpoint: Endpoint, *, now: datetime) -> bool:
    """Whether it is worth asking."""
    absent = at_hand(_absent(endpoint))
    said_no = absent is not None and absent.is_fresh(now, ABSENT_SECONDS)
    return endpoint.gone_at is None and not said_no


def known(endpoint: Endpoint, *, now: datetime) -> Told | None:
    """What was read just now, without asking."""
    copy: Copy[list[Event]] | None = at_hand(_key(endpoint))
    if copy is None or copy.value is None or not copy.is_fresh(now, FRESH_SECONDS):
        return None
    return Told(copy.value, copy.problem.kind if copy.problem else "")


def read(endpoint: Endpoint, *, now: datetime) -> Told:
    """The newest events, the newest first; none where the workspace has none. Raises
    upstream.Busy when it cannot be asked now and nothing is known."""
    if not are_there(endpoint, now=now):
        return Told([])
    found: Copy[list[Event]] = shared_read(
        _key(endpoint),
        endpoint.workspace.name,
        lambda seconds: _fetch(endpoint, seconds),
        now=now,
        fresh=FRESH_SECONDS,
        kept=KEPT_SECONDS,
    )
    trouble = found.problem.kind if found.problem else ""
    if trouble in ABSENT:
        share(_absent(endpoint), Copy(True, now), ABSENT_SECONDS)
        return Told([])
    return Told(found.value or [], trouble)


def _fetch(endpoint: Endpoint, seconds: float) -> list[Event]:
    client = clients.client_for(endpoint.workspace.name)
    return events.shown(client.get_events(endpoint.name, deadline=seconds))


def _key(endpoint: Endpoint) -> str:
    return f"events:{endpoint.pk}"


def _absent(endpoint: Endpoint) -> str:
    return f"events:none:{endpoint.pk}"
