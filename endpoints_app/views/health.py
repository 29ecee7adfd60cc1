"""For probes: the web process answers; a status page's health (status_json.py) tells of the fleet.

Kubernetes and load balancers call a process by its address, which no setting can know beforehand
and Django would refuse as a host name. So these addresses are answered first, before anybody looks
at the host. Nothing of it is in the answers, they are the same under every name.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.views.decorators.http import require_safe

from endpoints_app.views.quiet import Sessions

NAMES = {"healthz", "status-health", "status-view-health", "status-token-health"}


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Answers them by plain http too, under any host name, without the rest of the middleware."""
    sessions = Sessions(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        asked = _health(request.path_info)
        if asked is None:
            return get_response(request)
        sessions.process_request(request)  # read only where a status page asks who it is
        try:
            response: HttpResponse = asked.func(request, *asked.args, **asked.kwargs)
        except Http404:
            response = HttpResponse(status=404, content_type="text/plain")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return middleware


def _health(path: str) -> ResolverMatch | None:
    if not path.endswith(("/health", "/healthz")):
        return None
    try:
        asked = resolve(path)
    except Resolver404:
        return None
    return asked if asked.url_name in NAMES else None
