"""What becomes of config versions, whatever sequence of readings tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.config_version import OPEN, Reported, Stage, stages

numbers = st.none() | st.integers(0, 5)
updates = st.sampled_from(["", "NOT_UPDATING", "IN_PROGRESS", "UPDATE_FAILED", "UPDATE_CANCELED"])
readings = st.lists(st.builds(Reported, numbers, numbers, updates), max_size=12)


def after(*told: Reported) -> dict[int, Stage]:
    known: dict[int, Stage] = {}
    for reported in told:
        known |= stages(known, reported)
    return known


def test_a_pending_config_becomes_active_and_the_one_before_has_served() -> None:
    assert after(Reported(17, None)) == {17: Stage.ACTIVE}
    assert after(Reported(17, None), Reported(17, 18, "IN_PROGRESS")) == {
        17: Stage.ACTIVE,
        18: Stage.PENDING,
    }
    assert after(
        Reported(17, None), Reported(17, 18, "IN_PROGRESS"), Reported(18, None, "NOT_UPDATING")
    ) == {17: Stage.SERVED, 18: Stage.ACTIVE}


@pytest.mark.parametrize(
    ("update", "stage"), [("UPDATE_FAILED", Stage.FAILED), ("UPDATE_CANCELED", Stage.CANCELED)]
)
def test_one_that_failed_is_told_apart_while_the_old_one_serves(update: str, stage: Stage) -> None:
    told = after(Reported(17, 18, "IN_PROGRESS"), Reported(17, 18, update))
    assert told == {17: Stage.ACTIVE, 18: stage}
    assert after(Reported(17, 18, update), Reported(17, 19, "IN_PROGRESS"))[18] is stage
    assert after(Reported(17, 18, "IN_PROGRESS"), Reported(17, None, update))[18] is stage


def test_one_that_went_without_a_word_was_replaced() -> None:
    told = after(Reported(17, 18, "IN_PROGRESS"), Reported(17, 19, "IN_PROGRESS"))
    assert told == {17: Stage.ACTIVE, 18: Stage.REPLACED, 19: Stage.PENDING}


def test_a_version_that_came_and_went_between_two_readings_is_not_invented() -> None:
    assert after(Reported(17, None), Reported(20, None)) == {17: Stage.SERVED, 20: Stage.ACTIVE}


def test_a_reading_without_an_active_config_does_not_end_one() -> None:
    assert after(Reported(17, None), Reported(None, 18, "IN_PROGRESS"))[17] is Stage.ACTIVE


@given(readings)
def test_at_most_one_is_active_and_one_pending_and_the_last_reading_is_right(
    told: list[Reported],
) -> None:
    known = after(*told)
    for stage in OPEN:
        assert list(known.values()).count(stage) <= 1
    if told:
        last = told[-1]
        if last.active is not None:
            assert known[last.active] is Stage.ACTIVE
        if last.pending is not None and last.pending != last.active:
            assert known[last.pending] is not Stage.ACTIVE


@given(readings)
def test_the_second_time_nothing_is_new(told: list[Reported]) -> None:
    known = after(*told)
    if told:
        assert stages(known, told[-1]) == {}
