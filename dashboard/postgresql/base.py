"""Django's backend for PostgreSQL, whose health check asks the server only when there is a reason.

A connection is kept for some requests, and before the first query of each the question is whether
the server has closed it meanwhile, as a restart does. Django asks the server, which costs a poll,
most of which is one query, a second one. The socket knows without asking.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        # Nobody has asked for anything, so that whatever comes is the end or word of it.
        return super().is_usable() if socket.poll(0) else True
