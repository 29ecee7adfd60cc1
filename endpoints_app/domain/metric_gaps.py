"""When an endpoint's metrics were not there, and why: each time without numbers has its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from endpoints_app.domain.metric_charts import SETTLING
from endpoints_app.domain.metrics import MINUTE, UNEXPORTED, Stretch, window
from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import Span


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without numbers; `why` is "not_sampled", "stopped", "nothing", or an error's name."""

    start: datetime
    end: datetime
    why: str
    until_now: bool = False

    @property
    def lasted(self) -> timedelta:
        return self.end - self.start

    @property
    def not_exported(self) -> bool:
        return self.why in UNEXPORTED


def gaps(
    stretches: Sequence[Stretch], spans: Sequence[Span], *, start: datetime, end: datetime
) -> list[Gap]:
    """The times without any number, oldest first. `stretches` are sorted; `spans` tell when the
    endpoint was stopped."""
    edge = window(end, 1)
    pieces: list[Gap] = []
    place = start
    for stretch in stretches:
        if stretch.at - place >= MINUTE:
            pieces += _unsampled(place, stretch.at, spans)
        if not stretch.reading:
            pieces.append(Gap(max(stretch.at, start), stretch.end, stretch.answer))
        place = max(place, stretch.end)
    if edge - place > SETTLING:
        pieces += _unsampled(place, edge, spans)
    joined: list[Gap] = []
    for piece in pieces:
        if joined and joined[-1].end == piece.start and joined[-1].why == piece.why:
            joined[-1] = Gap(joined[-1].start, piece.end, piece.why)
        else:
            joined.append(piece)
    if joined and edge - joined[-1].end <= SETTLING:
        last = joined[-1]
        joined[-1] = Gap(last.start, last.end, last.why, until_now=True)
    return joined


def _unsampled(start: datetime, end: datetime, spans: Sequence[Span]) -> list[Gap]:
    """Cut where a stop begins and ends: a stopped endpoint is not asked."""
    edges = {start, end}
    for span in spans:
        edges |= {at for at in (span.start, span.end) if start < at < end}
    times = sorted(edges)
    found = []
    for begin, until in pairwise(times):
        stopped = any(
            span.status is Status.STOPPED and span.start <= begin < span.end for span in spans
        )
        found.append(Gap(begin, until, "stopped" if stopped else "not_sampled"))
    return found
