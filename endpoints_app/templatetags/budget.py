"""Budget policies in words and marks."""

from __future__ import annotations

from django import template

from endpoints_app import sentences
from endpoints_app.domain.budget import Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.models import AuditEntry
from endpoints_app.services import budget

register = template.Library()


@register.filter
def policy_name(policy: str) -> str:
    return budget.name_of(policy)


@register.filter
def standing_label(standing: Standing) -> str:
    return str(sentences.budget.STANDINGS[standing])


@register.filter
def where_from(standing: Standing) -> str:
    return str(sentences.budget.WHERE_FROM[standing])


@register.filter
def impossible_because(kind: Kind) -> str:
    return sentences.budget.impossible(kind)


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


@register.filter
def hours_a_day(share: float | None) -> str:
    return sentences.budget.hours(share)


@register.filter
def owners_note(names: dict[str, list[str]]) -> str:
    return sentences.budget.note(names)
