"""Icons of `_sprite.html`."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=500)  # a page has dozens of them, and there are few
def icon(name: str, tone: str = "") -> SafeString:
    """A symbol of `_sprite.html`; `tone` colours it as a status."""
    classes = "i"
    if tone:
        classes += f" tone {tone}"
    if name == "busy":
        classes += " spin"
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name)
