"""Status changes → spans of time. What we did not read is a span of its own: unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints_app.domain.status import Status


@dataclass(frozen=True, slots=True)
class Change:
    """`now` is None when the endpoint was gone from then on."""

    at: datetime
    was: Status | None
    now: Status | None


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until `end`; `status` is None before the endpoint was known and after it
    was gone."""

    start: datetime
    end: datetime
    status: Status | None


def spans(
    changes: Sequence[Change],
    *,
    start: datetime,
    end: datetime,
    first_seen: datetime,
    current: Status | None,
    unread: Iterable[tuple[datetime, datetime]] = (),
) -> list[Span]:
    """Tile the window from `start` to `end` without gap or overlap.

    `changes` are those within the window, oldest first, and may reach back further; `current` is
    the status after the last of them. `unread` are spans in which our poller had no answer:
    unknown, whatever came before.
    """
    first = changes[0].was if changes else current
    edges: list[tuple[datetime, Status | None]] = [(start, first if first_seen <= start else None)]
    if start < first_seen < end:
        edges.append((first_seen, first))
    edges += [(max(change.at, start), change.now) for change in changes if change.at < end]
    edges.sort(key=lambda edge: edge[0])

    tiled = [
        Span(at, edges[i + 1][0] if i + 1 < len(edges) else end, status)
        for i, (at, status) in enumerate(edges)
    ]
    for gap_start, gap_end in unread:
        tiled = [piece for span in tiled for piece in _cut(span, gap_start, gap_end)]
    return _joined([span for span in tiled if span.start < span.end])


def _cut(span: Span, start: datetime, end: datetime) -> list[Span]:
    """The span with its part between `start` and `end` unknown."""
    start, end = max(span.start, start), min(span.end, end)
    if start >= end or span.status is None:
        return [span]
    return [
        Span(span.start, start, span.status),
        Span(start, end, Status.UNKNOWN),
        Span(end, span.end, span.status),
    ]


def _joined(tiled: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in tiled:
        if joined and joined[-1].status is span.status:
            joined[-1] = Span(joined[-1].start, span.end, span.status)
        else:
            joined.append(span)
    return joined
