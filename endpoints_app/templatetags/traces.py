"""A strip of runs, and what it shows in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import Span
from endpoints_app.templatetags.times import duration

register = template.Library()

HEIGHTS = {"good": 2, "off": 1, "but": 6, "busy": 10, "bad": 18, "unknown": 18}
"""Silence is good: low is well, tall is trouble."""


THINNEST = 0.6
"""Per cent of a trace's width: what was over in a minute is still seen."""


@register.simple_tag
def trace(spans: Sequence[Span], label: str = "") -> SafeString:
    """The last 24 hours, or what `label` names, as a strip of runs, with the sentence as its
    label. Empty is the time before the endpoint was known."""
    if not spans:
        return SafeString("")
    start = spans[0].start
    whole = (spans[-1].end - start).total_seconds() or 1
    rects = []
    for span in spans:
        if span.status is None:
            continue
        width = max(100 * (span.end - span.start).total_seconds() / whole, THINNEST)
        left = min(100 * (span.start - start).total_seconds() / whole, 100 - width)
        height = HEIGHTS[span.status.tone]
        rects.append((span.status.tone, _short(left), 19 - height, _short(width), height))
    return format_html(
        '<svg class="trace" role="img" aria-label="{}" viewBox="0 0 100 20" '
        'preserveAspectRatio="none">{}</svg>',
        f"{label or _('Last 24 h')}: {trace_said(spans)}",
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects),
    )


@register.filter
def trace_said(spans: Sequence[Span]) -> str:
    """What the strip shows, in words."""
    down = [s for s in spans if s.status in (Status.NOT_READY, Status.UPDATE_FAILED)]
    unknown = sum((s.end - s.start for s in spans if s.status is Status.UNKNOWN), timedelta())
    said = []
    if down:
        lasted = sum((s.end - s.start for s in down), timedelta())
        times = ngettext(
            "down %(n)s time, %(lasted)s", "down %(n)s times, %(lasted)s together", len(down)
        )
        said.append(times % {"n": len(down), "lasted": duration(lasted)})
    if unknown:
        said.append(_("unknown for %(lasted)s") % {"lasted": duration(unknown)})
    return _(", ").join(said) or _("no trouble seen")


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
