"""Marks of the status page. Its templates see dataclasses only: no row reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from endpoints_app.domain.status_page import EndpointPage, History, Item, Kind, Page
from endpoints_app.domain.uptime import Account, Span, Stretch, Totals
from endpoints_app.sentences import status_events, status_history, status_times
from endpoints_app.sentences import status_page as said

register = template.Library()

TONES = {
    Account.SERVING: "good",
    Account.DOWN: "bad",
    Account.STOPPED: "off",
    Account.UNKNOWN: "unknown",
    Account.MAINTENANCE: "plan",
}
HEIGHTS = {"good": 2, "off": 1, "plan": 4, "but": 6, "busy": 10, "bad": 18, "unknown": 18}
"""Silence is good: low is well, tall is trouble."""
THINNEST = 0.6
LISTED = 100

for plain in (
    said.verdict, said.more, said.tab, said.serves, said.silent, said.last_known, said.nothing,
    status_events.event, status_events.event_tone, status_events.covered,
):  # fmt: skip
    register.filter(f"say_{plain.__name__}", plain)
for timed in (
    said.source, said.answered, said.poller, said.since, said.on_it,
    status_times.clock, status_events.window, status_events.trouble,
):  # fmt: skip
    register.filter(f"say_{timed.__name__}", timed)
register.filter("say_exact", status_times.exact)
register.filter("say_lasting", status_times.lasting)
register.filter("say_quiet", said.quiet)
register.simple_tag(said.name, name="status_name")


@register.simple_tag
def mark(name: str, tone: str = "") -> SafeString:
    classes = f"i tone {tone}" if tone else "i"
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name)


FILLS = {
    "good": "16794a", "but": "8a5a00", "busy": "1d5fbf", "bad": "c0262b", "off": "56635f",
    "unknown": "6a4ca6",
}  # fmt: skip


@register.simple_tag
def status_icon(page: Page) -> SafeString:
    """The tab's icon, as a link that holds its picture: the count where something is down."""
    v = page.verdict
    sign = {"good": "✓", "unknown": "?"}.get(v.tone, "•")
    if v.kind is Kind.DOWN:
        sign = str(v.down) if v.down < 100 else "99"
    return _icon(v.tone, sign)


@register.simple_tag
def unknown_icon() -> SafeString:
    """For the page's script to put in, when nothing newer came."""
    return _icon("unknown", "?")


def _icon(tone: str, sign: str) -> SafeString:
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
        f'<rect width="16" height="16" rx="4" fill="#{FILLS[tone]}"/>'
        '<text x="8" y="12" font-family="sans-serif" font-weight="700" font-size="11" '
        f'fill="#fff" text-anchor="middle">{sign}</text></svg>'
    )
    return SafeString(f"data:image/svg+xml,{quote(picture)}")


@register.filter
def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def unix(at: datetime | None) -> int:
    return int(at.timestamp()) if at else 0


@register.simple_tag(takes_context=True)
def endpoint_url(context: Any, item: Item) -> str:
    page: Page = context["page"]
    url: str = context["addresses"].endpoint(item, several=len(page.sources) > 1)
    return url


@register.simple_tag(takes_context=True)
def workspace_url(context: Any, name: str) -> str:
    url: str = context["addresses"].workspace(name)
    return url


@register.filter
def listed(items: Sequence[Item]) -> Sequence[Item]:
    """As many as a reader may look through in the folded list."""
    return items[:LISTED]


# Drawings --------------------------------------------------------------------------------------


@register.simple_tag
def status_strip(name: str, told: Sequence[Stretch]) -> SafeString:
    runs = [(s.start, s.end, TONES[s.account] if s.account else "") for s in told]
    return _strip(status_history.strip(name, told), runs)


@register.simple_tag
def endpoint_strip(name: str, told: Sequence[Span]) -> SafeString:
    runs = [(s.start, s.end, s.status.tone if s.status else "") for s in told]
    return _strip(status_history.endpoint_strip(name, told), runs)


def _strip(label: str, runs: Sequence[tuple[datetime, datetime, str]]) -> SafeString:
    if not runs:
        return SafeString("")
    first = runs[0][0]
    whole = (runs[-1][1] - first).total_seconds() or 1
    rects = []
    for start, end, tone in runs:
        if tone:
            width = max(100 * (end - start).total_seconds() / whole, THINNEST)
            left = min(100 * (start - first).total_seconds() / whole, 100 - width)
            height = HEIGHTS[tone]
            rects.append((tone, _short(left), 19 - height, _short(width), height))
    return _drawn(label, "0 0 100 20", rects)


@register.simple_tag
def status_bars(name: str, days: Sequence[tuple[str, Totals]]) -> SafeString:
    """A bar a day. A day with trouble is as tall as its share of it; one that nobody read is
    striped; a day before anything was known is left out."""
    rects: list[tuple[Any, ...]] = []
    for i, (_day, totals) in enumerate(days):
        left = f"{i}.1"
        if not totals.whole:
            continue
        unknown = totals.unknown / totals.whole
        down = totals.down / (totals.counted or 1)
        if totals.down and unknown < 0.5:
            rects.append(("bad", left, *_tall(down), ".8"))
        elif unknown:
            rects.append(("unknown", left, *_tall(unknown), ".8"))
        elif totals.serving:
            rects.append(("good", left, 16, 3, ".8"))
        else:
            rects.append(("plan" if totals.maintenance else "off", left, 17, 2, ".8"))
    shaped = [(tone, x, y, width, height) for tone, x, y, height, width in rects]
    return _drawn(status_history.bars(name, days), "0 0 90 20", shaped)


def _tall(part: float) -> tuple[int, int]:
    """The place of the top and the height: never so low that it passes for well."""
    height = min(18, 4 + round(14 * min(1.0, part) ** 0.5))
    return 19 - height, height


def _drawn(label: str, box: str, rects: Sequence[tuple[Any, ...]]) -> SafeString:
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects)
    return format_html(
        '<svg class="trace" role="img" aria-label="{}" viewBox="{}" '
        'preserveAspectRatio="none">{}</svg>',
        label,
        box,
        drawn,
    )


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


@register.simple_tag
def day_share(history: History | EndpointPage, poll: timedelta) -> str:
    return status_history.day_share(history.day, history.known, poll)


@register.simple_tag
def days_share(history: History | EndpointPage, poll: timedelta) -> str:
    return status_history.days_share(history.days, history.known, poll)


@register.filter
def first_day(days: Sequence[tuple[str, Totals]]) -> str:
    return status_times.day(date.fromisoformat(days[0][0]))
