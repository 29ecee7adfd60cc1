"""What was shown of a log, and what came now → the lines not yet seen, or a gap.

A log is read by asking for it again: the API has no cursor, answers with the latest lines it
still has, and may cut the first of them in its middle, or the last, which is still being written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

KEPT: Final = 12
"""Marks of so many last lines tell where a reader is."""

ENDING: Final = 16
"""A line that lost its beginning is known again by so many last characters."""

_MARK: Final = r"[0-9a-f]{1,7}-[0-9a-f]{8}-[0-9a-f]{8}"
_PLACE: Final = re.compile(rf"(\d{{1,12}})\.(\d{{1,12}})\.((?:{_MARK}(?:\.{_MARK})*)?)")


@dataclass(frozen=True, slots=True)
class Mark:
    """Enough of a line to know it again: its length, the checksums of all and of its ending."""

    length: int
    whole: int
    ending: int

    @classmethod
    def of(cls, line: str) -> Mark:
        return cls(len(line), _sum(line), _sum(line[-ENDING:]))

    def fits(self, line: str) -> bool:
        return len(line) == self.length and _sum(line) == self.whole

    def begins(self, line: str) -> bool:
        """Whether it was written to since."""
        return len(line) > self.length > 0 and _sum(line[: self.length]) == self.whole

    def fits_rest(self, rest: str) -> bool:
        """Whether `rest` is what is left of it, long enough to tell."""
        return ENDING <= len(rest) < self.length and _sum(rest[-ENDING:]) == self.ending

    def __str__(self) -> str:
        return f"{self.length:x}-{self.whole:08x}-{self.ending:08x}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is. As text it is the cursor to go on from.

    `number` is that of the last line shown, counted from 1; `depth` how many lines the window had
    up to there, so that a log that only grew is found at once, however often its lines repeat.
    """

    number: int = 0
    depth: int = 0
    marks: tuple[Mark, ...] = ()

    @classmethod
    def after(cls, window: Sequence[str], *, number: int | None = None) -> Place:
        """Behind the last line of a window; its lines count from 1 unless the number of the last
        one is given."""
        marks = tuple(Mark.of(line) for line in window[-KEPT:])
        return cls(len(window) if number is None else number, len(window), marks)

    @classmethod
    def read(cls, text: str) -> Place | None:
        """None for what is not a place."""
        found = _PLACE.fullmatch(text)
        if found is None:
            return None
        marks = [mark.split("-") for mark in found[3].split(".") if mark]
        if len(marks) > KEPT:
            return None
        return cls(
            int(found[1]),
            int(found[2]),
            tuple(Mark(int(n, 16), int(whole, 16), int(end, 16)) for n, whole, end in marks),
        )

    def __str__(self) -> str:
        return f"{self.number}.{self.depth}.{'.'.join(map(str, self.marks))}"


@dataclass(frozen=True, slots=True)
class Unseen:
    """`lines` count from `first`. After a `gap` nobody knows what was in between. When the last
    line shown has `grown` since, the first of these is that line as it is now."""

    lines: Sequence[str]
    first: int
    gap: bool
    grown: bool
    place: Place


def unseen(shown: Place, fetched: Sequence[str]) -> Unseen:
    """The lines of `fetched` that a reader at `shown` has not seen.

    Where repeated lines allow several answers it is the one with the fewest new lines: windows
    only move on, and one that did not move is the simplest explanation of what they have in
    common. Without anything in common it is a gap, never a guess.
    """
    if not fetched:
        return Unseen((), shown.number + 1, gap=False, grown=False, place=shown)
    if not shown.marks:
        place = Place.after(fetched, number=shown.number + len(fetched))
        return Unseen(fetched, shown.number + 1, gap=False, grown=False, place=place)
    for end in range(min(shown.depth, len(fetched)), 0, -1):
        if _is_at(shown, fetched, end):
            grown = shown.marks[-1].begins(fetched[end - 1])
            place = Place.after(fetched, number=shown.number + len(fetched) - end)
            start, first = end - grown, shown.number + 1 - grown
            return Unseen(fetched[start:], first, gap=False, grown=grown, place=place)
    place = Place.after(fetched, number=shown.number + len(fetched))
    return Unseen(fetched, shown.number + 1, gap=True, grown=False, place=place)


def _is_at(shown: Place, fetched: Sequence[str], end: int) -> bool:
    """Whether the lines before `end` are the last ones shown, so far as both have them."""
    common = min(len(shown.marks), end)
    for back in range(1, common + 1):
        line, mark = fetched[end - back], shown.marks[-back]
        if mark.fits(line):
            continue
        # A line that differs proves nothing alone, unless the log had no other.
        grown = back == 1 and (common > 1 or shown.depth == 1) and mark.begins(line)
        cut = back == end > 1 and mark.fits_rest(line)
        if not grown and not cut:
            return False
    return True


def _sum(text: str) -> int:
    return crc32(text.encode("utf-8", "replace"))
