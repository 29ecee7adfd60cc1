"""The writers of one process, one after the other.

Each process has one of its writers before the database. A click then waits for who is writing and
for at most one more of each process, not for all threads of a sync that has much to write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

COURTESY = 1.0
"""Seconds. This is a courtesy and no lock: who has waited so long goes on without, and the database
decides."""

GAP = 0.003
"""Seconds after a turn in which no other writer of this process begins one: SQLite has no queue,
those of other processes ask it each millisecond, and must find it free (dashboard/sqlite/)."""

_lock = threading.Lock()
_ended = 0.0


@contextmanager
def one() -> Iterator[None]:
    """A turn: not to be taken by who already holds a lock of the database."""
    global _ended
    ours = _lock.acquire(timeout=COURTESY)
    try:
        if (early := _ended + GAP - time.monotonic()) > 0:
            time.sleep(early)
        yield
    finally:
        _ended = time.monotonic()
        if ours:
            _lock.release()
