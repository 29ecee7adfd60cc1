"""Keep the rows of one workspace what Databricks says they are.

Each cycle lists; a GET follows for what the list cannot tell. No upstream call happens inside a
transaction, and only rows that changed are written.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from endpoints_app.databricks_api import errors, wire
from endpoints_app.databricks_api.client import WorkspaceClient
from endpoints_app.databricks_api.wire_list import Listing
from endpoints_app.models import Endpoint, Outage, StatusChange, Workspace
from endpoints_app.services import acknowledging, clients, live, looks, readings
from endpoints_app.services.looks import Look
from endpoints_app.services.readings import Answer

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Told = Mapping[str, Answer | None]
"""What a list says of some endpoints, by their names; None of those that it lacks."""

LIST_SECONDS = 12.0
LOOK_SECONDS = 4.0
LOOKS_PER_CYCLE = 10
LOOKS_TAKE = timedelta(seconds=6)  # later in a cycle no look begins
GATHERED = timedelta(seconds=0.5)
"""So long what a look brought waits for others, and for the one under way to end: with
LOOK_SECONDS the longest time until it is seen."""
LEASE = timedelta(seconds=25)  # longer than a list and the looks may take
STORM_CYCLES = 3


class LeaseLost(Exception):
    """Another sync has the workspace now; what this one read is not written."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a cycle needs of a living row to tell whether there is anything to do."""

    fingerprint: str
    missing_since: datetime | None
    next_look_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        return self.next_look_at is not None and self.next_look_at <= now

    def differs_from(self, fingerprint: str) -> bool:
        return self.missing_since is not None or self.fingerprint != fingerprint


@dataclass(frozen=True, slots=True)
class Read:
    """A list as far as it was read: which endpoints, and what tells whether they have changed."""

    digest: bytes
    fingerprints: Mapping[str, str]


_last_read: dict[int, Read] = {}
"""Of each workspace, by its key, the last list that this process read. It follows from the bytes
alone, so that it is true whatever became of the rows."""


def forget() -> None:
    """As a new process begins."""
    _last_read.clear()


def sync(workspace_id: int, *, clock: Clock) -> None:
    """One cycle: the list if it is due, then the endpoints whose look is due. Returns at once
    when another cycle of this workspace is running."""
    now, token = clock(), uuid.uuid4().hex
    if not Workspace.objects.lease(workspace_id, token=token, now=now, until=now + LEASE):
        return
    workspace = Workspace.objects.get(pk=workspace_id)
    rest = timedelta(seconds=settings.SYNC_FAST_SECONDS)
    try:
        client = clients.client_for(workspace.name)
        if workspace.next_list_at is None or workspace.next_list_at <= now:
            _list(workspace, client, token, clock, rest=rest)
            if workspace.lease_until is None:
                return  # nothing was new, nothing is due: it was given back with the answer
        _look(workspace, client, token, clock)
    except errors.DatabricksError as e:
        rest = _note_failure(workspace, e, token, clock())
    except LeaseLost:
        log.warning("A sync of %s took longer than its lease and was dropped.", workspace.name)
    finally:
        if workspace.lease_until is not None:
            _held(workspace, token).update(**_given_back(clock() + rest))


def _given_back(rest_until: datetime) -> dict[str, Any]:
    return {"lease_token": "", "lease_until": None, "rest_until": rest_until}


def _known(workspace: Workspace) -> dict[str, Known]:
    fields = ("name", "fingerprint", "missing_since", "next_look_at")
    living = workspace.endpoints.living().values_list(*fields)
    return {name: Known(*rest) for name, *rest in living}


def _held(workspace: Workspace, token: str) -> QuerySet[Workspace]:
    return Workspace.objects.filter(pk=workspace.pk, lease_token=token)


def _still_ours(workspace: Workspace, token: str) -> None:
    if not _held(workspace, token).exists():
        raise LeaseLost


# The list --------------------------------------------------------------------------------------


