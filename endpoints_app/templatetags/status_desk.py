"""Marks of what people enter for the status page."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain import zoned
from endpoints_app.models import Maintenance, StatusView
from endpoints_app.templatetags.times import exact, iso

register = template.Library()

register.filter("covers", sentences.status_desk.covers)
register.filter("whose", sentences.status_desk.whose)


@register.simple_tag
def until(value: datetime, now: datetime) -> SafeString:
    """ "04:00 UTC", with the day where it is not today's."""
    local = timezone.localtime(value, UTC)
    today = local.date() == timezone.localtime(now, UTC).date()
    return format_html(
        '<time datetime="{}" title="{}">{} UTC</time>',
        iso(value),
        exact(value),
        local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M"),
    )


@register.simple_tag
def window_times(window: Maintenance) -> SafeString:
    """In UTC, and in the zone in which it was entered."""
    return format_html(
        '<span class="nb">{} – {} UTC</span>{}',
        _minute(window.start.astimezone(UTC)),
        _end(window.start.astimezone(UTC), window.end.astimezone(UTC)),
        _entered(window),
    )


def _entered(window: Maintenance) -> SafeString:
    zone = zoned.zone(window.zone)
    if zone is None or window.zone == "UTC":
        return SafeString("")
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    return format_html("<small>{} – {} {}</small>", _minute(start), _end(start, end), window.zone)


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def _end(start: datetime, end: datetime) -> str:
    return end.strftime("%H:%M") if start.date() == end.date() else _minute(end)


@register.filter
def view_title(view: StatusView) -> str:
    return view.title if not view.is_fleet else _("The whole fleet")


@register.simple_tag
def status_url(view: StatusView) -> str:
    return reverse("status-view", args=[view.slug]) if view.slug else reverse("status")
