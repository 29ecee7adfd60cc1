"""Charts of metrics: what each point, hole and row says of the minutes it stands for."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.charts import Axis
from endpoints_app.domain.metric_charts import (
    LINES,
    Chart,
    Missing,
    Range,
    charts,
    columns,
)
from endpoints_app.domain.metrics import MINUTE, Reading, Stretch

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATENCY = ((10.0, 5.0), (100.0, 10.0), (math.inf, 10.0))


def minute(ago: int, answer: str = "", **values: float) -> Stretch:
    return Stretch(NOON - ago * MINUTE, Reading(values), answer)


def drawn(shown: list[Stretch], range_: Range = Range.HOUR) -> dict[str, Chart]:
    axis = Axis(NOON - range_.span, NOON, range_.step)
    ordered = sorted(shown, key=lambda it: it.at)
    return {chart.name: chart for chart in charts(range_, axis, ordered, ordered)}


def holes(chart: Chart) -> dict[Missing, list[int]]:
    """The cells of each kind."""
    found: dict[Missing, list[int]] = {}
    for why, run in chart.holes:
        found.setdefault(why, []).extend(range(run.first, run.end))
    return found


@given(st.sets(st.integers(1, 60)))
def test_a_cell_has_a_point_or_a_hole_but_never_both(sampled: set[int]) -> None:
    chart = drawn([minute(ago, requests=ago) for ago in sampled])["requests"]
    with_hole = set(holes(chart).get(Missing.NOT_SAMPLED, []))
    for cell, value in enumerate(chart.lines[0].values):
        ago = 60 - cell
        assert value == (ago if ago in sampled else None)
        assert (value is not None) + (cell in with_hole) <= 1
        if ago > min(sampled, default=61) and value is None:
            assert cell in with_hole


def test_the_minute_that_may_still_come_is_no_hole() -> None:
    chart = drawn([minute(ago, requests=1) for ago in range(3, 61)])["requests"]
    assert holes(chart) == {}
    late = drawn([minute(ago, requests=1) for ago in range(4, 61)])["requests"]
    assert holes(late) == {Missing.NOT_SAMPLED: [57, 58, 59]}


def test_what_databricks_did_not_have_is_told_from_what_nobody_asked() -> None:
    shown = [minute(ago, requests=1) for ago in (*range(1, 20), *range(40, 61))]
    shown += [minute(ago, "NotKnown") for ago in range(30, 40)]
    shown += [minute(ago, "TimedOut") for ago in range(25, 30)]
    found = holes(drawn(shown)["requests"])
    assert found[Missing.NOT_EXPORTED] == list(range(21, 31))
    assert found[Missing.NOT_SAMPLED] == list(range(31, 41))
    idle = holes(drawn(shown)["cpu"])
    assert set(idle[Missing.NOT_EXPORTED]) == set(range(60)) - set(range(31, 41))


def test_a_gpu_has_charts_only_where_it_is() -> None:
    assert "gpu" not in drawn([minute(1, requests=1)])
    found = drawn([minute(1, gpu=10.0)])
    assert "gpu" in found
    assert "gpu_memory" not in found
    assert set(drawn([])) == set(LINES) - {"gpu", "gpu_memory"}


@pytest.mark.parametrize("range_", Range)
def test_points_and_rows_are_few_whatever_is_kept(range_: Range) -> None:
    shown = [minute(ago, requests=1) for ago in range(1, 14 * 1440, 3)]
    for chart in drawn(shown, range_).values():
        assert all(len(line.values) <= 300 for line in chart.lines)
        assert len(chart.rows) <= 26
        assert all(len(row.numbers) == len(columns(chart.name)) for row in chart.rows)


@given(
    st.dictionaries(st.integers(1, 1440), st.integers(0, 500), max_size=60),
    st.sampled_from(list(Range)[1:]),
)
def test_the_rows_of_a_table_add_up_to_all_requests(sampled: dict[int, int], range_: Range) -> None:
    chart = drawn([minute(ago, requests=float(n)) for ago, n in sampled.items()], range_)[
        "requests"
    ]
    totals = [row.numbers[0] for row in chart.rows]
    counted = sum(number for number in totals if isinstance(number, float))
    assert counted == sum(sampled.values())
    for row in chart.rows:
        assert all(number is not None for number in row.numbers)


def test_a_row_without_numbers_says_why() -> None:
    shown = [minute(ago, requests=1) for ago in range(1, 30)]
    shown += [minute(ago, "nothing") for ago in range(30, 46)]
    rows = drawn(shown)["requests"].rows
    said = {row.at: row.numbers[0] for row in rows}
    assert said[NOON - 5 * MINUTE] == 5
    assert said[NOON - 40 * MINUTE] is Missing.NOT_EXPORTED
    assert said[NOON - 60 * MINUTE] is Missing.NOT_SAMPLED
    assert [row.at for row in rows] == sorted(said, reverse=True)


def test_latency_without_requests_is_neither_a_number_nor_a_hole() -> None:
    none = ((10.0, 0.0), (math.inf, 0.0))
    shown = [Stretch(NOON - ago * MINUTE, Reading({}, none)) for ago in range(1, 61)]
    chart = drawn(shown)["latency"]
    assert chart.is_empty
    assert not chart.holes
    assert set(chart.rows[0].numbers) == {None}


def test_a_percentile_is_of_all_requests_of_its_time() -> None:
    slow = ((10.0, 0.0), (100.0, 10.0), (math.inf, 10.0))
    shown = [
        Stretch(NOON - 2 * MINUTE, Reading({}, LATENCY)),
        Stretch(NOON - MINUTE, Reading({}, slow)),
    ]
    (line, middle) = drawn(shown, Range.WEEK)["latency"].lines
    assert line.metric == "p99"
    assert middle.values[-1] == pytest.approx(40)


def test_rates_are_per_minute_also_of_five() -> None:
    five = Stretch(NOON - timedelta(days=2), Reading({"requests": 50.0}, minutes=5))
    line = drawn([five], Range.WEEK)["requests"].lines[0]
    assert [value for value in line.values if value is not None] == [10]


def test_percentages_have_an_axis_to_a_hundred() -> None:
    assert drawn([minute(1, cpu=3.0)])["cpu"].top == 100
    assert drawn([minute(1, cpu=140.0)])["cpu"].top == 140
    assert drawn([minute(1, requests=418.0)])["requests"].top == 500
