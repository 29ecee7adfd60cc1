"""Every address. Fragments have their own.

Those with the same beginning are in one list, so that an address that begins otherwise is compared
with each list once and not with all that is in it.
"""

from django.urls import URLPattern, include, path, register_converter
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

LOG = "logs/<config:config>/<str:entity>/<log:log>/"


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


ENDPOINT = [
    path("", endpoint_detail.page, name="endpoint"),
    path("changes/", endpoint_detail.changes, name="endpoint-changes"),
    path("operations/", operation_ask.ask, name="ask"),
    path("<kind:kind>/", operation_ask.page, name="ask-page"),
    path("<kind:kind>/dialog/", operation_ask.dialog, name="ask-dialog"),
    path("permissions/", permissions.page, name="permissions"),
    path("permissions/changes/", permissions.changes, name="permissions-changes"),
    path("permissions/edit/", permissions_edit.edit, name="permissions-edit"),
    # Who is on it
    path("acknowledge/", acknowledge.page, name="acknowledge"),
    path("acknowledge/dialog/", acknowledge.dialog, name="acknowledge-dialog"),
    path("acknowledge/clear/", acknowledge.clear, name="acknowledge-clear"),
    path("incidents/", incidents.page, name="incidents"),
    path("incidents/<int:pk>/remove/", incidents.remove, name="incident-remove"),
    # Activity and configuration
    path("activity/", activity.page, name="activity"),
    path("activity/events/", activity.with_events, name="activity-events"),
    path("activity/csv/", activity.download, name="activity-csv"),
    path("config/", config.page, name="config"),
    path("config/raw/", config.raw, name="config-raw"),
    # Budget policy
    path("budget/", budget_policy.page, name="endpoint-budget"),
    path("budget/changes/", budget_policy.changes, name="endpoint-budget-changes"),
    path("budget/edit/", budget_policy.edit, name="endpoint-budget-edit"),
    # Query schema
    path("schema/", schema.page, name="schema"),
    path("schema/part/", schema.part, name="schema-part"),
    path("schema/viewer/", schema.viewer, name="schema-viewer"),
    path("schema/findings/", schema.findings, name="schema-findings"),
    path("schema/openapi.json", schema.document, name="schema-document"),
    path("schema/try/", tryit.page, name="tryit"),
    # Metrics
    path("metrics/", metrics.page, name="metrics"),
    path("metrics/part/", metrics.part, name="metrics-part"),
    path("metrics/metrics.csv", metrics.table, name="metrics-csv"),
    path("metrics/keep/", metrics.keep, name="metrics-keep"),
    # Logs
    path("logs/", logs.first, name="logs"),
    path("logs/kept/", logs.kept, name="logs-kept"),
    path(LOG, logs.page, name="log"),
    path(f"{LOG}part/", logs.part, name="log-part"),
    path(f"{LOG}tail/", logs.tail, name="log-tail"),
    path(f"{LOG}download/", logs.download, name="log-download"),
]

OPERATIONS = [
    path("", operation_list.page, name="operations"),
    path("changes/", operation_list.changes, name="operations-changes"),
    path("<int:pk>/", operation_list.one, name="operation"),
    path("<int:pk>/changes/", operation_list.one_changes, name="operation-changes"),
    path("<int:pk>/withdraw/", operation_ask.withdraw, name="withdraw"),
]

STATUS = [  # of all, behind a link's token, of a view
    path("", status_page.page, name="status"),
    path("health", status_json.health, name="status-health"),
    path("feed.atom", status_feed.feed, name="status-feed"),
    path("badge.svg", status_badges.badge, name="status-badge"),
    *_status_of("t/<str:token>/", "status-token"),
    *_status_of("<str:slug>/", "status-view"),
]

STATUS_DESK = [  # behind the status page
    path("maintenance/", maintenance.page, name="maintenance"),
    path("maintenance/plan/", maintenance.plan, name="maintenance-plan"),
    path("maintenance/<int:pk>/", maintenance.change, name="maintenance-change"),
    path("maintenance/<int:pk>/cancel/", maintenance.cancel, name="maintenance-cancel"),
    path("views/", status_views.page, name="status-views"),
    path("views/make/", status_views.make, name="status-view-make"),
    path("view/<str:name>/", status_views.change, name="status-view-change"),
    path("view/<str:name>/remove/", status_views.remove, name="status-view-remove"),
    path("view/<str:name>/link/", status_views.link, name="status-view-link"),
    path("view/<str:name>/revoke/", status_views.revoke, name="status-view-revoke"),
    path("links/", status_links.page, name="status-links"),
    path("links/make/", status_links.make, name="status-link-make"),
    path("links/<int:pk>/", status_links.change, name="status-link-change"),
    path("links/<int:pk>/remove/", status_links.remove, name="status-link-remove"),
]

BUDGET = [
    path("", budget_report.page, name="budget"),
    path("changes/", budget_report.changes, name="budget-changes"),
    path("endpoints.csv", budget_report.table, name="budget-csv"),
]

ACCOUNT = [
    path("sign-in/", account.SignIn.as_view(), name="login"),
    path("sign-out/", account.SignOut.as_view(), name="logout"),
    path("password/", account.ChangePassword.as_view(), name="password"),
    path("language/", account.language, name="language"),
]

urlpatterns = [
    path("", endpoint_list.home, name="home"),
    path("endpoints/", endpoint_list.page, name="endpoints"),
    path("endpoints/changes/", endpoint_list.changes, name="endpoints-changes"),
    path("w/<str:workspace>/e/<str:name>/", include(ENDPOINT)),
    path("operations/", include(OPERATIONS)),
    path("status.json", status_json.document, name="status-json"),
    path("status/", include(STATUS)),
    path("status-desk/", include(STATUS_DESK)),
    path("budget/", include(BUDGET)),
    path("kept-logs/<int:pk>/", logs.snapshot, name="log-snapshot"),
    path("kept-logs/<int:pk>/download/", logs.snapshot_download, name="log-snapshot-download"),
    path("account/", include(ACCOUNT)),
    path("healthz", health.healthz, name="healthz"),
]
