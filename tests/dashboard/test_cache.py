"""The cache may die, hang or hold nonsense: pages go on, and wait for it once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore

from dashboard import programs
from dashboard.cache import FailOpenClient, FailOpenRedisCache
from tests.needs import REDIS
from tests.silence import silent_server
from tests.waiting import eventually

OPTIONS = settings.CACHES["default"]["OPTIONS"]


@pytest.fixture(autouse=True)
def _rested() -> Iterator[None]:
    FailOpenClient.resting_until = 0.0
    yield
    FailOpenClient.resting_until = 0.0


def cache_at(url: str) -> FailOpenRedisCache:
    return FailOpenRedisCache(url, {"OPTIONS": dict(OPTIONS), "TIMEOUT": 60})


def timed(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def use(cache: FailOpenRedisCache) -> None:
    """All that anything here does with a cache."""
    assert cache.get("a") is None
    assert cache.get("a", "else") == "else"
    assert cache.get_many(["a", "b"]) == {}
    cache.set("a", 1)
    cache.set_many({"a": 1, "b": 2})
    assert cache.add("a", 1) is True
    assert cache.touch("a") is False
    assert cache.has_key("a") is False
    assert "a" not in cache
    cache.delete("a")
    cache.delete_many(["a", "b"])
    cache.clear()


# Gone or silent --------------------------------------------------------------------------------


def test_a_cache_that_refuses_costs_nothing_but_misses() -> None:
    cache = cache_at("redis://127.0.0.1:1/0")

    assert timed(lambda: use(cache)) < 0.2


def test_a_silent_cache_is_waited_for_once() -> None:
    with silent_server() as (port, connections):
        cache = cache_at(f"redis://127.0.0.1:{port}/0")
        first = timed(lambda: cache.get("a"))
        rest = timed(lambda: use(cache))
        asked = len(connections)

    assert first < 0.4, "0.2 s, and what a busy machine adds"
    assert rest < 0.1
    assert asked == 1


def test_no_other_thread_waits_for_it_either() -> None:
    """Django makes a cache object per thread."""
    with silent_server() as (port, _):
        url = f"redis://127.0.0.1:{port}/0"
        cache_at(url).get("a")

        assert timed(lambda: use(cache_at(url))) < 0.1


def test_after_a_moment_it_is_asked_again() -> None:
    with silent_server() as (port, connections):
        cache = cache_at(f"redis://127.0.0.1:{port}/0")
        cache.get("a")
        FailOpenClient.resting_until = time.monotonic()
        cache.get("a")

        assert len(connections) == 2
    assert FailOpenClient.REST_SECONDS <= 2


def test_a_host_that_nobody_knows_is_a_cache_that_is_gone() -> None:
    assert cache_at("redis://no-such-host.invalid:6379/0").get("a") is None


def test_nobody_is_signed_out_by_a_cache_that_is_gone(db: None) -> None:
    session = SessionStore()
    session["who"] = "vera"
    session.save()

    assert SessionStore(session.session_key)["who"] == "vera"


# Alive -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = str(REDIS.required())
    port, directory = programs.free_port(), tmp_path_factory.mktemp("redis")
    command = programs.redis(server, port=port, password="secret", directory=Path(directory))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://:secret@127.0.0.1:{port}/0"

    def answers() -> bool:
        try:
            with redis.Redis.from_url(url) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False

    try:
        eventually(answers, what="Redis")
        yield url
    finally:
        process.kill()
        process.wait()


def test_a_cache_that_answers_keeps_what_it_is_given(redis_url: str) -> None:
    cache = cache_at(redis_url)
    cache.set("a", {"b": [1, 2]})
    cache.set_many({"c": 1, "d": 2})

    assert cache.get("a") == {"b": [1, 2]}
    assert cache.get_many(["c", "d", "e"]) == {"c": 1, "d": 2}
    assert cache.add("a", 1) is False
    assert cache.add("new", 1) is True
    assert "a" in cache


def test_every_key_has_a_life(redis_url: str) -> None:
    cache_at(redis_url).set("mortal", 1)

    with redis.Redis.from_url(redis_url) as connection:
        (key,) = connection.keys("*mortal*")
        assert 0 < connection.ttl(key) <= 60


class FromTheFuture:
    """A class that the reading program does not have."""


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x80", b"\x80\x05.", b"not a pickle", b"cno.such.module\nThing\n."],
    ids=["empty", "cut", "nothing in it", "text", "an unknown class"],
)
def test_what_cannot_be_read_is_a_miss_and_no_reason_to_rest(
    redis_url: str, garbage: bytes
) -> None:
    cache = cache_at(redis_url)
    with redis.Redis.from_url(redis_url) as connection:
        connection.set(cache.make_and_validate_key("spoiled"), garbage)

    assert cache.get("spoiled") is None
    assert cache.get_many(["spoiled"]) == {}
    cache.set("spoiled", "mended")
    assert cache.get("spoiled") == "mended"


def test_a_value_of_another_version_of_the_program_is_a_miss(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = cache_at(redis_url)
    cache.set("thing", FromTheFuture())
    assert isinstance(cache.get("thing"), FromTheFuture)

    monkeypatch.delitem(globals(), "FromTheFuture")

    assert cache.get("thing") is None


def test_a_cache_that_comes_back_is_used_again(redis_url: str) -> None:
    cache = cache_at(redis_url)
    FailOpenClient.resting_until = time.monotonic() + 0.05
    cache.set("a", "dropped")

    time.sleep(0.06)

    cache.set("a", "kept")
    assert cache.get("a") == "kept"
