"""`{"events": [{"timestamp", "event_type", "status", "message"}]}`: in no reference, used by
Databricks' own packages, which disagree on the order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from .errors import Nonsense
from .wire import objects, str_or_none, time_or_none


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    type: str | None
    status: str | None
    message: str | None

    @classmethod
    def parse_all(cls, answer: Mapping[str, Any]) -> tuple[Self, ...]:
        """The newest first. Without a time that can be read an event has no place among others
        and is left out."""
        listed = answer.get("events")
        if listed is not None and not isinstance(listed, list):
            raise Nonsense("'events' in the answer is not a list.", status=200)
        return tuple(sorted(cls._parse(listed), key=lambda event: event.at, reverse=True))

    @classmethod
    def _parse(cls, listed: object) -> Iterator[Self]:
        for item in objects(listed):
            at = time_or_none(item.get("timestamp"))
            if at is not None:
                yield cls(
                    at,
                    str_or_none(item.get("event_type")),
                    str_or_none(item.get("status")),
                    str_or_none(item.get("message")),
                )
