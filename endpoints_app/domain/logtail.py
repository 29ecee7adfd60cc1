"""What was shown of a log, and what came now → the lines not yet seen, or a gap.

A log is read by asking for it again: the API has no cursor, answers with the latest lines it
still has, and may cut the first of them in its middle, or the last, which is still being written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

KEPT: Final = 12
"""Marks of so many last lines tell where a reader is."""

LADDER: Final = tuple(int(KEPT * 1.5**step) for step in range(1, 21))
"""Sums of so many lines before the last one tell it where the last lines are all the same: two
thirds of what two windows have in common are compared, however large they are."""

SURE: Final = 6
"""So many lines in common are no accident, where a window seems to be older than what was shown."""

ENDING: Final = 16
"""A line that lost its beginning is known again by so many last characters."""

_MARK: Final = r"[0-9a-f]{1,7}-[0-9a-f]{8}-[0-9a-f]{8}"
_PLACE: Final = re.compile(
    rf"(\d{{1,12}})\.(\d{{1,12}})\.((?:{_MARK}(?:\.{_MARK})*)?)~?((?:[0-9a-f]{{8}}){{0,20}})"
)
_PRIME: Final = 2**31 - 1
_BASE: Final = 1_000_003


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
    sums: tuple[int, ...] = ()  # of as many steps of the LADDER as the window is deep

    @classmethod
    def after(cls, window: Sequence[str], *, number: int | None = None) -> Place:
        """Behind the last line of a window; its lines count from 1 unless the number of the last
        one is given."""
        return cls._after(window, _Sums(window), number)

    @classmethod
    def _after(cls, window: Sequence[str], sums: _Sums, number: int | None) -> Place:
        depth = len(window)
        marks = tuple(Mark.of(line) for line in window[-KEPT:])
        steps = (step for step in LADDER if step < depth)
        known = tuple(sums.of(depth - 1 - step, depth - 1) for step in steps)
        return cls(depth if number is None else number, depth, marks, known)

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
            tuple(int(found[4][at : at + 8], 16) for at in range(0, len(found[4]), 8)),
        )

    def __str__(self) -> str:
        sums = f"~{''.join(f'{it:08x}' for it in self.sums)}" if self.sums else ""
        return f"{self.number}.{self.depth}.{'.'.join(map(str, self.marks))}{sums}"


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
    move on, and one that did not move is the simplest explanation of what they have in common. An
    answer that begins or ends before what was shown is taken for that only where much agrees.
    Without anything in common it is a gap, never a guess.
    """
    if not fetched:
        return Unseen((), shown.number + 1, gap=False, grown=False, place=shown)
    sums = _Sums(fetched)
    if shown.marks:
        for end in _ends(shown, len(fetched)):
            if _is_at(shown, fetched, end, sums):
                grown = shown.marks[-1].begins(fetched[end - 1])
                place = Place._after(fetched, sums, shown.number + len(fetched) - end)
                start, first = end - grown, shown.number + 1 - grown
                return Unseen(fetched[start:], first, gap=False, grown=grown, place=place)
        if _is_older(shown, fetched):
            return Unseen((), shown.number + 1, gap=False, grown=False, place=shown)
    place = Place._after(fetched, sums, shown.number + len(fetched))
    return Unseen(fetched, shown.number + 1, gap=bool(shown.marks), grown=False, place=place)


def _ends(shown: Place, size: int) -> Iterator[int]:
    """Where in a window what was shown may end: it moved on, or else it begins earlier."""
    yield from range(min(shown.depth, size), 0, -1)
    if shown.depth >= KEPT:
        yield from range(shown.depth + 1, size + 1)


def _is_older(shown: Place, fetched: Sequence[str]) -> bool:
    """Whether a window ends a few lines before what was shown: an answer from elsewhere."""
    for back in range(1, len(shown.marks) - SURE + 1):
        marks = shown.marks[:-back]
        last = fetched[-len(marks) :]
        if len(last) == len(marks) and len(set(last)) > 1 and all(map(Mark.fits, marks, last)):
            return True
    return False


class _Sums:
    """Sums of any run of lines of a window."""

    def __init__(self, window: Sequence[str]) -> None:
        self._until = [0]
        value, add = 0, self._until.append
        for line in window:
            value = (value * _BASE + _sum(line)) % _PRIME
            add(value)

    def of(self, start: int, end: int) -> int:
        until = self._until
        return (until[end] - until[start] * pow(_BASE, end - start, _PRIME)) % _PRIME


def _is_at(shown: Place, fetched: Sequence[str], end: int, sums: _Sums) -> bool:
    """Whether the lines before `end` are the last ones shown, so far as both have them."""
    return _ends_at(shown, fetched, end) and _leads_to(shown, end, sums)


def _leads_to(shown: Place, end: int, sums: _Sums) -> bool:
    """Whether those further up agree as well; the first and the last of them may be cut."""
    deepest = min(shown.depth, end) - 2
    known = [(step, it) for step, it in zip(LADDER, shown.sums, strict=False) if step <= deepest]
    return not known or sums.of(end - 1 - known[-1][0], end - 1) == known[-1][1]


def _ends_at(shown: Place, fetched: Sequence[str], end: int) -> bool:
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
