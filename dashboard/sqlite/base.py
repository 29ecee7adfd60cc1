"""Django's SQLite, with another way of waiting for one's turn.

SQLite's own way asks again after 1, 2, 5 and up to 100 ms: who has waited longest asks most rarely,
and a click that meets a worker with much to write misses gap after gap. It also keeps the
connection locked meanwhile. Where another thread, the writer that is waited for, happens to
collect a dead cursor of that connection, the two wait for each other until the time is over.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3 import base

PAUSE = 0.001  # seconds between two tries

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY})
"""Somebody else has the file. SQLITE_BUSY_SNAPSHOT is no such case: waiting does not help there."""


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """SQLite itself waits for nothing from here on; our cursors do, for as long as it had."""
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.patience = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        return cursor


class Cursor(base.SQLiteCursorWrapper):
    patience: float  # seconds

    def execute(self, query: str, params: Any = None) -> Any:
        """Asked again while it is busy: then nothing of it has happened. Not so `executemany`,
        which may have written a part, and which nothing here uses."""
        ends = 0.0
        while True:
            try:
                return super().execute(query, params)
            except sqlite3.OperationalError as e:
                ends = ends or time.monotonic() + self.patience
                if e.sqlite_errorcode not in BUSY or time.monotonic() >= ends:
                    raise
            time.sleep(PAUSE)
