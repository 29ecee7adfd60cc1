"""Says, once the dashboard answers, what to open and how to sign in."""

import os
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 60  # seconds


def main() -> None:
    address = f"http://localhost:{os.environ['PORT']}/"
    deadline = time.monotonic() + PATIENCE
    while not _answers(address):
        if time.monotonic() > deadline:
            sys.exit(f"Serving Desk does not answer on {address}; the lines above say why.")
        time.sleep(0.2)
    accounts = (Path(os.environ["VAR_DIR"]) / "accounts.txt").read_text()
    lines = ["", f"Serving Desk is on {address}", *accounts.splitlines()]
    if os.environ.get("DEMO"):
        lines += ["Two emulated workspaces stand in for Databricks. For a real one set"]
        lines += ["DATABRICKS_HOST and DATABRICKS_TOKEN, and start again."]
    lines += ["Ctrl-C ends it.", ""]
    sys.stdout.write("\n".join(lines) + "\n")


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}healthz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    main()
