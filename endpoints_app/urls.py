"""Every address. Fragments have their own; panels will each bring theirs."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from endpoints_app.api import status_json
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.domain.logs import Log
from endpoints_app.views import (
    account,
    acknowledge,
    activity,
    budget_policy,
    budget_report,
    config,
    endpoint_detail,
    endpoint_list,
    health,
    incidents,
    logs,
    maintenance,
    metrics,
    operation_ask,
    operation_list,
    permissions,
    permissions_edit,
    schema,
    status_badges,
    status_feed,
    status_links,
    status_page,
    status_views,
    tryit,
)


class KindConverter(StringConverter):
    regex = "|".join(kind.value for kind in OperationKind)

    def to_python(self, value: str) -> OperationKind:
        return OperationKind(value)


class LogConverter(StringConverter):
    regex = "|".join(log.value for log in Log)

    def to_python(self, value: str) -> Log:
        return Log(value)


class ConfigConverter(StringConverter):
    regex = r"active|pending|\d{1,18}"


register_converter(KindConverter, "kind")
register_converter(LogConverter, "log")
register_converter(ConfigConverter, "config")

LOG = "w/<str:workspace>/e/<str:name>/logs/<config:config>/<str:entity>/<log:log>/"


def _status_of(root: str, name: str) -> list[URLPattern]:
    """A view's status page and its other forms."""
    return [
        path(root, status_page.page, name=name),
        path(f"{root}status.json", status_json.document, name=f"{name}-json"),
        path(f"{root}health", status_json.health, name=f"{name}-health"),
        path(f"{root}feed.atom", status_feed.feed, name=f"{name}-feed"),
        path(f"{root}badge.svg", status_badges.badge, name=f"{name}-badge"),
        path(f"{root}<str:name>/", status_page.endpoint, name=f"{name}-endpoint"),
        path(
            f"{root}<str:name>/badge.svg",
            status_badges.endpoint_badge,
            name=f"{name}-endpoint-badge",
        ),
    ]


