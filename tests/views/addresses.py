"""Every address, and what it answers to whom."""

WHO = ["nobody", "oscar", "ada", "vera", "otto", "mika"]
"""Not signed in; without any role; a role elsewhere; viewer; operator; manager."""

# `in` is the way to the sign-in page and back, `to` any other redirect. A row: the address, what
# GET answers to each of WHO, and what POST does.
ADDRESSES = {
    "home": ("/", "in to to to to to", "in 405 405 405 405 405"),
    "endpoints": ("/endpoints/", "in 404 200 200 200 200", "in 405 405 405 405 405"),
    "endpoints-changes": (
        "/endpoints/changes/",
        "401 404 200 200 200 200",
        "401 405 405 405 405 405",
    ),
    "endpoint": ("/w/lab/e/churn/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "endpoint-changes": (
        "/w/lab/e/churn/changes/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "ask": (
        "/w/lab/e/customer-ltv/operations/",
        "in 405 405 405 405 405",
        "in 404 404 403 to to",
    ),
    "ask-page": ("/w/lab/e/churn/stop/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "ask-dialog": (
        "/w/lab/e/churn/stop/dialog/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "permissions": (
        "/w/lab/e/churn/permissions/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "permissions-changes": (
        "/w/lab/e/churn/permissions/changes/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "permissions-edit": (
        "/w/lab/e/churn/permissions/edit/",
        "in 404 404 403 403 to",
        "in 404 404 403 403 400",
    ),
    "acknowledge": (
        "/w/lab/e/fraud-scorer/acknowledge/",
        "in 404 404 200 200 200",
        "in 404 404 403 400 400",
    ),
    "acknowledge-dialog": (
        "/w/lab/e/fraud-scorer/acknowledge/dialog/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "incidents": (
        "/w/lab/e/fraud-scorer/incidents/",
        "in 404 404 200 200 200",
        "in 404 404 403 400 400",
    ),
    "incident-remove": (
        "/w/lab/e/fraud-scorer/incidents/1/remove/",
        "in 405 405 405 405 405",
        "in 404 404 403 to to",
    ),
    "acknowledge-clear": (
        "/w/lab/e/fraud-scorer/acknowledge/clear/",
        "in 405 405 405 405 405",
        "in 404 404 403 to to",
    ),
    "activity": ("/w/lab/e/churn/activity/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "activity-events": (
        "/w/lab/e/churn/activity/events/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "activity-csv": (
        "/w/lab/e/churn/activity/csv/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "config": ("/w/lab/e/churn/config/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "config-raw": (
        "/w/lab/e/churn/config/raw/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "budget": ("/budget/", "in 404 200 200 200 200", "in 405 405 405 405 405"),
    "budget-changes": (
        "/budget/changes/",
        "401 404 200 200 200 200",
        "401 405 405 405 405 405",
    ),
    "budget-csv": (
        "/budget/endpoints.csv",
        "in 404 200 200 200 200",
        "in 405 405 405 405 405",
    ),
    "endpoint-budget": (
        "/w/lab/e/churn/budget/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "endpoint-budget-changes": (
        "/w/lab/e/churn/budget/changes/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "endpoint-budget-edit": (  # no way to change it is configured: on to the panel
        "/w/lab/e/churn/budget/edit/",
        "in 404 404 403 403 to",
        "in 404 404 403 403 to",
    ),
    "schema": ("/w/lab/e/churn/schema/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "schema-part": (
        "/w/lab/e/churn/schema/part/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "schema-viewer": (
        "/w/lab/e/churn/schema/viewer/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "schema-findings": (
        "/w/lab/e/churn/schema/findings/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "schema-document": (
        "/w/lab/e/churn/schema/openapi.json",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "tryit": (
        "/w/lab/e/churn/schema/try/",
        "in 404 404 403 200 200",
        "in 404 404 403 422 422",
    ),
    "metrics": ("/w/lab/e/churn/metrics/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "metrics-part": (
        "/w/lab/e/churn/metrics/part/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "metrics-csv": (
        "/w/lab/e/churn/metrics/metrics.csv",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "metrics-keep": (
        "/w/lab/e/churn/metrics/keep/",
        "in 405 405 405 405 405",
        "in 404 404 403 400 400",
    ),
    "logs": (
        "/w/lab/e/churn/logs/",
        "in 404 404 to to to",
        "in 405 405 405 405 405",
    ),
    "logs-kept": (
        "/w/lab/e/churn/logs/kept/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "log": (
        "/w/lab/e/churn/logs/active/{entity}/server/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "log-part": (
        "/w/lab/e/churn/logs/active/{entity}/server/part/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "log-tail": (
        "/w/lab/e/churn/logs/active/{entity}/server/tail/?after=0.0.",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "log-download": (
        "/w/lab/e/churn/logs/active/{entity}/server/download/",
        "in 404 404 503 503 503",
        "in 405 405 405 405 405",
    ),
    "log-snapshot": (
        "/kept-logs/{kept}/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "log-snapshot-download": (
        "/kept-logs/{kept}/download/",
        "in 404 404 200 200 200",
        "in 405 405 405 405 405",
    ),
    "maintenance": (
        "/status-desk/maintenance/",
        "in 404 200 200 200 200",
        "in 405 405 405 405 405",
    ),
    "maintenance-plan": (
        "/status-desk/maintenance/plan/",
        "in 404 200 403 200 200",
        "in 404 400 403 400 400",
    ),
    "maintenance-change": (
        "/status-desk/maintenance/{planned}/",
        "in 404 404 403 200 200",
        "in 404 404 403 400 400",
    ),
    "maintenance-cancel": (
        "/status-desk/maintenance/{planned}/cancel/",
        "in 405 405 405 405 405",
        "in 404 404 403 to to",
    ),
    "status-views": (
        "/status-desk/views/",
        "in 404 200 403 403 200",
        "in 405 405 405 405 405",
    ),
    "status-view-make": (
        "/status-desk/views/make/",
        "in 404 200 403 403 200",
        "in 404 400 403 403 400",
    ),
    "status-view-change": (
        "/status-desk/view/whole/",
        "in 404 403 403 403 200",
        "in 404 403 403 403 400",
    ),
    "status-view-remove": (
        "/status-desk/view/whole/remove/",
        "in 405 405 405 405 405",
        "in 404 403 403 403 to",
    ),
    "status-view-link": (
        "/status-desk/view/fleet/link/",
        "in 404 403 403 403 200",
        "in 404 403 403 403 200",
    ),
    "status-view-revoke": (
        "/status-desk/view/whole/revoke/",
        "in 405 405 405 405 405",
        "in 404 403 403 403 to",
    ),
    "status-links": (
        "/status-desk/links/",
        "in 404 200 403 403 200",
        "in 405 405 405 405 405",
    ),
    "status-link-make": (
        "/status-desk/links/make/",
        "in 404 200 403 403 200",
        "in 404 400 403 403 400",
    ),
    "status-link-change": (
        "/status-desk/links/{linked}/",
        "in 404 403 403 403 200",
        "in 404 403 403 403 400",
    ),
    "status-link-remove": (
        "/status-desk/links/{linked}/remove/",
        "in 405 405 405 405 405",
        "in 404 403 403 403 to",
    ),
    "operations": ("/operations/", "in 404 200 200 200 200", "in 405 405 405 405 405"),
    "operations-changes": (
        "/operations/changes/",
        "401 404 200 200 200 200",
        "401 405 405 405 405 405",
    ),
    "operation": ("/operations/{pk}/", "in 404 404 200 200 200", "in 405 405 405 405 405"),
    "operation-changes": (
        "/operations/{pk}/changes/",
        "401 404 404 200 200 200",
        "401 405 405 405 405 405",
    ),
    "withdraw": (
        "/operations/{pk}/withdraw/",
        "in 405 405 405 405 405",
        "in 404 404 403 to to",
    ),
    "status-json": ("/status.json", "401 404 200 200 200 200", "405 405 405 405 405 405"),
    "status": ("/status/", "in 404 200 200 200 200", "405 405 405 405 405 405"),
    "status-health": ("/status/health", "401 404 200 503 503 503", "405 405 405 405 405 405"),
    "status-feed": ("/status/feed.atom", "401 404 200 200 200 200", "405 405 405 405 405 405"),
    "status-badge": ("/status/badge.svg", "401 404 200 200 200 200", "405 405 405 405 405 405"),
    "status-view": ("/status/lab/", "in 404 404 200 200 200", "405 405 405 405 405 405"),
    "status-view-json": (
        "/status/lab/status.json",
        "401 404 404 200 200 200",
        "405 405 405 405 405 405",
    ),
    "status-view-health": (
        "/status/lab/health",
        "401 404 404 503 503 503",
        "405 405 405 405 405 405",
    ),
    "status-view-feed": (
        "/status/lab/feed.atom",
        "401 404 404 200 200 200",
        "405 405 405 405 405 405",
    ),
    "status-view-badge": (
        "/status/lab/badge.svg",
        "401 404 404 200 200 200",
        "405 405 405 405 405 405",
    ),
    "status-view-endpoint": (
        "/status/lab/churn/",
        "in 404 404 200 200 200",
        "405 405 405 405 405 405",
    ),
    "status-view-endpoint-badge": (
        "/status/lab/churn/badge.svg",
        "401 404 404 200 200 200",
        "405 405 405 405 405 405",
    ),
    # Links with a token open nothing where people sign in; tests/views/test_status_access.py.
    **{
        f"status-token{name}": (f"/status/t/x/{tail}", "404 " * 6, "405 " * 6)
        for name, tail in {
            "": "",
            "-json": "status.json",
            "-health": "health",
            "-feed": "feed.atom",
            "-badge": "badge.svg",
            "-endpoint": "churn/",
            "-endpoint-badge": "churn/badge.svg",
        }.items()
    },
    "healthz": ("/healthz", "200 200 200 200 200 200", "405 405 405 405 405 405"),
    "login": ("/account/sign-in/", "200 to to to to to", "200 to to to to to"),
    "logout": ("/account/sign-out/", "405 405 405 405 405 405", "to to to to to to"),
    "password": ("/account/password/", "in 200 200 200 200 200", "in 200 200 200 200 200"),
    "language": ("/account/language/", "405 405 405 405 405 405", "to to to to to to"),
}
