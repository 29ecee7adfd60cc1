"""Where lines, holes and marks of a chart lie, between 0 and 1 on both axes.

A line consists of one point for each cell of the time axis. Where a cell has none the line breaks;
it never bridges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `start` until `end`, in cells of `step` that begin with the clock's own: the first and
    the last may be cut."""

    start: datetime
    end: datetime
    step: timedelta
    first: float = field(init=False)  # the beginning of the first cell, in seconds of the epoch
    seconds: float = field(init=False)  # of a cell

    def __post_init__(self) -> None:
        seconds = self.step.total_seconds()
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "first", self.start.timestamp() // seconds * seconds)

    def __len__(self) -> int:
        return math.ceil((self.end.timestamp() - self.first) / self.seconds)

    def cell(self, at: datetime) -> int | None:
        """The cell that holds it."""
        if not self.start <= at < self.end:
            return None
        return int((at.timestamp() - self.first) // self.seconds)

    def edges(self, cell: int) -> tuple[datetime, datetime]:
        begin = datetime.fromtimestamp(self.first + cell * self.seconds, self.start.tzinfo)
        return max(begin, self.start), min(begin + self.step, self.end)

    def place(self, at: datetime) -> float:
        """Where it lies; what is outside lies on the edge."""
        share = (at - self.start) / (self.end - self.start)
        return min(max(share, 0.0), 1.0)

    def ticks(self, every: timedelta) -> list[datetime]:
        """The times of the clock to write at the axis."""
        seconds = every.total_seconds()
        first = math.ceil(self.start.timestamp() / seconds) * seconds
        number = math.floor((self.end.timestamp() - first) / seconds) + 1
        zone = self.start.tzinfo
        return [datetime.fromtimestamp(first + i * seconds, zone) for i in range(number)]


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring cells that have the same: from `first` until before `end`."""

    first: int
    end: int


def runs(cells: Sequence[T], of: T) -> list[Run]:
    """Where `of` stands."""
    found, place = [], 0
    for value, together in groupby(cells):
        end = place + len(list(together))
        if value == of:
            found.append(Run(place, end))
        place = end
    return found


def lines(values: Sequence[float | None], axis: Axis, *, top: float) -> list[list[Point]]:
    """A point in the middle of each cell that has a value; each unbroken piece of the line reaches
    from the beginning of its first cell to the end of its last, so that one cell is seen too."""
    found = []
    for run in runs([value is not None for value in values], of=True):
        points: list[Point] = []
        for cell in range(run.first, run.end):
            begin, end = axis.edges(cell)
            height = min((values[cell] or 0.0) / top, 1.0)
            points.append((axis.place(begin + (end - begin) / 2), height))
        left, right = axis.edges(run.first)[0], axis.edges(run.end - 1)[1]
        first, last = (axis.place(left), points[0][1]), (axis.place(right), points[-1][1])
        found.append([first, *points, last])
    return found


def ceiling(highest: float) -> float:
    """A round number that is not below, and whose half is one too."""
    if highest <= 0 or not math.isfinite(highest):
        return 1.0
    scale: float = 10.0 ** math.floor(math.log10(highest))
    for factor in (1, 2, 4, 5, 6, 8):
        if highest <= factor * scale:
            return factor * scale
    return 10 * scale


def spaced(places: Sequence[float], *, least: float) -> list[int]:
    """Which of them, from left to right, can be drawn without lying upon each other."""
    kept: list[int] = []
    for number in sorted(range(len(places)), key=lambda it: places[it]):
        if not kept or places[number] - places[kept[-1]] >= least:
            kept.append(number)
    return kept
