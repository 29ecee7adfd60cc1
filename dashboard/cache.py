"""A Redis cache that may die: reads miss, writes are dropped, and pages go on.

Whatever is in it can be had from the database, so nothing is lost with it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")
log = logging.getLogger(__name__)


class FailOpenClient(RedisCacheClient):
    """The client of one process. After a failure it does not ask again for a moment, so that a
    page that reads ten keys from a hanging Redis waits for one."""

    REST_SECONDS = 1.0

    def __init__(self, servers: list[str], **options: Any) -> None:
        # redis-py retries three times by default, each with the whole timeout.
        super().__init__(servers, retry=Retry(NoBackoff(), 0), **options)
        self._lock = threading.Lock()
        self._resting_until = 0.0

    def _try(self, call: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return call()
        except RedisError as e:
            with self._lock:
                self._resting_until = time.monotonic() + self.REST_SECONDS
            log.warning("The cache does not answer (%s); going on without it.", type(e).__name__)
            return otherwise

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        return self._try(lambda: super(FailOpenClient, self).add(key, value, timeout), True)

    def get(self, key: Any, default: Any) -> Any:
        return self._try(lambda: super(FailOpenClient, self).get(key, default), default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        self._try(lambda: super(FailOpenClient, self).set(key, value, timeout), None)

    def touch(self, key: Any, timeout: Any) -> bool:
        return self._try(lambda: super(FailOpenClient, self).touch(key, timeout), False)

    def delete(self, key: Any) -> bool:
        return self._try(lambda: super(FailOpenClient, self).delete(key), False)

    def get_many(self, keys: Any) -> dict[Any, Any]:
        return self._try(lambda: super(FailOpenClient, self).get_many(keys), {})

    def has_key(self, key: Any) -> bool:
        return self._try(lambda: super(FailOpenClient, self).has_key(key), False)

    def set_many(self, data: Any, timeout: Any) -> None:
        self._try(lambda: super(FailOpenClient, self).set_many(data, timeout), None)

    def delete_many(self, keys: Any) -> None:
        self._try(lambda: super(FailOpenClient, self).delete_many(keys), None)

    def clear(self) -> bool:
        return self._try(lambda: super(FailOpenClient, self).clear(), False)


class FailOpenRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = FailOpenClient
