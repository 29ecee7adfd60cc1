"""Our own record of who did what. Databricks only sees our service principal."""

from datetime import datetime
from typing import Any

from endpoints_app.models import AuditEntry, Operation


def of_operation(operation: Operation, action: str, *, now: datetime, by: str = "", **detail: Any) -> None:
    """`action` in a word ("asked", "sending", "confirmed"); `by` when not the one who asked."""
    AuditEntry.objects.create(
        at=now,
        actor=None if by else operation.actor,
        actor_name=by or operation.actor_name,
        action=f"{operation.kind} {action}",
        workspace=operation.endpoint.workspace.name,
        endpoint=operation.endpoint.name,
        operation=operation,
        detail=detail,
    )
