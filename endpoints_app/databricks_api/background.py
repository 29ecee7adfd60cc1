"""Work that cannot be told to stop, waited for only as long as the caller has time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[], T], *, name: str) -> Future[T]:
    """Run `work` in a thread of its own, which does not keep the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as failure:  # noqa: BLE001  # the caller gets it from the future
            future.set_exception(failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
