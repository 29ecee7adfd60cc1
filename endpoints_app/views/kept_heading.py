"""What stands above every page of one endpoint, drawn once for everybody with the same roles in its
workspace, and kept in the process while it is true. A page that keeps its own content too need not
read the endpoint at all."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.models import Endpoint
from endpoints_app.services.roster import Member
from endpoints_app.services.shelf import ShelfForATime
from endpoints_app.views import guards, heading, partial


@dataclass(frozen=True, slots=True)
class Heading:
    html: SafeString
    poll_url: str


_kept: ShelfForATime[Hashable, Heading] = ShelfForATime(most=500)
"""Of some six kilobytes each."""


def of(
    request: HttpRequest, known: Member | None, tab: str, read: Callable[[], Endpoint]
) -> dict[str, Any]:
    """What `heading.of()` has for `panels/page.html`; of an endpoint that is `known` by heart the
    heading as it was drawn, and then without the endpoint."""
    if known is None:
        return heading.of(request, read()) | {"tab": tab}
    key, now = (tab, *key_of(request, known)), timezone.now()
    found = _kept.get(key, now)
    if found is None:
        found, until = _drawn(request, read(), tab)
        _kept.put(key, found, now=now, until=until)
    head = guards.head(request)
    sources = heading.sources(head, known.workspace)
    frame = partial.frame(found.poll_url, head, sources, now)
    return frame | {"heading": found.html, "name": known.name, "tab": tab}


def key_of(request: HttpRequest, known: Member) -> tuple[Hashable, ...]:
    """All that a heading and an overview depend on, but the time: whatever is told of an endpoint
    stamps it with a new revision, and that its workspace was silent is the head's to say."""
    now, head = timezone.now(), guards.head(request)
    (source,) = heading.sources(head, known.workspace)
    return (
        *(head.epoch, known.version, get_language()),
        guards.access_of(request).roles(known.workspace),
        *(source.observed_at if source.is_stale(now) else None, source.unread[-1:]),
    )


def forget() -> None:
    _kept.clear()


def _drawn(request: HttpRequest, endpoint: Endpoint, tab: str) -> tuple[Heading, datetime]:
    """Also until when it is true."""
    context = heading.of(request, endpoint) | {"tab": tab}
    # Without the request, so that no token can get into what others are shown.
    html = SafeString(render_to_string("panels/_heading.html", context))
    return Heading(html, context["poll_url"]), heading.true_until(context)
