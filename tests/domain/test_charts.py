"""Charts: every point in its place, and no line over a hole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.charts import Axis, Run, ceiling, lines, runs, spaced

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

axes = st.builds(
    lambda shift, minutes, step: Axis(
        NOON + timedelta(seconds=shift),
        NOON + timedelta(seconds=shift) + minutes * MINUTE,
        step * MINUTE,
    ),
    st.integers(0, 10_000),
    st.integers(1, 3000),
    st.sampled_from([1, 5, 60, 120]),
)


@given(axes)
def test_cells_tile_the_axis(axis: Axis) -> None:
    edges = [axis.edges(cell) for cell in range(len(axis))]
    assert edges[0][0] == axis.start
    assert edges[-1][1] == axis.end
    for (_, end), (begin, _) in pairwise(edges):
        assert end == begin
    for cell, (begin, end) in enumerate(edges):
        assert axis.cell(begin) == cell
        assert axis.cell(end - timedelta(seconds=1)) == cell or end - begin < timedelta(seconds=1)


@given(axes, st.integers(-10_000, 200_000))
def test_every_moment_has_a_place_and_only_those_within_a_cell(axis: Axis, seconds: int) -> None:
    at = NOON + timedelta(seconds=seconds)
    assert 0 <= axis.place(at) <= 1
    cell = axis.cell(at)
    assert (cell is not None) == (axis.start <= at < axis.end)
    if cell is not None:
        begin, end = axis.edges(cell)
        assert begin <= at < end


@given(axes, st.data())
def test_a_line_covers_the_cells_that_have_a_value_and_no_others(
    axis: Axis, data: st.DataObject
) -> None:
    values = data.draw(
        st.lists(st.none() | st.floats(0, 100), min_size=len(axis), max_size=len(axis)).filter(bool)
        if len(axis) < 40
        else st.just([None if i % 3 == 0 else float(i) for i in range(len(axis))])
    )
    pieces = lines(values, axis, top=100)
    drawn = sum(len(piece) - 2 for piece in pieces)
    assert drawn == sum(value is not None for value in values)
    for piece in pieces:
        assert [x for x, _ in piece] == sorted(x for x, _ in piece)
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in piece)
    for cell, value in enumerate(values):
        if value is None:
            left, right = (axis.place(at) for at in axis.edges(cell))
            for piece in pieces:
                assert piece[-1][0] <= left + 1e-9 or piece[0][0] >= right - 1e-9


def test_one_cell_alone_is_seen() -> None:
    axis = Axis(NOON, NOON + 10 * MINUTE, MINUTE)
    values = [None] * 4 + [5.0] + [None] * 5
    assert lines(values, axis, top=10) == [[(0.4, 0.5), (0.45, 0.5), (0.5, 0.5)]]


def test_runs_are_told_from_what_lies_between() -> None:
    assert runs(["a", "a", "b", "a"], of="a") == [Run(0, 2), Run(3, 4)]
    assert runs([], of="a") == []


def test_ticks_are_at_the_clock_s_own_times() -> None:
    axis = Axis(NOON + 12 * MINUTE, NOON + 12 * MINUTE + timedelta(days=1), 5 * MINUTE)
    ticks = axis.ticks(timedelta(hours=3))
    assert ticks[0] == NOON + timedelta(hours=3)
    assert ticks[-1] == NOON + timedelta(days=1)
    assert len(ticks) == 8


@pytest.mark.parametrize(
    ("highest", "top"),
    [(418, 500), (0, 1), (1, 1), (1.1, 2), (40, 40), (842, 1000), (0.03, 0.04), (99, 100)],
)
def test_the_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert ceiling(highest) == pytest.approx(top)


@given(st.floats(1e-6, 1e15))
def test_no_value_is_above_the_axis(highest: float) -> None:
    assert highest <= ceiling(highest) * (1 + 1e-9) <= highest * 10.1


@given(st.lists(st.floats(0, 1), max_size=30))
def test_marks_never_lie_upon_each_other(places: list[float]) -> None:
    kept = [places[number] for number in spaced(places, least=0.1)]
    assert all(b - a >= 0.1 for a, b in pairwise(kept))
    assert len(kept) <= 11
    assert bool(kept) == bool(places)
