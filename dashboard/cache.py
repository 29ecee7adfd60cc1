"""A Redis cache that may die: reads miss, writes are dropped, and pages go on.

Whatever is in it can be had from the database, so nothing is lost with it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient, RedisSerializer
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")
log = logging.getLogger(__name__)


class Unreadable(Exception):
    """A value that another version of the program wrote, or another program."""


class Serializer(RedisSerializer):
    def loads(self, data: Any) -> Any:
        try:
            return super().loads(data)
        except Exception as e:  # unpickling raises whatever it meets
            raise Unreadable from e


class FailOpenClient(RedisCacheClient):
    """After a failure no thread of the process asks again for a moment, so that a page that reads
    ten keys from a hanging Redis waits for one."""

    REST_SECONDS = 1.0
    resting_until: ClassVar[float] = 0.0

    def __init__(self, servers: list[str], **options: Any) -> None:
        # redis-py retries three times by default, each with the whole timeout.
        retry = Retry(NoBackoff(), 0)
        super().__init__(servers, serializer=Serializer(), retry=retry, **options)
        self._ours: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """One for all: there is one server, and to build a client for each question, as Django
        does, costs a good part of the question."""
        if self._ours is None:
            self._ours = super().get_client(key, write=write)
        return self._ours

    def _try(self, call: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < FailOpenClient.resting_until:
            return otherwise
        try:
            return call()
        except Unreadable:
            return otherwise
        except RedisError as e:
            FailOpenClient.resting_until = time.monotonic() + self.REST_SECONDS
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
