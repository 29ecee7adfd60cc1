"""Stop, start and delete: asked here, carried out here, settled here.

A click becomes a row; the engine (`advance`) takes the row through its states. What happens in
which state is decided in `domain/lifecycle.py`; this module reads, sends and writes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from endpoints_app.databricks_api import errors, wire
from endpoints_app.databricks_api.client import WorkspaceClient
from endpoints_app.domain import lifecycle
from endpoints_app.domain.lifecycle import (
    FINISH_WITHIN,
    SEND_WITHIN,
    Next,
    OperationKind,
    Outcome,
    Presence,
    Refusal,
    Seen,
    State,
    Step,
    next_step,
)
from endpoints_app.models import Endpoint, Operation
from endpoints_app.services import access, audit, clients, live, sync

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

READ_SECONDS = 8.0
WRITE_SECONDS = 20.0
LEASE = timedelta(seconds=45)  # longer than a read and a write may take together
ASK_AGAIN = timedelta(seconds=2)


class NotOffered(Exception):
    """The rules do not allow it now; `refusal` says which."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class NameNotTyped(Exception):
    """A delete wants the endpoint's name typed."""


# Asking ----------------------------------------------------------------------------------------


def refusal_for(
    kind: OperationKind,
    endpoint: Endpoint,
    *,
    may: bool,
    stale: bool = False,
    running: Operation | None = None,
) -> Refusal | None:
    """Why `kind` is not offered on `endpoint` as we know it, or None. Where we do not know, the
    workspace is asked before anything is sent."""
    if endpoint.gone_at is not None:
        return Refusal.GONE
    if not may:
        return Refusal.ROLE
    if running is not None:
        return Refusal.OPERATION_OPEN
    refusal = lifecycle.refusal(
        kind, endpoint.known_kind, endpoint.known_status, updating=endpoint.updating
    )
    if stale and refusal in (Refusal.UPDATING, Refusal.UNKNOWN_STATE):
        return None
    return refusal


def request(
    endpoint: Endpoint,
    kind: OperationKind,
    *,
    actor: AbstractBaseUser,
    now: datetime,
    stale: bool,
    reason: str = "",
    confirm: str = "",
) -> Operation:
    """Record what `actor`, whose right the caller has asked, wants done. The second click on the
    same thing is the same operation.

    Raises NotOffered and NameNotTyped; nothing is recorded then.
    """
    if refusal := refusal_for(kind, endpoint, may=True, stale=stale):
        raise NotOffered(refusal)
    if kind is OperationKind.DELETE and confirm != endpoint.name:
        raise NameNotTyped
    try:
        with transaction.atomic():
            operation = Operation.objects.create(
                endpoint=endpoint,
                kind=kind.value,
                actor=actor,
                actor_name=_name_of(actor),
                reason=reason,
                requested_at=now,
                send_by=now + SEND_WITHIN,
                next_look_at=now,
                config_before=endpoint.config_version,
            )
            audit.of_operation(operation, "asked", now=now, reason=reason)
            _stamp(operation)
    except IntegrityError:
        running = Operation.objects.open().filter(endpoint=endpoint).first()
        if running is None or running.kind != kind.value:
            raise NotOffered(Refusal.OPERATION_OPEN) from None
        return running
    return operation


def withdraw(operation: Operation, *, by: AbstractBaseUser, now: datetime) -> bool:
    """Cancel it while nothing was sent; False means that it was too late."""
    with transaction.atomic():
        if not _settle(
            operation, State.CANCELLED, Outcome.WITHDRAWN, now, only_in=State.QUEUED
        ):
            return False
        Operation.objects.filter(pk=operation.pk).update(settled_by=_name_of(by))
        audit.of_operation(operation, "withdrawn", now=now, by=_name_of(by))
    return True


def _name_of(user: AbstractBaseUser) -> str:
    full_name = getattr(user, "get_full_name", str)()
    return (full_name or user.get_username())[:150]


# Carrying out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """One look at the workspace: what it shows, and the document to write if it answered."""

    seen: Seen
    asked_at: datetime
    document: wire.Endpoint | None = None

    @property
    def answered(self) -> bool:
        return self.seen.presence is not Presence.NOT_READ


