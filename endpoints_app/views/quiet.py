"""The answer that nearly every request gets: nothing is new.

It is given before the rest of the middleware, whose work on a 204 without content would cost more
than finding out that there is nothing. Whatever is not as plain as that goes on as every request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import timezone

from endpoints_app.services import access
from endpoints_app.services.live import Head, Since, Source
from endpoints_app.views import guards, heading, partial


class Sessions(SessionMiddleware):
    """Django's, which takes over the session that was looked at below."""

    def process_request(self, request: HttpRequest) -> None:
        if not hasattr(request, "session"):
            super().process_request(request)


def polls(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """204 for a poll of the list, of the operations or of one endpoint that has seen the newest."""
    sessions = Sessions(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        since = request.GET.get("since")
        if not since or request.method != "GET" or not request.path.endswith("/changes/"):
            return get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return get_response(request)
        request.get_host()  # or a 400
        sessions.process_request(request)
        request._cached_user = user = get_user(request)  # type: ignore[attr-defined]
        if not user.is_authenticated:
            return get_response(request)
        request.desk_access = access.of(user)  # type: ignore[attr-defined]
        now, head = timezone.now(), guards.head(request)
        sources = _up_to_date(request, since, head, now)
        if sources is None:
            return get_response(request)
        response = partial.unchanged(head, sources, now)
        response.headers["X-Content-Type-Options"] = "nosniff"
        del response.headers["Content-Type"]
        return response

    return middleware


def _up_to_date(
    request: HttpRequest, since: str, head: Head, now: datetime
) -> Sequence[Source] | None:
    """The workspaces that the page shows, when it may and needs no more than their age."""
    try:
        asked = resolve(request.path)
        if asked.url_name in ("endpoints-changes", "operations-changes"):
            return guards.sources(request, head) if since == head.cursor(now) else None
    except Http404:  # no such address, or nothing that is theirs to see
        return None
    if asked.url_name != "endpoint-changes":
        return None
    one = guards.known(request, **asked.kwargs)
    if one is None:
        return None
    seen = Since.read(since, head, now).revision
    newest = since == head.cursor(now) or (seen is not None and one.revision <= seen)
    return heading.sources(head, one.workspace) if newest else None
