"""Events that a workspace tells of, as they may be kept for a while and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from endpoints_app.domain.log_secrets import masked
from endpoints_app.domain.masking import clean

MOST: Final = 200
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    type: str
    status: str
    message: str


class Told(Protocol):
    """As the workspace told it."""

    @property
    def at(self) -> datetime: ...
    @property
    def type(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...


def shown(told: Iterable[Told]) -> list[Event]:
    """The newest, each once, without what looks like a credential."""
    found = dict.fromkeys(
        Event(it.at, _text(it.type, 80), _text(it.status, 80), _text(it.message, LONGEST))
        for it in told
    )
    return sorted(found, key=lambda event: event.at, reverse=True)[:MOST]


def _text(text: str | None, longest: int) -> str:
    said = masked(" ".join(clean((text or "")[: 4 * longest]).split()))
    return said if len(said) <= longest else said[: longest - 1] + "…"
