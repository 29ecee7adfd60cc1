"""When what is said of a time is true no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.ages import end_of_day, next_step
from endpoints_app.templatetags.times import duration

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
AGES = st.timedeltas(timedelta(), timedelta(days=400))


@given(AGES, st.floats(0, 0.999))
def test_an_age_reads_the_same_until_then_and_differently_from_then_on(
    age: timedelta, share: float
) -> None:
    at = NOW - age
    step = next_step(at, NOW)
    if age >= timedelta(minutes=1):
        assert duration(NOW + share * (step - NOW) - at) == duration(age)
        assert duration(step - at) != duration(age)
    assert timedelta() < step - NOW <= timedelta(days=1)


@given(AGES)
def test_what_is_to_come_stays_so_until_it_comes(ahead: timedelta) -> None:
    assert next_step(NOW + ahead, NOW) >= NOW + ahead


@pytest.mark.parametrize("hour", [0, 3, 23])
def test_a_day_ends_at_midnight_in_utc(hour: int) -> None:
    assert end_of_day(NOW.replace(hour=hour)) == datetime(2026, 11, 23, tzinfo=UTC)
