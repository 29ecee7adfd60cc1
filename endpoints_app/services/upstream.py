"""Calls to Databricks from a page: few at once, short, and none to what has just failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.cache import cache

from endpoints_app.databricks_api import errors
from endpoints_app.services import places

T = TypeVar("T")

SECONDS = 3.0
LONG_SECONDS = 30.0
REST_SECONDS = 15.0  # how long what did not answer is not asked for from pages
SLOW = 1.0
PAUSE = 3.0  # after a slow read, as many times as long as it took
ENOUGH = 3  # different things that fail in a row: then it is the workspace


class Busy(errors.DatabricksError):
    """All places are taken, or what is asked for is resting: come again."""

    retryable = True


# Calls ------------------------------------------------------------------------------------------


def page_call(
    workspace: str, call: Callable[[float], T], *, seconds: float = SECONDS, key: str = ""
) -> T:
    """`call` gets the seconds it may take. Raises Busy at once rather than waiting for a place.

    `key` names what is asked for: when that fails it rests alone, so that one broken panel keeps
    nobody from the others of its workspace.
    """
    if _breaker.is_resting(workspace, key) or not places.SHORT.acquire(blocking=False):
        raise Busy("Databricks is slow at the moment.", sent=errors.Sent.NO)
    try:
        answer = call(seconds)
    except (errors.Unreachable, errors.ServerError, errors.Throttled) as e:
        _breaker.failed(workspace, key, e)
        raise
    finally:
        places.SHORT.release()
    _breaker.answered(workspace)
    return answer


def long_call(call: Callable[[float], T]) -> T:
    """A call that may take its time, as a model's answer: one at once per web process, beside the
    places above, so that panels and pages go on. That it is slow or fails says nothing about its
    workspace. Raises Busy at once rather than waiting."""
    if not places.LONG.acquire(blocking=False):
        raise Busy("Another request is under way.", sent=errors.Sent.NO)
    try:
        return call(LONG_SECONDS)
    finally:
        places.LONG.release()


class _Breaker:
    """What rests in this process: things by themselves, and workspaces of which it was not one
    thing that failed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str | None], float] = {}
        self._failing: dict[str, set[str]] = {}

    def is_resting(self, workspace: str, key: str) -> bool:
        now = time.monotonic()
        return any(self._until.get(it, 0.0) > now for it in ((workspace, None), (workspace, key)))

    def failed(self, workspace: str, key: str, e: errors.DatabricksError) -> None:
        now = time.monotonic()
        until = now + max(REST_SECONDS, e.retry_after or 0)
        with self._lock:
            failing = self._failing.setdefault(workspace, set())
            failing.add(key)
            whole = isinstance(e, errors.NeverOpened | errors.Throttled)
            if whole or len(failing) >= ENOUGH:
                self._until[workspace, None] = until
                failing.clear()
            self._until = {it: end for it, end in self._until.items() if end > now}
            self._until[workspace, key] = until

    def answered(self, workspace: str) -> None:
        self._failing.pop(workspace, None)

    def forget(self) -> None:
        with self._lock:
            self._until.clear()
            self._failing.clear()


_breaker = _Breaker()


# One read for all who look ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """What a workspace answered instead; `kind` names the error (`databricks_api/errors.py`)."""

    kind: str
    message: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Copy(Generic[T]):
    """What was read, when it was asked for, and what has kept us since from a newer one;
    `tried_at` is when that was. `took` is in seconds."""

    value: T | None
    read_at: datetime
    problem: Problem | None = None
    tried_at: datetime | None = None
    took: float = 0.0

    def is_fresh(self, now: datetime, seconds: float) -> bool:
        """Whether nobody need ask again: what takes long to read is read less often."""
        if self.took >= SLOW:
            seconds = max(seconds, PAUSE * self.took)
        return now - (self.tried_at or self.read_at) < timedelta(seconds=seconds)


def shared_read(
    key: str,
    workspace: str,
    call: Callable[[float], T],
    *,
    now: datetime,
    fresh: float,
    kept: float,
    seconds: float = SECONDS,
) -> Copy[T]:
    """Read once for all who look: within `fresh` seconds everybody gets the same copy, refusals
    included. One asks, and gets `seconds`; the others, and everybody while the workspace does not
    answer, get the copy of before, for `kept` seconds. Raises Busy when there is none.
    """
    old = at_hand(key)
    if old is not None and old.is_fresh(now, fresh):
        return old
    flight = f"{key}:flight"
    if not _local.take_off(flight):
        return _of_before(old)
    try:
        if not cache.add(flight, 1, timeout=int(seconds) + 2):
            return _of_before(old)
        try:
            new = _read(old, lambda: page_call(workspace, call, seconds=seconds, key=key), now)
            share(key, new, kept)
        finally:
            cache.delete(flight)
    except Busy:
        return _of_before(old)
    finally:
        _local.land(flight)
    return new


def _of_before(old: Copy[T] | None) -> Copy[T]:
    if old is None:
        raise Busy("Somebody else is asking just now.", sent=errors.Sent.NO)
    return old


def _read(old: Copy[T] | None, call: Callable[[], T], now: datetime) -> Copy[T]:
    began = time.monotonic()
    try:
        return Copy(call(), now, took=time.monotonic() - began)
    except Busy:
        raise
    except errors.DatabricksError as e:
        problem, took = Problem(type(e).__name__, e.message, e.status), time.monotonic() - began
        if old is not None and old.value is not None and e.retryable:
            return Copy(old.value, old.read_at, problem, now, took)  # it passes: the old one stays
        return Copy(None, now, problem, took=took)


def at_hand(key: str) -> Copy[Any] | None:
    """What was read lately, without asking Databricks."""
    found = cache.get(key)
    if isinstance(found, Copy):
        return found
    return _local.copy(key)


def share(key: str, copy: Copy[Any], kept: float) -> None:
    """From now on everybody gets this copy."""
    cache.set(key, copy, int(kept))
    if cache.has_key(key):
        _local.drop(key)
    else:
        _local.keep(key, copy)


def drop(key: str) -> None:
    """From now on nobody gets what was read."""
    cache.delete(key)
    _local.drop(key)


class _Local:
    """What this process shares among its own threads: flights always, and copies while the cache
    is away, so that readers cost a workspace no more then."""

    MOST = 16
    SECONDS = 60.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: set[str] = set()
        self._copies: dict[str, tuple[float, Copy[Any]]] = {}

    def take_off(self, flight: str) -> bool:
        with self._lock:
            free = flight not in self._flights
            self._flights.add(flight)
            return free

    def land(self, flight: str) -> None:
        with self._lock:
            self._flights.discard(flight)

    def copy(self, key: str) -> Copy[Any] | None:
        kept_at, copy = self._copies.get(key, (0.0, None))
        return copy if time.monotonic() - kept_at < self.SECONDS else None

    def keep(self, key: str, copy: Copy[Any]) -> None:
        with self._lock:
            self._copies.pop(key, None)
            while len(self._copies) >= self.MOST:
                self._copies.pop(next(iter(self._copies)))
            self._copies[key] = (time.monotonic(), copy)

    def drop(self, key: str) -> None:
        with self._lock:
            self._copies.pop(key, None)

    def forget(self) -> None:
        with self._lock:
            self._flights.clear()
            self._copies.clear()


_local = _Local()


def forget() -> None:
    """Ask every workspace again."""
    _breaker.forget()
    _local.forget()
