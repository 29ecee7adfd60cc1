"""Faults on demand: which call goes wrong, how, and how often.

A fault is JSON: `{"kind": …, "match": {…}, "times": n}` with the options of its kind beside.

`match` (every part given must fit; none: every call)
    method  `GET`
    route   the route as the call count names it, without the method:
            `/api/2.0/serving-endpoints/{name}/config:stop`
    path    a regular expression that is found in the path
    name    the endpoint's name; for a create, the name in its body
`times`     how many calls it hits; absent or null: all until the faults are cleared
`after`     (latency, status, drop) true: the operation is performed first

kind          options
latency       seconds: the answer comes that much later
status        status, and body, content_type, retry_after (seconds) or retry_after_date (seconds
              from now, sent as an HTTP date); without a body: the platform's error, HTML for 504
drop          the connection is closed without an answer
half          half of the body is sent, then the connection is closed
drip          bytes_per_second, and headers: true to let them drip as well
expire_token  the credential is refused with 401
redirect      to: the Location; status (302)
lie           set: {dotted path: value} and remove: [dotted path] in the answer's document; in a
              list in every endpoint, or only in the one named by `of`
half_list     every second endpoint is missing from the list, or those named in `missing`
ignore        the operation is accepted and answered, but never happens
fail_midway   the operation begins and then ends otherwise: outcome failed (the default),
              timed_out or stopped, and message for its first entity
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from endpoints_app.emulator.errors import invalid

OPTIONS: dict[str, frozenset[str]] = {
    "latency": frozenset({"seconds", "after"}),
    "status": frozenset(
        {"status", "body", "content_type", "retry_after", "retry_after_date", "after"}
    ),
    "drop": frozenset({"after"}),
    "half": frozenset(),
    "drip": frozenset({"bytes_per_second", "headers"}),
    "expire_token": frozenset(),
    "redirect": frozenset({"to", "status"}),
    "lie": frozenset({"set", "remove", "of"}),
    "half_list": frozenset({"missing"}),
    "ignore": frozenset(),
    "fail_midway": frozenset({"outcome", "message"}),
}
NEEDED = {
    "latency": {"seconds"},
    "status": {"status"},
    "drip": {"bytes_per_second"},
    "redirect": {"to"},
}
_MATCHES = {"method", "route", "path", "name"}


@dataclass
class Fault:
    kind: str
    match: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def after(self) -> bool:
        return bool(self.options.get("after"))

    def fits(self, *, method: str, route: str | None, path: str, name: str | None) -> bool:
        wanted = self.match
        return (
            wanted.get("method", method) == method
            and wanted.get("route", route) == route
            and wanted.get("name", name) == name
            and re.search(wanted.get("path", ""), path) is not None
        )


class Faults:
    """The faults in force, in the order they were added; each hit uses up one of its times."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, document: dict[str, Any]) -> Fault:
        fault = parse(document)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, *, method: str, route: str | None, path: str, name: str | None) -> list[Fault]:
        """The faults that hit this call."""
        with self._lock:
            hits = [
                fault
                for fault in self._faults
                if fault.fits(method=method, route=route, path=path, name=name)
            ]
            for fault in hits:
                if fault.times is not None:
                    fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times != 0]
            return hits

    def document(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"kind": it.kind, "match": it.match, "times": it.times} | it.options
                for it in self._faults
            ]


def parse(document: dict[str, Any]) -> Fault:
    """A misspelt fault would make a test pass for nothing, so everything unknown is refused."""
    kind, match, times = document.get("kind"), document.get("match") or {}, document.get("times")
    options = {key: document[key] for key in document.keys() - {"kind", "match", "times"}}
    if kind not in OPTIONS:
        raise invalid(f"Unknown kind of fault {kind!r}; known: {', '.join(OPTIONS)}.")
    if unknown := options.keys() - OPTIONS[kind]:
        raise invalid(f"A fault of kind {kind} has no {', '.join(sorted(unknown))}.")
    if missing := NEEDED.get(kind, set()) - options.keys():
        raise invalid(f"A fault of kind {kind} needs {', '.join(sorted(missing))}.")
    if unknown := match.keys() - _MATCHES:
        raise invalid(f"A match has no {', '.join(sorted(unknown))}.")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise invalid("times must be a positive number or null.")
    return Fault(kind, match, times, options)
