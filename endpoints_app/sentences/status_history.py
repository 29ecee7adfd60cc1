"""What the status page's strips, bars and shares say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from endpoints_app.domain import uptime
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_page import DAY, DOWN
from endpoints_app.domain.uptime import Account, Span, Stretch, Totals
from endpoints_app.sentences.status_times import lasting


def share(totals: Totals, *, window: timedelta, poll: timedelta) -> str:
    """ "99.91 % could serve", and how much of the time was not known."""
    if totals.availability is None:
        return _("nothing known") if totals.unknown else _("nothing to count")
    said = _("%s %% could serve") % uptime.per_cent(totals.availability, window=window, poll=poll)
    if totals.unknown:
        part = uptime.per_cent(totals.unknown / totals.whole, window=window, poll=poll)
        part = part if float(part) else f"<{part[:-1]}1" if "." in part else "<1"
        unknown = _("%s %% unknown") % part
        return f"{said}, {unknown}"
    return said


def day_share(totals: Totals, known: timedelta, poll: timedelta) -> str:
    """`known`: so much of the 24 hours there is anything to tell of."""
    return share(totals, window=known, poll=poll)


def days_share(days: Sequence[tuple[str, Totals]], known: timedelta, poll: timedelta) -> str:
    whole = sum((totals for _day, totals in days), Totals())
    there = sum(1 for _day, totals in days if totals.whole)
    return share(whole, window=max(there - 1, 0) * DAY + known, poll=poll)


def strip(name: str, told: Iterable[Stretch]) -> str:
    """What a strip of 24 hours shows, in words."""
    told = list(told)
    down = [s.lasted for s in told if s.account is Account.DOWN]
    unknown = sum((s.lasted for s in told if s.account is Account.UNKNOWN), timedelta())
    return _strip(name, down, unknown)


def endpoint_strip(name: str, told: Iterable[Span]) -> str:
    told = list(told)
    down = [s.end - s.start for s in told if s.status in DOWN]
    unknown = sum((s.end - s.start for s in told if s.status is Status.UNKNOWN), timedelta())
    return _strip(name, down, unknown)


def _strip(name: str, down: Sequence[timedelta], unknown: timedelta) -> str:
    said = []
    if down:
        times = ngettext("down %(n)s time, %(lasted)s", "down %(n)s times, %(lasted)s", len(down))
        said.append(times % {"n": len(down), "lasted": lasting(sum(down, timedelta()))})
    if unknown:
        said.append(_("unknown for %s") % lasting(unknown))
    return _("%(name)s, last 24 h: %(what)s") % {
        "name": name,
        "what": _(", ").join(said) or _("no trouble seen"),
    }


def bars(name: str, days: Sequence[tuple[str, Totals]]) -> str:
    """What the bars of 90 days show, in words."""
    down = sum(1 for _day, totals in days if totals.down)
    unknown = sum(1 for _day, totals in days if totals.unknown)
    trouble = ngettext("%(n)s day with trouble", "%(n)s days with trouble", down) % {"n": down}
    what = trouble
    if unknown:
        gaps = ngettext("%(n)s day not wholly known", "%(n)s days not wholly known", unknown)
        what = f"{trouble}, {gaps % {'n': unknown}}"
    return _("%(name)s, 90 days: %(what)s") % {"name": name, "what": what}
