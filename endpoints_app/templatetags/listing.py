"""The counts above the list of endpoints, and the one that its title shows."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints_app.domain.status import Status
from endpoints_app.services.listing import Page

register = template.Library()

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
