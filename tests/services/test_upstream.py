"""Pages ask Databricks little: two at once, briefly, and not again right after a failure."""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from dashboard import programs
from endpoints_app.databricks_api import errors
from endpoints_app.services import detail, live, places, schema_check, upstream
from endpoints_app.services.upstream import Busy, page_call, shared_read
from tests.conftest import Lab
from tests.services.conftest import GET, ONE, at_once, listed

THREADS = int(re.search(r'"--threads", "(\d+)"', inspect.getsource(programs))[1])  # type: ignore[index]
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def failing(error: errors.DatabricksError) -> Callable[[float], Any]:
    def call(seconds: float) -> Any:
        raise error

    return call


# Calls from pages ------------------------------------------------------------------------------


def test_a_call_is_told_how_long_it_may_take() -> None:
    assert page_call("lab", lambda seconds: seconds) == upstream.SECONDS <= 3


def test_two_at_once_and_the_rest_is_busy_at_once() -> None:
    inside, leave = threading.Barrier(3), threading.Event()

    def hang(seconds: float) -> str:
        inside.wait(5)
        leave.wait(5)
        return "answered"

    def third() -> float:
        inside.wait(5)
        began = time.monotonic()
        try:
            with pytest.raises(Busy):
                page_call("lab", lambda _: "no place")
            with pytest.raises(Busy):
                page_call("another", lambda _: "no place there either")
            return time.monotonic() - began
        finally:
            leave.set()

    first, second, took = at_once(
        lambda: page_call("lab", hang), lambda: page_call("lab", hang), third
    )

    assert (first, second) == ("answered", "answered")
    assert took < 0.5
    assert page_call("lab", lambda _: "again") == "again"


