"""How long what was said of a time stays true: "6 min ago", "today"."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

MINUTE = timedelta(minutes=1)
_UNITS = (timedelta(days=1), timedelta(hours=1), MINUTE)


def next_step(at: datetime, now: datetime) -> datetime:
    """When "6 min ago" becomes "7 min ago", or what is to come has come. Seconds are told to the
    nearest ten, so that nothing is drawn anew in each of them."""
    if at > now:
        return at
    age = now - at
    step = next((unit for unit in _UNITS if age >= unit), timedelta(seconds=10))
    return now + step - age % step


def end_of_day(now: datetime) -> datetime:
    """When "today" is another day, in UTC."""
    return datetime.combine(now.astimezone(UTC) + timedelta(days=1), time(), UTC)
