"""What stands above every page of one endpoint, drawn once for everybody with the same roles in its
workspace. A page that keeps its own content too need not read the endpoint at all."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.models import Endpoint
from endpoints_app.services.roster import Member
from endpoints_app.services.shelf import Shelf
from endpoints_app.views import guards, heading, partial

KEPT_SECONDS = 10
"""So long what is told without a new revision of the endpoint may come later."""


@dataclass(frozen=True, slots=True)
class Heading:
    html: SafeString
    poll_url: str


_kept: Shelf[Hashable, Heading] = Shelf(most=500)
"""Of some six kilobytes each."""


def of(
    request: HttpRequest, known: Member | None, tab: str, read: Callable[[], Endpoint]
) -> dict[str, Any]:
    """What `heading.of()` has for `panels/page.html`; of an endpoint that is `known` by heart the
    heading as it was drawn, and then without the endpoint."""
    if known is None:
        return heading.of(request, read()) | {"tab": tab}
    key = (tab, *key_of(request, known))
    found = _kept.get(key) or _kept.put(key, _drawn(request, read(), tab))
    now, head = timezone.now(), guards.head(request)
    sources = heading.sources(head, known.workspace)
    frame = partial.frame(found.poll_url, head, sources, now)
    return frame | {"heading": found.html, "name": known.name, "tab": tab}


def key_of(request: HttpRequest, known: Member) -> tuple[Hashable, ...]:
    """All that a heading depends on."""
    now, head = timezone.now(), guards.head(request)
    (source,) = heading.sources(head, known.workspace)
    return (
        *(head.epoch, known.version, get_language()),
        guards.access_of(request).roles(known.workspace),
        *(source.observed_at, source.is_stale(now), source.unread[-1:]),
        int(now.timestamp()) // KEPT_SECONDS,
    )


def forget() -> None:
    _kept.clear()


def _drawn(request: HttpRequest, endpoint: Endpoint, tab: str) -> Heading:
    context = heading.of(request, endpoint) | {"tab": tab}
    # Without the request, so that no token can get into what others are shown.
    html = SafeString(render_to_string("panels/_heading.html", context))
    return Heading(html, context["poll_url"])
