"""What a process keeps because making it anew costs more: bounded, and never the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """At most `most` things by their key; the oldest make room, a quarter at once. Threads share
    it: a key names all that its thing depends on, so that either of two threads may put it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        return self._kept.get(key)

    def put(self, key: K, thing: V) -> V:
        self._kept.pop(key, None)  # what is put anew is the newest
        if len(self._kept) >= self.most:
            for old in list(self._kept)[: max(1, self.most // 4)]:
                self._kept.pop(old, None)
        self._kept[key] = thing
        return thing

    def clear(self) -> None:
        self._kept.clear()

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._kept.values()))

    def __len__(self) -> int:
        return len(self._kept)
