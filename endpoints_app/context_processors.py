"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from endpoints_app.services import live


def frame(request: HttpRequest) -> dict[str, Any]:
    """Lazy: the admin, which shows none of it, pays for none of it."""
    return {
        "DEMO": settings.DEMO,
        "LANGUAGES": settings.LANGUAGES,
        "head": SimpleLazyObject(live.head),
        "now": timezone.now(),
        "stale_seconds": settings.STALE_SECONDS,
    }
