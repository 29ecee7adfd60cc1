"""Invented companies and what they serve, so that two workspaces do not look alike.

Each is a TOML file beside this module: named parts first, then the words that further endpoints
are named after.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NAMES = ("commerce", "energy")


@dataclass(frozen=True)
class Part:
    """An endpoint to be made. `role` says how it fares (roles.py); `model` is what it serves."""

    role: str
    name: str
    about: str
    model: str = ""
    version: int = 0
    team: str = ""
    tier: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Company:
    domain: str
    catalog: str
    people: list[str]
    teams: list[str]
    subjects: list[str]
    tasks: list[str]
    suffixes: list[str]
    parts: list[Part]


@cache
def load(name: str) -> Company:
    path = Path(__file__).with_name(f"{name}.toml")
    written: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    parts = [
        Part(**{"model": part["name"].replace("-", "_")} | part) for part in written.pop("parts")
    ]
    return Company(**written, parts=parts)