def advance(operation_id: int, *, clock: Clock) -> None:
    """Take one look at one open operation and do its next step. Harmless to repeat: only the
    sending is not, and that has a state of its own, committed before it goes out."""
    now, token = clock(), uuid.uuid4().hex
    if not Operation.objects.claim(operation_id, token=token, now=now, until=now + LEASE):
        return
    operation = (
        Operation.objects.for_rows().select_related("actor").get(pk=operation_id)
    )
    try:
        if operation.known_state is State.QUEUED and not _still_allowed(operation):
            with transaction.atomic():
                _settle(operation, State.FAILED, Outcome.RIGHT_WITHDRAWN, now)
            return
        client = clients.client_for(operation.endpoint.workspace.name)
        step = _look(operation, client, clock)
        if step.step is Step.SEND:
            _send(operation, client, token, clock)
    except errors.NotConfigured as e:
        log.warning("%s cannot be carried out: %s", operation, e)
    finally:
        _release(operation, token, clock())


def _still_allowed(operation: Operation) -> bool:
    roles = access.of(operation.actor)
    return roles.may(operation.known_kind.action, operation.endpoint.workspace_id)


def _look(operation: Operation, client: WorkspaceClient, clock: Clock) -> Next:
    """Read the live state, write what it proves, and settle the operation if it is over."""
    read = _read(operation, client, clock)
    now = clock()
    with transaction.atomic():
        if read.answered:
            sync.write_look(operation.endpoint_id, read.document, read.asked_at)
            _note_movement(operation, read)
        step = next_step(
            operation.known_kind,
            operation.known_state,
            read.seen,
            moved=operation.moved_at is not None,
            now=now,
            send_by=operation.send_by,
            finish_by=operation.finish_by,
        )
        if state := SETTLES.get(step.step):
            refusal = read.seen.refusal if step.outcome is Outcome.NOT_POSSIBLE else None
            _settle(operation, state, step.outcome, now, refusal=refusal)
    return step


SETTLES = {
    Step.CONFIRM: State.CONFIRMED,
    Step.FAIL: State.FAILED,
    Step.NOT_CONFIRMED: State.NOT_CONFIRMED,
    Step.EXPIRE: State.EXPIRED,
}


def _read(operation: Operation, client: WorkspaceClient, clock: Clock) -> Read:
    asked_at = clock()
    endpoint = operation.endpoint
    if operation.known_state is State.QUEUED and asked_at > operation.send_by:
        return Read(Seen(Presence.NOT_READ), asked_at)  # nothing could make us send it now
    try:
        document = client.get_endpoint(endpoint.name, deadline=READ_SECONDS)
    except errors.DoesNotExist:
        return Read(Seen(Presence.GONE), asked_at)
    except errors.DatabricksError as e:
        _note_trouble(operation, e, clock())
        return Read(Seen(Presence.NOT_READ), asked_at)
    if endpoint.uid and document.id and endpoint.uid != document.id:
        return Read(Seen(Presence.REPLACED), asked_at, document)
    shown = sync.preview(endpoint, document, asked_at)
    refusal = lifecycle.refusal(
        operation.known_kind, shown.known_kind, shown.known_status, updating=shown.updating
    )
    return Read(Seen(Presence.THERE, shown.known_status, refusal), asked_at, document)


def _note_trouble(operation: Operation, error: errors.DatabricksError, now: datetime) -> None:
    """What keeps us from reading is said on the operation, until a read works again. Retry-After
    is honoured, but no deadline waits for it."""
    operation.detail = error.message[:500]
    fields: dict[str, object] = {"detail": operation.detail}
    if error.retry_after:
        deadline = operation.finish_by or operation.send_by
        fields["next_look_at"] = min(now + timedelta(seconds=error.retry_after), deadline + ASK_AGAIN)
    Operation.objects.filter(pk=operation.pk).update(**fields)


def _note_movement(operation: Operation, read: Read) -> None:
    """Store, once, that a read since the request differs from what was there before it."""
    if operation.sending_at is None or read.document is None:
        return
    endpoint = Endpoint.objects.only(
        "status", "config_version", "pending_version"
    ).get(pk=operation.endpoint_id)
    newest = max(endpoint.config_version or 0, endpoint.pending_version or 0)
    before = max(operation.config_before or 0, operation.pending_before or 0)
    fields: dict[str, object] = {}
    if newest > before and operation.config_after != newest:
        operation.config_after = fields["config_after"] = newest
    if operation.moved_at is None and (
        endpoint.status != operation.status_before or newest != before
    ):
        operation.moved_at = fields["moved_at"] = read.asked_at
    if operation.detail:
        operation.detail = fields["detail"] = ""
    if fields:
        Operation.objects.filter(pk=operation.pk).update(**fields)
        _stamp(operation)


