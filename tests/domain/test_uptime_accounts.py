"""What each moment counts as, how days and shares come of it, and what an incident is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import (
    SLOTS,
    Account,
    Change,
    Span,
    Stretch,
    Totals,
    accounts,
    by_day,
    clipped,
    days,
    incidents,
    per_cent,
    spans,
    worst,
)

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UP, DOWN, OFF, UNKNOWN, PLANNED = Account


def at(minute: float) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


STATUSES = st.sampled_from([*Status, None])


@st.composite
def tilings(draw: st.DrawFn) -> list[Span]:
    """Spans as `spans` makes them: from minute 0 on, without gap."""
    edges = sorted(draw(st.sets(st.integers(1, 120), min_size=1, max_size=12)))
    return [Span(at(start), at(end), draw(STATUSES)) for start, end in pairwise([0, *edges])]


windows = st.lists(
    st.tuples(st.integers(-10, 120), st.integers(-10, 130))
    .map(sorted)
    .map(lambda pair: (at(pair[0]), at(pair[1]))),
    max_size=3,
)


def account_at(told: list[Stretch], moment: datetime) -> Account | None:
    return next(s.account for s in told if s.start <= moment < s.end)


# Accounts --------------------------------------------------------------------------------------


@given(tilings(), windows)
def test_the_stretches_tile_what_the_spans_tile(
    tiled: list[Span], planned: list[tuple[datetime, datetime]]
) -> None:
    told = accounts(tiled, planned)

    assert (told[0].start, told[-1].end) == (tiled[0].start, tiled[-1].end)
    assert all(s.start < s.end for s in told)
    assert all(a.end == b.start and a.account is not b.account for a, b in pairwise(told))


@given(tilings(), windows)
def test_each_moment_counts_once_and_the_unknown_as_nothing_else(
    tiled: list[Span], planned: list[tuple[datetime, datetime]]
) -> None:
    told = accounts(tiled, planned)
    for span in tiled:
        moment = span.start + (span.end - span.start) / 2
        if moment in [edge for window in planned for edge in window]:
            continue
        account = account_at(told, moment)
        work = any(start <= moment < end for start, end in planned)
        if span.status is None:
            assert account is None
        elif span.status is Status.UNKNOWN:
            assert account is UNKNOWN
        elif work:
            assert account is PLANNED
        elif span.status.serving:
            assert account is UP
        else:
            assert account in (DOWN, OFF)


@given(tilings(), windows)
def test_the_totals_are_the_whole_time_it_was_there(
    tiled: list[Span], planned: list[tuple[datetime, datetime]]
) -> None:
    there = sum((s.end - s.start for s in tiled if s.status is not None), timedelta())

    totals = Totals.of(accounts(tiled, planned))

    assert totals.whole == there.total_seconds()
    assert all(number >= 0 for number in totals.seconds)
    assert totals.availability is None or 0 <= totals.availability <= 1


@pytest.mark.parametrize(
    ("statuses", "counted"),
    [
        ("ready", [UP]),
        ("ready_update_failed", [UP]),
        ("update_failed", [DOWN]),
        ("not_ready", [DOWN]),
        ("stopped", [OFF]),
        ("unknown", [UNKNOWN]),
        # Not ready while it updates: down for who used it, coming up for who could not.
        ("ready updating ready", [UP, DOWN, UP]),
        ("updating ready", [OFF, UP]),
        ("stopped updating ready", [OFF, UP]),
        ("stopped updating update_failed", [OFF, DOWN]),
        ("update_failed updating ready", [DOWN, UP]),
        ("none updating ready", [None, OFF, UP]),
        # What nobody read does not make it forget what it was before.
        ("stopped unknown updating", [OFF, UNKNOWN, OFF]),
        ("ready unknown updating", [UP, UNKNOWN, DOWN]),
    ],
)
def test_what_counts_as_what(statuses: str, counted: list[Account | None]) -> None:
    tiled = [
        Span(at(i), at(i + 1), None if word == "none" else Status(word))
        for i, word in enumerate(statuses.split())
    ]

    assert [s.account for s in accounts(tiled)] == counted


def test_planned_work_takes_the_time_out_whatever_happened_in_it() -> None:
    tiled = [Span(at(0), at(10), Status.READY), Span(at(10), at(20), Status.NOT_READY)]

    told = accounts(tiled, [(at(5), at(15))])

    assert [(s.account, s.lasted / MINUTE) for s in told] == [(UP, 5), (PLANNED, 10), (DOWN, 5)]
    assert Totals.of(told).availability == 0.5


def test_planned_work_does_not_make_the_unknown_known() -> None:
    told = accounts([Span(at(0), at(10), Status.UNKNOWN)], [(at(0), at(10))])

    assert [s.account for s in told] == [UNKNOWN]


# Shares ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "hours", "poll", "said"),
    [
        (1, 24, 15, "100"),
        (0.5, 24, 15, "50.0"),
        (0.98765, 24, 15, "98.7"),  # fifteen seconds are 0.017 % of a day
        (0.98765, 24, 3600, "98"),
        (0.999114, 90 * 24, 15, "99.91"),
        (0.9999999, 90 * 24, 15, "99.99"),  # never rounded up to all of it
        (0.9999999, 0.05, 15, "99"),
        (0, 24, 15, "0.0"),
    ],
)
def test_a_share_has_no_more_digits_than_reading_supports(
    share: float, hours: float, poll: int, said: str
) -> None:
    told = per_cent(share, window=timedelta(hours=hours), poll=timedelta(seconds=poll))

    assert told == said


@given(
    st.integers(1, 90 * 86_400),
    st.integers(1, 90 * 86_400),
    st.floats(60, 90 * 86_400),
    st.floats(1, 3600),
)
def test_a_share_never_claims_more_than_was_so(
    serving: int, down: int, window: float, poll: float
) -> None:
    share = Totals(serving=serving, down=down).availability
    assert share is not None

    said = per_cent(share, window=timedelta(seconds=window), poll=timedelta(seconds=poll))

    assert float(said) <= 100 * share + 1e-6
    assert float(said) < 100
    step = 10.0 ** -len(said.partition(".")[2])
    assert 100 * share - float(said) < step + 1e-6
    assert "." not in said or step >= 100 * poll / window


def test_nothing_known_is_no_share() -> None:
    assert Totals(unknown=10, stopped=5, maintenance=3).availability is None


# Days ------------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.integers(1, 90),
    st.sampled_from(ZONES).map(ZoneInfo),
)
def test_days_tile_across_months_leap_years_and_changes_of_the_clocks(
    last: date, number: int, zone: ZoneInfo
) -> None:
    calendar = days(last, number, zone)

    assert len(calendar) == number
    assert calendar[-1][0] == last
    assert all(a[2] == b[1] and b[0] - a[0] == timedelta(days=1) for a, b in pairwise(calendar))
    for day, start, end in calendar:
        assert start.astimezone(zone).date() == day
        assert start.astimezone(zone).replace(tzinfo=None).time().isoformat() == "00:00:00"
        assert timedelta(hours=23) <= end - start <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 2, 28), 24)]
)
def test_the_day_of_a_clock_change_is_as_long_as_it_is(day: date, hours: int) -> None:
    ((_, start, end),) = days(day, 1, ZoneInfo("Europe/Berlin"))

    assert end - start == timedelta(hours=hours)


@given(
    tilings(),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(1, 4000),
)
def test_the_days_add_up_to_the_whole(tiled: list[Span], zone: ZoneInfo, scale: int) -> None:
    """However long a stretch is, and wherever midnight falls into it."""
    long = [
        Stretch(
            MIDNIGHT + (s.start - MIDNIGHT) * scale,
            MIDNIGHT + (s.end - MIDNIGHT) * scale,
            s.account,
        )
        for s in accounts(tiled)
    ]
    first, last = long[0].start, long[-1].end
    number = (last - first).days + 3
    calendar = days(last.astimezone(zone).date(), number, zone)

    counted = by_day([(long, 1)], calendar)

    whole = sum(counted, Totals())
    assert whole == Totals.of(long)
    assert by_day([(long, 2), (long, 1)], calendar) == [totals * 3 for totals in counted]
    for (_, start, end), totals in zip(calendar, counted, strict=True):
        assert totals == Totals.of(clipped(long, start, end))
        assert totals.whole <= (end - start).total_seconds()


# From changes to days: our own outages, and a life shorter than the window ------------------------


def test_an_endpoint_younger_than_the_window_counts_from_its_first_day() -> None:
    now = at(0) + timedelta(days=2)
    born = now - timedelta(hours=30)
    told = accounts(
        spans(
            [Change(born, None, Status.READY)],
            start=now - timedelta(days=90),
            end=now,
            first_seen=born,
            current=Status.READY,
        )
    )

    counted = by_day([(told, 1)], days(now.date() - timedelta(days=1), 89, UTC))

    assert [totals.whole for totals in counted[-3:]] == [0, 6 * 3600, 24 * 3600]
    assert counted[-1].availability == 1


def test_what_our_poller_missed_is_neither_up_nor_down() -> None:
    now = at(24 * 60)
    changes = [Change(at(600), Status.READY, Status.NOT_READY)]
    window = {"start": at(0), "end": now, "first_seen": at(-9999), "current": Status.NOT_READY}

    read = Totals.of(accounts(spans(changes, **window)))
    missed = Totals.of(accounts(spans(changes, **window, unread=[(at(540), at(660))])))

    assert (read.serving, read.down) == (600 * 60, 840 * 60)
    assert (missed.serving, missed.down, missed.unknown) == (540 * 60, 780 * 60, 120 * 60)


# Incidents -------------------------------------------------------------------------------------


def stretches(words: str) -> list[Stretch]:
    names = {"up": UP, "down": DOWN, "off": OFF, "?": UNKNOWN, "plan": PLANNED, "-": None}
    return [Stretch(at(i), at(i + 1), names[word]) for i, word in enumerate(words.split())]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("up up", []),
        ("up down up", [(1, 2, 1, 0)]),
        ("up down", [(1, None, 1, 0)]),
        ("up down up down", [(1, 2, 1, 0), (3, None, 1, 0)]),
        # An outage of ours within it neither ends it nor begins another.
        ("up down ? down up", [(1, 4, 2, 1)]),
        ("up ? down up", [(2, 3, 1, 0)]),
        ("up down ? up", [(1, 3, 1, 1)]),
        ("up down ?", [(1, None, 1, 1)]),
        ("down off", [(0, 1, 1, 0)]),
        ("down plan down", [(0, 1, 1, 0), (2, None, 1, 0)]),
        ("down -", [(0, 1, 1, 0)]),
        ("? off plan", []),
    ],
)
def test_incidents(words: str, found: list[tuple[int, int | None, int, int]]) -> None:
    told = incidents(stretches(words))

    assert [(i.start, i.end, i.down / MINUTE, i.unknown / MINUTE) for i in told] == [
        (at(start), None if end is None else at(end), down, unknown)
        for start, end, down, unknown in found
    ]


@given(tilings(), windows)
def test_incidents_hold_all_that_was_down_and_nothing_twice(
    tiled: list[Span], planned: list[tuple[datetime, datetime]]
) -> None:
    told = accounts(tiled, planned)

    found = incidents(told)

    down = sum((incident.down for incident in found), timedelta())
    assert down.total_seconds() == Totals.of(told).down
    ends = [incident.end for incident in found[:-1]]
    assert None not in ends, "only the last one lasts"
    assert all(a.end is not None and a.end <= b.start for a, b in pairwise(found))


# Many endpoints as one strip -------------------------------------------------------------------


@given(st.lists(st.tuples(tilings(), st.integers(1, 5)), min_size=1, max_size=4))
def test_the_strip_of_many_is_the_worst_at_each_moment(many: list[tuple[list[Span], int]]) -> None:
    start, end = at(0), at(121)
    told = [(accounts(tiled), weight) for tiled, weight in many]

    strip = worst(told, start, end)

    assert (strip[0].start, strip[-1].end) == (start, end)
    assert all(a.end == b.start and a.account is not b.account for a, b in pairwise(strip))
    for minute in range(121):
        moment = at(minute + 0.5)
        there = [
            (s.account, weight)
            for stretches_, weight in told
            for s in stretches_
            if s.start <= moment < s.end and s.account is not None
        ]
        shown = account_at(strip, moment)
        unknown = sum(weight for account, weight in there if account is UNKNOWN)
        if any(account is DOWN for account, _ in there):
            assert shown is DOWN
        elif unknown and 2 * unknown >= sum(weight for _, weight in there):
            assert shown is UNKNOWN
        else:
            assert shown in {account for account, _ in there} | ({None} if not there else set())


def test_a_strip_is_not_drawn_finer_than_can_be_seen_and_hides_no_trouble() -> None:
    flips = [Stretch(at(i), at(i + 1), DOWN if i % 7 == 3 else UP) for i in range(1440)]

    strip = worst([(flips, 1)], at(0), at(1440))

    assert len(strip) <= SLOTS
    assert (strip[0].start, strip[-1].end) == (at(0), at(1440))
    for stretch in flips:
        if stretch.account is DOWN:
            middle = stretch.start + stretch.lasted / 2
            assert account_at(strip, middle) is DOWN


def test_totals_add_and_multiply() -> None:
    one = Totals(1, 2, 3, 4, 5)

    assert (
        one + one
        == one * 2
        == replace(one, serving=2, down=4, stopped=6, unknown=8, maintenance=10)
    )
