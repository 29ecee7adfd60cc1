"""The queue's two doors: submit() puts work on, @shared_task takes it off."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.models import Endpoint, Operation, Workspace
from endpoints_app.services import (
    acknowledging,
    clients,
    history,
    live,
    logs,
    metric_grains,
    metric_samples,
    operations,
    status_payload,
    status_snapshot,
    sync,
    workspaces,
)

log = logging.getLogger(__name__)


def submit(
    endpoint: Endpoint,
    kind: OperationKind,
    *,
    actor: User,
    now: datetime,
    stale: bool,
    reason: str = "",
    confirm: str = "",
) -> Operation:
    """Record the operation, then nudge a worker. View, API and schedule all come through here.

    Raises what `operations.request` raises. A lost nudge costs a second, not the operation.
    """
    with live.writing():
        operation = operations.request(
            endpoint, kind, actor=actor, now=now, stale=stale, reason=reason, confirm=confirm
        )
        transaction.on_commit(lambda: _nudge(operation.pk), robust=True)
    return operation


_broker_rests_until = 0.0


def _nudge(operation_id: int) -> None:
    """Publish without retry; with the broker gone, do not try again for a moment."""
    global _broker_rests_until
    if time.monotonic() < _broker_rests_until:
        return
    try:
        advance_operation.apply_async((operation_id,), retry=False, expires=30)
    except (OperationalError, OSError) as e:
        _broker_rests_until = time.monotonic() + 2
        log.warning("The broker does not answer (%s); the look-up will find it.", type(e).__name__)


@worker_ready.connect
def _worker_is_ready(**_: Any) -> None:
    """Our workers are one process with threads, so that what is made here is made for all."""
    clients.warm()


@shared_task
def advance_operation(operation_id: int, **_: Any) -> None:
    operations.advance(operation_id, clock=timezone.now)


@shared_task
def look_at_operations(**_: Any) -> None:
    """Each second: hand out the operations whose look is due, whether or not a nudge came."""
    for pk in Operation.objects.due(timezone.now()).values_list("pk", flat=True)[:100]:
        advance_operation.apply_async((pk,), expires=5)


@shared_task
def look_at_workspaces(**_: Any) -> None:
    """Each second: hand out the workspaces that are due."""
    workspaces.ensure(list(settings.WORKSPACES))
    for pk in Workspace.objects.due(timezone.now()).values_list("pk", flat=True):
        sync_workspace.apply_async((pk,), expires=2)


@shared_task
def sync_workspace(workspace_id: int, **_: Any) -> None:
    sync.sync(workspace_id, clock=timezone.now)


@shared_task
def publish_status(**_: Any) -> None:
    """Each second: what the status page is made from, if there is news, and its age."""
    status_payload.publish(now=timezone.now())


@shared_task
def write_snapshot(**_: Any) -> None:
    """Every few seconds: the status page as files, where it is asked for."""
    status_snapshot.write(now=timezone.now())


@shared_task
def keep_logs(**_: Any) -> None:
    """Every few seconds: keep the logs of updates that have failed."""
    logs.keep_failures(now=timezone.now())


@shared_task
def end_acknowledgements(**_: Any) -> None:
    """Every few seconds: those whose time is over."""
    acknowledging.expire(now=timezone.now())


@shared_task
def look_at_metrics(**_: Any) -> None:
    """Every few seconds: hand out the workspaces in which somebody's minute has come."""
    for pk in metric_samples.due_workspaces(timezone.now()):
        sample_metrics.apply_async((pk,), expires=20)


@shared_task
def sample_metrics(workspace_id: int, **_: Any) -> None:
    metric_samples.sample(workspace_id, clock=timezone.now)


@shared_task
def roll_up_metrics(**_: Any) -> None:
    metric_grains.roll_up(now=timezone.now())


@shared_task
def prune(**_: Any) -> None:
    history.prune(now=timezone.now())
