"""Icons of `_sprite.html`."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from django import template
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=500)  # a page has dozens of them, and there are few
def icon(name: str, tone: str = "") -> SafeString:
    """A symbol of `_sprite.html`; `tone` colours it as a status."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', _classes(name, tone), name
    )


@register.simple_tag
@cache
def drawn_icon(name: str) -> SafeString:
    """The same without `<use>`, for which a browser builds a tree of its own each time: for what
    stands in every row of a page. Packed, the repeated shape weighs next to nothing."""
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        _classes(name),
        _shapes()[name],
    )


def _classes(name: str, tone: str = "") -> str:
    return f"i{f' tone {tone}' if tone else ''}{' spin' if name == 'busy' else ''}"


@cache
def _shapes() -> dict[str, SafeString]:
    """What each symbol of the sprite is made of."""
    sprite = get_template("_sprite.html").render()
    found = re.findall(r'<symbol id="(\w+)" viewBox="0 0 16 16">(.*?)</symbol>', sprite)
    return {name: SafeString(shape) for name, shape in found}
