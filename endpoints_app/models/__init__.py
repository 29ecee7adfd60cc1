"""What we remember."""

from endpoints_app.models.acknowledgement import Acknowledgement
from endpoints_app.models.audit import AuditEntry
from endpoints_app.models.config_version import ConfigVersion
from endpoints_app.models.endpoint import Endpoint
from endpoints_app.models.fleet import Fleet
from endpoints_app.models.incident_note import IncidentNote
from endpoints_app.models.log_snapshot import LogSnapshot
from endpoints_app.models.maintenance import Maintenance
from endpoints_app.models.metric_sample import MetricSample, MetricWatch
from endpoints_app.models.operation import Operation
from endpoints_app.models.role_group import RoleGroup
from endpoints_app.models.schema_copy import SchemaCopy
from endpoints_app.models.status_change import StatusChange
from endpoints_app.models.status_link import StatusLink
from endpoints_app.models.status_payload import StatusDays, StatusDocument, StatusPayload
from endpoints_app.models.status_view import StatusView, StatusViewMember
from endpoints_app.models.workspace import Outage, Workspace

__all__ = [
    "Acknowledgement",
    "AuditEntry",
    "ConfigVersion",
    "Endpoint",
    "Fleet",
    "IncidentNote",
    "LogSnapshot",
    "Maintenance",
    "MetricSample",
    "MetricWatch",
    "Operation",
    "Outage",
    "RoleGroup",
    "SchemaCopy",
    "StatusChange",
    "StatusDays",
    "StatusDocument",
    "StatusLink",
    "StatusPayload",
    "StatusView",
    "StatusViewMember",
    "Workspace",
]
