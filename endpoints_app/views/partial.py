"""What a poll is answered with."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse

from endpoints_app.services.live import Head


def unchanged(head: Head, now: datetime) -> HttpResponse:
    """Nothing to swap; the age of the data travels all the same."""
    return with_head(HttpResponse(status=204), head, now)


def with_head(response: HttpResponse, head: Head, now: datetime) -> HttpResponse:
    """The cursor to ask with next time, and when each workspace last answered: `pk=seconds`, for
    the browser's own clock to turn Unknown by."""
    response.headers["Desk-Cursor"] = head.cursor(now)
    response.headers["Desk-Observed"] = observed(head)
    response.headers["Desk-Pace"] = "fast" if head.moving else "calm"
    response.headers["Cache-Control"] = "no-store"
    return response


def observed(head: Head) -> str:
    return " ".join(
        f"{source.pk}={int(source.observed_at.timestamp()) if source.observed_at else 0}"
        for source in head.sources
    )
