"""Status changes → spans of time → what they count as. What we did not read is a span of its own:
unknown, which is neither up nor down."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from endpoints_app.domain.status import Status


@dataclass(frozen=True, slots=True)
class Change:
    """`now` is None when the endpoint was gone from then on."""

    at: datetime
    was: Status | None
    now: Status | None


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until `end`; `status` is None before the endpoint was known and after it
    was gone."""

    start: datetime
    end: datetime
    status: Status | None


def spans(
    changes: Sequence[Change],
    *,
    start: datetime,
    end: datetime,
    first_seen: datetime,
    current: Status | None,
    unread: Iterable[tuple[datetime, datetime]] = (),
) -> list[Span]:
    """Tile the window from `start` to `end` without gap or overlap.

    `changes` are those within the window, oldest first, and may reach back further; `current` is
    the status after the last of them. `unread` are spans in which our poller had no answer:
    unknown, whatever came before.
    """
    first = changes[0].was if changes else current
    edges: list[tuple[datetime, Status | None]] = [(start, first if first_seen <= start else None)]
    if start < first_seen < end:
        edges.append((first_seen, first))
    edges += [(max(change.at, start), change.now) for change in changes if change.at < end]
    edges.sort(key=lambda edge: edge[0])

    tiled = [
        Span(at, edges[i + 1][0] if i + 1 < len(edges) else end, status)
        for i, (at, status) in enumerate(edges)
    ]
    for gap_start, gap_end in unread:
        tiled = [piece for span in tiled for piece in _cut(span, gap_start, gap_end)]
    return _joined([span for span in tiled if span.start < span.end])


def _cut(span: Span, start: datetime, end: datetime) -> list[Span]:
    """The span with its part between `start` and `end` unknown."""
    start, end = max(span.start, start), min(span.end, end)
    if start >= end or span.status is None:
        return [span]
    return [
        Span(span.start, start, span.status),
        Span(start, end, Status.UNKNOWN),
        Span(end, span.end, span.status),
    ]


