"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import requests

T = TypeVar("T")

PATIENCE = 60.0  # seconds until a test gives up: many, since a machine may be busy with others


def eventually(probe: Callable[[], T], *, within: float = PATIENCE, what: str = "") -> T:
    """Ask until the answer is true, and return it. An answer that cannot be had is a no."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = probe()
            if answer:
                return answer
        except (requests.RequestException, OSError) as e:
            last = e
        time.sleep(0.05)
    raise AssertionError(f"{what or 'It'} did not come within {within:g} s; last: {last!r}")


def throughout(probe: Callable[[], T], *, seconds: float) -> T:
    """The answer stays true for that long."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        assert answer, "It did not stay so."
        if time.monotonic() > deadline:
            return answer
        time.sleep(0.05)
