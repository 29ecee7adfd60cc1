"""Gaps: no minute without numbers is passed over, and none with numbers is called a gap."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.metric_charts import SETTLING
from endpoints_app.domain.metric_gaps import Gap, gaps
from endpoints_app.domain.metrics import MINUTE, Reading, Stretch
from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import Span

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
START = NOON - 60 * MINUTE


def stretches(said: dict[int, str]) -> list[Stretch]:
    """Minutes ago → what was answered, empty for numbers."""
    return [
        Stretch(NOON - ago * MINUTE, Reading({} if said[ago] else {"requests": 1}), said[ago])
        for ago in sorted(said, reverse=True)
    ]


def found(said: dict[int, str], spans: list[Span] | None = None) -> list[Gap]:
    return gaps(stretches(said), spans or [], start=START, end=NOON)


@given(
    st.dictionaries(st.integers(1, 60), st.sampled_from(["", "", "nothing", "TimedOut"])),
)
def test_every_minute_has_numbers_or_a_gap(said: dict[int, str]) -> None:
    told = found(said)
    reached = min(said, default=61)
    for ago in range(60, 0, -1):
        at = NOON - ago * MINUTE
        gap = next((it for it in told if it.start <= at < it.end), None)
        if said.get(ago) == "":
            assert gap is None
        elif ago in said:
            assert gap is not None
            assert gap.why == said[ago]
        elif ago > reached or (reached - 1) * MINUTE > SETTLING:
            assert gap is not None
            assert gap.why == "not_sampled"
    for before, after in pairwise(told):
        assert before.end <= after.start
        assert before.end < after.start or before.why != after.why


def test_neighbours_with_one_reason_are_one_gap() -> None:
    told = found({ago: "NotKnown" if 10 <= ago < 20 else "" for ago in range(1, 61)})
    assert told == [Gap(NOON - 19 * MINUTE, NOON - 9 * MINUTE, "NotKnown")]
    assert told[0].not_exported


def test_a_gap_that_goes_on_says_so() -> None:
    (gap,) = found(dict.fromkeys(range(10, 61), ""))
    assert gap.until_now
    assert (gap.start, gap.end, gap.why) == (NOON - 9 * MINUTE, NOON, "not_sampled")
    (gap,) = found({ago: "TimedOut" if ago < 6 else "" for ago in range(1, 61)})
    assert gap.until_now


def test_while_it_was_stopped_nobody_asked() -> None:
    stop, start = NOON - 40 * MINUTE, NOON - 20 * MINUTE
    spans = [
        Span(START, stop, Status.READY),
        Span(stop, start, Status.STOPPED),
        Span(start, NOON, Status.READY),
    ]
    told = found(dict.fromkeys((*range(45, 61), *range(1, 15)), ""), spans)
    assert [(gap.start, gap.end, gap.why) for gap in told] == [
        (NOON - 44 * MINUTE, stop, "not_sampled"),
        (stop, start, "stopped"),
        (start, NOON - 14 * MINUTE, "not_sampled"),
    ]


def test_rows_of_five_minutes_leave_no_gap_between_them() -> None:
    rows = [
        Stretch(NOON - ago * MINUTE, Reading({"requests": 1}, minutes=5))
        for ago in range(65, 0, -5)
    ]
    assert gaps(rows, [], start=START, end=NOON) == []
