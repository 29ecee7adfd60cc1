"""Run the tests that touch the database again, on a PostgreSQL of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import POSTGRESQL

FOLDERS = ["tests/services", "tests/views", "tests/api"]


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """A server on a free port of loopback with nothing in it; yields its URL."""
    home = Path(tempfile.mkdtemp(prefix="desk-postgresql-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        account = pwd.getpwnam("postgres")
        os.chown(home, account.pw_uid, account.pw_gid)
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = home / "data"

    def call(*arguments: str | Path) -> None:
        subprocess.run([*as_owner, *map(str, arguments)], check=True, cwd=home, capture_output=True)

    try:
        call(programs / "initdb", "-D", data, "-U", "desk", "-A", "trust", "--no-sync")
        # Lasting is what a database for a minute need not do.
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        call(programs / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
        yield f"postgresql://desk@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [*as_owner, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            check=False,
            cwd=home,
            capture_output=True,
        )
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    if POSTGRESQL.path is None:
        sys.stdout.write(f"Left out: PostgreSQL; it comes by {POSTGRESQL.how}.\n")
        return 1 if os.environ.get("REQUIRE_ALL") else 0
    with server(POSTGRESQL.path) as url:
        called = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *FOLDERS]
        return subprocess.run(called, env=os.environ | {"TEST_DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main())