urlpatterns = [
    path("", endpoint_list.home, name="home"),
    path("endpoints/", endpoint_list.page, name="endpoints"),
    path("endpoints/changes/", endpoint_list.changes, name="endpoints-changes"),
    path("w/<str:workspace>/e/<str:name>/", endpoint_detail.page, name="endpoint"),
    path(
        "w/<str:workspace>/e/<str:name>/changes/", endpoint_detail.changes, name="endpoint-changes"
    ),
    path("w/<str:workspace>/e/<str:name>/operations/", operation_ask.ask, name="ask"),
    path("w/<str:workspace>/e/<str:name>/<kind:kind>/", operation_ask.page, name="ask-page"),
    path(
        "w/<str:workspace>/e/<str:name>/<kind:kind>/dialog/",
        operation_ask.dialog,
        name="ask-dialog",
    ),
    path("w/<str:workspace>/e/<str:name>/permissions/", permissions.page, name="permissions"),
    path(
        "w/<str:workspace>/e/<str:name>/permissions/changes/",
        permissions.changes,
        name="permissions-changes",
    ),
    path(
        "w/<str:workspace>/e/<str:name>/permissions/edit/",
        permissions_edit.edit,
        name="permissions-edit",
    ),
    # Who is on it
    path("w/<str:workspace>/e/<str:name>/acknowledge/", acknowledge.page, name="acknowledge"),
    path(
        "w/<str:workspace>/e/<str:name>/acknowledge/dialog/",
        acknowledge.dialog,
        name="acknowledge-dialog",
    ),
    path(
        "w/<str:workspace>/e/<str:name>/acknowledge/clear/",
        acknowledge.clear,
        name="acknowledge-clear",
    ),
    path("w/<str:workspace>/e/<str:name>/incidents/", incidents.page, name="incidents"),
    path(
        "w/<str:workspace>/e/<str:name>/incidents/<int:pk>/remove/",
        incidents.remove,
        name="incident-remove",
    ),
    # Activity and configuration
    path("w/<str:workspace>/e/<str:name>/activity/", activity.page, name="activity"),
    path(
        "w/<str:workspace>/e/<str:name>/activity/events/",
        activity.with_events,
        name="activity-events",
    ),
    path("w/<str:workspace>/e/<str:name>/activity/csv/", activity.download, name="activity-csv"),
    path("w/<str:workspace>/e/<str:name>/config/", config.page, name="config"),
    path("w/<str:workspace>/e/<str:name>/config/raw/", config.raw, name="config-raw"),
    # Budget policy
    path("w/<str:workspace>/e/<str:name>/budget/", budget_policy.page, name="endpoint-budget"),
    path(
        "w/<str:workspace>/e/<str:name>/budget/changes/",
        budget_policy.changes,
        name="endpoint-budget-changes",
    ),
    path(
        "w/<str:workspace>/e/<str:name>/budget/edit/",
        budget_policy.edit,
        name="endpoint-budget-edit",
    ),
    # Query schema
    path("w/<str:workspace>/e/<str:name>/schema/", schema.page, name="schema"),
    path("w/<str:workspace>/e/<str:name>/schema/part/", schema.part, name="schema-part"),
    path("w/<str:workspace>/e/<str:name>/schema/viewer/", schema.viewer, name="schema-viewer"),
    path(
        "w/<str:workspace>/e/<str:name>/schema/findings/", schema.findings, name="schema-findings"
    ),
    path(
        "w/<str:workspace>/e/<str:name>/schema/openapi.json",
        schema.document,
        name="schema-document",
    ),
    path("w/<str:workspace>/e/<str:name>/schema/try/", tryit.page, name="tryit"),
    # Metrics
    path("w/<str:workspace>/e/<str:name>/metrics/", metrics.page, name="metrics"),
    path("w/<str:workspace>/e/<str:name>/metrics/part/", metrics.part, name="metrics-part"),
    path("w/<str:workspace>/e/<str:name>/metrics/metrics.csv", metrics.table, name="metrics-csv"),
    path("w/<str:workspace>/e/<str:name>/metrics/keep/", metrics.keep, name="metrics-keep"),
    # Logs
    path("w/<str:workspace>/e/<str:name>/logs/", logs.first, name="logs"),
    path("w/<str:workspace>/e/<str:name>/logs/kept/", logs.kept, name="logs-kept"),
    path(LOG, logs.page, name="log"),
    path(f"{LOG}part/", logs.part, name="log-part"),
    path(f"{LOG}tail/", logs.tail, name="log-tail"),
    path(f"{LOG}download/", logs.download, name="log-download"),
    path("kept-logs/<int:pk>/", logs.snapshot, name="log-snapshot"),
    path("kept-logs/<int:pk>/download/", logs.snapshot_download, name="log-snapshot-download"),
    # Behind the status page
    path("status-desk/maintenance/", maintenance.page, name="maintenance"),
    path("status-desk/maintenance/plan/", maintenance.plan, name="maintenance-plan"),
    path("status-desk/maintenance/<int:pk>/", maintenance.change, name="maintenance-change"),
    path("status-desk/maintenance/<int:pk>/cancel/", maintenance.cancel, name="maintenance-cancel"),
    path("status-desk/views/", status_views.page, name="status-views"),
    path("status-desk/views/make/", status_views.make, name="status-view-make"),
    path("status-desk/view/<str:name>/", status_views.change, name="status-view-change"),
    path("status-desk/view/<str:name>/remove/", status_views.remove, name="status-view-remove"),
    path("status-desk/view/<str:name>/link/", status_views.link, name="status-view-link"),
    path("status-desk/view/<str:name>/revoke/", status_views.revoke, name="status-view-revoke"),
    path("status-desk/links/", status_links.page, name="status-links"),
    path("status-desk/links/make/", status_links.make, name="status-link-make"),
    path("status-desk/links/<int:pk>/", status_links.change, name="status-link-change"),
    path("status-desk/links/<int:pk>/remove/", status_links.remove, name="status-link-remove"),
    # Budget policies
    path("budget/", budget_report.page, name="budget"),
    path("budget/changes/", budget_report.changes, name="budget-changes"),
    path("budget/endpoints.csv", budget_report.table, name="budget-csv"),
    path("operations/", operation_list.page, name="operations"),
    path("operations/changes/", operation_list.changes, name="operations-changes"),
    path("operations/<int:pk>/", operation_list.one, name="operation"),
    path("operations/<int:pk>/changes/", operation_list.one_changes, name="operation-changes"),
    path("operations/<int:pk>/withdraw/", operation_ask.withdraw, name="withdraw"),
    # The status page: of all, behind a link's token, of a view
    path("status.json", status_json.document, name="status-json"),
    path("status/", status_page.page, name="status"),
    path("status/health", status_json.health, name="status-health"),
    path("status/feed.atom", status_feed.feed, name="status-feed"),
    path("status/badge.svg", status_badges.badge, name="status-badge"),
    *_status_of("status/t/<str:token>/", "status-token"),
    *_status_of("status/<str:slug>/", "status-view"),
    path("healthz", health.healthz, name="healthz"),
    path("account/sign-in/", account.SignIn.as_view(), name="login"),
    path("account/sign-out/", account.SignOut.as_view(), name="logout"),
    path("account/password/", account.ChangePassword.as_view(), name="password"),
    path("account/language/", account.language, name="language"),
]
