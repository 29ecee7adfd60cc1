"""What an endpoint exports of a minute → numbers; minutes added up without a word that is not so.

Databricks publishes the families but not their labels (rest-api.md §3.1), so that none is looked
for by name: percentages are averaged over whatever label sets there are, counts are summed, and
histograms are added bucket by bucket.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, Protocol

COUNTS: Final = {
    "requests": "request_count_total",
    "errors_4xx": "request_4xx_count_total",
    "errors_5xx": "request_5xx_count_total",
}
"""Summed over label sets, and over minutes."""

CAPACITIES: Final = {"concurrency": "provisioned_concurrent_requests_total"}
"""Summed over label sets; over minutes it is a level."""

PERCENTAGES: Final = {
    "cpu": "cpu_usage_percentage",
    "memory": "mem_usage_percentage",
    "gpu": "gpu_usage_percentage",
    "gpu_memory": "gpu_memory_usage_percentage",
}
"""Averaged over label sets, and over minutes."""

NAMES: Final = (*COUNTS, *CAPACITIES, *PERCENTAGES)
LATENCY: Final = "request_latency_ms"
MINUTE: Final = timedelta(minutes=1)
MOST: Final = 1e15
"""No count of a minute is higher; sums of many stay finite."""
MOST_BOUNDS: Final = 100
"""Of a histogram; about fifteen were recorded."""

NOTHING: Final = "nothing"
UNEXPORTED = frozenset({NOTHING, "DoesNotExist", "NotKnown"})
"""Databricks was asked and has nothing: also new, idle and stopped endpoints are answered so."""


class Grain(IntEnum):
    """Of how many minutes of the clock a stretch may tell at most, in each of the ways in which
    the same time is kept."""

    MINUTE = 1
    FIVE = 5
    HOUR = 60

    @property
    def finer(self) -> Grain:
        return Grain.FIVE if self is Grain.HOUR else Grain.MINUTE


Histogram = tuple[tuple[float, float], ...]
"""Upper bound → how many were not above it; both only rise, and the last bound is infinite."""


class Point(Protocol):
    """One exported number."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """So many minutes of an endpoint: counts are of all of them together, everything else is a
    mean. What is not in it was not exported."""

    values: Mapping[str, float]
    latency: Histogram | None = None
    minutes: int = 1

    @property
    def shape(self) -> tuple[frozenset[str], bool]:
        """Which of the metrics it has."""
        return frozenset(self.values), self.latency is not None

    def __bool__(self) -> bool:
        return bool(self.values) or self.latency is not None


def read(points: Iterable[Point]) -> Reading:
    """One minute. Numbers that cannot be (negative, endless, none) were not exported."""
    found: dict[str, list[float]] = {}
    buckets: list[Point] = []
    for point in points:
        if point.name == f"{LATENCY}_bucket":
            buckets.append(point)
        elif _is_number(point.value):
            found.setdefault(point.name, []).append(point.value)
    values = {}
    for name, family in (*COUNTS.items(), *CAPACITIES.items()):
        if numbers := found.get(family):
            values[name] = math.fsum(numbers)
    for name, family in PERCENTAGES.items():
        if numbers := found.get(family):
            values[name] = math.fsum(numbers) / len(numbers)
    return Reading(values, _histogram(buckets))


def by_entity(points: Sequence[Point], entities: Collection[str]) -> dict[str, Reading]:
    """A reading for each served entity, where a label tells them apart: the one whose values are
    names of served entities, whatever it is called. Empty where none does."""
    names = set(entities)
    told: dict[str, set[str]] = {}
    for point in points:
        for label, value in point.labels.items():
            told.setdefault(label, set()).add(value)
    telling = [label for label, values in told.items() if values <= names]
    best = max(sorted(telling), key=lambda it: len(told[it]), default=None)
    if best is None or len(names) < 2:
        return {}
    return {
        name: read(point for point in points if point.labels.get(best) == name)
        for name in sorted(told[best])
    }


def _is_number(value: float) -> bool:
    return 0 <= value <= MOST


# Histograms ------------------------------------------------------------------------------------


def _histogram(buckets: Iterable[Point]) -> Histogram | None:
    series: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
    for point in buckets:
        bound = _bound(point.labels.get("le", ""))
        if bound is not None and _is_number(point.value):
            rest = frozenset(pair for pair in point.labels.items() if pair[0] != "le")
            series.setdefault(rest, {})[bound] = point.value
    whole = (it for it in series.values() if math.inf in it and len(it) <= MOST_BOUNDS)
    histograms = [_rising(it) for it in whole]
    return added(histograms) if histograms else None


def _bound(text: str) -> float | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    return bound if _is_number(bound) or bound == math.inf else None


def _rising(buckets: Mapping[float, float]) -> Histogram:
    rising, highest = [], 0.0
    for bound in sorted(buckets):
        highest = max(highest, buckets[bound])
        rising.append((bound, highest))
    return tuple(rising)


def added(histograms: Sequence[Histogram]) -> Histogram:
    """At the bounds that all of them have: only there is the sum exact."""
    layouts = {tuple([bound for bound, _ in it]) for it in histograms}
    if len(layouts) == 1:  # nearly always, and of thousands
        columns = zip(*([number for _, number in it] for it in histograms), strict=True)
        return tuple(zip(layouts.pop(), map(math.fsum, columns), strict=True))
    bounds = set.intersection(*map(set, layouts))
    sums = dict.fromkeys(sorted(bounds), 0.0)
    for histogram in histograms:
        for bound, number in histogram:
            if bound in sums:
                sums[bound] += number
    return tuple(sums.items())


def quantile(histogram: Histogram, q: float) -> float | None:
    """As Prometheus estimates it: evenly spread within its bucket, and what lies beyond the last
    finite bound is at least that. None without requests, or without a finite bound."""
    if len(histogram) < 2 or histogram[-1][1] <= 0:
        return None
    rank = q * histogram[-1][1]
    below, lower = 0.0, 0.0
    for bound, number in histogram:
        if number >= rank and number > below:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * max(rank - below, 0) / (number - below)
        below, lower = number, bound
    return None


# Minutes ---------------------------------------------------------------------------------------


def rate(name: str, readings: Iterable[Reading]) -> float | None:
    """Per minute for a count, the mean for a level, over the minutes that have it."""
    total, minutes = 0.0, 0
    for reading in readings:
        if (value := reading.values.get(name)) is not None:
            total += value if name in COUNTS else value * reading.minutes
            minutes += reading.minutes
    return total / minutes if minutes else None


def total(name: str, readings: Iterable[Reading]) -> float | None:
    """A count of all minutes that have it."""
    numbers = [value for it in readings if (value := it.values.get(name)) is not None]
    return math.fsum(numbers) if numbers else None


def spread(readings: Iterable[Reading]) -> Histogram | None:
    """The latency of all of them."""
    found = [reading.latency for reading in readings if reading.latency is not None]
    return added(found) if found else None


def joined(readings: Sequence[Reading]) -> Reading:
    """Readings that have the same metrics, as one: each of its numbers is of all its minutes."""
    if len({reading.shape for reading in readings}) != 1:
        raise ValueError("They do not have the same metrics.")
    combine: Mapping[bool, Callable[[str, Sequence[Reading]], float | None]]
    combine = {True: total, False: rate}
    values = {name: combine[name in COUNTS](name, readings) or 0.0 for name in readings[0].values}
    return Reading(values, spread(readings), sum(reading.minutes for reading in readings))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The minutes from `at` on, without a hole. `answer` is empty where something was exported;
    else it says in a word what came instead."""

    at: datetime
    reading: Reading
    answer: str = ""

    @property
    def end(self) -> datetime:
        return self.at + self.reading.minutes * MINUTE


def rolled_up(stretches: Iterable[Stretch], *, minutes: int = Grain.FIVE) -> list[Stretch]:
    """Neighbours within the same so many minutes of the clock that have the same metrics, as one.

    A hole stays a hole, and a metric that was exported for two of the five minutes is never said
    to be of all five.
    """
    rolled: list[list[Stretch]] = []
    for stretch in sorted(stretches, key=lambda it: it.at):
        if rolled and _continues(rolled[-1][-1], stretch, minutes):
            rolled[-1].append(stretch)
        else:
            rolled.append([stretch])
    return [replace(run[0], reading=joined([stretch.reading for stretch in run])) for run in rolled]


def _continues(before: Stretch, after: Stretch, minutes: int) -> bool:
    return (
        before.end == after.at
        and window(before.at, minutes) == window(after.at, minutes)
        and before.answer == after.answer
        and before.reading.shape == after.reading.shape
    )


def window(at: datetime, minutes: int) -> datetime:
    """The beginning of the `minutes` of the clock that it lies in."""
    seconds = int(at.timestamp())
    return at.fromtimestamp(seconds - seconds % (60 * minutes), at.tzinfo)
