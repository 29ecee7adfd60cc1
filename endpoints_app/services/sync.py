"""Keep the rows of one workspace what Databricks says they are.

Each cycle lists; a GET follows for what the list cannot tell. No upstream call happens inside a
transaction, and only rows that changed are written.
"""

from __future__ import annotations

import copy
import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from endpoints_app.databricks_api import errors, wire
from endpoints_app.databricks_api.client import WorkspaceClient
from endpoints_app.models import Endpoint, Outage, StatusChange, Workspace
from endpoints_app.services import clients, live, readings
from endpoints_app.services.readings import Answer

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LOOKS_PER_CYCLE = 10
LOOKS_SECONDS = 8.0  # how long the looks of one cycle may take together
LEASE = timedelta(seconds=30)  # longer than a list and the looks may take
STORM_CYCLES = 3


class LeaseLost(Exception):
    """Another sync has the workspace now; what this one read is not written."""


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
            _list(workspace, client, token, clock)
        _look(workspace, client, token, clock)
    except errors.DatabricksError as e:
        rest = _note_failure(workspace, e, token, clock())
    except LeaseLost:
        log.warning("A sync of %s took longer than its lease and was dropped.", workspace.name)
    finally:
        _held(workspace, token).update(
            lease_token="", lease_until=None, rest_until=clock() + rest
        )


def _held(workspace: Workspace, token: str) -> QuerySet[Workspace]:
    return Workspace.objects.filter(pk=workspace.pk, lease_token=token)


def _check_lease(workspace: Workspace, token: str) -> None:
    """Inside the write transaction: a sync that overslept must not write over its successor."""
    if not _held(workspace, token).select_for_update().exists():
        raise LeaseLost


# The list --------------------------------------------------------------------------------------


def _list(workspace: Workspace, client: WorkspaceClient, token: str, clock: Clock) -> None:
    asked_at = clock()
    documents = client.list_endpoints(deadline=min(settings.SYNC_SECONDS, 15))
    known = _known(workspace)
    seen = {d.name: d for d in documents if _addressable(d.name)}

    changed_names = {
        name
        for name, document in seen.items()
        if name not in known or _differs(known[name], document)
    }
    vanished = {name for name, row in known.items() if name not in seen and not row["missing_since"]}

    with transaction.atomic():
        after = _note_answer(workspace, token, asked_at)
        if changed_names or vanished:
            _write(workspace, seen, changed_names, vanished, asked_at, fleet=len(known))
    workspace.observed_at, workspace.next_list_at = asked_at, after


def _known(workspace: Workspace) -> dict[str, dict[str, object]]:
    rows = workspace.endpoints.living().values("name", "fingerprint", "missing_since")
    return {row["name"]: row for row in rows}


def _differs(row: dict[str, object], document: wire.Endpoint) -> bool:
    return bool(row["missing_since"]) or row["fingerprint"] != readings.fingerprint(document)


def _addressable(name: str) -> bool:
    """Databricks names are letters, digits, - and _. We take more, but only what a URL can say."""
    return 0 < len(name) <= 255 and name.isprintable() and "/" not in name and name.strip(".") != ""


