"""The words for what an endpoint is and does."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.kind import Kind
from endpoints_app.models import Endpoint
from endpoints_app.services.listing import Row

register = template.Library()

register.filter("update_word", sentences.endpoints.update)
register.filter("deployment_label", sentences.endpoints.deployment)
register.filter("setting_label", sentences.endpoints.setting)


@register.filter
def why(row: Row) -> str:
    return sentences.endpoints.why(row.endpoint, row.status, stale=row.stale)


@register.filter
def kind_label(kind: Kind | str) -> str:
    return str(sentences.endpoints.KINDS[Kind(kind)])


@register.filter
def deployment_tone(state: str) -> str:
    return sentences.endpoints.DEPLOYMENT_TONES.get(state, "unknown")


@register.filter
def setting_value(value: str | None) -> str:
    return {None: "–", "true": _("Yes"), "false": _("No")}.get(value, value or "–")


@register.filter
def last_part(name: str) -> str:
    """`catalog.schema.model` by its last name, as people say it."""
    return name.rpartition(".")[2] or name


@register.simple_tag
def page_of(endpoint: Endpoint, name: str) -> str:
    """The address of one of its pages, by the name that it has in urls.py."""
    url = _address(endpoint.workspace.name, endpoint.name) + _below(name)
    return f"{url}?id={endpoint.uid or endpoint.pk}" if endpoint.gone_at else url


@lru_cache(maxsize=2_000)
def _address(workspace: str, name: str) -> str:
    return reverse("endpoint", args=[workspace, name])


@lru_cache
def _below(name: str) -> str:
    """What stands below the endpoint's own page: a page leads to a dozen of its pages, and to
    look each of them up would take longer than to show them."""
    one, its = reverse("endpoint", args=["w", "n"]), reverse(name, args=["w", "n"])
    if not its.startswith(one):
        raise ValueError(f"{name} does not stand below its endpoint.")
    return its.removeprefix(one)
