"""Budget policies in words and marks."""

from __future__ import annotations

from django import template

from endpoints_app import sentences
from endpoints_app.domain.budget import Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.models import AuditEntry
from endpoints_app.services import budget

register = template.Library()

register.filter("policy_name", budget.name_of)
register.filter("impossible_because", sentences.budget.impossible)
register.filter("hours_a_day", sentences.budget.hours)
register.filter("owners_note", sentences.budget.note)


@register.filter
def standing_label(standing: Standing) -> str:
    return str(sentences.budget.STANDINGS[standing])


@register.filter
def where_from(standing: Standing) -> str:
    return str(sentences.budget.WHERE_FROM[standing])


@register.filter
def policy_step(entry: AuditEntry) -> str:
    return sentences.budget.step(entry.action)


@register.filter
def policy_difference(entry: AuditEntry) -> str:
    """What somebody wanted to change, and with it whether that came about is another question."""
    return sentences.budget.difference(entry.detail.get("before", ""), entry.detail["wanted"])


@register.filter
def why_impossible(kind: Kind) -> str:
    return str(sentences.budget.WHY_IMPOSSIBLE.get(kind, ""))
