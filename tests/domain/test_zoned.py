"""What a time on somebody's clocks means, on the nights when clocks jump too."""

# ruff: noqa: DTZ001  # times without a zone are what is read here

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import zoned

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour
ZONES = [
    BERLIN,
    LORD_HOWE,
    *map(ZoneInfo, ("UTC", "Asia/Tokyo", "America/St_Johns", "Africa/Cairo")),
]


def test_an_ordinary_time_is_one_instant():
    assert zoned.read(datetime(2026, 7, 1, 6, 0), BERLIN).instants == (
        datetime(2026, 7, 1, 4, 0, tzinfo=UTC),
    )


def test_a_skipped_time_is_none_and_says_what_clocks_show_instead():
    found = zoned.read(datetime(2026, 3, 29, 2, 30), BERLIN)
    assert found.instants == ()
    assert found.instead == datetime(2026, 3, 29, 3, 30)


def test_a_repeated_time_is_two_an_hour_apart_and_the_earlier_comes_first():
    first, second = zoned.read(datetime(2026, 10, 25, 2, 30), BERLIN).instants
    assert second - first == timedelta(hours=1)
    assert zoned.offset(first, BERLIN) == "UTC+2"
    assert zoned.offset(second, BERLIN) == "UTC+1"


def test_half_an_hour_is_enough_to_skip_and_to_repeat():
    assert zoned.read(datetime(2026, 10, 4, 2, 15), LORD_HOWE).instants == ()
    assert len(zoned.read(datetime(2026, 4, 5, 1, 45), LORD_HOWE).instants) == 2


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    st.sampled_from(ZONES),
)
def test_every_instant_that_a_time_names_shows_that_time_and_no_other_does(wall, zone):
    found = zoned.read(wall, zone)
    assert len(found.instants) <= 2
    assert all(i.astimezone(zone).replace(tzinfo=None) == wall for i in found.instants)
    assert (found.instead is None) == bool(found.instants)
    if found.instead is not None:
        assert len(zoned.read(found.instead, zone).instants) >= 1
        assert found.instead > wall


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.sampled_from(ZONES))
def test_every_instant_is_found_again_by_its_time_of_day(at, zone):
    instant = at.replace(second=0, microsecond=0, tzinfo=UTC)
    wall = instant.astimezone(zone).replace(tzinfo=None)
    assert instant in zoned.read(wall, zone).instants


def test_zones_go_by_the_names_of_places():
    assert {"UTC", "Asia/Tokyo", "Europe/Berlin"} <= set(zoned.zones())
    assert not any(name.startswith("Etc/") for name in zoned.zones())


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../../etc/passwd", "Europe/Berlin\0", "UTC+2", "/"]
)
def test_what_is_not_the_name_of_a_zone_is_none(name):
    assert zoned.zone(name) is None


@pytest.mark.parametrize(
    ("place", "said"),
    [("UTC", "UTC"), ("Asia/Tokyo", "UTC+9"), ("America/St_Johns", "UTC−3:30")],
)
def test_offsets_are_said_as_people_say_them(place, said):
    assert zoned.offset(datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo(place)) == said
