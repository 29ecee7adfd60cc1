"""Marks of what people enter for the status page."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from endpoints_app.templatetags.desk import exact

register = template.Library()


@register.simple_tag
def until(value: datetime, now: datetime) -> SafeString:
    """ "04:00 UTC", with the day where it is not today's."""
    local = timezone.localtime(value, UTC)
    today = local.date() == timezone.localtime(now, UTC).date()
    return format_html(
        '<time datetime="{}" title="{}">{} UTC</time>',
        local.strftime("%Y-%m-%dT%H:%M:%SZ"),
        exact(value),
        local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M"),
    )


@register.filter
def in_zone(value: datetime, zone: str) -> str:
    """ "2026-11-22 06:00", as its clocks show it."""
    return value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
