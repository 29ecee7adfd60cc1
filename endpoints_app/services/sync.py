"""Keep the rows of one workspace what Databricks says they are.

Each cycle lists; a GET follows for what the list cannot tell. No upstream call happens inside a
transaction, and only rows that changed are written.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from endpoints_app.databricks_api import errors, wire
from endpoints_app.databricks_api.client import WorkspaceClient
from endpoints_app.models import Endpoint, Outage, StatusChange, Workspace
from endpoints_app.services import acknowledging, clients, live, readings
from endpoints_app.services.readings import Answer

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LIST_SECONDS = 12.0
LOOK_SECONDS = 4.0
LOOKS_PER_CYCLE = 10
LOOKS_SECONDS = 6.0  # later in a cycle no look begins
LEASE = timedelta(seconds=25)  # longer than a list and the looks may take
STORM_CYCLES = 3
LONGEST_WAIT = timedelta(minutes=10)  # between two looks at what stays out of reach


class LeaseLost(Exception):
    """Another sync has the workspace now; what this one read is not written."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a cycle needs of a living row to tell whether there is anything to do."""

    pk: int
    name: str
    fingerprint: str
    missing_since: datetime | None
    next_look_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        return self.next_look_at is not None and self.next_look_at <= now

    def differs_from(self, item: wire.Endpoint) -> bool:
        return self.missing_since is not None or self.fingerprint != readings.fingerprint(item)


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
        known = _known(workspace)
        if workspace.next_list_at is None or workspace.next_list_at <= now:
            wrote = _list(workspace, client, known, token, clock, rest=rest)
            if workspace.lease_until is None:
                return  # nothing was new, nothing is due: it was given back with the answer
            known = _known(workspace) if wrote else known
        _look(workspace, client, known, token, clock)
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
    fields = ("pk", "name", "fingerprint", "missing_since", "next_look_at")
    living = workspace.endpoints.living().values_list(*fields)
    return {name: Known(pk, name, *rest) for pk, name, *rest in living}


def _held(workspace: Workspace, token: str) -> QuerySet[Workspace]:
    return Workspace.objects.filter(pk=workspace.pk, lease_token=token)


# The list --------------------------------------------------------------------------------------


def _list(
    workspace: Workspace,
    client: WorkspaceClient,
    known: Mapping[str, Known],
    token: str,
    clock: Clock,
    *,
    rest: timedelta,
) -> bool:
    """Read the list and write what differs from what was known before it; returns whether any
    row did. That nothing did is one statement, however many endpoints there are, which also gives
    the lease back when no look is due."""
    asked_at = clock()
    documents = client.list_endpoints(deadline=LIST_SECONDS)
    seen = {d.name: d for d in documents if _addressable(d.name)}
    changed = {
        name for name, item in seen.items() if name not in known or known[name].differs_from(item)
    }
    vanished = {name for name, row in known.items() if name not in seen and not row.missing_since}
    gap = _gap(workspace, asked_at)

    news = bool(changed or vanished or gap or workspace.error)
    over = not news and not any(row.is_due(asked_at) for row in known.values())
    with live.writing() if news else nullcontext():
        _note_answer(workspace, token, asked_at, **(_given_back(clock() + rest) if over else {}))
        if gap:
            gap.save()
        if changed or vanished:
            look_at = asked_at + _patience(len(vanished), len(known))
            _write(workspace, seen, changed, vanished, asked_at, look_at=look_at)
        elif news:
            live.next_revision()
        if gap:
            acknowledging.found_well(workspace.pk, asked_at)
    workspace.observed_at, workspace.error = asked_at, ""
    if over:
        workspace.lease_until = None
    return bool(changed or vanished)


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


