"""Small changes that a person waits for: read afresh, compared, sent once, read again.

What they have in common: one at a time, within a page's few places for calls to Databricks, and
how it is said that nothing was changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

from django.core.cache import cache

from endpoints_app.databricks_api import errors
from endpoints_app.services import upstream
from endpoints_app.services.upstream import Busy, Problem

T = TypeVar("T")

READ_SECONDS = 6.0
WRITE_SECONDS = 10.0
SAVING_SECONDS = 30  # longer than the calls of one save together


class NotSaved(Exception):
    """Nothing was changed by us."""


class Replaced(NotSaved):
    """Another endpoint has the name now."""


class NotSent(NotSaved):
    """The workspace could not be asked; `problem` says what kept us from it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Refused(NotSaved):
    """Databricks said no; `problem` has its words."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class NotConfirmed(Exception, Generic[T]):
    """It left, and no read afterwards shows it. `found` is what the read showed, None if there was
    no answer; `problem` is what the workspace answered to the change, if not yes."""

    def __init__(self, found: T | None, problem: Problem | None) -> None:
        super().__init__("The change is not confirmed.")
        self.found = found
        self.problem = problem


def one_at_a_time(key: str, workspace: str, attempt: Callable[[], T]) -> T:
    """Raises Busy, with which nothing was sent, and NotSent for what `attempt` could not ask."""
    saving, token = f"{key}:saving", uuid.uuid4().hex
    if not cache.add(saving, token, timeout=SAVING_SECONDS):
        raise Busy("Somebody else is saving just now.", sent=errors.Sent.NO)
    try:
        return upstream.page_call(workspace, lambda _seconds: attempt(), key=saving)
    except Busy:
        raise
    except errors.DatabricksError as e:
        raise NotSent(problem_of(e)) from None
    finally:
        if cache.get(saving) == token:
            cache.delete(saving)


def sent_once(send: Callable[[], None], refused: Callable[[Problem], None]) -> Problem | None:
    """What came instead of a yes, where it may have been carried out all the same. `refused` is
    told what kept it from being carried out; then Refused, or what the call raised."""
    try:
        send()
    except errors.DatabricksError as e:
        if e.sent is errors.Sent.MAYBE:
            return problem_of(e)
        refused(problem_of(e))
        if isinstance(e, errors.Refused):
            raise Refused(problem_of(e)) from None
        raise
    return None


def problem_of(e: errors.DatabricksError) -> Problem:
    return Problem(type(e).__name__, e.message, e.status)
