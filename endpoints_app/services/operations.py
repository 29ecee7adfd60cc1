"""Stop, start and delete: asked here, carried out here, settled here.

A click becomes a row; the engine (`advance`) takes the row through its states. What happens in
which state is decided in `domain/lifecycle.py`; this module reads, sends and writes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from endpoints_app.databricks_api import errors, wire
from endpoints_app.domain import lifecycle
from endpoints_app.domain.lifecycle import (
    FINISH_WITHIN,
    SEND_WITHIN,
    OperationKind,
    Outcome,
    Presence,
    Refusal,
    Seen,
    State,
    Step,
    next_step,
)
from endpoints_app.models import Endpoint, LogSnapshot, Operation
from endpoints_app.services import access, audit, clients, live, logs, looks

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

READ_SECONDS = 8.0
WRITE_SECONDS = 20.0
LEASE = timedelta(seconds=45)  # longer than a read and a write may take together
EARLY = timedelta(seconds=0.5)
"""Due operations are looked up each second. What is due a second after its last look would be
missed by a hair, and looked at every two."""


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
    actor: User,
    now: datetime,
    stale: bool,
    reason: str = "",
    confirm: str = "",
) -> Operation:
    """Record what `actor`, whose right the caller has asked, wants done. The second click on the
    same thing is the same operation.

    Raises NotOffered and NameNotTyped; nothing is recorded then.
    """
    if kind is OperationKind.DELETE and confirm != endpoint.name:
        raise NameNotTyped
    with live.writing():
        running = Operation.objects.for_rows().open().filter(endpoint=endpoint).first()
        if running is not None and running.known_kind is kind:
            return running
        if running is not None and _has_reached_its_goal(running, endpoint):
            _settle(running, State.CONFIRMED, Outcome.READ, now)
            running = None
        if refusal := refusal_for(kind, endpoint, may=True, stale=stale, running=running):
            raise NotOffered(refusal)
        operation = Operation.objects.create(
            endpoint=endpoint,
            kind=kind.value,
            actor=actor,
            actor_name=audit.name_of(actor),
            reason=reason,
            requested_at=now,
            send_by=now + SEND_WITHIN,
            next_look_at=now,
            config_before=endpoint.config_version,
        )
        audit.of_operation(operation, "asked", now=now, reason=reason)
        _stamp(operation)
    return operation


def _has_reached_its_goal(operation: Operation, endpoint: Endpoint) -> bool:
    """Whether the sync has read, since it was sent, what it asked for: the engine has only not
    looked yet, and who sees "Stopped" may ask for a start."""
    if operation.sending_at is None or endpoint.read_at() <= operation.sending_at:
        return False
    return endpoint.known_status in lifecycle.GOAL[operation.known_kind]


def withdraw(operation: Operation, *, by: User, now: datetime) -> bool:
    """Cancel it while nothing was sent; False means that it was too late."""
    with live.writing():
        queued = Operation.objects.for_rows().filter(pk=operation.pk, state=State.QUEUED).first()
        if queued is None:
            return False
        name = audit.name_of(by)
        _settle(queued, State.CANCELLED, Outcome.WITHDRAWN, now, settled_by=name)
        audit.of_operation(queued, "withdrawn", now=now, by=by)
    return True


# Carrying out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """One GET of the endpoint by its name: what it brought, None meaning that no endpoint has the
    name, or what kept it from being answered."""

    asked_at: datetime
    document: wire.Endpoint | None = None
    trouble: errors.DatabricksError | None = None


def advance(operation_id: int, *, clock: Clock) -> None:
    """Take one look at one open operation and do its next step. Harmless to repeat: only the
    sending is not, and that has a state of its own, committed before it goes out."""
    now, token = clock(), uuid.uuid4().hex
    if not Operation.objects.claim(operation_id, token=token, now=now, until=now + LEASE):
        return
    trouble = None
    try:
        operation = Operation.objects.select_related("endpoint__workspace").get(pk=operation_id)
        before = logs.Before(operation, now=now)  # what a stop or a delete would take with it
        try:
            read = _read(operation, clock)
            kept = before.taken() if read.document else []
        finally:
            before.forget()
        trouble = read.trouble
        if _take_step(operation_id, token, read, kept, clock()) is Step.SEND:
            trouble = _send(operation, clock)
    finally:
        _release(operation_id, token, trouble, clock())


def _read(operation: Operation, clock: Clock) -> Read:
    endpoint, asked_at = operation.endpoint, clock()
    try:
        client = clients.client_for(endpoint.workspace.name)
        return Read(asked_at, client.get_endpoint(endpoint.name, deadline=READ_SECONDS))
    except errors.DoesNotExist:
        return Read(asked_at)
    except errors.DatabricksError as e:
        log.info("%s: no answer to a read: %s", operation, e)
        return Read(asked_at, trouble=e)


def _take_step(
    operation_id: int, token: str, read: Read, kept: Sequence[LogSnapshot], now: datetime
) -> Step:
    """Write what the read proves, decide, and write the state that follows, all in one: an
    operation is never further than its row says. After SEND it is the caller's to send, and the
    logs that were taken for that are `kept`."""
    with live.writing():
        operation = Operation.objects.held(operation_id, token)
        if operation is None:  # withdrawn meanwhile, or we overslept and another worker has it
            return Step.WAIT
        if read.trouble is None:
            endpoint = looks.write_look(operation.endpoint_id, read.document, read.asked_at)
            _note_movement(operation, endpoint, read.asked_at)
        else:
            endpoint = operation.endpoint
            _write(operation, detail=read.trouble.message[:500])
        if operation.known_state is State.QUEUED and not _still_allowed(operation):
            _settle(operation, State.FAILED, Outcome.RIGHT_WITHDRAWN, now)
            return Step.FAIL
        seen = _seen(operation.known_kind, endpoint, answered=read.trouble is None)
        step = next_step(
            operation.known_kind,
            operation.known_state,
            seen,
            moved=operation.moved_at is not None,
            now=now,
            send_by=operation.send_by,
            finish_by=operation.finish_by,
        )
        if step.step is Step.SEND:
            _write(
                operation,
                state=State.SENDING.value,
                sending_at=now,
                finish_by=now + FINISH_WITHIN[operation.known_kind],
                status_before=endpoint.status,
                config_before=endpoint.config_version,
                pending_before=endpoint.pending_version,
            )
            audit.of_operation(operation, "sending", now=now)
            logs.keep_taken(kept)
        elif state := SETTLES.get(step.step):
            refusal = seen.refusal if step.outcome is Outcome.NOT_POSSIBLE else None
            _settle(operation, state, step.outcome, now, refusal=refusal.value if refusal else "")
        return step.step


SETTLES = {
    Step.CONFIRM: State.CONFIRMED,
    Step.FAIL: State.FAILED,
    Step.NOT_CONFIRMED: State.NOT_CONFIRMED,
    Step.EXPIRE: State.EXPIRED,
}


def _still_allowed(operation: Operation) -> bool:
    held = access.of(operation.actor)
    return held.may(operation.known_kind.action, operation.endpoint.workspace_id)


def _seen(kind: OperationKind, endpoint: Endpoint, *, answered: bool) -> Seen:
    """What the row says now that the read is written into it."""
    if endpoint.gone_at is not None:
        same_name = Endpoint.objects.living().filter(
            workspace=endpoint.workspace_id, name=endpoint.name
        )
        return Seen(Presence.REPLACED if same_name.exists() else Presence.GONE)
    if not answered:
        return Seen(Presence.NOT_READ)
    refusal = lifecycle.refusal(
        kind, endpoint.known_kind, endpoint.known_status, updating=endpoint.updating
    )
    return Seen(Presence.THERE, endpoint.known_status, refusal)


def _note_movement(operation: Operation, endpoint: Endpoint, asked_at: datetime) -> None:
    """Store, once, that a read since the request differs from what was there before it."""
    if operation.sending_at is None:
        _write(operation, detail="")
        return
    newest = max(endpoint.config_version or 0, endpoint.pending_version or 0)
    before = max(operation.config_before or 0, operation.pending_before or 0)
    moved = endpoint.status != operation.status_before or newest != before
    _write(
        operation,
        detail="",
        config_after=newest if newest > before else operation.config_after,
        moved_at=operation.moved_at or (asked_at if moved else None),
    )


def _send(operation: Operation, clock: Clock) -> errors.DatabricksError | None:
    """Send it, once; SENDING is committed. Returns what went wrong."""
    name = operation.endpoint.name
    try:
        client = clients.client_for(operation.endpoint.workspace.name)
        match operation.known_kind:
            case OperationKind.STOP:
                client.stop_endpoint(name, deadline=WRITE_SECONDS)
            case OperationKind.START:
                client.start_endpoint(name, deadline=WRITE_SECONDS)
            case OperationKind.DELETE:
                client.delete_endpoint(name, deadline=WRITE_SECONDS)
    except errors.DatabricksError as e:
        log.warning("%s: %s", operation, e)
        _note_sent(operation.pk, e, clock())
        return e
    _note_sent(operation.pk, None, clock())
    return None


def _note_sent(operation_id: int, error: errors.DatabricksError | None, now: datetime) -> None:
    """Write what became of the request. Whoever sent it writes this, lease or not."""
    with live.writing():
        operation = Operation.objects.for_rows().get(pk=operation_id)
        if operation.known_state is not State.SENDING:
            return  # a look of another worker has settled it
        answer = error.message[:500] if error else ""
        if isinstance(error, errors.DoesNotExist) and operation.kind == OperationKind.DELETE:
            error = None  # gone is gone: the next read says so, and that settles it
        match error.sent if error else None:
            case None:
                _write(operation, state=State.SENT.value, sent_at=now)
                audit.of_operation(operation, "sent", now=now)
            case errors.Sent.NO:
                # The one case in which it may be sent again: it provably never arrived.
                _write(
                    operation,
                    state=State.QUEUED.value,
                    sending_at=None,
                    finish_by=None,
                    detail=answer,
                )
                audit.of_operation(operation, "not taken", now=now, answer=answer)
            case errors.Sent.YES:
                _settle(operation, State.FAILED, Outcome.REFUSED_BY_DATABRICKS, now, detail=answer)
            case errors.Sent.MAYBE:
                _write(operation, detail=answer)
                audit.of_operation(operation, "lost from sight", now=now, answer=answer)


def _release(
    operation_id: int, token: str, trouble: errors.DatabricksError | None, now: datetime
) -> None:
    """Give the lease back and say when to look again. Retry-After is honoured, but no deadline
    waits for it."""
    operation = Operation.objects.held(operation_id, token)
    if operation is None:
        return
    workspace = operation.endpoint.workspace_id
    under_way = Operation.objects.open().filter(endpoint__workspace=workspace).count()
    next_look_at = now + lifecycle.look_again_in(under_way) - EARLY
    if trouble is not None and trouble.retry_after:
        rested = now + timedelta(seconds=trouble.retry_after)
        past_deadline = (operation.finish_by or operation.send_by) + timedelta(seconds=1)
        next_look_at = max(next_look_at, min(rested, past_deadline))
    Operation.objects.filter(pk=operation.pk, lease_token=token).update(
        next_look_at=next_look_at, lease_token="", leased_until=None
    )


# Writing ---------------------------------------------------------------------------------------


def _settle(
    operation: Operation, state: State, outcome: Outcome, now: datetime, **more: object
) -> None:
    """Close the open operation, with its audit entry and the row that shows it."""
    _write(operation, state=state.value, outcome=outcome.value, settled_at=now, **more)
    if state is not State.CANCELLED:
        audit.of_operation(operation, state.value, now=now, outcome=outcome.value)


def _write(operation: Operation, **fields: object) -> None:
    """Write those of the fields that change, if any, inside the caller's `writing()`."""
    changed = {name: v for name, v in fields.items() if getattr(operation, name) != v}
    if not changed:
        return
    for name, value in changed.items():
        setattr(operation, name, value)
    Operation.objects.filter(pk=operation.pk).update(**changed)
    _stamp(operation)


def _stamp(operation: Operation) -> None:
    """The operation is shown on its endpoint's row: both carry the new revision."""
    revision = live.next_revision()
    Operation.objects.filter(pk=operation.pk).update(revision=revision)
    Endpoint.objects.filter(pk=operation.endpoint_id).update(revision=revision)
