"""Filters, sorting and positions, which stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

register = template.Library()


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
