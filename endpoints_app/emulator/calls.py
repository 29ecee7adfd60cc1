"""What was asked of the emulator, so that tests can count it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

WRITES_KEPT = 10_000


@dataclass
class Write:
    """A call that may change something. `status` stays None when no answer was sent."""

    method: str
    path: str
    name: str | None
    at: float
    status: int | None = None


@dataclass
class Calls:
    """Counts per `METHOD pattern`, and each of the last writes on its own; counted on arrival."""

    counts: Counter[str] = field(default_factory=Counter)
    writes: list[Write] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def arrived(
        self, *, route: str, method: str, path: str, name: str | None, at: float
    ) -> Write | None:
        with self._lock:
            self.counts[route] += 1
            if method in ("GET", "HEAD") or path.startswith("/oidc/"):
                return None
            write = Write(method, path, name, at)
            self.writes.append(write)
            del self.writes[:-WRITES_KEPT]
            return write

    def clear(self) -> None:
        with self._lock:
            self.counts.clear()
            self.writes.clear()

    def document(self) -> dict[str, Any]:
        with self._lock:
            return {
                "calls": dict(sorted(self.counts.items())),
                "writes": [asdict(write) for write in self.writes],
            }
