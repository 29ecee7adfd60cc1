"""The same on PostgreSQL, each test on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.harness import Desk
from tests.needs import POSTGRESQL
from tests.on_postgresql import server
from tests.waiting import eventually

pytestmark = pytest.mark.faults


@pytest.fixture
def database_url() -> Iterator[str]:
    with server(POSTGRESQL.required()) as url:
        yield url


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "desk", database_url=database_url) as desk:
        yield desk


def test_the_main_flow_and_a_killed_worker_on_postgresql(desk: Desk) -> None:
    endpoint = "lab/customer-ltv"
    otto, mika = desk.person("otto"), desk.person("mika")

    otto.ask(endpoint, "stop", reason="quiet night")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")

    desk.freeze("worker-operations")
    otto.ask(endpoint, "start")
    desk.kill("worker-operations")
    desk.start("worker-operations")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "ready")

    mika.ask(endpoint, "delete", confirm="customer-ltv")
    assert mika.until_settled(endpoint) == "confirmed"
    mika.until_status(endpoint, None)
    assert desk.lab.writes("customer-ltv") == [("stop", 200), ("start", 200), ("delete", 200)]

    desk.kill("worker-operations", "worker-sync", "beat")
    eventually(lambda: not desk.knows("lab"), what="Unknown")


def test_connections_that_the_server_closed_cost_no_page(desk: Desk, database_url: str) -> None:
    """As it does when it is started anew: each process finds out before it asks."""
    vera = desk.person("vera")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    for _ in range(3):
        for _ in range(20):
            assert vera.get("/endpoints/").status_code == 200
        with psycopg.connect(database_url) as connection:
            closed = connection.execute(f"{others} AND usename = current_user").rowcount
        assert closed, "nobody was connected; this proves nothing"
        for path in ("/endpoints/", "/endpoints/changes/", "/status.json") * 5:
            assert vera.get(path).status_code == 200
