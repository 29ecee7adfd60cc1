"""The answer that nearly every request gets: nothing is new.

It is given before the rest of the middleware, whose work on a 204 without content would cost more
than finding out that there is nothing. Whatever is not as plain as that goes on as every request.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from endpoints_app.services import access
from endpoints_app.views import guards, partial


class Sessions(SessionMiddleware):
    """Django's, which takes over the session that was looked at below."""

    def process_request(self, request: HttpRequest) -> None:
        if not hasattr(request, "session"):
            super().process_request(request)


def polls(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """204 for a poll of the list, or of the operations, whose cursor is the newest one."""
    sessions = Sessions(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        since = request.GET.get("since")
        if not since or request.method != "GET" or request.path not in _addresses():
            return get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return get_response(request)
        request.get_host()  # or a 400
        sessions.process_request(request)
        request._cached_user = user = get_user(request)  # type: ignore[attr-defined]
        if not user.is_authenticated:
            return get_response(request)
        now, head = timezone.now(), guards.head(request)
        if since != head.cursor(now):
            return get_response(request)
        try:
            sources = access.sources_for(access.of(user), head)
        except access.NotVisible:
            return get_response(request)
        response = partial.unchanged(head, sources, now)
        response.headers["X-Content-Type-Options"] = "nosniff"
        del response.headers["Content-Type"]
        return response

    return middleware


def _addresses() -> tuple[str, str]:
    return reverse("endpoints-changes"), reverse("operations-changes")
