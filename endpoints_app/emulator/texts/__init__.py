"""Texts that are too long for code: what builds and model servers say.

Each is a file beside this module. A line begins with the percentage of the time that has passed
when it is written; `$words` in it are filled in; lines before the first number are comments.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template


@cache
def script(name: str) -> tuple[tuple[float, Template], ...]:
    """The lines of a text, each with the share of the time after which it is written."""
    lines = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    numbered = (line.partition(" ") for line in lines if not line.startswith("# "))
    return tuple(
        (int(percent) / 100, Template(text.replace(r"\e", "\x1b")))
        for percent, _space, text in numbered
    )
