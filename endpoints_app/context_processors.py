"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "DEMO": settings.DEMO,
        "now": timezone.now(),
        "stale_seconds": settings.STALE_SECONDS,
    }
