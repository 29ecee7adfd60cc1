"""What the tests of the services need beyond the cast: hands on the workspace, real commits."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection, connections

from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.emulator import Running
from endpoints_app.models import Endpoint, Operation
from endpoints_app.services import operations, sync
from tests.conftest import Clock, Lab, configured

BASE = "/api/2.0/serving-endpoints"
LIST = f"GET {BASE}"
GET = f"GET {BASE}/{{name}}"
STOP = f"POST {BASE}/{{name}}/config:stop"
START = f"POST {BASE}/{{name}}/config:start"
DELETE = f"DELETE {BASE}/{{name}}"

ONE = {"method": "GET", "route": f"{BASE}/{{name}}"}
"""What a fault matches to hit the reads of single endpoints; add a name."""
ALL = {"method": "GET", "route": BASE}
"""What a fault matches to hit the list."""


@pytest.fixture(autouse=True, scope="session")
def _sdk_is_imported() -> None:
    """Its import takes seconds on a busy machine, which no deadline of a test should pay."""
    importlib.import_module("databricks.sdk.config")


Tell = Callable[..., None]


@pytest.fixture
def behind_our_back(emulator: Running) -> Tell:
    """Change an endpoint in the workspace: `behind_our_back("churn", remove=True)`."""

    def change(name: str, **what: Any) -> None:
        answer = requests.post(f"{emulator.url}/_control/endpoints/{name}", json=what, timeout=5)
        assert answer.status_code == 200, answer.text

    return change


def actions(operation: Operation) -> list[str]:
    """What the record says of it, step by step."""
    return list(operation.audit.order_by("pk").values_list("action", flat=True))


class Desk:
    """Clicks and the engine by hand."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.clock: Clock = lab.clock
        self.emulator: Running = lab.emulator

    def ask(self, kind: str, name: str, actor: User, **how: Any) -> Operation:
        endpoint = self.lab.endpoint(name)
        if kind == "delete":
            how.setdefault("confirm", name)
        return operations.request(
            endpoint, OperationKind(kind), actor=actor, now=self.clock(), stale=False, **how
        )

    def look(self, operation: Operation, seconds: float = 0) -> Operation:
        """Let `seconds` pass, then take one look."""
        self.clock.forward(seconds)
        operations.advance(operation.pk, clock=self.clock)
        operation.refresh_from_db()
        return operation

    def look_until_settled(self, operation: Operation, *, looks: int = 100) -> Operation:
        """Look about every ten seconds until it is settled."""
        for _ in range(looks):
            self.clock.now = max(self.clock.forward(10), operation.next_look_at)
            if not self.look(operation).is_open:
                return operation
        raise AssertionError(f"still {operation.state} after {looks} looks")

    def writes(self) -> list[str]:
        """The calls that the workspace got and that may change something."""
        return [f"{w['method']} {w['name']}" for w in self.emulator.calls.document()["writes"]]

    def row(self, operation: Operation) -> Endpoint:
        return Endpoint.objects.get(pk=operation.endpoint_id)


def listed(lab: Lab) -> None:
    """One list and none of the looks that follow it: all rows are there, nothing is outstanding."""
    with pytest.MonkeyPatch.context() as m:
        m.setattr(sync, "LOOKS_PER_CYCLE", 0)
        lab.sync()
    lab.workspace.endpoints.update(next_look_at=None)
    lab.emulator.calls.clear()


@pytest.fixture
def desk(lab: Lab) -> Desk:
    """An operation reads what it needs: no details are there."""
    listed(lab)
    return Desk(lab)


# Real commits, for several threads -------------------------------------------------------------


@pytest.fixture
def shared_database(db: None, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the test database, where each thread has its own connection and commits are real:
    SQLite's as a file."""
    with django_db_blocker.unblock():
        original = connections["default"]
        configured = connections.settings["default"]
        name = configured["NAME"]
        if connection.vendor == "sqlite":
            copy = str(tmp_path / "db.sqlite3")
            Path(copy).write_bytes(original.connection.serialize())
        else:
            original.creation.clone_test_db("shared", verbosity=0, autoclobber=True)
            copy = original.creation.get_test_db_clone_settings("shared")["NAME"]
        configured["NAME"] = copy
        del connections["default"]
        try:
            yield
        finally:
            connections["default"].close()
            configured["NAME"] = name
            connections["default"] = original
            if connection.vendor != "sqlite":
                original.creation.destroy_test_db(suffix="shared", verbosity=0)


@pytest.fixture
def shared_lab(
    shared_database: None,
    emulator: Running,
    clock: Clock,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Lab:
    """The workspace `lab` in the shared database."""
    return configured(emulator, clock, settings, monkeypatch)


def at_once(*calls: Callable[[], Any], patience: float = 30) -> list[Any]:
    """Run the calls in threads that begin together; returns what each returned or raised."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            results[place] = call()
        except Exception as e:  # noqa: BLE001  # the test looks at it
            results[place] = e
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
        assert not thread.is_alive(), "still waiting for each other"
    return results
