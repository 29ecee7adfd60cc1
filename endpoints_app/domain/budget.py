"""Serverless budget policies: which one tags an endpoint's usage, and where that comes from.

Databricks renamed them "serverless usage policies" in 2025–26; ids and fields kept their name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from endpoints_app.domain.kind import Kind

IMPOSSIBLE = frozenset({Kind.EXTERNAL, Kind.FOUNDATION})
"""Kinds that cannot have a policy: external models by the documentation; pay-per-token endpoints
are Databricks' own, and nobody creates them."""

NONE, UNKNOWN = "none", "unknown"
"""What a filter may ask for besides an id."""

ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""Those seen are UUIDs, which no document promises."""


class Standing(StrEnum):
    SET = "set"  # on the endpoint itself
    INHERITED = "inherited"  # in force, and not set here: its creator has it assigned
    NONE = "none"
    UNKNOWN = "unknown"  # only a list told of it so far, and lists leave out what is inherited
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Policy:
    """As a reading tells it: the id set on the endpoint, and the one in force."""

    own: str = ""
    effective: str = ""
    known: bool = True

    @property
    def id(self) -> str:
        """The one that tags the usage."""
        return self.effective or self.own

    def standing(self, kind: Kind) -> Standing:
        if self.id:
            return Standing.SET if self.own == self.id else Standing.INHERITED
        if kind in IMPOSSIBLE:
            return Standing.IMPOSSIBLE
        return Standing.NONE if self.known else Standing.UNKNOWN

    def is_asked_for(self, asked: str, kind: Kind) -> bool:
        """Whether a filter finds it; `asked` is an id, NONE or UNKNOWN. What cannot have a policy
        is not among those without."""
        if asked in (NONE, UNKNOWN):
            return self.standing(kind).value == asked
        return self.id == asked


def is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None and text not in (NONE, UNKNOWN)


def names(text: str) -> dict[str, str]:
    """ "id=name, id=name" → name by id. Raises ValueError."""
    found: dict[str, str] = {}
    for pair in re.split(r"[,\n]", text):
        if not pair.strip():
            continue
        policy, equals, name = (part.strip() for part in pair.partition("="))
        if not (equals and is_id(policy) and name.isprintable() and 0 < len(name) <= 100):
            raise ValueError(pair)
        if policy in found:
            raise ValueError(policy)
        found[policy] = name
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """How a workspace takes a change of policy: `path` has the endpoint's name as {name}."""

    method: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Call:
        """ "PATCH /api/2.0/…/{name}/budget-policy". Raises ValueError."""
        method, _, path = text.strip().partition(" ")
        path = path.strip()
        plain = path.replace("{name}", "name", 1)
        if method not in ("PATCH", "POST", "PUT") or plain == path:
            raise ValueError(text)
        if not re.fullmatch(r"/api/[0-9.]+(?:/[A-Za-z0-9_-][A-Za-z0-9:._-]*)+", plain):
            raise ValueError(text)
        return cls(method, path)
