"""The words and marks of the timeline and of config versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.activity import Kind
from endpoints_app.domain.config_version import Stage
from endpoints_app.models import ConfigVersion, Endpoint
from endpoints_app.sentences.activity import Said
from endpoints_app.services.activity import Entry
from endpoints_app.templatetags.times import clock

register = template.Library()


@register.filter
def kind_word(kind: Kind) -> str:
    return str(sentences.activity.KINDS[kind])


@register.simple_tag
def said(entry: Entry, above: str = "") -> Said:
    return sentences.activity.said(entry, above=above)


@register.filter
def said_what(entry: Entry) -> str:
    return sentences.activity.said(entry).what


@register.filter
def entry_icon(entry: Entry) -> str:
    return sentences.activity.ICONS.get(entry.kind, "right")


@register.filter
def stage_icon(version: ConfigVersion) -> str:
    return ICONS.get(version.known_stage, "layers")


@register.filter
def stage_tone(version: ConfigVersion) -> str:
    """Colour is for what is under way or went wrong; a version that serves is no news."""
    return {Stage.PENDING: "busy", Stage.FAILED: "bad"}.get(version.known_stage, "off")


ICONS = {Stage.PENDING: "busy", Stage.FAILED: "bad", Stage.CANCELED: "none", Stage.REPLACED: "none"}


@register.filter
def day(value: datetime, now: datetime) -> str:
    """ "Today, 22 November 2026"."""
    date, today = value.astimezone(UTC).date(), now.astimezone(UTC).date()
    text = format_date(date, "DATE_FORMAT")
    if date == today:
        return _("Today, %(date)s") % {"date": text}
    if date == today - timedelta(days=1):
        return _("Yesterday, %(date)s") % {"date": text}
    return text


@register.simple_tag
def when(entry: Entry, full: object = None, former: str = "") -> SafeString | str:
    """The time of day; in the whole timeline as the address of this entry."""
    if not full:
        return clock(entry.at)
    query = {"id": former} if former else {}
    address = f"?{urlencode(query | {'at': str(entry.key)})}#{entry.name}"
    return format_html('<a class="at" href="{}">{}</a>', address, clock(entry.at))


@register.simple_tag
def config_url(endpoint: Endpoint, before: int, after: int) -> str:
    """The comparison of two versions."""
    url = reverse("config", args=[endpoint.workspace.name, endpoint.name])
    query: dict[str, str | int] = {"from": before, "to": after}
    if endpoint.gone_at:
        query["id"] = endpoint.uid or endpoint.pk
    return f"{url}?{urlencode(query)}"
