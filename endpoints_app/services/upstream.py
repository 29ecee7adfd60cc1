"""Calls to Databricks from a page: few at once, short, and none to a workspace that just failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

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


def page_call(workspace: str, call: Callable[[float], T]) -> T:
    """`call` gets the seconds it may take. Raises Busy at once rather than waiting for a place."""
    if time.monotonic() < _rest_until.get(workspace, 0.0) or not _places.acquire(blocking=False):
        raise Busy("Databricks is slow at the moment.", sent=errors.Sent.NO)
    try:
        return call(SECONDS)
    except (errors.Unreachable, errors.ServerError, errors.Throttled) as e:
        _rest_until[workspace] = time.monotonic() + max(REST_SECONDS, e.retry_after or 0)
        raise
    finally:
        _places.release()


def forget() -> None:
    """Ask every workspace again."""
    _rest_until.clear()
