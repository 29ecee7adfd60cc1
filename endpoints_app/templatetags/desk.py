"""Small marks on every page: icons, times, traces, and the sentences behind codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.http import QueryDict
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
from endpoints_app.models import AuditEntry, Operation
from endpoints_app.services import operation_list
from endpoints_app.services.access import Access
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
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name)


# Times -----------------------------------------------------------------------------------------


@register.simple_tag
def units() -> dict[str, str]:
    """How times are said; the page's script says them with the same words."""
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
    return format_date(timezone.localtime(value, UTC), "Y-m-d H:i:s") + " UTC" if value else ""


@register.simple_tag
def ago(value: datetime | None, now: datetime) -> SafeString:
    """Relative for the eye, exact on hover; the script keeps it ticking."""
    if value is None:
        return SafeString("<time data-ago>–</time>")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        _iso(value),
        exact(value),
        units()["ago"] % duration(now - value),
    )


@register.simple_tag
def answered(source: Source, now: datetime) -> SafeString:
    """When a workspace last answered; the script puts each later answer in."""
    at = source.observed_at
    return format_html(
        '<time{} data-ago data-answered="{}" data-name="{}">{}</time>',
        format_html(' datetime="{}"', _iso(at)) if at else "",
        source.pk,
        source.name,
        units()["ago"] % duration(now - at) if at else _("not yet"),
    )


@register.simple_tag
def since(value: datetime | None, now: datetime) -> SafeString:
    """How long it has lasted: "6 min", ticking."""
    if value is None:
        return SafeString("<time data-for>–</time>")
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
    return ", ".join(said) or _("no trouble seen")


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


# Sentences -------------------------------------------------------------------------------------


@register.filter
def why(row: Row) -> str:
    return sentences.endpoints.why(row.endpoint, row.status, stale=row.stale)


@register.filter
def kind_label(kind: Kind | str) -> str:
    return str(sentences.endpoints.KINDS[Kind(kind)])


@register.filter
def verb(kind: OperationKind | str) -> str:
    return str(sentences.operations.VERBS[OperationKind(kind)])


@register.filter
def under_way(kind: OperationKind | str) -> str:
    return str(sentences.operations.UNDER_WAY[OperationKind(kind)])


@register.filter
def operation_label(operation: Operation) -> str:
    return sentences.operations.label(operation)


@register.filter
def operation_detail(operation: Operation) -> str:
    return sentences.operations.detail(operation)


@register.filter
def operation_tone(operation: Operation) -> str:
    return sentences.operations.tone(operation)


@register.filter
def error_sentence(code: str) -> str:
    return sentences.troubles.error(code)


@register.filter
def error_advice(code: str) -> str:
    return sentences.troubles.advice(code)


@register.filter
def audit_step(entry: AuditEntry) -> str:
    return sentences.operations.audit_step(entry.action)


@register.filter
def audit_answer(entry: AuditEntry, operation: Operation) -> str:
    return sentences.operations.audit_answer(entry, operation)


@register.filter
def deployment_label(state: str) -> str:
    return sentences.endpoints.deployment(state)


@register.filter
def deployment_tone(state: str) -> str:
    return sentences.endpoints.DEPLOYMENT_TONES.get(state, "unknown")


@register.filter
def setting_label(name: str) -> str:
    return sentences.endpoints.setting(name)


@register.filter
def setting_value(value: str | None) -> str:
    return {None: "–", "true": _("Yes"), "false": _("No")}.get(value, value or "–")


@register.filter
def level(permission: str | None) -> str:
    return sentences.permissions.level(permission)


@register.filter
def role_label(access: Access, workspace_id: int | None = None) -> str:
    role = access.best_role(workspace_id)
    return str(sentences.roles.ROLES[role]) if role else ""


@register.filter
def took(operation: Operation) -> timedelta | None:
    return operation.settled_at - operation.requested_at if operation.settled_at else None


@register.filter
def is_recent(operation: Operation, now: datetime) -> bool:
    """Settled so lately that whoever asked is still looking for the outcome."""
    return operation.settled_at is not None and now - operation.settled_at < timedelta(minutes=2)


@register.filter
def update_word(config_update: str) -> str:
    return sentences.endpoints.update(config_update)


@register.filter
def steps_done(operation: Operation) -> int:
    """How many of the four steps are reached: requested, sent, Databricks is working, done."""
    if not operation.is_open:
        return 4
    if operation.moved_at:
        return 3
    return 1 if operation.known_state is State.QUEUED else 2


# The list --------------------------------------------------------------------------------------

