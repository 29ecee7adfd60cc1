"""`{% kept %}`: parts of pages that many requests show alike, rendered once per process."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.services.shelf import Shelf

register = template.Library()

_kept: Shelf[tuple[Any, ...], SafeString] = Shelf(most=2_000)
"""Of some kilobytes each."""


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    """`{% kept a b %} … {% endkept %}` renders what is inside once for each language and each value
    of `a` and `b`. These must be all that it depends on: never put in a token or a person's name,
    and never the time."""
    _, *names = token.split_contents()
    keys = [parser.compile_filter(name) for name in names]
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(inside, keys)


class Kept(template.Node):
    def __init__(self, nodelist: NodeList, keys: list[FilterExpression]) -> None:
        self.nodelist = nodelist
        self.keys = keys

    def render(self, context: Context) -> SafeString:
        values = [key.resolve(context, ignore_failures=True) for key in self.keys]
        # Two places never share a part: templates live as long as the process.
        key = (self, get_language(), *values)
        found = _kept.get(key)
        return _kept.put(key, self.nodelist.render(context)) if found is None else found


def forget() -> None:
    _kept.clear()
