"""Who may open a status page, and what every answer of one has in common.

Its guard is its own: `STATUS_PAGE_ACCESS` decides, and nothing here reads a row but what
`services/status_page.py` brings. No answer sets a cookie, and none tells where a reader came from.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from endpoints_app.domain.status_page import EndpointPage, Page
from endpoints_app.services import status_page
from endpoints_app.services.status_page import Payload
from endpoints_app.services.status_render import Addresses

LIFE = 2
"""Seconds for which an answer may be kept. It says what is so at the end of them, so that no copy
claims more than is known while it is shown."""

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class Door:
    """An opened status page: the payload, the view, and which workspaces the reader may see."""

    payload: Payload
    slug: str
    token: str
    visible: frozenset[int] | None
    now: datetime
    language: str

    def page(self) -> Page:
        found = status_page.build(self.payload, self.slug, self.now, visible=self.visible)
        if found is None:
            raise Http404
        return found

    def endpoint(self, name: str, workspace: str) -> EndpointPage:
        found = status_page.build_endpoint(
            self.payload, self.slug, name, self.now, workspace=workspace, visible=self.visible
        )
        if found is None:
            raise Http404
        return found

    def addresses(self, request: HttpRequest) -> Addresses:
        """Of this view's page and its other forms; a link's token stays in them."""
        fleet = reverse("status")
        if self.token:
            root = reverse("status-token", args=[self.token])
        else:
            root = f"{fleet}{quote(self.slug, safe='')}/" if self.slug else fleet
        asked = {k: v for k, v in request.GET.items() if k in ("lang", "in", "show", "page")}
        other = asked | {"lang": "en" if self.language == "ja" else "ja"}
        chosen = f"?{urlencode({'lang': asked['lang']})}" if "lang" in asked else ""
        fleet_json = reverse("status-json")
        return Addresses(
            root=root,
            fleet="" if self.token else fleet,
            json=f"{root}status.json" if root != fleet else fleet_json,
            feed=f"{root}feed.atom{chosen}",
            other_language=f"?{urlencode(other)}",
            apart=bool(self.slug) or bool(self.token),
        )


def opened(*, part: bool = False) -> Callable[[View], View]:
    """The view gets a `Door` in place of slug and token. `part`: it is asked for by a program,
    which cannot do anything with a sign-in page."""

    def decorate(view: View) -> View:
        @login_not_required
        @require_safe
        @wraps(view)
        def guarded(
            request: HttpRequest, slug: str = "", token: str = "", **kwargs: Any
        ) -> HttpResponseBase:
            if "\0" in slug + token + "".join(kwargs.values()):
                raise Http404
            door = _open(request, slug, token, part)
            return view(request, door, **kwargs) if isinstance(door, Door) else private(door)

        return cast(View, guarded)

    return decorate


def _open(request: HttpRequest, slug: str, token: str, part: bool) -> Door | HttpResponse:
    mode, visible = settings.STATUS_PAGE_ACCESS, None
    if mode == "off" or bool(token) != (mode == "token"):
        raise Http404
    if mode == "token":
        found = status_page.read_by_token(token)
        if found is None:
            raise Http404
        payload, slug = found
    elif mode == "login":
        theirs = status_page.read_by_user(request.session)
        if theirs is None:
            if part or "HX-Request" in request.headers:
                return JsonResponse({"error": "sign_in_required"}, status=401)
            return cast(HttpResponse, redirect_to_login(request.get_full_path()))
        payload, access = theirs
        visible = status_page.visible_to(access, payload)
        if not visible and (payload.facts.workspaces or not access.everywhere):
            raise Http404
    else:
        payload = status_page.read_public()
    return Door(payload, slug, token, visible, _end_of_life(timezone.now()), _language(request))


def _end_of_life(now: datetime) -> datetime:
    seconds = now.timestamp()
    return datetime.fromtimestamp(-(-seconds // LIFE) * LIFE, UTC)


def _language(request: HttpRequest) -> str:
    """`?lang=`, else the browser's. No cookie is asked: to all readers of a language one answer."""
    known = {code for code, _name in settings.LANGUAGES}
    if (chosen := request.GET.get("lang", "")) in known:
        return chosen
    for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            found = get_supported_language_variant(code)
        except LookupError:
            continue
        if found in known:
            return found
    return settings.LANGUAGE_CODE


# Answers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """An answer as it is kept for its short life, for all who ask for the same."""

    body: bytes
    packed: bytes
    etag: str
    kind: str
    observed: str
    max_age: str


_kept: OrderedDict[tuple[object, ...], Made] = OrderedDict()
KEPT = 64
KEPT_BYTES = 8_000_000  # of a fleet of thousands a few answers are much


def answer(
    request: HttpRequest,
    door: Door,
    what: tuple[object, ...],
    make: Callable[[], tuple[str, str, datetime | None, timedelta]],
) -> HttpResponse:
    """`what` names the answer among those of this door; `make` gives its text, content type, the
    oldest answer it rests on, and for how long that counts."""
    mine = (door.slug, door.token, door.visible, door.now, door.language)
    key = (door.payload.key, mine, what)
    made = _kept.get(key)
    if made is None:
        text, kind, observed, limit = make()
        body = text.encode()
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        said = observed.isoformat() if observed else ""
        packed = gzip.compress(body, 6, mtime=0)
        made = _kept[key] = Made(body, packed, etag, kind, said, f"{limit.total_seconds():.0f}")
        size = sum(len(each.body) + len(each.packed) for each in list(_kept.values()))
        while len(_kept) > KEPT or (size > KEPT_BYTES and len(_kept) > 1):
            _, oldest = _kept.popitem(last=False)
            size -= len(oldest.body) + len(oldest.packed)
    return _respond(request, made)


def _respond(request: HttpRequest, made: Made) -> HttpResponse:
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(made.packed if packed else made.body, content_type=made.kind)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["ETag"] = made.etag
    response.headers["Desk-Observed-At"] = made.observed
    response.headers["Desk-Max-Age"] = made.max_age
    scope = "public" if settings.STATUS_PAGE_ACCESS == "public" else "private"
    response.headers["Cache-Control"] = f"{scope}, max-age={LIFE}"
    patch_vary_headers(response, ["Accept-Encoding", "Accept-Language"])
    if settings.STATUS_PAGE_ACCESS == "login":
        patch_vary_headers(response, ["Cookie"])
    conditional = get_conditional_response(request, etag=made.etag, response=response)
    return private(cast(HttpResponse, conditional))


def private(response: Response) -> Response:
    """Nobody learns the address from a link on the page, and no search engine keeps it."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.own_language = True  # type: ignore[attr-defined]
    return response
