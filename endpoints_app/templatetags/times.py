"""Times: relative for the eye and kept ticking by the script, exact on hover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def units() -> dict[str, str]:
    """How times are said; the page's script says them with the same words."""
    return _units(get_language())


@cache
def _units(language: str | None) -> dict[str, str]:
    return {
        # Translators: seconds, minutes, hours and days, as short as they can be.
        "s": _("%s s"),
        "min": _("%s min"),
        "h": _("%s h"),
        "d": _("%s d"),
        # Translators: %s is a time such as "6 min".
        "ago": _("%s ago"),
    }


@register.filter
def duration(value: timedelta | None) -> str:
    """In the largest unit that still tells something: "14 s", "6 min", "3 h", "12 d"."""
    if value is None:
        return "–"
    said, seconds = units(), max(0, int(value.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return said[unit] % (seconds // size)
    return said["s"] % seconds


@register.filter
def exact(value: datetime | None) -> str:
    """ "2026-11-22 03:12:40 UTC": the zone is always printed."""
    return f"{timezone.localtime(value, UTC):%Y-%m-%d %H:%M:%S} UTC" if value else ""


@register.simple_tag
def ago(value: datetime | None, now: datetime) -> SafeString:
    """Relative for the eye, exact on hover; the script keeps it ticking."""
    if value is None:
        return SafeString("<time data-ago>–</time>")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        iso(value),
        exact(value),
        units()["ago"] % duration(now - value),
    )


@register.simple_tag
def since(value: datetime | None, now: datetime) -> SafeString:
    """How long it has lasted: "6 min", ticking."""
    if value is None:
        return SafeString("<time data-for>–</time>")
    return format_html(
        '<time datetime="{}" title="{}" data-for>{}</time>',
        iso(value),
        exact(value),
        duration(now - value),
    )


@register.simple_tag
def clock(value: datetime | None) -> SafeString | str:
    """The time of day, "03:06:14", exact on hover."""
    if value is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        iso(value),
        exact(value),
        f"{timezone.localtime(value, UTC):%H:%M:%S}",
    )


def iso(value: datetime) -> str:
    return timezone.localtime(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
