"""Permissions in words and marks."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from endpoints_app import sentences
from endpoints_app.domain.permissions import Danger, Difference, PrincipalKind
from endpoints_app.models import AuditEntry
from endpoints_app.services import permissions

register = template.Library()

register.filter("level_label", sentences.permissions.level)
register.filter("origin", sentences.permissions.origin)
register.filter("consequence", sentences.permissions.consequence)
register.filter("recorded_differences", permissions.differences_of)

ICONS: Mapping[PrincipalKind, str] = {
    PrincipalKind.USER: "user",
    PrincipalKind.GROUP: "group",
    PrincipalKind.SERVICE_PRINCIPAL: "robot",
}


@register.filter
def principal_icon(kind: PrincipalKind) -> str:
    return ICONS[kind]


@register.filter
def principal_kind(kind: PrincipalKind) -> str:
    return str(sentences.permissions.PRINCIPALS[kind])


@register.filter
def principals(number: int, kind: PrincipalKind) -> str:
    return sentences.permissions.principals(kind, number)


@register.filter
def difference(change: Difference) -> str:
    return sentences.permissions.difference(change.before, change.after)


@register.filter
def difference_icon(change: Difference) -> str:
    if change.before is None:
        return "plus"
    return "minus" if change.after is None else "delta"


@register.filter
def danger(code: Danger) -> str:
    return str(sentences.permissions.DANGERS[code])


@register.filter
def confirmation(code: Danger) -> str:
    return str(sentences.permissions.CONFIRMATIONS[code])


@register.filter
def step_label(entry: AuditEntry) -> str:
    return sentences.permissions.step(entry.action)