STRIP: list[tuple[str, tuple[Status, ...], Any, Any]] = [
    ("bad", (Status.UPDATE_FAILED, Status.NOT_READY), gettext_lazy("Not ready"), ""),
    ("unknown", (Status.UNKNOWN,), Status.UNKNOWN.label, ""),
    ("busy", (Status.UPDATING,), gettext_lazy("Updating"), ""),
    (
        "but",
        (Status.READY_UPDATE_FAILED,),
        Status.READY_UPDATE_FAILED.label,
        gettext_lazy("Update failed"),
    ),
    ("good", (Status.READY,), Status.READY.label, ""),
    ("off", (Status.STOPPED,), gettext_lazy("Stopped"), ""),
]
"""Tone, statuses, label and, where that is too long for a phone, a shorter one."""


@register.filter
def strip(page: Page) -> list[dict[str, Any]]:
    """The counts above the list, worst first, each a link that filters; again, and it is off.

    `per` says how many of them each workspace has, for the browser to count anew by itself when
    one falls silent.
    """
    items = []
    for tone, statuses, label, short in STRIP:
        on = page.filters.statuses == frozenset(statuses)
        per: dict[int, int] = {}
        for status in statuses:
            for source, number in page.counts.by_source.get(status, {}).items():
                per[source] = per.get(source, 0) + number
        items.append(
            {
                "tone": tone,
                "label": label,
                "short": short,
                "number": page.counts.of(statuses),
                "per": " ".join(f"{source}={number}" for source, number in per.items()),
                "query": [] if on else [status.value for status in statuses],
                "on": on,
            }
        )
    return items


@register.filter
def page_title(page: Page) -> str:
    """The count that matters comes first: it is what a tab shows."""
    if down := page.counts.not_serving:
        return f"{_('%s not ready') % down} · {_endpoints()}"
    if unknown := page.counts.of([Status.UNKNOWN]):
        return f"{_('%s unknown') % unknown} · {_endpoints()}"
    return _endpoints()


@register.simple_tag
def unknown_title() -> str:
    """The same for the browser to fill in by itself."""
    return f"{_('%s unknown')} · {_endpoints()}"


def _endpoints() -> str:
    return f"{_('Endpoints')} · Serving Desk"


@register.filter
def operations_title(page: operation_list.Page) -> str:
    title = f"{_('Operations')} · Serving Desk"
    return f"{_('%s open') % page.counts['open']} · {title}" if page.counts["open"] else title


@register.filter
def operation_title(operation: Operation) -> str:
    what = f"{verb(operation.kind)} {operation.endpoint.name}"
    return f"{what} · {operation_label(operation)} · Serving Desk"


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


AGED_CYCLES = 1.5


@register.inclusion_tag("_pick.html", takes_context=True)
def pick(context: Any, name: str, values: Sequence[str | tuple[str, str]] = ()) -> dict[str, Any]:
    """One filter of the page's form; `values`, or values with labels, where its field does not know
    what there is.

    Several values at once come by a link, as the strip's do: they are shown and kept, since a
    choice of one could not say them.
    """
    bound: BoundField = context["form"][name]
    labelled = [(item, item) if isinstance(item, str) else item for item in values]
    choices = labelled or list(getattr(bound.field, "choices", ()))
    labels = dict(choices)
    given = bound.value() or []
    chosen = [given] if isinstance(given, str) else list(given)
    if bound.errors:
        chosen = []
    return {
        "name": name,
        "label": bound.label,
        "choices": choices + [(value, value) for value in chosen if value not in labels],
        "chosen": chosen,
        "said": ", ".join(str(labels.get(value, value)) for value in chosen),
        "clear": query(context, **{name: ""}),
        "default": bound.field.initial,
    }


@register.filter
def last_part(name: str) -> str:
    """`catalog.schema.model` by its last name, as people say it."""
    return name.rpartition(".")[2] or name


# Addresses -------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The address's query with `changes`; an empty value drops the key, a list repeats it. A
    changed filter starts at the first page again."""
    params = _address(context, "" if "page" in changes else "page")
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


@register.simple_tag(takes_context=True)
def carry(context: Any, *besides: str) -> SafeString:
    """Hidden fields for what the address says, so that a form keeps filters it does not show."""
    fields = [
        (name, value)
        for name, values in _address(context, "page", *besides).lists()
        for value in values
        if value
    ]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)


def _address(context: Any, *besides: str) -> QueryDict:
    """What the address says, without the poller's own part and without `besides`."""
    params: QueryDict = context["request"].GET.copy()
    for name in ("since", *besides):
        params.pop(name, None)
    return params
