"""History is told without gap or overlap, and what nobody read is unknown."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from endpoints_app.domain.status import Status
from endpoints_app.domain.uptime import Change, Span, spans

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
READY, STOPPED, UPDATING, UNKNOWN = (
    Status.READY,
    Status.STOPPED,
    Status.UPDATING,
    Status.UNKNOWN,
)


def at(minute):
    return MIDNIGHT + timedelta(minutes=minute)


@dataclass(frozen=True)
class History:
    """An endpoint's life in minutes, and the window of it that is asked for."""

    start: int
    end: int
    first_seen: int
    first: Status
    flips: tuple[tuple[int, Status | None], ...] = ()  # None: gone from then on
    unread: tuple[tuple[int, int], ...] = ()
    first_sight_is_a_change: bool = True

    @property
    def changes(self):
        """All there ever were, oldest first."""
        was, changes = self.first, []
        if self.first_sight_is_a_change:
            changes.append(Change(at(self.first_seen), None, self.first))
        for minute, now in self.flips:
            changes.append(Change(at(minute), was, now))
            was = now
        return changes

    def tiled(self, changes):
        """Told from these changes; what is current is what the last of them left."""
        before = [c for c in self.changes if c.at < at(self.start)]
        past = changes or before
        return spans(
            changes,
            start=at(self.start),
            end=at(self.end),
            first_seen=at(self.first_seen),
            current=past[-1].now if past else self.first,
            unread=[(at(since), at(until)) for since, until in self.unread],
        )

    @property
    def spans(self):
        return self.tiled([c for c in self.changes if at(self.start) <= c.at < at(self.end)])

    def status_at(self, moment):
        """The plain answer, one moment at a time."""
        if moment < at(self.first_seen):
            return None
        status = self.first
        for minute, now in self.flips:
            if at(minute) <= moment:
                status = now
        unread = any(at(since) <= moment < at(until) for since, until in self.unread)
        return UNKNOWN if unread and status is not None else status


minutes = st.integers(0, 40)
statuses = st.sampled_from([READY, STOPPED, UPDATING, UNKNOWN])


@st.composite
def histories(draw):
    start = draw(st.integers(5, 30))
    first_seen = draw(minutes)
    flips = draw(st.lists(st.tuples(minutes.map(lambda m: m + first_seen), statuses), max_size=6))
    flips.sort(key=lambda flip: flip[0])
    if flips and draw(st.booleans()):
        flips[-1] = (flips[-1][0], None)
    return History(
        start=start,
        end=start + draw(st.integers(0, 15)),
        first_seen=first_seen,
        first=draw(statuses),
        flips=tuple(flips),
        unread=tuple(draw(st.lists(st.tuples(minutes, minutes), max_size=3))),
        first_sight_is_a_change=draw(st.booleans()),
    )


flip_at_the_start = History(10, 20, first_seen=0, first=READY, flips=((10, STOPPED),))


@given(histories())
@example(flip_at_the_start)
def test_the_spans_tile_the_window_exactly(history):
    told = history.spans
    if history.start == history.end:
        assert told == []
        return
    assert told[0].start == at(history.start)
    assert told[-1].end == at(history.end)
    assert all(span.start < span.end for span in told)
    assert all(former.end == latter.start for former, latter in pairwise(told))
    assert all(former.status is not latter.status for former, latter in pairwise(told))


@given(histories())
@example(flip_at_the_start)
def test_at_every_moment_the_spans_say_what_was_so(history):
    # Everything happens on whole minutes: the middle of each speaks for all of it.
    for minute in range(history.start, history.end):
        moment = at(minute + 0.5)
        told = next(span for span in history.spans if span.start <= moment < span.end)
        assert told.status is history.status_at(moment), minute


@given(histories())
@example(flip_at_the_start)
def test_changes_before_the_window_may_be_given_and_make_no_difference(history):
    reaching_back = [c for c in history.changes if c.at < at(history.end)]
    assert history.tiled(reaching_back) == history.spans


