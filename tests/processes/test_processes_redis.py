"""Redis is allowed to die: pages and clicks answer, nobody is signed out, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.harness import Desk
from tests.person import Person
from tests.waiting import eventually

pytestmark = pytest.mark.processes

WITHIN = 1.0  # seconds

Trouble = Callable[[Desk], None]


def refused(desk: Desk) -> None:
    desk.kill("redis")


def hanging(desk: Desk) -> None:
    desk.freeze("redis")


def back(desk: Desk) -> None:
    if desk.programs["redis"].running:
        desk.thaw("redis")
    else:
        desk.start("redis")


@contextmanager
def at_once(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    took = time.monotonic() - started
    assert took < WITHIN, f"{what} took {took:.2f} s"


def look_around(person: Person, endpoint: str) -> None:
    name = endpoint.replace("/", "/e/")
    for path in ("/endpoints/", f"/w/{name}/", f"/w/{name}/stop/", "/operations/", "/status.json"):
        with at_once(path):
            answer = person.get(path)
        assert answer.status_code == 200, path


@pytest.mark.parametrize(
    ("trouble", "endpoint"),
    [
        pytest.param(refused, "lab/product-search-embeddings", id="refused"),
        pytest.param(hanging, "lab/demand-forecast", id="hanging"),
    ],
)
def test_pages_and_clicks_answer_at_once_and_the_click_is_done_once_redis_is_back(
    desk: Desk, trouble: Trouble, endpoint: str
) -> None:
    otto, vera = desk.person("otto"), desk.person("vera")
    trouble(desk)

    look_around(vera, endpoint)
    with at_once("The click"):
        otto.ask(endpoint, "stop")
    look_around(otto, endpoint)  # still signed in
    look_around(Person(desk.url, "mika"), endpoint)  # signed in just now
    assert otto.operation(endpoint).state == "queued"

    back(desk)
    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.lab.writes(endpoint.partition("/")[2]) == [("stop", 200)]


def test_an_emptied_redis_loses_no_click_and_signs_nobody_out(desk: Desk) -> None:
    endpoint, otto = "lab/embed-multilingual", desk.person("otto")
    desk.kill("worker-operations")  # so that the message waits in Redis
    otto.ask(endpoint, "stop")

    desk.empty_redis()
    assert otto.get("/endpoints/").status_code == 200

    desk.start("worker-operations")
    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.lab.writes("embed-multilingual") == [("stop", 200)]


def test_many_open_pages_are_answered_at_once_while_redis_hangs(desk: Desk) -> None:
    vera = desk.person("vera")
    cursor = vera.page("/endpoints/").select_one("#poll")
    assert cursor is not None
    desk.freeze("redis")
    for _ in range(8):
        with at_once("A poll"):
            answer = vera.get(f"/endpoints/changes/?since={cursor['data-cursor']}")
        assert answer.status_code in (200, 204)
    desk.thaw("redis")
    eventually(lambda: desk.knows("lab"))
