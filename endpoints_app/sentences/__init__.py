"""What codes say to people: the one place for sentences, so that they can be translated.

Databricks' five status labels stay in its English in every language, as its own Japanese
documentation has them.
"""

from endpoints_app.sentences import (
    acknowledging,
    activity,
    budget,
    config,
    endpoints,
    logs,
    metrics,
    operations,
    permissions,
    roles,
    status_desk,
    troubles,
)

__all__ = [
    "acknowledging",
    "activity",
    "budget",
    "config",
    "endpoints",
    "logs",
    "metrics",
    "operations",
    "permissions",
    "roles",
    "status_desk",
    "troubles",
]
