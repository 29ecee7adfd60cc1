"""How often open pages should ask: quickly while something moves, more slowly the more they are.

A page asks again when it was told to, so that each process knows from how often it is asked how
many pages there are, and can spread what it can give among them: however many look at a stop,
looking costs the same part of a core.
"""

from __future__ import annotations

import threading
from datetime import datetime

CALM = 5.0  # seconds until a page asks again while nothing moves
QUICK = 1.0  # while something does
MOST = 180
"""Polls a second that a process answers while something moves: a sixth of a core."""
WINDOW = 5  # seconds that are counted


class Crowd:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, float] = {}  # second → the sum of what was told in it
        self._quick = QUICK

    def pace(self, *, moving: bool, now: datetime) -> float:
        """Seconds until the page that asks now should ask again."""
        second = int(now.timestamp())
        with self._lock:
            if second not in self._told:
                lately = {s: told for s, told in self._told.items() if 0 < second - s <= WINDOW}
                pages = sum(lately.values()) / WINDOW
                self._quick = round(min(max(pages / MOST, QUICK), CALM), 1)
                self._told = lately | {second: 0.0}
            told = self._quick if moving else CALM
            self._told[second] += told
        return told


here = Crowd()
"""The pages that ask this process."""
