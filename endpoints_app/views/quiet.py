"""The answer that nearly every request gets: nothing is new.

It is given before the rest of the middleware, whose work on a 204 without content would cost more
than finding out that there is nothing. Whatever is not as plain as that goes on as every request.

Who asks is found out as everywhere, by session and account, and then remembered by the process,
for this answer alone: it tells who was let in before that what they have is the newest. With
whatever is new the database is asked again who they are, and a change of an account or its roles
is news (services/accounts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils import timezone

from endpoints_app.services import access
from endpoints_app.services.access import Access
from endpoints_app.services.live import Head, Since, Source
from endpoints_app.services.shelf import Shelf
from endpoints_app.views import guards, heading, partial

REMEMBERED = timedelta(seconds=30)
"""For what does not come as news: a session's end, and accounts changed past the models."""


class Asker(NamedTuple):
    roles: Access
    seen: tuple[str, int]
    """Epoch and revision of a head from before the account was read."""
    until: datetime


_askers: Shelf[str, Asker] = Shelf(10_000)
"""By session."""


class Sessions(SessionMiddleware):
    """Django's, which takes over the session that was looked at below."""

    def process_request(self, request: HttpRequest) -> None:
        if not hasattr(request, "session"):
            super().process_request(request)


def polls(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """204 for a poll of the list, of the operations or of one endpoint that has seen the newest."""
    sessions = Sessions(get_response)

    def roles_of(request: HttpRequest, now: datetime) -> tuple[Access, Head] | None:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        known = _askers.get(key)
        if known is not None and now < known.until:
            head = guards.head(request)
            if known.seen == (head.epoch, head.revision):
                return known.roles, head
        sessions.process_request(request)
        request.session.is_empty()  # reads it and with it the head, which must not be the newer
        head = guards.head(request)
        request._cached_user = user = get_user(request)  # type: ignore[attr-defined]
        if not user.is_authenticated:
            return None
        request.desk_access = roles = access.of(user)  # type: ignore[attr-defined]
        _askers.put(key, Asker(roles, (head.epoch, head.revision), now + REMEMBERED))
        return roles, head

    def middleware(request: HttpRequest) -> HttpResponse:
        since = request.GET.get("since")
        if not since or request.method != "GET" or not request.path.endswith("/changes/"):
            return get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return get_response(request)
        request.get_host()  # or a 400
        now = timezone.now()
        known = roles_of(request, now)
        if known is None:
            return get_response(request)
        roles, head = known
        sources = _up_to_date(request, since, roles, head, now)
        if sources is None:
            return get_response(request)
        response = partial.unchanged(head, sources, now)
        response.headers["X-Content-Type-Options"] = "nosniff"
        del response.headers["Content-Type"]
        return response

    return middleware


def forget() -> None:
    """Ask the database about each of them anew."""
    _askers.clear()


@lru_cache(maxsize=10_000)
def _address(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Http404:
        return None


def _up_to_date(
    request: HttpRequest, since: str, roles: Access, head: Head, now: datetime
) -> Sequence[Source] | None:
    """The workspaces that the page shows, when it may and needs no more than their age."""
    asked = _address(request.path)
    if asked is None:
        return None
    newest = since == head.cursor(now)
    if asked.url_name in ("endpoints-changes", "operations-changes"):
        try:
            return access.sources_for(roles, head) if newest else None
        except access.NotVisible:  # there is nothing that is theirs to see
            return None
    if asked.url_name != "endpoint-changes":
        return None
    one = guards.known_to(roles, head, **asked.kwargs, uid=request.GET.get("id", ""))
    if one is None:
        return None
    seen = Since.read(since, head, now).revision
    if not newest and (seen is None or one.revision > seen):
        return None
    return heading.sources(head, one.workspace)
