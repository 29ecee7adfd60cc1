"""Configurations in words and marks."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.config_diff import Line, Section
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.masking import MASK, REFERENCE
from endpoints_app.models import ConfigVersion
from endpoints_app.templatetags.icons import icon

register = template.Library()

register.filter("stage_said", sentences.config.stage_said)


_CODE = re.compile(r"[\w-]+(\.[\w-]+){2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A name of three parts, or an id."""


@register.filter
def section_label(section: Section) -> str:
    return str(sentences.config.SECTIONS[section])


@register.filter
def line_label(line: Line) -> str:
    return sentences.config.label(line.section, line.name)


@register.simple_tag
def value(section: Section, given: Any, another: bool = False) -> SafeString:
    """A value as a cell shows it; `another` where it is masked and known to differ."""
    if given == MASK:
        said = _("masked, another value") if another else _("masked")
        return format_html("{} {}", icon("lock", "off"), said)
    text = sentences.config.value(section, given)
    if isinstance(given, str) and (REFERENCE.fullmatch(given) or _CODE.fullmatch(given)):
        return format_html('<span class="mono">{}</span>', text)
    return SafeString(conditional_escape(text))


@register.filter
def stage_word(version: ConfigVersion) -> str:
    return str(sentences.config.STAGES[version.known_stage])


@register.simple_tag
def stage_mark(version: ConfigVersion) -> SafeString:
    """Its icon among the versions."""
    mark = {
        Stage.PENDING: "busy",
        Stage.ACTIVE: "good",
        Stage.FAILED: "bad",
        Stage.SERVED: "layers",
    }.get(version.known_stage, "none")
    return icon(mark, mark if mark in ("busy", "good", "bad") else "off")


@register.simple_tag
def raw_line(sign: str, line: str) -> SafeString:
    """A line of a unified diff; what is masked is marked."""
    tag = {"+": "ins", "-": "del"}.get(sign, "span")
    first = {"@": "", " ": "  "}.get(sign, f"{sign} ")
    head, *rest = str(conditional_escape(line)).split(MASK)
    masked = f"<mark>{_('masked')}</mark>"
    text = SafeString(masked.join([head, *rest]))
    return format_html("<{0}>{1}{2}</{0}>", SafeString(tag), first, text)
