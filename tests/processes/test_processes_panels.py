"""Panels that hang, and many who read the same log, through the real web server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.harness import Desk
from tests.person import Person
from tests.waiting import eventually

pytestmark = pytest.mark.processes

HANG = 60  # seconds
MANY = 1000


@pytest.fixture(autouse=True)
def _mended(desk: Desk) -> Iterator[None]:
    yield
    desk.mend()


def again(person: Person) -> requests.Session:
    """Another window of the same person: a session is not for several threads."""
    session = requests.Session()
    session.cookies.update(person.cookies)
    return session


def server_log(person: Person, name: str) -> str:
    """Where the tab leads once the endpoint has been read."""
    tab = f"/w/lab/e/{name}/logs/?log=server"

    def leads() -> str:
        return person.get(tab, allow_redirects=False).headers.get("Location", "")

    return eventually(leads, what=tab)


def test_panels_that_hang_never_stop_the_list(desk: Desk) -> None:
    """Every call from a page hangs, and more of them are asked for than there are threads."""
    otto = desk.person("otto")
    names = ["churn", "lead-scoring", "price-elasticity"]
    addresses = [f"{server_log(otto, name)}part/" for name in names]
    for name in names:
        addresses.append(f"/w/lab/e/{name}/schema/part/")
        addresses.append(f"/w/lab/e/{name}/permissions/changes/")
    for path in ("served-models", "/openapi$", "/permissions/", "/invocations$", "/scim/"):
        desk.lab.fault("latency", seconds=HANG, match={"path": path})
    body = {"body": '{"dataframe_records": [{}]}'}
    headers = {"X-CSRFToken": otto.cookies.get("csrftoken") or ""}

    def open_panel(address: str) -> int:
        with again(otto) as session:
            return session.get(desk.url + address, timeout=HANG).status_code

    def try_it(name: str) -> int:
        with again(otto) as session:
            url = f"{desk.url}/w/lab/e/{name}/schema/try/"
            return session.post(url, data=body, headers=headers, timeout=HANG).status_code

    with ThreadPoolExecutor(40) as pool:
        hanging = [pool.submit(try_it, name) for name in names]
        hanging += [pool.submit(open_panel, address) for address in addresses * 3]
        time.sleep(0.5)
        took = []
        for _ in range(20):
            began = time.monotonic()
            assert otto.page("/endpoints/").select("tr [data-status]")
            assert otto.get("/healthz").ok
            took.append(time.monotonic() - began)
            time.sleep(0.1)
        assert any(not it.done() for it in hanging), "Nothing hung; this proves nothing."
        answers = [it.result() for it in hanging]
    assert set(answers) <= {200}
    assert max(took) < 2.5, f"a list waited {max(took):.1f} s"


def test_one_broken_panel_leaves_the_others_of_its_workspace(desk: Desk) -> None:
    vera = desk.person("vera")
    log = server_log(vera, "lead-scoring")

    def shows_permissions(name: str) -> bool:
        return bool(vera.page(f"/w/lab/e/{name}/permissions/?wait=1").select("tr[data-principal]"))

    def each_process_does() -> bool:
        return all(shows_permissions(name) for name in ("churn", "price-elasticity") * 4)

    eventually(each_process_does, what="a workspace that rests no longer")
    desk.lab.fault("status", status=500, match={"path": "served-models"})
    for _ in range(8):  # each process meets it
        assert vera.page(f"{log}?read=1").select("#log-panel [data-state=error]")
    for name in ("lead-scoring", "price-elasticity", "geo-features"):
        assert shows_permissions(name), name


@pytest.mark.parametrize("cache", ["with Redis", "without"])
def test_fifty_readers_over_http_cost_a_call_each_three_seconds(desk: Desk, cache: str) -> None:
    """Of each web process, where nothing tells them of each other."""
    name, seconds = "basket-recommender", 7.0
    vera = desk.person("vera")
    log = server_log(vera, name)
    text = "".join(f"2026-11-22T02:30:{i:02} INFO line {i}\n" for i in range(60))
    path = f"/{name}/served-models"
    desk.lab.fault("status", status=200, body={"logs": text}, match={"path": path}, times=MANY)
    eventually(lambda: vera.page(f"{log}?read=1").select("#L60"), what="The log")
    if cache == "without":
        desk.kill("redis")

    def asked() -> int:
        (fault,) = desk.lab.faults()
        return MANY - int(fault["times"])

    before, ends = asked(), time.monotonic() + seconds

    def follow(_: Any) -> set[int]:
        seen = set()
        with again(vera) as session:
            while time.monotonic() < ends:
                seen.add(session.get(f"{desk.url}{log}tail/?after=0.0.", timeout=20).status_code)
                time.sleep(0.7)
        return seen

    with ThreadPoolExecutor(50) as pool:
        seen = set().union(*pool.map(follow, range(50)))
    took = time.monotonic() - ends + seconds
    assert seen <= {200, 204}
    processes = 1 if cache == "with Redis" else 2
    assert 1 <= asked() - before <= processes * (took / 3 + 1)
