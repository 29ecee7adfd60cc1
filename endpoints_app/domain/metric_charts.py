"""Metrics over a span of time → the lines, holes and tables of its charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from endpoints_app.domain.charts import Axis, Run, ceiling, runs
from endpoints_app.domain.metrics import (
    MINUTE,
    UNEXPORTED,
    Grain,
    Histogram,
    Reading,
    Stretch,
    quantile,
    rate,
    spread,
    total,
)

SETTLING = timedelta(minutes=2)
"""A minute that is over so lately may still come."""


class Range(Enum):
    """Key in the address, span, how much a point of a line is, and a row of a table."""

    HOUR = ("1h", timedelta(hours=1), MINUTE, timedelta(minutes=5), timedelta(minutes=10))
    DAY = ("24h", timedelta(days=1), 5 * MINUTE, timedelta(hours=1), timedelta(hours=3))
    WEEK = ("7d", timedelta(days=7), timedelta(hours=1), timedelta(hours=12), timedelta(days=1))
    FORTNIGHT = (
        "14d",
        timedelta(days=14),
        timedelta(hours=2),
        timedelta(days=1),
        timedelta(days=2),
    )

    def __init__(
        self, key: str, span: timedelta, step: timedelta, row: timedelta, tick: timedelta
    ) -> None:
        self.key, self.span, self.step, self.row, self.tick = key, span, step, row, tick

    @property
    def grain(self) -> Grain:
        """The coarsest rows of which a point consists of whole ones."""
        return max(it for it in Grain if not self.step % (it * MINUTE))

    @property
    def pace(self) -> int:
        """Seconds after which it is worth drawing anew: a point does not come sooner."""
        return min(max(int(self.step.total_seconds()) // 3, 20), 300)

    @classmethod
    def of(cls, key: str) -> Range:
        return next((it for it in cls if it.key == key), cls.DAY)


class Missing(StrEnum):
    """Why a cell has no number."""

    NOT_EXPORTED = "not_exported"
    NOT_SAMPLED = "not_sampled"
    SETTLING = "settling"


@dataclass(frozen=True, slots=True)
class Line:
    metric: str  # a column, or "p50", "p99"
    values: Sequence[float | None]  # of each cell

    @property
    def highest(self) -> tuple[int, float] | None:
        """Its cell, and how high."""
        found = [(value, -cell) for cell, value in enumerate(self.values) if value is not None]
        if not found:
            return None
        value, cell = max(found)
        return -cell, value


@dataclass(frozen=True, slots=True)
class Row:
    """Of a table: a span of time, and for each column its number or why there is none."""

    at: datetime
    numbers: Sequence[float | Missing | None]


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    lines: Sequence[Line]
    top: float
    holes: Sequence[tuple[Missing, Run]]
    rows: Sequence[Row]
    sampled: bool  # Databricks was asked in this time, whatever it said

    @property
    def is_empty(self) -> bool:
        return all(value is None for line in self.lines for value in line.values)


LINES = {
    "requests": ("requests",),
    "errors": ("errors_5xx", "errors_4xx"),
    "latency": ("p99", "p50"),
    "cpu": ("cpu",),
    "memory": ("memory",),
    "gpu": ("gpu",),
    "gpu_memory": ("gpu_memory",),
    "concurrency": ("concurrency",),
}
QUANTILES = {"p50": 0.5, "p99": 0.99}
WHERE_GIVEN = ("gpu", "gpu_memory")
PERCENT = ("cpu", "memory", "gpu", "gpu_memory")


@dataclass(frozen=True, slots=True)
class Cell:
    """What fell into it, and the latency of all of that."""

    readings: Sequence[Reading]
    latency: Histogram | None

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Cell:
        return cls(readings, spread(readings))

    def has(self, metrics: Sequence[str]) -> bool:
        """A minute without requests has no latency, but was exported."""
        if metrics[0] in QUANTILES:
            return self.latency is not None
        return any(metric in it.values for metric in metrics for it in self.readings)

    def value(self, metric: str) -> float | None:
        if metric not in QUANTILES:
            return rate(metric, self.readings)
        return quantile(self.latency, QUANTILES[metric]) if self.latency else None


def charts(
    range_: Range, axis: Axis, shown: Sequence[Stretch], whole: Sequence[Stretch]
) -> list[Chart]:
    """`shown` is what the lines tell of, `whole` what is known of the endpoint as a whole, oldest
    first: it says whether Databricks was asked."""
    cells, asked = _cells(axis, shown), _asked(axis, whole)
    table = Axis(axis.start, axis.end, range_.row)
    table_cells, table_asked = _cells(table, shown), _asked(table, whole)
    drawn = []
    for name, metrics in LINES.items():
        lines = [Line(metric, [cell.value(metric) for cell in cells]) for metric in metrics]
        if name in WHERE_GIVEN and all(value is None for value in lines[0].values):
            continue
        missing = [
            None if cell.has(metrics) else why for cell, why in zip(cells, asked, strict=True)
        ]
        kinds = (Missing.NOT_EXPORTED, Missing.NOT_SAMPLED)
        highest = max((found[1] for line in lines if (found := line.highest)), default=0.0)
        drawn.append(
            Chart(
                name=name,
                lines=lines,
                top=max(100.0, highest) if name in PERCENT else ceiling(highest),
                holes=[(kind, run) for kind in kinds for run in runs(missing, of=kind)],
                rows=_table(name, lines, axis, table, table_cells, table_asked),
                sampled=Missing.NOT_EXPORTED in asked or any(stretch.reading for stretch in shown),
            )
        )
    return drawn


def _cells(axis: Axis, stretches: Iterable[Stretch]) -> list[Cell]:
    """The readings that fall into each cell; what began before the first counts to it."""
    found: list[list[Reading]] = [[] for _ in range(len(axis))]
    for stretch in stretches:
        cell = axis.cell(max(stretch.at, axis.start))
        if cell is not None:
            found[cell].append(stretch.reading)
    return [Cell.of(readings) for readings in found]


def _asked(axis: Axis, stretches: Sequence[Stretch]) -> list[Missing]:
    """What it means when a cell has no number: Databricks was asked and did not have it, or there
    is no answer."""
    found = [Missing.NOT_SAMPLED] * len(axis)
    for stretch in stretches:
        cell = axis.cell(max(stretch.at, axis.start))
        if cell is not None and stretch.answer in UNEXPORTED | {""}:
            found[cell] = Missing.NOT_EXPORTED
    newest = stretches[-1].end if stretches else axis.start
    if axis.end - newest <= SETTLING:
        for cell in range(len(axis)):
            if axis.edges(cell)[0] >= newest:
                found[cell] = Missing.SETTLING
    return found


# Tables ----------------------------------------------------------------------------------------

COLUMNS = {
    "requests": ("total requests", "highest requests"),
    "errors": ("total errors_5xx", "total errors_4xx", "highest errors_5xx"),
    "latency": ("mean p50", "mean p99", "highest p99"),
}
"""What a table tells of each span; for the others the mean and the highest point."""


def columns(chart: str) -> Sequence[str]:
    return COLUMNS.get(chart, (f"mean {chart}", f"highest {chart}"))


def _table(
    name: str,
    lines: Sequence[Line],
    axis: Axis,
    table: Axis,
    cells: Sequence[Cell],
    asked: Sequence[Missing],
) -> list[Row]:
    """Newest first."""
    found = []
    for cell in reversed(range(len(table))):
        if asked[cell] is Missing.SETTLING:
            continue
        begin, end = table.edges(cell)
        has = cells[cell].has([line.metric for line in lines])
        numbers: list[float | Missing | None] = []
        for column in columns(name):
            how, metric = column.split()
            if not has:
                numbers.append(asked[cell])
            elif how == "total":
                numbers.append(total(metric, cells[cell].readings))
            elif how == "mean":
                numbers.append(cells[cell].value(metric))
            else:
                line = next(line for line in lines if line.metric == metric)
                numbers.append(_highest_between(line, axis, begin, end))
        found.append(Row(begin, numbers))
    return found


def _highest_between(line: Line, axis: Axis, begin: datetime, end: datetime) -> float | None:
    first, last = axis.cell(begin), axis.cell(end - timedelta(microseconds=1))
    if first is None or last is None:
        return None
    values = [value for value in line.values[first : last + 1] if value is not None]
    return max(values, default=None)
