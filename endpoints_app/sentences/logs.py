"""Logs and why they were kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.domain.logs import Log
from endpoints_app.models import LogSnapshot


def log(log: Log) -> str:
    return _("Build log") if log is Log.BUILD else _("Server log")


def kept_because(snapshot: LogSnapshot) -> str:
    """Why the log was kept."""
    operation = snapshot.operation
    if operation is None:
        return _("The update failed")
    if operation.known_kind is OperationKind.DELETE:
        return _("Before a delete")
    return _("Before a stop")
