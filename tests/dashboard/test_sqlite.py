"""How SQLite's writers wait: each asks often, and while it waits it holds up nobody."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections

from dashboard.sqlite import base
from dashboard.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.django_db  # other databases than the tests', but databases

PATIENCE = 2.0  # seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path


@contextmanager
def connected(path: Path, **options: Any) -> Iterator[DatabaseWrapper]:
    given = {"transaction_mode": "IMMEDIATE", "timeout": PATIENCE} | options
    default = connections.settings["default"]
    connection = DatabaseWrapper(default | {"NAME": str(path), "OPTIONS": given})
    connection.inc_thread_sharing()
    try:
        connection.ensure_connection()
        yield connection
    finally:
        connection.close()


@contextmanager
def somebody_writes(path: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield other
    finally:
        other.close()


def insert(connection: DatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (%s)", [1])


def begin(connection: DatabaseWrapper) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def rows(connection: DatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("SELECT count(*) FROM t").fetchone()[0])


@contextmanager
def waiting(what: Callable[[], None]) -> Iterator[list[Exception]]:
    """A thread that does it, and has to wait; afterwards it is over, with or without an error."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            what()
        except OperationalError as e:
            errors.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    yield errors
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("what", [insert, begin], ids=["a statement", "a transaction"])
def test_who_writes_waits_until_the_other_one_is_done(
    path: Path, what: Callable[[DatabaseWrapper], None]
) -> None:
    with connected(path) as ours, somebody_writes(path) as other:
        with waiting(lambda: what(ours)) as errors:
            other.execute("INSERT INTO t VALUES (0)")
            other.execute("COMMIT")
        assert errors == []
        assert rows(ours) == (2 if what is insert else 1)


@pytest.mark.parametrize("what", [insert, begin], ids=["a statement", "a transaction"])
def test_and_gives_up_when_its_patience_is_over(
    path: Path, what: Callable[[DatabaseWrapper], None]
) -> None:
    with (
        connected(path, timeout=0.05) as ours,
        somebody_writes(path),
        pytest.raises(OperationalError, match="locked"),
    ):
        what(ours)


def test_who_waits_does_not_hold_up_who_collects_its_garbage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead cursor is collected in whichever thread makes the garbage full, and the connection it
    was of must be free then. SQLite's own waiting keeps it locked; ours is between two tries."""
    tried = threading.Event()
    wait = time.sleep
    monkeypatch.setattr(base.time, "sleep", lambda seconds: (tried.set(), wait(seconds)))
    with connected(path) as ours, somebody_writes(path) as other:
        with waiting(lambda: insert(ours)) as errors:
            assert tried.wait(PATIENCE / 2)
            ours.connection.set_progress_handler(None, 0)  # locks it likewise
            other.execute("COMMIT")
        assert errors == []


def test_what_waiting_does_not_mend_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has read and then writes, and somebody else has written in between."""
    slept: list[float] = []
    monkeypatch.setattr(base.time, "sleep", slept.append)
    with connected(path, transaction_mode=None) as ours, somebody_writes(path) as other:
        begin(ours)
        assert rows(ours) == 0
        other.execute("INSERT INTO t VALUES (0)")
        other.execute("COMMIT")
        with pytest.raises(OperationalError, match="locked"):
            insert(ours)
    assert slept == []


def test_what_is_wrong_is_said_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.time, "sleep", lambda _: pytest.fail("it waited"))
    with (
        connected(path) as ours,
        ours.cursor() as cursor,
        pytest.raises(OperationalError, match="no such table"),
    ):
        cursor.execute("SELECT 1 FROM nowhere")


def test_it_is_what_the_settings_name(settings: Any) -> None:
    if settings.DATABASE_URL.startswith("postgres"):
        pytest.skip("this run is on PostgreSQL")
    assert settings.DATABASES["default"]["ENGINE"] == "dashboard.sqlite"
    assert settings.DATABASES["default"]["OPTIONS"]["timeout"] == settings.LOCK_SECONDS
