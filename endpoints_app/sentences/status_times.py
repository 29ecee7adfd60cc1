"""How the status page says times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

NIGHT = timedelta(hours=6)


def clock(at: datetime, now: datetime) -> str:
    """ "02:51", with the day where it is neither today's nor of the night around midnight."""
    at = at.astimezone(UTC)
    time = at.strftime("%H:%M")
    plain = at.date() == now.astimezone(UTC).date() or abs(now - at) < NIGHT
    return time if plain else f"{day(at.date())} {time}"


def day(when: date) -> str:
    # Translators: a day without its year, as a format of Django: "24 August".
    return date_format(when, _("j F"))


def exact(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lasting(value: timedelta) -> str:
    """In the largest unit that still tells something; minutes up to two hours."""
    seconds = max(0, int(value.total_seconds()))
    for said, size, least in (
        (_("%s d"), 86_400, 2),
        (_("%s h"), 3600, 2),
        (_("%s min"), 60, 1),
    ):
        if seconds >= least * size:
            return said % (seconds // size)
    return _("%s s") % seconds


def ago(at: datetime, now: datetime) -> str:
    return _("%s ago") % lasting(now - at)