def _list(
    workspace: Workspace,
    client: WorkspaceClient,
    token: str,
    clock: Clock,
    *,
    rest: timedelta,
) -> None:
    """Read the list and write what differs from what was known before it. That nothing did is one
    statement, however many endpoints there are, which also gives the lease back when no look is
    due."""
    known, asked_at = _known(workspace), clock()
    listing = client.list_endpoints(deadline=LIST_SECONDS)
    items, prints = _fingerprints(workspace, listing)
    changed = {
        name for name, now in prints.items() if name not in known or known[name].differs_from(now)
    }
    vanished = {name for name, row in known.items() if name not in prints and not row.missing_since}
    if changed and not items:
        items = _by_name(listing)
    gap = _gap(workspace, asked_at)
    look_at = asked_at + _patience(len(vanished), len(known))
    last: Told = {}
    for told in _batches(items, sorted(changed | vanished), asked_at):
        if last:
            with live.writing():
                _still_ours(workspace, token)
                _write(workspace, last, asked_at, look_at=look_at)
            live.let_others_in()
        last = told

    # The rest goes with the note that the list was answered: it says that what has no news was read
    # then, which must not be said of a row that had some and is still to be written.
    news = bool(last or gap or workspace.error)
    over = not news and not any(row.is_due(asked_at) for row in known.values())
    with live.writing() if news else nullcontext():
        _note_answer(workspace, token, asked_at, **(_given_back(clock() + rest) if over else {}))
        wrote = _write(workspace, last, asked_at, look_at=look_at)
        if (gap or workspace.error) and not wrote:
            live.next_revision()
        if gap:
            gap.save()
            acknowledging.found_well(workspace.pk, asked_at)
    workspace.observed_at, workspace.error = asked_at, ""
    if over:
        workspace.lease_until = None


def _fingerprints(
    workspace: Workspace, listing: Listing
) -> tuple[Mapping[str, wire.Listed], Mapping[str, str]]:
    """The items, unless the list is the last one to the byte, and their fingerprints."""
    last, digest = _last_read.get(workspace.pk), listing.digest()
    if last is not None and last.digest == digest:
        return {}, last.fingerprints
    items = _by_name(listing)
    prints = {name: readings.fingerprint(item.raw) for name, item in items.items()}
    _last_read[workspace.pk] = Read(digest, prints)
    return items, prints


def _by_name(listing: Listing) -> dict[str, wire.Listed]:
    return {item.name: item for item in listing.read() if _addressable(item.name)}


def _addressable(name: str) -> bool:
    """Databricks names are letters, digits, - and _. We take more, but only what a URL can say."""
    return 0 < len(name) <= 255 and name.isprintable() and "/" not in name and name.strip(".") != ""


def _gap(workspace: Workspace, asked_at: datetime) -> Outage | None:
    """The span in which our poller had no answer, if it was so long that history must say so."""
    before = workspace.observed_at
    if before is None or asked_at - before <= live.stale_limit():
        return None
    return Outage(workspace=workspace, start=before, end=asked_at)


