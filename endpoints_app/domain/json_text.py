"""JSON for people: what fits stays on one line, the rest is indented."""

from __future__ import annotations

import json
from typing import Any, Final

WIDTH: Final = 64
DEEPEST: Final = 60


def pretty(value: Any, *, python: bool = False, indent: str = "  ") -> str:
    """As JSON, or as a Python literal."""
    return _lines(value, "", 0, python, indent)


def _lines(value: Any, before: str, depth: int, python: bool, indent: str) -> str:
    short = repr(value) if python else json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or depth >= DEEPEST:
        return short
    if len(before) + len(short) <= WIDTH and depth > 0:
        return short
    inner = before + indent
    if isinstance(value, dict):
        keys = (repr(key) if python else json.dumps(key, ensure_ascii=False) for key in value)
        items = (
            f"{inner}{key}: {_lines(item, inner, depth + 1, python, indent)}"
            for key, item in zip(keys, value.values(), strict=True)
        )
        opened, closed = "{", "}"
    else:
        items = (f"{inner}{_lines(item, inner, depth + 1, python, indent)}" for item in value)
        opened, closed = "[", "]"
    last = "," if python else ""
    return f"{opened}\n" + ",\n".join(items) + f"{last}\n{before}{closed}"
