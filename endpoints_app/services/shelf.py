"""What a process keeps because making it anew costs more: bounded, and never the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

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


class _Drawn(NamedTuple, Generic[V]):
    thing: V
    at: datetime
    until: datetime


class ShelfForATime(Generic[K, V]):
    """A shelf of what also tells times: each thing is true until one of them would read
    differently, and was not yet before it was drawn."""

    def __init__(self, most: int) -> None:
        self.shelf: Shelf[K, _Drawn[V]] = Shelf(most)

    def get(self, key: K, now: datetime) -> V | None:
        kept = self.shelf.get(key)
        return kept.thing if kept is not None and kept.at <= now < kept.until else None

    def put(self, key: K, thing: V, *, now: datetime, until: datetime) -> V:
        self.shelf.put(key, _Drawn(thing, now, until))
        return thing

    def clear(self) -> None:
        self.shelf.clear()

    def __iter__(self) -> Iterator[V]:
        return (kept.thing for kept in self.shelf)

    def __len__(self) -> int:
        return len(self.shelf)
