"""What we remember."""

from endpoints_app.models.audit import AuditEntry
from endpoints_app.models.endpoint import Endpoint
from endpoints_app.models.fleet import Fleet
from endpoints_app.models.log_snapshot import LogSnapshot
from endpoints_app.models.operation import Operation
from endpoints_app.models.role_group import RoleGroup
from endpoints_app.models.schema_copy import SchemaCopy
from endpoints_app.models.status_change import StatusChange
from endpoints_app.models.workspace import Outage, Workspace

__all__ = [
    "AuditEntry",
    "Endpoint",
    "Fleet",
    "LogSnapshot",
    "Operation",
    "Outage",
    "RoleGroup",
    "SchemaCopy",
    "StatusChange",
    "Workspace",
]
