"""Times as people write them, in a zone, and the instants that they name.

Twice a year most zones skip an hour or repeat one: a time then names no instant, or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


@cache
def zones() -> tuple[str, ...]:
    """Names to choose from: of places, and UTC."""
    places = {name for name in available_timezones() if "/" in name}
    odd = ("Etc/", "SystemV/", "US/", "Canada/", "Mexico/", "Brazil/", "Chile/")
    return ("UTC", *sorted(name for name in places if not name.startswith(odd)))


def zone(name: str) -> ZoneInfo | None:
    """None for what is not the name of one."""
    try:
        return ZoneInfo(name) if name in available_timezones() else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a time on the clocks of a zone means: one instant; two, when clocks are set back; or
    none, when they skip it, and then `instead` is what they show after the same wait."""

    instants: tuple[datetime, ...]
    instead: datetime | None = None


def read(wall: datetime, zone: ZoneInfo) -> Reading:
    """`wall` is naive."""
    found: list[datetime] = []
    for fold in (0, 1):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall and instant not in found:
            found.append(instant)
    if found:
        return Reading(tuple(sorted(found)))
    # The offset before the jump is what the writer's clock still counts by.
    skipped = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return Reading((), skipped.astimezone(zone).replace(tzinfo=None))


def offset(instant: datetime, zone: ZoneInfo) -> str:
    """ "UTC+2", "UTC−3:30": what tells two equal times of day apart."""
    difference = instant.astimezone(zone).utcoffset() or timedelta()
    minutes = int(difference.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "UTC"
