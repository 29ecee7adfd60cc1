"""What every answer gets, and who may ask at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from endpoints_app.services import access

Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


OF_CONTENT = (
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "Vary",
    "X-Frame-Options",
)
"""What a 204, which each open page gets every few seconds, has no content to apply to."""


def security_headers(get_response: Handler) -> Handler:
    """Headers of a document, on documents: a poll's 204 gets none of them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 204:
            for name in OF_CONTENT:
                response.headers.pop(name, None)
        elif response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            response.headers.setdefault(
                "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
            )
        if getattr(request, "user", None) is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def language(get_response: Handler) -> Handler:
    """The language chosen on the page (a cookie), else the browser's."""
    known = {code for code, _ in settings.LANGUAGES}

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if chosen not in known:
            chosen = translation.get_language_from_request(request)
        translation.activate(chosen)
        request.LANGUAGE_CODE = translation.get_language()
        response = get_response(request)
        if not getattr(response, "own_language", False):  # a status page asks no cookie for it
            response.headers.setdefault("Content-Language", chosen)
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return middleware


def roles(get_response: Handler) -> Handler:
    """`request.desk_access`: the reader's roles, asked once and only if somebody wants to know."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not hasattr(request, "desk_access"):  # which a poll has asked already
            request.desk_access = SimpleLazyObject(lambda: access.of(request.user))  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


class LoginRequired(LoginRequiredMiddleware):
    """Everything needs a sign-in unless it says otherwise. Fragments and JSON get a 401, which
    the page's script turns into one visit to the sign-in page."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        # Django asks for the user first, which costs even a probe with a cookie two queries.
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if _is_part(request):
            return JsonResponse({"error": "sign_in_required"}, status=401)
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        return redirect_to_login(_page_of_form(request), self.get_login_url(view_func))


def _is_part(request: HttpRequest) -> bool:
    """Asked for by a script, which cannot do anything with a sign-in page."""
    parts = (".json", "/changes/", "/dialog/")
    return "HX-Request" in request.headers or request.path.endswith(parts)


def _page_of_form(request: HttpRequest) -> str:
    """The page a form was sent from: its target cannot be visited after the sign-in."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return reverse(settings.LOGIN_REDIRECT_URL)
    path = urlsplit(page)._replace(scheme="", netloc="", fragment="").geturl()
    return path or reverse(settings.LOGIN_REDIRECT_URL)
