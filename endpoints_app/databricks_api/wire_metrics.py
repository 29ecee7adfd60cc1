"""What `…/metrics` answers with: lines of a name, labels and a number, as Prometheus reads them.

It may be Prometheus' own format or OpenMetrics, and what it declares is not always what it sends
(gauges are called `…_total`, and so are counters), so that only the lines count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as families_of_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as families_of_text

from .errors import Nonsense

MOST_LINES: Final = 50_000
LONGEST_LINE: Final = 4096
"""The parser's effort grows with the square of a line's length."""

_BROKEN: Final = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""What the parsers are known to raise at text that is none of theirs."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. It may be no finite one."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples_of(body: bytes) -> tuple[Sample, ...]:
    """The numbers of an answer, the newest of each series. Raises Nonsense."""
    text = body.decode("utf-8-sig", "replace")
    lines = text.split("\n")
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE:
        raise Nonsense("The answer is too large.", status=200)
    try:
        return _read(families_of_text, text)
    except _BROKEN:
        pass
    try:  # exemplars, which only OpenMetrics has
        return _read(families_of_openmetrics, text)
    except _BROKEN:
        raise Nonsense("The answer is not metrics.", status=200) from None


def _read(parse: Callable[[str], Iterable[Metric]], text: str) -> tuple[Sample, ...]:
    newest: dict[tuple[str, frozenset[tuple[str, str]]], tuple[float, Sample]] = {}
    for family in parse(text):
        for found in family.samples:
            labels = dict(found.labels or {})
            key = (found.name, frozenset(labels.items()))
            at = float(found.timestamp or 0)
            if key not in newest or newest[key][0] <= at:
                newest[key] = (at, Sample(found.name, labels, float(found.value)))
    return tuple(sample for _, sample in newest.values())