def _patience(vanished: int, fleet: int) -> timedelta:
    """How long the missing are not even asked about: when many vanish at once, it is the list
    that is wrong."""
    storm = vanished > max(1, fleet // 10)
    return timedelta(seconds=STORM_CYCLES * settings.SYNC_SECONDS if storm else 0)


def _note_answer(workspace: Workspace, token: str, asked_at: datetime, **besides: Any) -> None:
    written = _held(workspace, token).update(
        observed_at=asked_at,
        error="",
        error_detail="",
        error_at=None,
        next_list_at=asked_at + timedelta(seconds=settings.SYNC_SECONDS),
        **besides,
    )
    if not written:
        raise LeaseLost


def _batches(
    items: Mapping[str, wire.Listed], names: Sequence[str], asked_at: datetime
) -> Iterator[Told]:
    """What the list says of `names`, in parts of which none keeps other writers long. Each is read
    when its turn comes, which is while nobody waits for us."""
    for begin in range(0, len(names), readings.BATCH):
        part = names[begin : begin + readings.BATCH]
        yield {
            name: Answer(item.read(), asked_at, thin=True) if (item := items.get(name)) else None
            for name in part
        }


def _write(workspace: Workspace, told: Told, asked_at: datetime, *, look_at: datetime) -> bool:
    """Inside the caller's `writing()`; returns whether any row is another one now."""
    if not told:
        return False
    rows: dict[str, Endpoint] = {}
    buried_since: set[str] = set()
    lately = Q(gone_at=None) | Q(gone_at__gte=asked_at)
    # No list says anything of the documents, which are most of a row.
    for row in workspace.endpoints.filter(lately, name__in=told).defer("document"):
        row.workspace = workspace
        if row.gone_at is None:
            rows[row.name] = row
        else:
            buried_since.add(row.name)

    changed: list[Endpoint] = []
    new: list[Endpoint] = []
    changes: list[StatusChange | None] = []
    for name, answer in told.items():
        known = rows.get(name)
        if answer is None:
            if known is not None and asked_at >= known.observed_at:
                changes.append(readings.miss(known, asked_at, look_at=look_at))
                changed.append(known)
        elif known is None:
            # A list asked for before a deletion was confirmed must not bring the endpoint back.
            if name not in buried_since:
                new.append(readings.first_sight(workspace, name, answer))
        elif asked_at < known.read_at():
            continue
        elif readings.is_another(known, answer.document):
            changes.append(readings.bury(known, asked_at))
            changed.append(known)
            new.append(readings.first_sight(workspace, name, answer))
        else:
            changes.append(readings.take_in(known, answer))
            changed.append(known)
    if changed or new:
        readings.save(changed, new, changes)
    return bool(changed or new)


def _note_failure(
    workspace: Workspace, error: errors.DatabricksError, token: str, now: datetime
) -> timedelta:
    """A failed fetch touches only the workspace's error fields; old rows stay, and age. Returns
    how long to leave it alone: what Databricks asks for, at least a cycle."""
    name = type(error).__name__
    with live.writing():
        noted = _held(workspace, token).update(
            error=name, error_detail=error.message[:500], error_at=now
        )
        if noted and workspace.error != name:
            live.next_revision()
    log.warning("%s did not answer: %s", workspace.name, error)
    return timedelta(seconds=max(error.retry_after or 0, settings.SYNC_SECONDS))


# Looks -----------------------------------------------------------------------------------------


def _look(
    workspace: Workspace,
    client: WorkspaceClient,
    token: str,
    clock: Clock,
) -> None:
    """GET the endpoints whose look is due, the longest waiting first. What is answered is gathered
    for a moment and written at once, whatever becomes of the next one; what a worker takes with it
    when it dies stays due."""
    started = clock()
    columns = ("workspace", "name", "missing_since")
    due = workspace.endpoints.due(started).only(*columns)[:LOOKS_PER_CYCLE]
    gathered: list[Look] = []
    since = started
    try:
        for row in due:
            if clock() - started > LOOKS_TAKE:
                break
            gathered.append(_ask(workspace, client, row, clock()))
            since = since if len(gathered) > 1 else clock()
            if clock() - since >= GATHERED:
                written, gathered = gathered, []
                _write_looks(workspace, written, token)
    finally:
        if gathered:
            _write_looks(workspace, gathered, token)


def _ask(workspace: Workspace, client: WorkspaceClient, row: Endpoint, asked_at: datetime) -> Look:
    try:
        return Look(row.pk, asked_at, client.get_endpoint(row.name, deadline=LOOK_SECONDS))
    except errors.Throttled:
        raise  # the workspace as a whole wants to be left alone
    except errors.DatabricksError as e:
        if isinstance(e, errors.DoesNotExist) and row.missing_since is not None:
            return Look(row.pk, asked_at)
        log.info("%s/%s was not read: %s", workspace.name, row.name, e)
        return Look(row.pk, asked_at, unanswered=True)


def _write_looks(workspace: Workspace, gathered: Sequence[Look], token: str) -> None:
    with live.writing():
        _still_ours(workspace, token)
        looks.write(gathered)
