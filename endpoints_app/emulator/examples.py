"""Requests that fit a signature, as documents show them."""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator.signatures import Column, Signature

CHAT = {"messages": [{"role": "user", "content": "What is open today?"}], "max_tokens": 128}
COMPLETIONS = {"prompt": "Once upon a time", "max_tokens": 64}
EMBEDDINGS = {"input": ["red shoes", "blue shoes"]}
RESPONSES = {"input": [{"role": "user", "content": "What is open today?"}]}
FEATURES = {"distance_km": "double", "population": "long", "region": "string"}

_VALUES: dict[str, tuple[Any, Any]] = {
    "long": (3, 41),
    "double": (10.4, 0.5),
    "string": ("abc", "xyz"),
    "boolean": (True, False),
    "datetime": ("2026-11-22T02:21:40", "2026-11-23T08:00:00"),
    "array": ([0.1, 0.2, 0.3], [1.5]),
    "map": ({"page": "home"}, {}),
}


def row(columns: tuple[Column, ...], number: int = 0) -> list[Any]:
    return [_VALUES[column.type][number] for column in columns]


def split(signature: Signature) -> dict[str, Any]:
    """Without the name of its format around it, as the platform shows it."""
    return {
        "columns": [column.name for column in signature.columns],
        "data": [row(signature.columns, number) for number in (0, 1)],
    }


def tensor(shape: tuple[int, ...]) -> list[Any]:
    length, *inner = shape
    if inner:
        return [tensor(tuple(inner)) for _ in range(length)]
    return [round(0.1 * place, 1) for place in range(length)]
