"""Serves an emulator on a socket: in the foreground for the command, in a thread for tests."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from endpoints_app.emulator.app import Emulator, Options
from endpoints_app.emulator.auth import Credentials
from endpoints_app.emulator.calls import Calls
from endpoints_app.emulator.world import World


class _Handler(WSGIRequestHandler):
    # Headers and body leave in two writes; with Nagle's algorithm the second may wait.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a console that polls would fill the terminal."""


@dataclass
class Running:
    """A running workspace, as tests use it."""

    emulator: Emulator
    url: str

    @property
    def token(self) -> str:
        return self.emulator.credentials.token

    @property
    def world(self) -> World:
        return self.emulator.world

    @property
    def calls(self) -> Calls:
        return self.emulator.calls

    def fault(self, kind: str, **document: Any) -> None:
        """Let calls go wrong: `fault("drop", match={"method": "POST"}, times=1)`; see faults.py."""
        self.emulator.faults.add({"kind": kind, **document})

    def clear_faults(self) -> None:
        self.emulator.faults.clear()

    def advance(self, seconds: float) -> None:
        """Move the workspace's clock."""
        with self.world.lock:
            self.world.advance(seconds)


@contextmanager
def serving(
    *,
    endpoints: int = 24,
    seed: int = 0,
    company: str | None = None,
    time_scale: float = 1.0,
    clock: Callable[[], float] = time.time,
    credentials: Credentials | None = None,
    state: Path | None = None,
    port: int = 0,
) -> Iterator[Running]:
    """Serve a workspace from a thread: `with serving(endpoints=3) as workspace:`."""
    options = Options(endpoints=endpoints, seed=seed, company=company, time_scale=time_scale)
    emulator = Emulator(options, credentials, clock=clock, state=state)
    server = _listen(emulator, host="127.0.0.1", port=port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Running(emulator, f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join()


def run(emulator: Emulator, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `say` gets one line once the socket listens."""

    def end(signum: int, frame: object) -> None:
        raise SystemExit(0)

    # Without handlers the first process of a container ignores SIGTERM, and one that a script has
    # put into the background SIGINT.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    server = _listen(emulator, host=host, port=port)
    say(f"Workspace emulator on http://{host}:{server.port}")
    server.serve_forever()


def _listen(emulator: Emulator, *, host: str, port: int) -> BaseWSGIServer:
    """A server that listens already; port 0 picks a free one."""
    return make_server(host, port, emulator, threaded=True, request_handler=_Handler)
