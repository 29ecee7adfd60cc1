"""The same on PostgreSQL: TEST_DATABASE_URL's, or one of our own where its programs are."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.programs import free_port
from tests.harness import Desk, eventually, left_out

pytestmark = pytest.mark.faults

SERVER_USER = "postgres"


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    if given := os.environ.get("TEST_DATABASE_URL", "").strip():
        yield given
        return
    if (programs := postgresql_programs()) is None:
        left_out("no PostgreSQL was found (Debian package postgresql; or set TEST_DATABASE_URL)")
    # It refuses to run as root; Debian's package brings a user.
    user = SERVER_USER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="desk-pg-") as directory:
        data, port = Path(directory) / "data", free_port()
        if user:
            shutil.chown(directory, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            subprocess.run(command, user=user, cwd=directory, check=True, stdout=subprocess.DEVNULL)

        run("initdb", "-D", str(data), "-U", "desk", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(Path(directory) / "log")
        run("pg_ctl", "-D", str(data), "-o", options, "-l", log, "-w", "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "desk", "desk")
            yield f"postgresql://desk@127.0.0.1:{port}/desk"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def postgresql_programs() -> Path | None:
    """Debian keeps them off the PATH."""
    found = [Path(it).resolve().parent for it in [shutil.which("pg_ctl")] if it]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((it for it in found if (it / "initdb").exists()), None)


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "desk", database_url=database_url) as desk:
        yield desk


def test_the_main_flow_and_a_killed_worker_on_postgresql(desk: Desk) -> None:
    endpoint = "lab/customer-ltv"
    otto, mika = desk.person("otto"), desk.person("mika")

    otto.ask(endpoint, "stop", reason="quiet night")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")

    desk.freeze("worker-operations")
    otto.ask(endpoint, "start")
    desk.kill("worker-operations")
    desk.start("worker-operations")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "ready")

    mika.ask(endpoint, "delete", confirm="customer-ltv")
    assert mika.until_settled(endpoint) == "confirmed"
    mika.until_status(endpoint, None)
    assert desk.lab.writes("customer-ltv") == [("stop", 200), ("start", 200), ("delete", 200)]

    desk.kill("worker-operations", "worker-sync", "beat")
    eventually(lambda: not desk.knows("lab"), what="Unknown")
