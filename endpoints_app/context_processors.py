"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from endpoints_app.forms import address

SECTIONS = ("endpoints", "budget", "operations", "maintenance")
"""Pages of which the frame says that a reader is there."""

BEHIND_THE_STATUS_PAGE = ("maintenance-", "status-view", "status-link")
"""Names of the pages to which the frame leads by the one for planned work."""


def frame(request: HttpRequest) -> dict[str, Any]:
    match = request.resolver_match
    name = match.url_name or "" if match else ""
    if name.startswith(BEHIND_THE_STATUS_PAGE):
        name = "maintenance"
    section = name if name in SECTIONS else ""
    return {
        "section": section,
        "address": address.asked(request.GET) if section == "endpoints" else "",
        "status_page": settings.STATUS_PAGE_ACCESS != "off",
        "DEMO": settings.DEMO,
        "now": timezone.now(),
        "stale_seconds": settings.STALE_SECONDS,
    }