def _write(
    workspace: Workspace,
    seen: dict[str, wire.Endpoint],
    changed_names: set[str],
    vanished: set[str],
    asked_at: datetime,
    *,
    fleet: int,
) -> None:
    rows = {
        row.name: row
        for row in workspace.endpoints.living()
        .select_for_update()
        .filter(name__in=changed_names | vanished)
    }
    changed: list[Endpoint] = []
    new: list[Endpoint] = []
    changes: list[StatusChange | None] = []

    for name in changed_names:
        answer = Answer(seen[name], asked_at, thin=True)
        row = rows.get(name)
        if row is not None:
            row.workspace = workspace
            if asked_at < row.read_at():
                continue
            if row.uid and answer.document.id and row.uid != answer.document.id:
                changes.append(readings.bury(row, asked_at))
                changed.append(row)
                row = None
        if row is None:
            new.append(readings.first_sight(workspace, answer))
        else:
            changes.append(readings.take_in(row, answer))
            changed.append(row)

    storm = len(vanished) > max(1, fleet // 10)
    patience = STORM_CYCLES * settings.SYNC_SECONDS if storm else 0
    look_at = asked_at + timedelta(seconds=patience)
    for name in vanished:
        if (row := rows.get(name)) is not None and asked_at >= row.observed_at:
            row.workspace = workspace
            changes.append(readings.miss(row, asked_at, look_at=look_at))
            changed.append(row)

    if changed or new:
        readings.save(changed, new, changes)


def _note_answer(workspace: Workspace, token: str, asked_at: datetime) -> datetime:
    """Write the workspace's own row; returns when the next list is due."""
    next_list_at = asked_at + timedelta(seconds=settings.SYNC_SECONDS)
    written = _held(workspace, token).update(
        observed_at=asked_at,
        error="",
        error_detail="",
        error_at=None,
        next_list_at=next_list_at,
    )
    if not written:
        raise LeaseLost
    before = workspace.observed_at
    if before and asked_at - before > timedelta(seconds=settings.STALE_SECONDS):
        Outage.objects.create(workspace=workspace, start=before, end=asked_at)
    if workspace.error:
        live.next_revision()
    return next_list_at


def _note_failure(
    workspace: Workspace, error: errors.DatabricksError, token: str, now: datetime
) -> timedelta:
    """A failed fetch touches only the workspace's error fields; old rows stay, and age. Returns
    how long to leave it alone: what Databricks asks for, at least a cycle."""
    rest = timedelta(seconds=max(error.retry_after or 0, settings.SYNC_SECONDS))
    fields = {
        "error": type(error).__name__,
        "error_detail": error.message[:500],
        "error_at": now,
    }
    with transaction.atomic():
        if _held(workspace, token).update(**fields) and workspace.error != fields["error"]:
            live.next_revision()
    log.warning("%s did not answer: %s", workspace.name, error)
    return rest


# Looks -----------------------------------------------------------------------------------------


def _look(workspace: Workspace, client: WorkspaceClient, token: str, clock: Clock) -> None:
    """GET the endpoints whose look is due, the longest waiting first."""
    started = clock()
    due = workspace.endpoints.living().filter(next_look_at__lte=started)
    for pk, name in due.order_by("next_look_at").values_list("pk", "name")[:LOOKS_PER_CYCLE]:
        asked_at = clock()
        if (asked_at - started).total_seconds() > LOOKS_SECONDS:
            return
        try:
            document = client.get_endpoint(name, deadline=5)
        except errors.DoesNotExist:
            document = None
        except errors.DatabricksError as e:
            if e.status is None or e.retryable:
                raise  # the workspace does not answer; the others wait with it
            _look_failed(pk, asked_at)
            continue
        with transaction.atomic():
            _check_lease(workspace, token)
            write_look(pk, document, asked_at)


def write_look(pk: int, document: wire.Endpoint | None, asked_at: datetime) -> Endpoint | None:
    """Take in the answer to a GET by name, None meaning that no endpoint has it, inside the
    caller's transaction. Returns the row, or None when it was gone already."""
    row = Endpoint.objects.living().select_for_update().filter(pk=pk).first()
    if row is None:
        return None
    if document is None or (row.uid and document.id and row.uid != document.id):
        readings.save([row], [], [readings.bury(row, asked_at)])
        return row
    shown = _shown(row)
    change = readings.take_in(row, Answer(document, asked_at))
    row.next_look_at = _next_look(row, asked_at)
    if change is not None or _shown(row) != shown:
        readings.save([row], [], [change])
    else:
        row.save(update_fields=["observed_at", "document_at", "next_look_at", "fingerprint"])
    return row


def preview(row: Endpoint, document: wire.Endpoint, asked_at: datetime) -> Endpoint:
    """The row as this answer would leave it; neither is saved."""
    shown = copy.copy(row)
    readings.take_in(shown, Answer(document, max(asked_at, row.read_at())))
    return shown


def _shown(row: Endpoint) -> tuple[object, ...]:
    """All that a page shows of it: only a change in these is news to a browser."""
    return tuple(
        getattr(row, name)
        for name in readings.WRITTEN
        if name not in ("observed_at", "document_at", "next_look_at", "revision")
    )


def _next_look(row: Endpoint, asked_at: datetime) -> datetime | None:
    if row.updating:
        return asked_at + timedelta(seconds=settings.SYNC_FAST_SECONDS)
    if row.missing_since is not None:
        return asked_at + timedelta(seconds=settings.SYNC_SECONDS)
    return None


def _look_failed(pk: int, asked_at: datetime) -> None:
    """Refused for this one endpoint (403, a proxy's 404): not known, which is not deleted."""
    with transaction.atomic():
        row = Endpoint.objects.living().select_for_update().filter(pk=pk).first()
        if row is None:
            return
        later = asked_at + timedelta(seconds=settings.SYNC_SECONDS)
        if row.missing_since is None:
            row.next_look_at = later
            row.save(update_fields=["next_look_at"])
        else:
            readings.save([row], [], [readings.miss(row, asked_at, look_at=later)])