def _write(
    workspace: Workspace,
    seen: Mapping[str, wire.Endpoint],
    changed_names: Collection[str],
    vanished: Collection[str],
    asked_at: datetime,
    *,
    look_at: datetime,
) -> None:
    names = {*changed_names, *vanished}
    rows: dict[str, Endpoint] = {}
    buried_since: set[str] = set()
    lately = Q(gone_at=None) | Q(gone_at__gte=asked_at)
    for row in workspace.endpoints.filter(lately, name__in=names):
        row.workspace = workspace
        if row.gone_at is None:
            rows[row.name] = row
        else:
            buried_since.add(row.name)

    changed: list[Endpoint] = []
    new: list[Endpoint] = []
    changes: list[StatusChange | None] = []
    for name in sorted(changed_names):
        answer, known = Answer(seen[name], asked_at, thin=True), rows.get(name)
        if known is None:
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
    for name in sorted(vanished):
        missing = rows.get(name)
        if missing is not None and asked_at >= missing.observed_at:
            changes.append(readings.miss(missing, asked_at, look_at=look_at))
            changed.append(missing)
    if changed or new:
        readings.save(changed, new, changes)


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
    known: Mapping[str, Known],
    token: str,
    clock: Clock,
) -> None:
    """GET the endpoints whose look is due, the longest waiting first."""
    started = clock()
    waiting = [(at, row) for row in known.values() if (at := row.next_look_at) and at <= started]
    waiting.sort(key=lambda pair: (pair[0], pair[1].name))
    for _, row in waiting[:LOOKS_PER_CYCLE]:
        asked_at = clock()
        if (asked_at - started).total_seconds() > LOOKS_SECONDS:
            return
        document, failure = None, None
        try:
            document = client.get_endpoint(row.name, deadline=LOOK_SECONDS)
        except errors.Throttled:
            raise  # the workspace as a whole wants to be left alone
        except errors.DatabricksError as e:
            failure = e
        gone = isinstance(failure, errors.DoesNotExist) and row.missing_since is not None
        with live.writing():
            if not _held(workspace, token).exists():
                raise LeaseLost
            if document is not None or gone:
                write_look(row.pk, document, asked_at)
            else:
                log.info("%s/%s was not read: %s", workspace.name, row.name, failure)
                _look_failed(row.pk, asked_at)


def write_look(pk: int, document: wire.Endpoint | None, asked_at: datetime) -> Endpoint:
    """Take in the answer to a GET by name, None meaning that no endpoint has it, inside the
    caller's `writing()`. Returns the row as it is then, which may rest on a newer reading."""
    row = Endpoint.objects.select_related("workspace").get(pk=pk)
    if row.gone_at is not None or asked_at < row.read_at():
        return row
    if document is None:
        readings.save([row], [], [readings.bury(row, asked_at)])
        return row
    answer = Answer(document, asked_at)
    if readings.is_another(row, document):
        burial = readings.bury(row, asked_at)
        successor = readings.first_sight(row.workspace, row.name, answer)
        readings.save([row], [successor], [burial])
        return row
    shown = _shown(row)
    change = readings.take_in(row, answer)
    row.next_look_at = _next_look(row, asked_at)
    if change is not None or _shown(row) != shown:
        readings.save([row], [], [change])
    else:
        row.save(update_fields=["observed_at", "document_at", "next_look_at"])
    return row


def _shown(row: Endpoint) -> tuple[object, ...]:
    """All that a page shows of it: only a change in these is news to a browser."""
    quiet = ("observed_at", "document_at", "next_look_at", "revision")
    return tuple(getattr(row, name) for name in readings.WRITTEN if name not in quiet)


def _next_look(row: Endpoint, asked_at: datetime) -> datetime | None:
    if row.updating:
        return asked_at + timedelta(seconds=settings.SYNC_FAST_SECONDS)
    if row.missing_since is not None:
        return asked_at + _wait(row, asked_at)
    return None


def _wait(row: Endpoint, asked_at: datetime) -> timedelta:
    """As long again as it has been out of reach, at least a cycle: a workspace that shows us a
    thousand endpoints and lets us read none is asked ever less often."""
    lasted = asked_at - (row.missing_since or row.observed_at)
    return min(max(lasted, timedelta(seconds=settings.SYNC_SECONDS)), LONGEST_WAIT)


def _look_failed(pk: int, asked_at: datetime) -> None:
    """Not known, which is not deleted: no answer, a 403, a proxy's 404, or an answer that the list
    of the same cycle contradicts. It is asked again later, so that one endpoint that never answers
    does not keep the others waiting. Inside the caller's `writing()`."""
    row = Endpoint.objects.select_related("workspace").get(pk=pk)
    if row.gone_at is not None:
        return
    later = asked_at + _wait(row, asked_at)
    if row.missing_since is not None and asked_at >= row.read_at():
        change = readings.miss(row, asked_at, look_at=later)
        if change is not None:
            readings.save([row], [], [change])
            return
    Endpoint.objects.filter(pk=pk).update(next_look_at=later)
