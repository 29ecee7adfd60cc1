"""Small marks on every page: icons, times, traces, and the sentences behind codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, Form
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from endpoints_app import sentences
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OperationKind, State
from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import Span
from endpoints_app.models import Operation
from endpoints_app.services import operation_list
from endpoints_app.services.listing import Page, Row
from endpoints_app.services.live import Source

register = template.Library()


@register.simple_tag
def icon(name: str, tone: str = "") -> SafeString:
    """A symbol of `_sprite.html`; `tone` colours it as a status."""
    classes = "i"
    if tone:
        classes += f" tone {tone}"
    if name == "busy":
        classes += " spin"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name
    )


# Times -----------------------------------------------------------------------------------------


@register.filter
def duration(value: timedelta | None) -> str:
    """In the largest unit that still tells something: "14 s", "6 min", "3 h", "12 d"."""
    if value is None:
        return "–"
    seconds = max(0, int(value.total_seconds()))
    if seconds < 60:
        return _("%(n)s s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)s min") % {"n": seconds // 60}
    if seconds < 86_400:
        return _("%(n)s h") % {"n": seconds // 3600}
    return _("%(n)s d") % {"n": seconds // 86_400}


@register.filter
def exact(value: datetime | None) -> str:
    """"2026-11-22 03:12:40 UTC": the zone is always printed."""
    return format_date(timezone.localtime(value, UTC), "Y-m-d H:i:s") + " UTC" if value else ""


@register.simple_tag
def ago(value: datetime | None, now: datetime) -> SafeString | str:
    """Relative for the eye, exact on hover; the script keeps it ticking."""
    if value is None:
        return "–"
    said = _("%(duration)s ago") % {"duration": duration(now - value)}
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>', _iso(value), exact(value), said
    )


@register.simple_tag
def since(value: datetime | None, now: datetime) -> SafeString | str:
    """How long it has lasted: "6 min", ticking."""
    if value is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}" data-for>{}</time>',
        _iso(value),
        exact(value),
        duration(now - value),
    )


@register.simple_tag
def clock(value: datetime | None) -> SafeString | str:
    """The time of day, "03:06:14", exact on hover."""
    if value is None:
        return "–"
    local = timezone.localtime(value, UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        _iso(value),
        exact(value),
        format_date(local, "H:i:s"),
    )


def _iso(value: datetime) -> str:
    return timezone.localtime(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Traces ----------------------------------------------------------------------------------------

HEIGHTS = {"good": 2, "off": 1, "but": 6, "busy": 10, "bad": 18, "unknown": 18}
"""Silence is good: low is well, tall is trouble."""


@register.simple_tag
def trace(spans: Sequence[Span]) -> SafeString:
    """The last 24 hours as a strip of runs, with the sentence as its label."""
    if not spans:
        return SafeString("")
    start = spans[0].start
    whole = (spans[-1].end - start).total_seconds() or 1
    rects = [
        (
            span.status.tone,
            _percent(span.start - start, whole),
            20 - 1 - HEIGHTS[span.status.tone],
            _percent(max(span.end - span.start, timedelta(seconds=whole / 160)), whole),
            HEIGHTS[span.status.tone],
        )
        for span in spans
        if span.status is not None
    ]
    return format_html(
        '<svg class="trace" role="img" aria-label="{}" viewBox="0 0 100 20" '
        'preserveAspectRatio="none">{}</svg>',
        trace_sentence(spans),
        format_html_join(
            "", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects
        ),
    )


@register.filter
def trace_sentence(spans: Sequence[Span]) -> str:
    """What the strip shows, in words."""
    down = [s for s in spans if s.status in (Status.NOT_READY, Status.UPDATE_FAILED)]
    unknown = sum((s.end - s.start for s in spans if s.status is Status.UNKNOWN), timedelta())
    parts = []
    if down:
        times = ngettext("down once", "down %(n)s times", len(down)) % {"n": len(down)}
        lasted = duration(sum((s.end - s.start for s in down), timedelta()))
        parts.append(f"{times}, {lasted}")
    if unknown:
        parts.append(_("unknown for %(duration)s") % {"duration": duration(unknown)})
    if not parts:
        parts.append(_("no trouble seen"))
    return _("Last 24 h: %(what)s") % {"what": ", ".join(parts)}


def _percent(part: timedelta, whole: float) -> str:
    return f"{100 * part.total_seconds() / whole:.2f}".rstrip("0").rstrip(".")


# Sentences -------------------------------------------------------------------------------------


@register.filter
def why(row: Row) -> str:
    return sentences.why(row.endpoint, row.status, stale=row.stale)


@register.filter
def kind_label(kind: Kind | str) -> str:
    return str(sentences.KINDS[Kind(kind)])


@register.filter
def verb(kind: OperationKind | str) -> str:
    return str(sentences.VERBS[OperationKind(kind)])


@register.filter
def under_way(kind: OperationKind | str) -> str:
    return str(sentences.UNDER_WAY[OperationKind(kind)])


@register.filter
def operation_label(operation: Operation) -> str:
    return sentences.operation_label(operation)


@register.filter
def operation_detail(operation: Operation) -> str:
    return sentences.operation_detail(operation)


@register.filter
def operation_tone(operation: Operation) -> str:
    return sentences.operation_tone(operation)


@register.filter
def error_sentence(code: str) -> str:
    return sentences.error(code)


@register.filter
def role_label(access: Any, workspace_id: int | None = None) -> str:
    role = access.best_role(workspace_id)
    return str(sentences.ROLES[role]) if role else ""


@register.filter
def took(operation: Operation) -> timedelta | None:
    return operation.settled_at - operation.requested_at if operation.settled_at else None


@register.filter
def is_recent(operation: Operation, now: datetime) -> bool:
    """Settled so lately that whoever asked is still looking for the outcome."""
    return operation.settled_at is not None and now - operation.settled_at < timedelta(minutes=2)


@register.filter
def can_stop(kind: str) -> bool:
    return Kind(kind).can_stop


@register.filter
def update_word(config_update: str) -> str:
    """`config_update` in words; what we have not met is shown as it came."""
    return {
        "NOT_UPDATING": _("Done"),
        "IN_PROGRESS": _("Running"),
        "UPDATE_FAILED": _("Failed"),
        "UPDATE_CANCELED": _("Canceled"),
        "": "–",
    }.get(config_update, config_update)


@register.filter
def steps_done(operation: Operation) -> int:
    """How many of the four steps are reached: requested, sent, Databricks is working, done."""
    if not operation.is_open:
        return 4
    if operation.moved_at:
        return 3
    return 1 if operation.known_state is State.QUEUED else 2


# The list --------------------------------------------------------------------------------------

STRIP: list[tuple[str, tuple[Status, ...], Any]] = [
    ("bad", (Status.UPDATE_FAILED, Status.NOT_READY), gettext_lazy("Not ready")),
    ("unknown", (Status.UNKNOWN,), "Unknown"),
    ("busy", (Status.UPDATING,), gettext_lazy("Updating")),
    ("but", (Status.READY_UPDATE_FAILED,), "Ready (Update failed)"),
    ("good", (Status.READY,), "Ready"),
    ("off", (Status.STOPPED,), gettext_lazy("Stopped")),
]


@register.filter
def strip(page: Page) -> list[dict[str, Any]]:
    """The counts above the list, worst first, each a link that filters; again, and it is off."""
    items = []
    for tone, statuses, label in STRIP:
        on = page.filters.statuses == frozenset(statuses)
        items.append(
            {
                "tone": tone,
                "label": label,
                "number": page.counts.of(statuses),
                "query": [] if on else [status.value for status in statuses],
                "on": on,
            }
        )
    return items


@register.filter
def page_title(page: Page) -> str:
    """The count that matters comes first: it is what a tab shows."""
    title = f"{_('Endpoints')} · Serving Desk"
    if down := page.counts.not_serving:
        return _("%(n)s not ready") % {"n": down} + f" · {title}"
    if unknown := page.counts.of([Status.UNKNOWN]):
        return _("%(n)s unknown") % {"n": unknown} + f" · {title}"
    return title


OUTCOMES: list[tuple[str, str, Any]] = [
    ("open", "busy", gettext_lazy("Open")),
    ("not_confirmed", "unknown", gettext_lazy("Not confirmed")),
    ("failed", "bad", gettext_lazy("Failed")),
    ("done", "good", gettext_lazy("Done")),
    ("not_done", "none", gettext_lazy("Not done")),
]


@register.filter
def outcomes(page: operation_list.Page) -> list[dict[str, Any]]:
    return [
        {
            "tone": tone,
            "label": label,
            "number": page.counts[name],
            "query": "" if page.filters.outcome == name else name,
            "on": page.filters.outcome == name,
        }
        for name, tone, label in OUTCOMES
    ]


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
    stale: bool
    aged: bool
    each: str

    @classmethod
    def of(cls, sources: Sequence[Source], now: datetime) -> Freshness:
        oldest = min(sources, key=lambda s: (s.observed_at is not None, s.observed_at or now))
        age = now - oldest.observed_at if oldest.observed_at else None
        said = (
            f"{s.name} {duration(now - s.observed_at) if s.observed_at else '–'}" for s in sources
        )
        return cls(
            name=oldest.name,
            at=oldest.observed_at,
            stale=oldest.is_stale(now),
            aged=age is not None and age.total_seconds() > AGED_CYCLES * settings.SYNC_SECONDS,
            each=" · ".join(said),
        )


AGED_CYCLES = 1.5


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def field(form: Form, name: str) -> BoundField:
    return form[name]


@register.filter
def last_part(name: str) -> str:
    """`catalog.schema.model` by its last name, as people say it."""
    return name.rpartition(".")[2] or name


# Addresses -------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The address's query with `changes`; an empty value drops the key, a list repeats it. A
    changed filter starts at the first page again."""
    params = context["request"].GET.copy()
    params.pop("since", None)
    if "page" not in changes:
        params.pop("page", None)
    for key, value in changes.items():
        params.pop(key, None)
        if isinstance(value, (list, tuple)):
            params.setlist(key, [str(item) for item in value])
        elif value not in ("", None):
            params[key] = str(value)
    encoded = urlencode(sorted(params.lists()), doseq=True)
    return f"?{encoded}" if encoded else "?"


@register.simple_tag(takes_context=True)
def sort_link(context: Any, key: str) -> str:
    """The address that sorts by `key`, the other way round when it does already."""
    current = context["filters"].sort
    return query(context, sort=f"-{key}" if current == key else key)
