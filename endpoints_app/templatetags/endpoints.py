"""The words for what an endpoint is and does."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.kind import Kind
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