@given(histories())
def test_an_outage_of_ours_never_counts_as_up_down_or_absent(history):
    """It takes from the known, and leaves alone when the endpoint did not exist."""
    with_outage, without = history, replace(history, unread=())
    for minute in range(history.start, history.end):
        moment = at(minute + 0.5)
        now, then = (
            next(span.status for span in told.spans if span.start <= moment < span.end)
            for told in (with_outage, without)
        )
        read = not any(at(since) <= moment < at(until) for since, until in history.unread)
        assert now is (then if read or then is None else UNKNOWN)


def span(start, end, status):
    return Span(at(start), at(end), status)


EXAMPLES = {
    "nothing happened": (
        History(0, 60, first_seen=-90, first=READY),
        [span(0, 60, READY)],
    ),
    "a stop": (
        History(0, 60, first_seen=-90, first=READY, flips=((20, STOPPED),)),
        [span(0, 20, READY), span(20, 60, STOPPED)],
    ),
    "first seen within the window": (
        History(0, 60, first_seen=15, first=UPDATING, flips=((40, READY),)),
        [span(0, 15, None), span(15, 40, UPDATING), span(40, 60, READY)],
    ),
    "first seen within the window, its first sight forgotten": (
        History(0, 60, first_seen=15, first=READY, first_sight_is_a_change=False),
        [span(0, 15, None), span(15, 60, READY)],
    ),
    "first seen after the window": (
        History(0, 60, first_seen=90, first=READY),
        [span(0, 60, None)],
    ),
    "gone within the window": (
        History(0, 60, first_seen=-90, first=READY, flips=((20, None),)),
        [span(0, 20, READY), span(20, 60, None)],
    ),
    "gone before the window": (
        History(0, 60, first_seen=-90, first=READY, flips=((-20, None),)),
        [span(0, 60, None)],
    ),
    "a change at the very start": (
        History(0, 60, first_seen=-90, first=READY, flips=((0, STOPPED),)),
        [span(0, 60, STOPPED)],
    ),
    "a change at the very end": (
        History(0, 60, first_seen=-90, first=READY, flips=((60, STOPPED),)),
        [span(0, 60, READY)],
    ),
    "there and back within one instant": (
        History(0, 60, first_seen=-90, first=READY, flips=((20, STOPPED), (20, READY))),
        [span(0, 60, READY)],
    ),
    "our poller was down": (
        History(0, 60, first_seen=-90, first=READY, unread=((20, 30),)),
        [span(0, 20, READY), span(20, 30, UNKNOWN), span(30, 60, READY)],
    ),
    "our poller was down while it stopped": (
        History(0, 60, first_seen=-90, first=READY, flips=((30, STOPPED),), unread=((20, 30),)),
        [span(0, 20, READY), span(20, 30, UNKNOWN), span(30, 60, STOPPED)],
    ),
    "our poller is down": (
        History(0, 60, first_seen=-90, first=READY, unread=((45, 60),)),
        [span(0, 45, READY), span(45, 60, UNKNOWN)],
    ),
    "down before it was known, and across both ends of its life": (
        History(0, 60, first_seen=15, first=READY, flips=((40, None),), unread=((5, 20), (35, 50))),
        [
            span(0, 15, None),
            span(15, 20, UNKNOWN),
            span(20, 35, READY),
            span(35, 40, UNKNOWN),
            span(40, 60, None),
        ],
    ),
    "outages that overlap, and one that is older than the window": (
        History(0, 60, first_seen=-90, first=READY, unread=((-9, 5), (20, 30), (25, 35))),
        [span(0, 5, UNKNOWN), span(5, 20, READY), span(20, 35, UNKNOWN), span(35, 60, READY)],
    ),
    "an outage beside a status we did not know": (
        History(0, 60, first_seen=-90, first=UNKNOWN, flips=((20, READY),), unread=((20, 30),)),
        [span(0, 30, UNKNOWN), span(30, 60, READY)],
    ),
}


@pytest.mark.parametrize(("history", "told"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_history_is_told_as_people_would_draw_it(history, told):
    assert history.spans == told


def test_a_window_without_length_has_no_spans():
    assert History(30, 30, first_seen=0, first=READY).spans == []