@pytest.mark.parametrize(
    "error",
    [
        errors.TimedOut(),
        errors.NeverOpened(),
        errors.Lost(),
        errors.Internal(status=500),
        errors.Unavailable(status=503),
        errors.Throttled(status=429),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_workspace_that_just_failed_is_not_asked_again_and_others_are(
    error: errors.DatabricksError,
) -> None:
    with pytest.raises(type(error)):
        page_call("lab", failing(error))

    with pytest.raises(Busy):
        page_call("lab", lambda _: "too soon")
    assert page_call("other", lambda _: "well") == "well"


@pytest.mark.parametrize(
    "error",
    [errors.PermissionDenied(), errors.DoesNotExist(), errors.BadRequest(), errors.Nonsense()],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_is_an_answer_and_closes_nothing(error: errors.DatabricksError) -> None:
    with pytest.raises(type(error)):
        page_call("lab", failing(error))

    assert page_call("lab", lambda _: "well") == "well"


def test_after_a_rest_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "REST_SECONDS", 0.05)
    with pytest.raises(errors.Lost):
        page_call("lab", failing(errors.Lost()))

    time.sleep(0.06)

    assert page_call("lab", lambda _: "well") == "well"


def test_retry_after_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "REST_SECONDS", 0.0)
    with pytest.raises(errors.Throttled):
        page_call("lab", failing(errors.Throttled(retry_after=60)))

    with pytest.raises(Busy):
        page_call("lab", lambda _: "too soon")


LATE = errors.TimedOut("too slow")


def test_what_does_not_answer_rests_alone() -> None:
    """One broken panel keeps nobody from the others."""
    for _ in range(2):
        with pytest.raises(errors.DatabricksError):
            page_call("lab", failing(LATE), key="log:1")

    with pytest.raises(Busy):
        page_call("lab", lambda _: "too soon", key="log:1")
    assert page_call("lab", lambda _: "well", key="permissions:1") == "well"


def test_a_workspace_of_which_several_things_fail_rests_whole() -> None:
    for key in ("log:1", "schema:1", "permissions:1"):
        with pytest.raises(errors.TimedOut):
            page_call("lab", failing(LATE), key=key)

    with pytest.raises(Busy):
        page_call("lab", lambda _: "too soon", key="anything")


def test_an_answer_in_between_shows_that_the_workspace_lives() -> None:
    for key in ("log:1", "schema:1", "permissions:1", "log:2"):
        with pytest.raises(errors.TimedOut):
            page_call("lab", failing(LATE), key=key)
        assert page_call("lab", lambda _: "well", key="me") == "well"


@pytest.mark.parametrize("error", [errors.NeverOpened(), errors.Throttled(status=429)])
def test_a_workspace_that_takes_nothing_rests_at_once(error: errors.DatabricksError) -> None:
    with pytest.raises(type(error)):
        page_call("lab", failing(error), key="log:1")

    with pytest.raises(Busy):
        page_call("lab", lambda _: "too soon", key="permissions:1")


def test_two_calls_that_hang_a_long_one_and_a_validator_leave_a_thread_to_the_pages() -> None:
    """Of the four threads of a web process."""
    inside, leave = threading.Barrier(4), threading.Event()

    def hang(seconds: float) -> None:
        inside.wait(5)
        leave.wait(5)

    def another() -> None:
        inside.wait(5)
        try:
            with pytest.raises(Busy):
                page_call("lab", lambda _: "no place", key="other")
            with pytest.raises(Busy):
                upstream.long_call(lambda _: "no place")
            with pytest.raises(schema_check.Busy):
                schema_check.document("{}")
        finally:
            leave.set()

    at_once(
        lambda: page_call("lab", hang, key="a"),
        lambda: page_call("lab", hang, key="b"),
        lambda: upstream.long_call(hang),
        another,
    )
    assert places.AT_ONCE + 1 < THREADS


def test_a_call_that_raises_something_else_gives_its_place_back() -> None:
    def burst(seconds: float) -> None:
        raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            page_call("lab", burst)


# One read for all who look ---------------------------------------------------------------------


@pytest.fixture
def memory(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def read(call: Callable[[float], Any], now: datetime = NOW) -> upstream.Copy[Any]:
    return shared_read("key", "lab", call, now=now, fresh=3, kept=60)


def test_within_its_freshness_everybody_gets_the_same_copy(memory: None) -> None:
    first = read(lambda _: "once")

    assert read(lambda _: "twice", NOW + timedelta(seconds=2)) == first
    assert read(lambda _: "later", NOW + timedelta(seconds=4)).value == "later"


def test_a_passing_failure_keeps_the_old_copy_with_its_age(memory: None) -> None:
    read(lambda _: "before")

    later = read(failing(errors.TimedOut("too slow")), NOW + timedelta(seconds=9))

    assert (later.value, later.read_at) == ("before", NOW)
    assert later.problem is not None
    assert later.problem.kind == "TimedOut"


def test_a_refusal_does_not_show_what_was_allowed_before(memory: None) -> None:
    read(lambda _: "before")

    later = read(failing(errors.PermissionDenied("no more")), NOW + timedelta(seconds=9))

    assert later.value is None
    assert later.problem is not None


def test_while_one_asks_the_others_get_the_old_copy_or_busy(memory: None) -> None:
    def meanwhile(seconds: float) -> str:
        with pytest.raises(Busy):
            read(lambda _: "me too")
        return "answered"

    assert read(meanwhile).value == "answered"

    def while_there_is_one(seconds: float) -> str:
        old = read(lambda _: "me too", NOW + timedelta(seconds=9))
        assert (old.value, old.read_at) == ("answered", NOW)
        return "newer"

    assert read(while_there_is_one, NOW + timedelta(seconds=9)).value == "newer"


@pytest.mark.parametrize("there", [True, False], ids=["with a cache", "without"])
@pytest.mark.parametrize(
    "error",
    [None, errors.Nonsense(), errors.DoesNotExist(), errors.Internal(status=500)],
    ids=lambda error: type(error).__name__,
)
def test_fifty_readers_cost_one_call_whatever_comes_of_it(
    there: bool, error: errors.DatabricksError | None, request: pytest.FixtureRequest
) -> None:
    if there:
        request.getfixturevalue("memory")
    calls: list[datetime] = []

    def call(seconds: float, now: datetime) -> str:
        calls.append(now)
        time.sleep(0.02)
        if error is not None and now > NOW:
            raise error
        return "answered"

    def look(now: datetime) -> str | None:
        try:
            return read(lambda seconds: call(seconds, now), now).value
        except Busy:
            return "busy"

    look(NOW)
    for seconds in (0, 3, 6):
        upstream._breaker.forget()  # it would spare the workspace more than that
        now = NOW + timedelta(seconds=seconds)
        at_once(*[lambda now=now: look(now) for _ in range(50)])
    assert len(calls) == 3


def test_what_takes_long_to_read_is_read_less_often(
    memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "SLOW", 0.01)
    monkeypatch.setattr(upstream, "PAUSE", 500.0)
    read(lambda _: time.sleep(0.02) or "first")
    assert read(lambda _: "second", NOW + timedelta(seconds=9)).value == "first"
    assert read(lambda _: "third", NOW + timedelta(seconds=60)).value == "third"
    assert read(lambda _: "fourth", NOW + timedelta(seconds=63)).value == "fourth"


def test_what_was_shared_without_a_cache_is_forgotten_with_the_cache_back(
    settings: Any, request: pytest.FixtureRequest
) -> None:
    read(lambda _: "without")
    request.getfixturevalue("memory")
    assert read(lambda _: "with", NOW + timedelta(seconds=3)).value == "with"
    cache.clear()
    assert read(lambda _: "anew", NOW + timedelta(seconds=3)).value == "anew"


def test_without_a_cache_few_copies_are_held() -> None:
    for number in range(100):
        upstream.share(f"key{number}", upstream.Copy("x" * 10, NOW), 60)
    assert len(upstream._local._copies) == upstream._local.MOST


# The detail page's one call --------------------------------------------------------------------


def test_a_page_opened_before_its_turn_reads_its_endpoint(lab: Lab) -> None:
    listed(lab)
    endpoint = lab.endpoint("customer-ltv")

    detail.read_now(endpoint, now=lab.clock())

    assert lab.emulator.calls.counts[GET] == 1
    assert lab.endpoint("customer-ltv").document is not None


@pytest.mark.parametrize("status", [403, 429, 500])
def test_without_an_answer_the_page_is_shown_without_details(lab: Lab, status: int) -> None:
    listed(lab)
    before = live.read_head().revision
    lab.emulator.fault("status", match=ONE, status=status)

    detail.read_now(lab.endpoint("customer-ltv"), now=lab.clock())

    assert lab.endpoint("customer-ltv").document is None
    assert live.read_head().revision == before