def _send(operation: Operation, client: WorkspaceClient, token: str, clock: Clock) -> None:
    """Commit SENDING, then send. One click is at most one POST, whatever dies in between."""
    now = clock()
    endpoint = Endpoint.objects.get(pk=operation.endpoint_id)
    kind = operation.known_kind
    with transaction.atomic():
        mine = Operation.objects.filter(pk=operation.pk, lease_token=token, state=State.QUEUED)
        if not mine.update(
            state=State.SENDING,
            sending_at=now,
            finish_by=now + FINISH_WITHIN[kind],
            status_before=endpoint.status,
            config_before=endpoint.config_version,
            pending_before=endpoint.pending_version,
            detail="",
        ):
            return  # withdrawn meanwhile
        audit.of_operation(operation, "sending", now=now)
        _stamp(operation)

    send = {
        OperationKind.STOP: client.stop_endpoint,
        OperationKind.START: client.start_endpoint,
        OperationKind.DELETE: client.delete_endpoint,
    }[kind]
    try:
        send(endpoint.name, deadline=WRITE_SECONDS)
    except errors.DatabricksError as e:
        _after_error(operation, e, clock())
    else:
        _sent(operation, clock())


def _sent(operation: Operation, now: datetime) -> None:
    with transaction.atomic():
        Operation.objects.filter(pk=operation.pk, state=State.SENDING).update(
            state=State.SENT, sent_at=now
        )
        audit.of_operation(operation, "sent", now=now)
        _stamp(operation)


def _after_error(operation: Operation, error: errors.DatabricksError, now: datetime) -> None:
    log.warning("%s: %s", operation, error)
    if isinstance(error, errors.DoesNotExist) and operation.known_kind is OperationKind.DELETE:
        _sent(operation, now)  # the next read says GONE, and that settles it
        return
    with transaction.atomic():
        sending = Operation.objects.filter(pk=operation.pk, state=State.SENDING)
        match error.sent:
            case errors.Sent.NO:
                # The one case in which it may be sent again: it provably never arrived.
                wait = timedelta(seconds=error.retry_after or 0)
                sending.update(
                    state=State.QUEUED,
                    sending_at=None,
                    finish_by=None,
                    detail=error.message[:500],
                    next_look_at=now + max(wait, ASK_AGAIN),
                )
                audit.of_operation(operation, "not taken", now=now, answer=error.message)
            case errors.Sent.YES:
                operation.detail = error.message[:500]
                _settle(operation, State.FAILED, Outcome.REFUSED_BY_DATABRICKS, now)
            case errors.Sent.MAYBE:
                sending.update(detail=error.message[:500])
                audit.of_operation(operation, "lost from sight", now=now, answer=error.message)
        _stamp(operation)


# Settling --------------------------------------------------------------------------------------


def _settle(
    operation: Operation,
    state: State,
    outcome: Outcome,
    now: datetime,
    *,
    refusal: Refusal | None = None,
    only_in: State | None = None,
) -> bool:
    """Close the operation, inside the caller's transaction, with its audit entry and the row
    that shows it. False means that it was closed, or had left `only_in`, before."""
    still = Operation.objects.open().filter(pk=operation.pk)
    if only_in is not None:
        still = still.filter(state=only_in)
    if not still.update(
        state=state,
        outcome=outcome,
        refusal=refusal.value if refusal else "",
        detail=operation.detail,
        settled_at=now,
        lease_token="",
        leased_until=None,
    ):
        return False
    operation.state, operation.outcome, operation.settled_at = state.value, outcome.value, now
    if state is not State.CANCELLED:
        audit.of_operation(operation, state.value, now=now, outcome=outcome.value)
    _stamp(operation)
    return True


def _release(operation: Operation, token: str, now: datetime) -> None:
    """Give the lease back and say when to look again, unless the step said so."""
    held = Operation.objects.open().filter(pk=operation.pk, lease_token=token)
    since_sent = now - (operation.sending_at or now)
    pause = lifecycle.look_again_in(operation.known_state, since_sent)
    held.filter(next_look_at__lte=now).update(next_look_at=now + pause)
    held.update(lease_token="", leased_until=None)


def _stamp(operation: Operation) -> None:
    """The operation is shown on its endpoint's row: both carry the new revision."""
    revision = live.next_revision()
    Operation.objects.filter(pk=operation.pk).update(revision=revision)
    Endpoint.objects.filter(pk=operation.endpoint_id).update(revision=revision)
