"""Metrics: whatever is exported, what is made of it is exact or not said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.metrics import (
    COUNTS,
    MINUTE,
    MOST_BOUNDS,
    NAMES,
    Grain,
    Histogram,
    Reading,
    Stretch,
    added,
    by_entity,
    joined,
    quantile,
    rate,
    read,
    rolled_up,
    spread,
    total,
    window,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class P:
    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def buckets(*pairs: tuple[str, float], **labels: str) -> list[P]:
    return [P("request_latency_ms_bucket", value, {**labels, "le": le}) for le, value in pairs]


# One minute ------------------------------------------------------------------------------------


def test_counts_are_summed_and_percentages_averaged_over_any_labels() -> None:
    found = read(
        [
            P("request_count_total", 5, {"x": "1"}),
            P("request_count_total", 7, {"x": "2"}),
            P("cpu_usage_percentage", 10, {"y": "1"}),
            P("cpu_usage_percentage", 30, {"z": "2"}),
            P("provisioned_concurrent_requests_total", 4, {"x": "1"}),
            P("provisioned_concurrent_requests_total", 8, {"x": "2"}),
            P("gpu_usage_percentage", 80, {"gpu": "gpu0"}),
            P("gpu_usage_percentage", 20, {"gpu": "gpu1"}),
            P("something_else", 1),
        ]
    )
    assert found.values == {"requests": 12, "cpu": 20, "concurrency": 12, "gpu": 50}
    assert found.latency is None


def test_what_is_not_exported_is_not_zero() -> None:
    idle = read([P("request_count_total", 0)])
    assert idle.values == {"requests": 0}
    assert idle.shape == (frozenset({"requests"}), False)
    assert not read([])
    assert idle


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_numbers_that_cannot_be_were_not_exported(value: float) -> None:
    assert read([P("cpu_usage_percentage", value), P("cpu_usage_percentage", 4)]).values == {
        "cpu": 4
    }
    assert read([P("request_count_total", value)]).values == {}
    assert read(buckets(("5", value), ("+Inf", value))).latency is None


@given(
    st.lists(
        st.builds(
            P,
            st.sampled_from(
                ["request_count_total", "cpu_usage_percentage", "request_latency_ms_bucket", "x"]
            ),
            st.floats(),
            st.dictionaries(
                st.sampled_from(["le", "a", "b"]),
                st.sampled_from(["5", "10", "+Inf", "-1", "NaN", "x", ""]),
                max_size=3,
            ),
        ),
        max_size=20,
    )
)
def test_any_points_are_a_reading_of_finite_numbers(points: list[P]) -> None:
    found = read(points)
    assert set(found.values) <= set(NAMES)
    assert all(math.isfinite(value) and value >= 0 for value in found.values.values())
    if found.latency is not None:
        numbers = [number for _, number in found.latency]
        assert numbers == sorted(numbers)
        assert found.latency[-1][0] == math.inf
        for q in (0.5, 0.99):
            assert (at := quantile(found.latency, q)) is None or math.isfinite(at)


# Latency ---------------------------------------------------------------------------------------


def test_a_quantile_is_estimated_within_its_bucket() -> None:
    found = read(buckets(("10", 0), ("20", 50), ("+Inf", 50))).latency
    assert found is not None
    assert quantile(found, 0.5) == 15
    assert quantile(found, 1.0) == 20


def test_beyond_the_last_finite_bound_it_is_at_least_that() -> None:
    found = read(buckets(("10", 1), ("600000", 1), ("+Inf", 100))).latency
    assert found is not None
    assert quantile(found, 0.99) == 600_000


def test_without_requests_there_is_no_latency() -> None:
    found = read(buckets(("10", 0), ("+Inf", 0))).latency
    assert found is not None
    assert quantile(found, 0.5) is None
    without_bound = read(buckets(("+Inf", 7))).latency
    assert without_bound is not None
    assert quantile(without_bound, 0.5) is None


def test_a_histogram_of_endless_bounds_is_none() -> None:
    many = [(str(n), 1.0) for n in range(MOST_BOUNDS)]
    assert read(buckets(*many, ("+Inf", 1))).latency is None


def test_label_sets_with_other_bounds_are_added_where_that_is_exact() -> None:
    points = buckets(("5", 1), ("10", 2), ("+Inf", 4), a="1")
    points += buckets(("10", 3), ("50", 4), ("+Inf", 4), a="2")
    assert read(points).latency == ((10, 5), (math.inf, 8))


histograms = st.builds(
    lambda bounds, steps: tuple(
        (bound, float(sum(steps[: i + 1]))) for i, bound in enumerate([*sorted(bounds), math.inf])
    ),
    st.sets(st.sampled_from([5.0, 10.0, 50.0, 100.0, 600_000.0]), max_size=5),
    st.lists(st.integers(0, 50), min_size=6, max_size=6),
)


@given(histograms, histograms, histograms)
def test_adding_histograms_is_the_same_in_any_order(
    a: Histogram, b: Histogram, c: Histogram
) -> None:
    assert added([added([a, b]), c]) == added([a, added([b, c])]) == added([c, a, b])
    assert added([a, b])[-1][1] == a[-1][1] + b[-1][1]
    assert added([a]) == a


@given(histograms, st.floats(0, 1))
def test_a_quantile_lies_in_the_bucket_that_holds_its_rank(histogram: Histogram, q: float) -> None:
    at = quantile(histogram, q)
    count = histogram[-1][1]
    if at is None:
        assert count == 0 or len(histogram) == 1
        return
    for bound, number in histogram[:-1]:
        if number >= q * count and number > 0:
            assert at <= bound
        if number < q * count:
            assert at >= bound


@given(histograms)
def test_quantiles_rise(histogram: Histogram) -> None:
    found = [quantile(histogram, q) for q in (0.0, 0.5, 0.9, 0.99, 1.0)]
    if None not in found:
        assert found == sorted(found)


# Entities --------------------------------------------------------------------------------------


def test_the_label_that_tells_entities_apart_is_found_by_its_values() -> None:
    points = [
        P("request_count_total", 5, {"endpoint": "e", "whatever": "a-1"}),
        P("request_count_total", 7, {"endpoint": "e", "whatever": "b-1"}),
        P("cpu_usage_percentage", 50, {"endpoint": "e", "whatever": "b-1"}),
    ]
    found = by_entity(points, ["a-1", "b-1"])
    assert {name: reading.values for name, reading in found.items()} == {
        "a-1": {"requests": 5},
        "b-1": {"requests": 7, "cpu": 50},
    }
    assert by_entity(points, ["a-1"]) == {}, "one entity is the endpoint"
    assert by_entity(points, ["a-1", "c-1"]) == {}, "a label that also says something else"
    assert by_entity([P("request_count_total", 5)], ["a-1", "b-1"]) == {}


# Minutes ---------------------------------------------------------------------------------------

numbers = st.integers(0, 1000).map(float)
readings = st.builds(
    Reading,
    st.dictionaries(st.sampled_from(NAMES), numbers, max_size=4),
    st.none() | histograms,
)


def close(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9))


@given(st.lists(readings, min_size=1, max_size=8))
def test_what_is_joined_says_the_same_as_its_parts(parts: list[Reading]) -> None:
    same = [part for part in parts if part.shape == parts[0].shape]
    whole = joined(same)
    assert whole.minutes == len(same)
    assert whole.shape == parts[0].shape
    for name in whole.values:
        assert close(rate(name, [whole]), rate(name, same))
        if name in COUNTS:
            assert close(total(name, [whole]), total(name, same))
        else:
            held = [part.values[name] for part in same]
            assert min(held) - 1e-9 <= whole.values[name] <= max(held) + 1e-9
    assert spread([whole]) == spread(same)


def test_readings_with_other_metrics_are_not_joined() -> None:
    with pytest.raises(ValueError, match="same metrics"):
        joined([Reading({"requests": 1}), Reading({"requests": 1, "cpu": 3})])


def test_a_rate_is_over_the_minutes_that_have_it() -> None:
    parts = [Reading({"requests": 60}, minutes=5), Reading({"cpu": 9}), Reading({"requests": 0})]
    assert rate("requests", parts) == 10
    assert rate("gpu", parts) is None
    assert total("gpu", parts) is None


@st.composite
def minutes(draw: st.DrawFn) -> list[Stretch]:
    """Some of twenty minutes, each with its own."""
    kept = draw(st.sets(st.integers(0, 19)))
    found = []
    for minute in sorted(kept):
        answer = draw(st.sampled_from(["", "", "nothing", "TimedOut"]))
        reading = Reading({}) if answer else draw(readings)
        found.append(Stretch(NOON + minute * MINUTE, reading, answer))
    return found


def covered(stretches: list[Stretch]) -> dict[datetime, tuple[str, object]]:
    """Minute → what is said to have been there."""
    said = {}
    for stretch in stretches:
        for minute in range(stretch.reading.minutes):
            at = stretch.at + minute * MINUTE
            assert at not in said
            said[at] = (stretch.answer, stretch.reading.shape)
    return said


@given(minutes(), st.sampled_from([Grain.FIVE, Grain.HOUR]))
def test_rolling_up_covers_the_same_minutes_and_adds_up_to_the_same(
    parts: list[Stretch], grain: Grain
) -> None:
    rolled = rolled_up(parts, minutes=grain)
    assert covered(rolled) == covered(parts)
    before, after = [part.reading for part in parts], [part.reading for part in rolled]
    for name in NAMES:
        assert close(rate(name, before), rate(name, after))
        if name in COUNTS:
            assert close(total(name, before), total(name, after))
    assert spread(before) == spread(after)
    assert all(window(it.at, grain) == window(it.end - MINUTE, grain) for it in rolled)
    assert rolled_up(rolled, minutes=grain) == rolled
    hours = rolled_up(rolled_up(parts), minutes=Grain.HOUR)
    assert covered(hours) == covered(parts), "hours are made of rows of five minutes"
    assert [it.at for it in hours] == [it.at for it in rolled_up(parts, minutes=Grain.HOUR)]


def test_five_full_minutes_are_one_row_and_a_hole_is_kept() -> None:
    full = [Stretch(NOON + i * MINUTE, Reading({"requests": 10})) for i in range(10)]
    assert [(it.at, it.reading.minutes) for it in rolled_up(full)] == [
        (NOON, 5),
        (NOON + 5 * MINUTE, 5),
    ]
    assert [it.reading.minutes for it in rolled_up([*full[:2], *full[3:]])] == [2, 2, 5]


def test_a_metric_of_some_minutes_is_not_said_of_all() -> None:
    parts = [
        Stretch(NOON + i * MINUTE, Reading({"requests": 1} | ({"cpu": 50} if i < 2 else {})))
        for i in range(5)
    ]
    assert [(it.reading.minutes, "cpu" in it.reading.values) for it in rolled_up(parts)] == [
        (2, True),
        (3, False),
    ]


def test_windows_are_those_of_the_clock() -> None:
    assert window(NOON + timedelta(minutes=7, seconds=31), 5) == NOON + timedelta(minutes=5)
    assert window(NOON, 5) == NOON
