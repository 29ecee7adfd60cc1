"""Calls to Databricks from a page: few at once, short, and none to a workspace that just failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.core.cache import cache

from endpoints_app.databricks_api import errors

T = TypeVar("T")

AT_ONCE = 2  # per web process: the rest of its threads serve pages
SECONDS = 3.0
REST_SECONDS = 15.0  # how long a workspace that did not answer is not asked from pages

_places = threading.BoundedSemaphore(AT_ONCE)
_rest_until: dict[str, float] = {}


class Busy(errors.DatabricksError):
    """All places are taken, or the workspace is resting: come again."""

    retryable = True


def page_call(workspace: str, call: Callable[[float], T], *, seconds: float = SECONDS) -> T:
    """`call` gets the seconds it may take. Raises Busy at once rather than waiting for a place."""
    if time.monotonic() < _rest_until.get(workspace, 0.0) or not _places.acquire(blocking=False):
        raise Busy("Databricks is slow at the moment.", sent=errors.Sent.NO)
    try:
        return call(seconds)
    except (errors.Unreachable, errors.ServerError, errors.Throttled) as e:
        _rest_until[workspace] = time.monotonic() + max(REST_SECONDS, e.retry_after or 0)
        raise
    finally:
        _places.release()


QUERY_SECONDS = 30.0

_query_place = threading.BoundedSemaphore(1)


def query_call(call: Callable[[float], T]) -> T:
    """A request to a model, which may take its time: one at once per web process, beside the
    places above, so that panels and pages go on. That a model is slow or fails says nothing
    about its workspace. Raises Busy at once rather than waiting."""
    if not _query_place.acquire(blocking=False):
        raise Busy("Another request is under way.", sent=errors.Sent.NO)
    try:
        return call(QUERY_SECONDS)
    finally:
        _query_place.release()


@dataclass(frozen=True, slots=True)
class Problem:
    """What a workspace answered instead; `kind` names the error (`databricks_api/errors.py`)."""

    kind: str
    message: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Copy(Generic[T]):
    """What was read, when it was asked for, and what has kept us since from a newer one."""

    value: T | None
    read_at: datetime
    problem: Problem | None = None

    def is_fresh(self, now: datetime, seconds: float) -> bool:
        return now - self.read_at < timedelta(seconds=seconds)


def shared_read(
    key: str,
    workspace: str,
    call: Callable[[float], T],
    *,
    now: datetime,
    fresh: float,
    kept: float,
) -> Copy[T]:
    """Read once for all who look: within `fresh` seconds everybody gets the same copy, refusals
    included. One asks; the others, and everybody while the workspace does not answer, get the
    copy of before, for `kept` seconds. Raises Busy when there is none.
    """
    found = cache.get(key)
    old: Copy[T] | None = found if isinstance(found, Copy) else None
    if old is not None and old.is_fresh(now, fresh):
        return old
    if not cache.add(f"{key}:flight", 1, timeout=int(SECONDS) + 1):
        if old is None:
            raise Busy("Somebody else is asking just now.", sent=errors.Sent.NO)
        return old
    try:
        new = Copy(page_call(workspace, call), now)
    except Busy:
        if old is None:
            raise
        return old
    except errors.DatabricksError as e:
        problem = Problem(type(e).__name__, e.message, e.status)
        if old is not None and old.value is not None and e.retryable:
            new = Copy(old.value, old.read_at, problem)  # a passing failure keeps the old one
        else:
            new = Copy(None, now, problem)
    finally:
        cache.delete(f"{key}:flight")
    cache.set(key, new, int(kept))
    return new


def forget() -> None:
    """Ask every workspace again."""
    _rest_until.clear()
