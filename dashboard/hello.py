"""Says, once the dashboard answers, what to open and how to sign in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 60.0  # seconds


class Hello:
    """Called over and over; speaks once."""

    def __init__(self, *, port: int, var_dir: Path, demo: bool, say: Callable[[str], None]) -> None:
        self.address = f"http://localhost:{port}/"
        self._probe = f"http://127.0.0.1:{port}/healthz"
        self._var_dir, self._demo, self._say = var_dir, demo, say
        self._deadline = time.monotonic() + PATIENCE
        self._done = False

    def __call__(self) -> None:
        if self._done:
            return
        if _answers(self._probe):
            self._say("\n".join(self._lines()))
        elif time.monotonic() > self._deadline:
            web = self._var_dir / "log" / "web.log"
            self._say(f"Serving Desk does not answer on {self.address}; {web} may say why.")
        else:
            return
        self._done = True

    def _lines(self) -> list[str]:
        accounts = (self._var_dir / "accounts.txt").read_text().splitlines()
        lines = ["", f"Serving Desk is on {self.address}", "Sign in with one of:"]
        lines += [f"  {account}" for account in accounts]
        if self._demo:
            lines += ["Two emulated workspaces stand in for Databricks. For a real one set"]
            lines += ["DATABRICKS_HOST and DATABRICKS_TOKEN, and start again."]
        return [*lines, "Ctrl-C ends it.", ""]


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=1) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
