"""What may be asked of a timeline, and where one is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

PERIODS: Final = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


class Kind(StrEnum):
    """What a reader may ask for alone."""

    STATUS = "status"
    OPERATIONS = "operations"
    CONFIGS = "configs"
    PERMISSIONS = "permissions"
    BUDGET = "budget"
    LOGS = "logs"
    SCHEMA = "schema"
    REQUESTS = "requests"
    NOTED = "noted"  # what people said of it here, as that they are on it
    EVENTS = "events"  # what Databricks tells; not kept here
    OUTSIDE = "outside"  # of several kinds: done by nobody that we know


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The place of an entry among all of an endpoint: no two have the same."""

    at: datetime
    source: int
    pk: int

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}-{self.source}-{self.pk}"

    @classmethod
    def read(cls, text: str) -> Key | None:
        """A key out of an address; None for whatever else stands there."""
        parts = text.split("-")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            return None
        micros, source, pk = map(int, parts)
        if source > LAST_SOURCE:
            return None
        try:
            return cls(_EPOCH + timedelta(microseconds=micros), source, pk)
        except OverflowError:
            return None


LAST_SOURCE: Final = 9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filters:
    """`before` leaves out the entry of that key, `at` begins with it. `month` is its first day."""

    kind: Kind | None = None
    who: str = ""
    period: str = ""
    month: datetime | None = None
    before: Key | None = None
    at: Key | None = None

    @property
    def place(self) -> Key | None:
        return self.before or self.at

    @property
    def narrowed(self) -> bool:
        return bool(self.kind or self.who or self.period or self.month or self.place)

    def span(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """From, inclusive, and until, exclusive."""
        if self.month is not None:
            return self.month, (self.month + timedelta(days=32)).replace(day=1)
        period = PERIODS.get(self.period)
        return (now - period if period else None), None


def kind_of(action: str) -> Kind:
    """The kind of an entry of the record, by its first word."""
    return next((kind for word, kind in ACTIONS.items() if action.startswith(word)), Kind.NOTED)


ACTIONS: Final = {
    "permissions ": Kind.PERMISSIONS,
    "budget policy ": Kind.BUDGET,
    "request ": Kind.REQUESTS,
}
