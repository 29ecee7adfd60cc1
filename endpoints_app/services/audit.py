"""Our own record of who did what. Databricks only sees our service principal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from endpoints_app.models import AuditEntry, Endpoint, Operation
from endpoints_app.services import live


def of_operation(
    operation: Operation, action: str, *, now: datetime, by: User | None = None, **detail: str
) -> None:
    """`action` in a word ("asked", "sending", "confirmed"); `by` when not the one who asked."""
    AuditEntry.objects.create(
        at=now,
        actor_id=by.pk if by else operation.actor_id,
        actor_name=name_of(by) if by else operation.actor_name,
        action=f"{operation.kind} {action}",
        workspace=operation.endpoint.workspace.name,
        endpoint=operation.endpoint.name,
        operation=operation,
        detail=detail,
    )


def of_endpoint(
    endpoint: Endpoint, action: str, *, by: User, now: datetime, detail: Mapping[str, Any]
) -> None:
    """What somebody did to an endpoint that is no operation; `action` as "permissions saved". Its
    pages tell of it: it carries a new revision. The record goes by names, so whoever has the name
    now tells it too."""
    with live.writing():
        AuditEntry.objects.create(
            at=now,
            actor_id=by.pk,
            actor_name=name_of(by),
            action=action,
            workspace=endpoint.workspace.name,
            endpoint=endpoint.name,
            detail=dict(detail),
        )
        namesake = Q(workspace=endpoint.workspace_id, name=endpoint.name, gone_at=None)
        Endpoint.objects.filter(Q(pk=endpoint.pk) | namesake).update(revision=live.next_revision())


def changed_here(endpoint: Endpoint, what: str) -> QuerySet[AuditEntry]:
    """What people did to `what` of it ("permissions") through this program, newest first."""
    return AuditEntry.objects.filter(
        workspace=endpoint.workspace.name,
        endpoint=endpoint.name,
        at__gte=endpoint.first_seen_at,
        action__startswith=f"{what} ",
    ).exclude(action=f"{what} asked")


def of_status_page(
    action: str, *, by: User, now: datetime, workspace: str = "", detail: Mapping[str, Any]
) -> None:
    """What somebody did for the status page, beyond one endpoint; `action` as "work planned"."""
    AuditEntry.objects.create(
        at=now,
        actor_id=by.pk,
        actor_name=name_of(by),
        action=action,
        workspace=workspace,
        endpoint="",
        detail=dict(detail),
    )


def name_of(user: User) -> str:
    """The name by which an account is remembered once it is deleted."""
    return (user.get_full_name() or user.get_username())[:150]
