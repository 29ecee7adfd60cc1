"""Django's backend for PostgreSQL, for requests of which most are one small query.

**Its health check asks the server only when there is a reason.** A connection is kept for some
requests, and before the first query of each the question is whether the server has closed it
meanwhile, as a restart does. Django asks the server, which costs a poll a second query. The socket
knows without asking.

**It can prepare.** What a small query costs the server is mostly its plan: of the account's query
and its answer, three quarters. A statement that is asked again and again is planned once for each
connection (services/statements.py). All others go as Django sends them.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

ONLY_WHERE_TOLD = 2**31 - 1
"""psycopg prepares on its own what was sent this many times."""


class PreparingCursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
        return super().execute(query, params, prepare=True, **kwargs)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if settings.DATABASE_PREPARE:
            params["prepare_threshold"] = ONLY_WHERE_TOLD
        return params  # else none, which keeps psycopg from preparing what it is told to, too

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        # Nobody has asked for anything, so that whatever comes is the end or word of it.
        return super().is_usable() if socket.poll(0) else True

    def preparing_cursor(self) -> CursorWrapper:
        """For one statement that is asked over and over, its parameters apart from it."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(PreparingCursor(self.connection))  # type: ignore[attr-defined]
