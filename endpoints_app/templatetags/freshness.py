"""How old what a page shows is: when the workspaces last answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from endpoints_app.services.live import Source
from endpoints_app.templatetags.times import duration, iso, units

register = template.Library()

AGED_CYCLES = 1.5
"""Syncs without an answer until one is overdue."""


@register.simple_tag
def answered(source: Source, now: datetime) -> SafeString:
    """When a workspace last answered; the script puts each later answer in."""
    at = source.observed_at
    since = f' datetime="{iso(at)}"' if at else ""
    said = units()["ago"] % duration(now - at) if at else _("not yet")
    # By hand: a page says it of each workspace, and format_html() would cost ten times as much.
    return SafeString(
        f'<time{since} data-ago data-answered="{source.pk}" data-name="{escape(source.name)}">'
        f"{escape(said)}</time>"
    )


@register.filter
def is_stale(source: Source, now: datetime) -> bool:
    return source.is_stale(now)


@register.simple_tag(takes_context=True)
def freshness(context: Any) -> Freshness | None:
    """How old what the page shows is: the oldest answer among its workspaces counts."""
    sources, now = context.get("sources"), context["now"]
    return Freshness.of(sources, now) if sources else None


@dataclass(frozen=True, slots=True)
class Freshness:
    name: str
    at: datetime | None
    state: str  # a class of the chip: aged, unknown or none

    @classmethod
    def of(cls, sources: Sequence[Source], now: datetime) -> Freshness:
        oldest = min(sources, key=lambda s: (s.observed_at is not None, s.observed_at or now))
        state = ""
        if oldest.is_stale(now):
            state = "unknown"
        elif oldest.observed_at and now - oldest.observed_at > timedelta(seconds=aged_seconds()):
            state = "aged"
        return cls(oldest.name, oldest.observed_at, state)


@register.simple_tag
def aged_seconds() -> float:
    """From here on the chip warns: an answer is overdue."""
    return AGED_CYCLES * settings.SYNC_SECONDS
