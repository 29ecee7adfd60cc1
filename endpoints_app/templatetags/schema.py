"""How a query schema is shown."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from endpoints_app.domain.openapi_fields import Field, Presence
from endpoints_app.domain.openapi_schema import Note

register = template.Library()

COLOURED = 100_000
"""Characters of JSON up to which its parts are marked: beyond, the markup outweighs the text."""

_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<number>-?\b\d[\d.eE+-]*\b)', re.DOTALL
)


@register.filter
def coloured(text: str) -> SafeString:
    """JSON with its keys, strings and numbers marked."""
    if len(text) > COLOURED:
        return escape(text)
    parts: list[str] = []
    end = 0
    for found in _TOKEN.finditer(text):
        parts.append(escape(text[end : found.start()]))
        kind = "n" if found["number"] else "k" if found["colon"] else "s"
        token = found["number"] or found["text"]
        parts.append(format_html('<span class="{}">{}</span>', kind, token))
        parts.append(found["colon"] or "")
        end = found.end()
    parts.append(escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


@register.filter
def indent(field: Field) -> str:
    """The class of its depth; the deepest share one."""
    return f"d{min(field.depth, 8)}"


@register.filter
def type_words(field: Field) -> str:
    """Its type and format: "integer (int64) or null"."""
    words = field.type
    if field.format:
        words += f" ({field.format})"
    if field.nullable:
        words = _("%(type)s or null") % {"type": words}
    return words


@register.filter
def presence(field: Field) -> str:
    return {
        Presence.REQUIRED: _("required"),
        Presence.OPTIONAL: _("optional"),
        Presence.ITEM: _("item"),
        Presence.CHOICE: _("one of several"),
    }[field.presence]


@register.filter
def note(field: Field) -> str:
    """What the row cannot show, as a sentence."""
    return {
        Note.NONE: "",
        Note.CIRCULAR: _("Again %(name)s, which holds this one."),
        Note.ELSEWHERE: _("Described outside this document: %(name)s."),
        Note.MISSING: _("The document does not describe %(name)s."),
        Note.DEEPER: _("Nested deeper than is shown."),
    }[field.note] % {"name": field.target}


@register.filter
def presences(fields: tuple[Field, ...]) -> str:
    """ "3 required, 4 optional", of the outermost fields that must or may be there."""
    required = sum(field.presence is Presence.REQUIRED for field in fields)
    optional = sum(field.presence is Presence.OPTIONAL for field in fields)
    return _("%(required)s required, %(optional)s optional") % {
        "required": required,
        "optional": optional,
    }