def _joined(tiled: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in tiled:
        if joined and joined[-1].status is span.status:
            joined[-1] = Span(joined[-1].start, span.end, span.status)
        else:
            joined.append(span)
    return joined


# Accounts --------------------------------------------------------------------------------------


class Account(StrEnum):
    """What a moment counts as. Only the first two speak of availability."""

    SERVING = "serving"
    DOWN = "down"
    STOPPED = "stopped"  # on purpose, and coming up again after that
    UNKNOWN = "unknown"  # nobody read it: neither up nor down
    MAINTENANCE = "maintenance"  # planned, whatever happened in it


@dataclass(frozen=True, slots=True)
class Stretch:
    """`account` is None before the endpoint was known and after it was gone."""

    start: datetime
    end: datetime
    account: Account | None

    @property
    def lasted(self) -> timedelta:
        return self.end - self.start


def accounts(
    tiled: Iterable[Span], planned: Iterable[tuple[datetime, datetime]] = ()
) -> list[Stretch]:
    """Account for each moment of the spans, which begin before the window that one asks for where
    the endpoint was coming up at its start.

    An endpoint that comes up for the first time, or after it was stopped on purpose, is not down:
    nobody could count on it yet. One that served before and is "Not ready (Updating)" is.
    """
    told: list[Stretch] = []
    last: Account | None = Account.STOPPED  # the last that was known
    for span in tiled:
        account = _account(span.status, last)
        if account is not Account.UNKNOWN:
            last = account if account is not None else Account.STOPPED
        told.append(Stretch(span.start, span.end, account))
    for start, end in planned:
        told = [piece for stretch in told for piece in _planned(stretch, start, end)]
    return merged(told)


def _account(status: Status | None, last: Account | None) -> Account | None:
    match status:
        case None:
            return None
        case Status.UNKNOWN:
            return Account.UNKNOWN
        case Status.STOPPED:
            return Account.STOPPED
        case Status.UPDATING:
            return Account.STOPPED if last is Account.STOPPED else Account.DOWN
    return Account.SERVING if status.serving else Account.DOWN


def _planned(stretch: Stretch, start: datetime, end: datetime) -> list[Stretch]:
    """The stretch with its part between `start` and `end` as maintenance. What was unknown stays
    so: that work was planned does not tell what happened."""
    start, end = max(stretch.start, start), min(stretch.end, end)
    if start >= end or stretch.account in (None, Account.UNKNOWN):
        return [stretch]
    return [
        Stretch(stretch.start, start, stretch.account),
        Stretch(start, end, Account.MAINTENANCE),
        Stretch(end, stretch.end, stretch.account),
    ]


def merged(told: Iterable[Stretch]) -> list[Stretch]:
    """Without empty stretches, and with neighbours of one account as one."""
    joined: list[Stretch] = []
    for stretch in told:
        if stretch.start >= stretch.end:
            continue
        if joined and joined[-1].account is stretch.account and joined[-1].end == stretch.start:
            joined[-1] = Stretch(joined[-1].start, stretch.end, stretch.account)
        else:
            joined.append(stretch)
    return joined


def clipped(told: Iterable[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """The part of it that lies within the window."""
    cut = (Stretch(max(s.start, start), min(s.end, end), s.account) for s in told)
    return merged(cut)


@dataclass(frozen=True, slots=True)
class Totals:
    """Seconds in each account; of several endpoints their sum."""

    serving: float = 0
    down: float = 0
    stopped: float = 0
    unknown: float = 0
    maintenance: float = 0

    @classmethod
    def of(cls, told: Iterable[Stretch]) -> Totals:
        seconds = dict.fromkeys(Account, 0.0)
        for stretch in told:
            if stretch.account is not None:
                seconds[stretch.account] += stretch.lasted.total_seconds()
        return cls(**{account.value: number for account, number in seconds.items()})

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(a + b for a, b in zip(self.seconds, other.seconds, strict=True)))

    def __mul__(self, number: int) -> Totals:
        return Totals(*(number * seconds for seconds in self.seconds))

    @property
    def seconds(self) -> tuple[float, float, float, float, float]:
        return self.serving, self.down, self.stopped, self.unknown, self.maintenance

    @property
    def counted(self) -> float:
        return self.serving + self.down

    @property
    def whole(self) -> float:
        return sum(self.seconds)

    @property
    def availability(self) -> float | None:
        """Of the time that was read, not stopped on purpose and not planned: the share that could
        serve. None where there was no such time."""
        return self.serving / self.counted if self.counted else None


def per_cent(share: float, *, window: timedelta, poll: timedelta) -> str:
    """ "99.91", with no more digits than reading each `poll` supports, rounded down: 100 is said
    only when it was all of it."""
    digits = 0
    while digits < 2 and 10.0 ** -(digits + 1) >= 100 * (poll / window if window else 1):
        digits += 1
    scale = 10**digits
    return f"{math.floor(share * 100 * scale + 1e-9) / scale:.{digits}f}" if share < 1 else "100"


def days(last: date, number: int, zone: tzinfo) -> list[tuple[date, datetime, datetime]]:
    """The calendar days up to `last`, each with its start and end. They tile: a day in which
    clocks change has 23 or 25 hours."""
    dates = [last - timedelta(days=back) for back in range(number - 1, -2, -1)]
    starts = [datetime.combine(day, time(), zone).astimezone(UTC) for day in dates]
    return [(day, *edges) for day, edges in zip(dates, pairwise(starts), strict=False)]


@dataclass(frozen=True, slots=True)
class Incident:
    """`end` is None while it lasts. What nobody read within it belongs to it, but is not down."""

    start: datetime
    end: datetime | None
    down: timedelta
    unknown: timedelta


def incidents(told: Sequence[Stretch]) -> list[Incident]:
    """Oldest first: from the first reading that showed it down until one that shows it otherwise.
    An outage of ours in between neither ends an incident nor begins another."""
    found: list[Incident] = []
    i = 0
    while i < len(told):
        if told[i].account is not Account.DOWN:
            i += 1
            continue
        start, down, unknown, pending = told[i].start, timedelta(), timedelta(), timedelta()
        while i < len(told) and told[i].account in (Account.DOWN, Account.UNKNOWN):
            if told[i].account is Account.DOWN:
                down += told[i].lasted
                unknown, pending = unknown + pending, timedelta()
            else:
                pending += told[i].lasted
            i += 1
        # What follows the last reading that showed it down may be either: it ends when it is seen.
        end = told[i].start if i < len(told) else None
        found.append(Incident(start, end, down, unknown + pending))
    return found


def by_day(
    many: Iterable[tuple[Sequence[Stretch], int]],
    calendar: Sequence[tuple[date, datetime, datetime]],
) -> list[Totals]:
    """Of each calendar day the seconds in each account, of many endpoints together. Each comes
    with how often it counts."""
    sums = [dict.fromkeys(Account, 0.0) for _ in calendar]
    ends = [end for _, _, end in calendar]
    for told, weight in many:
        for stretch in told:
            if stretch.account is None:
                continue
            for i in range(bisect_right(ends, stretch.start), len(calendar)):
                _, start, end = calendar[i]
                if stretch.end <= start:
                    break
                part = min(stretch.end, end) - max(stretch.start, start)
                sums[i][stretch.account] += weight * part.total_seconds()
    return [Totals(*seconds.values()) for seconds in sums]


SLOTS = 288
"""No strip is drawn finer than this; 24 hours in pieces of five minutes."""


def worst(
    many: Iterable[tuple[Sequence[Stretch], int]], start: datetime, end: datetime
) -> list[Stretch]:
    """Of many endpoints one history: down while any is, unknown while most are. Each comes with
    how often it counts."""
    moves: dict[datetime, dict[Account, int]] = {}
    for told, weight in many:
        for s in clipped(told, start, end):
            if s.account is not None:
                for at, sign in ((s.start, weight), (s.end, -weight)):
                    at_once = moves.setdefault(at, {})
                    at_once[s.account] = at_once.get(s.account, 0) + sign
    counts = dict.fromkeys(Account, 0)
    edges = sorted({start, end, *moves})
    strip = []
    for at, until in pairwise(edges):
        for account, number in moves.get(at, {}).items():
            counts[account] += number
        strip.append(Stretch(at, until, _worst(counts)))
    strip = merged(strip)
    return strip if len(strip) <= SLOTS else _coarse(strip, start, end)


RANK = (Account.DOWN, Account.UNKNOWN, Account.SERVING, Account.MAINTENANCE, Account.STOPPED)


def _worst(counts: Mapping[Account, int]) -> Account | None:
    there = sum(counts.values())
    if counts[Account.DOWN]:
        return Account.DOWN
    if counts[Account.UNKNOWN] and 2 * counts[Account.UNKNOWN] >= there:
        return Account.UNKNOWN
    return next((account for account in RANK[2:] if counts[account]), None)


def _coarse(strip: Sequence[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """In even slots, each as bad as the worst within it."""
    slot = (end - start) / SLOTS
    found, i = [], 0
    for n in range(SLOTS):
        left, right = start + n * slot, end if n == SLOTS - 1 else start + (n + 1) * slot
        while strip[i].end <= left:
            i += 1
        k, accounts = i, []
        while k < len(strip) and strip[k].start < right:
            accounts.append(strip[k].account)
            k += 1
        found.append(
            Stretch(left, right, next((account for account in RANK if account in accounts), None))
        )
    return merged(found)
