"""However many pages are open, looking costs the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.services.crowd import CALM, MOST, QUICK, Crowd

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def watched(crowd: Crowd, pages: int, *, seconds: int, moving: bool = True) -> list[int]:
    """So many pages ask as they are told. Returns the polls of each second."""
    due = [number / pages * CALM for number in range(pages)]
    polls = [0] * seconds
    for tick in range(seconds * 10):
        at = tick / 10
        for number, next_look in enumerate(due):
            if next_look <= at:
                polls[tick // 10] += 1
                now = START + timedelta(seconds=at)
                due[number] = at + crowd.pace(moving=moving, now=now)
    return polls


@pytest.mark.parametrize("pages", [1, 20, MOST])
def test_few_pages_look_each_second(pages: int) -> None:
    assert watched(Crowd(), pages, seconds=30)[-1] == pages


@pytest.mark.parametrize("pages", [2 * MOST, 4 * MOST])
def test_many_share_what_there_is(pages: int) -> None:
    polls = watched(Crowd(), pages, seconds=60)

    assert sum(polls[-20:]) / 20 == pytest.approx(MOST, rel=0.15)


def test_while_nothing_moves_nobody_hurries() -> None:
    polls = watched(Crowd(), 50, seconds=30, moving=False)

    assert sum(polls[-10:]) == 100


def test_when_the_crowd_has_left_the_last_one_looks_quickly_again() -> None:
    crowd = Crowd()
    watched(crowd, 4 * MOST, seconds=30)
    later = START + timedelta(seconds=40)

    assert crowd.pace(moving=True, now=later) == QUICK


@given(st.lists(st.tuples(st.booleans(), st.floats(-3, 60)), max_size=200))
def test_it_is_never_quicker_than_a_second_nor_slower_than_calm(
    asked: list[tuple[bool, float]],
) -> None:
    """Whatever a clock does."""
    crowd = Crowd()
    for moving, at in asked:
        told = crowd.pace(moving=moving, now=START + timedelta(seconds=at))
        assert QUICK <= told <= CALM
        assert moving or told == CALM
