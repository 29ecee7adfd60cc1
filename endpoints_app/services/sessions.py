"""Sessions in the database, with a copy in the cache.

The copy comes in one exchange with the cache together with the head that the same request will
ask for (services/live.py): a poll waits for Redis once.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends import cached_db

from endpoints_app.services import live
from endpoints_app.services.live import Head

OURS = re.compile("[a-z0-9]{1,40}")
"""What session keys look like."""


class SessionStore(cached_db.SessionStore):
    head: Head | None = None
    """The head as it was when the session was read: before any row that this request reads."""

    def load(self) -> dict[str, Any]:
        if not OURS.fullmatch(self.session_key or ""):  # nor a key for the cache
            return super().load()
        found = self._cache.get_many([self.cache_key, live.CACHE_KEY])  # type: ignore[attr-defined]
        head = found.get(live.CACHE_KEY)
        self.head = head if isinstance(head, Head) else None
        data: dict[str, Any] | None = found.get(self.cache_key)
        return super().load() if data is None else data
