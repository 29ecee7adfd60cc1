"""The words for what an endpoint is and does."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.kind import Kind
from endpoints_app.services.listing import Row

register = template.Library()


@register.filter
def why(row: Row) -> str:
    return sentences.endpoints.why(row.endpoint, row.status, stale=row.stale)


@register.filter
def kind_label(kind: Kind | str) -> str:
    return str(sentences.endpoints.KINDS[Kind(kind)])


@register.filter
def update_word(config_update: str) -> str:
    return sentences.endpoints.update(config_update)


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
def last_part(name: str) -> str:
    """`catalog.schema.model` by its last name, as people say it."""
    return name.rpartition(".")[2] or name
