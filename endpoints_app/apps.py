import sqlite3
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class EndpointsConfig(AppConfig):
    name = "endpoints_app"
    verbose_name = "Serving Desk"

    def ready(self) -> None:
        connection_created.connect(_ask_sqlite_what_it_takes)
        # A workspace without host or with two kinds of credentials stops the start, by name.
        from endpoints_app.services import accounts, clients

        clients.read_configuration()
        accounts.watch()


def _ask_sqlite_what_it_takes(connection: Any, **_: object) -> None:
    """Django holds to the 999 variables in a statement that SQLite took until 2020: 24 rows of
    ours. A batch of rows would be ten statements."""
    if connection.vendor == "sqlite":
        most = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = most
