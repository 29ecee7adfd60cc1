"""The sentences behind the codes of what went wrong."""

from __future__ import annotations

from django import template

from endpoints_app import sentences

register = template.Library()


@register.filter
def error_sentence(code: str) -> str:
    return sentences.troubles.error(code)


@register.filter
def error_advice(code: str) -> str:
    return sentences.troubles.advice(code)
