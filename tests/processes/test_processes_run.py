"""`make run`: one command, everything up, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dashboard.programs import free_port
from endpoints_app.emulator import Running, serving
from tests.harness import ROOT, processes_of
from tests.needs import SETPRIV
from tests.person import Person
from tests.waiting import eventually

pytestmark = pytest.mark.processes

QUICK = {"EMULATOR_TIME_SCALE": "0.02", "SYNC_SECONDS": "2", "SYNC_FAST_SECONDS": "0.5"}


class Copy:
    """One `python -m dashboard.run` with a process group of its own, as a terminal gives it."""

    def __init__(
        self, var_dir: Path, *, output: Path | None = None, stdout: int | None = None, **env: str
    ) -> None:
        self.var_dir = var_dir
        self.port = int(env.setdefault("PORT", str(free_port())))
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = output or var_dir.with_suffix(".out")
        unset = ("REDIS_URL", "DEMO", "EMBEDDED", "DATABASE_URL", "SECRET_KEY")
        own = {name: text for name, text in os.environ.items() if name not in unset}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.run"],
                cwd=ROOT,
                env=own | QUICK | {"VAR_DIR": str(var_dir)} | env,
                stdin=subprocess.DEVNULL,
                stdout=file if stdout is None else stdout,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        eventually(lambda: "Ctrl-C ends it." in self._said_so_far(), what="The start")

    def _said_so_far(self) -> str:
        assert self.process.poll() is None, self.said
        return self.said

    def accounts(self) -> dict[str, str]:
        return dict(re.findall(r"^ +(viewer|operator|manager) +(\S+)$", self.said, re.MULTILINE))

    def pid_of(self, part: str) -> int:
        """The oldest process whose command line has `part` in it, or 0."""
        return min((p for p, line in processes_of(self.var_dir).items() if part in line), default=0)

    def refusal(self) -> str:
        """What it says when it does not start."""
        assert self.process.wait(timeout=30) == 1
        return self.said

    def end(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)
        assert self.process.wait(timeout=20) == 0, self.said
        assert processes_of(self.var_dir) == {}

    def clear_away(self) -> None:
        for pid in processes_of(self.var_dir):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


Start = Callable[..., Copy]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    copies = []

    def start_copy(**options: Any) -> Copy:
        copies.append(Copy(tmp_path / "var", **options))
        return copies[-1]

    yield start_copy
    for copy in copies:
        copy.clear_away()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    running = Copy(tmp_path_factory.mktemp("run") / "var")
    try:
        running.wait_until_up()
        yield running
    finally:
        running.clear_away()


def test_it_says_what_to_open_and_how_to_sign_in(copy: Copy) -> None:
    lines = copy.said.strip().splitlines()
    assert f"Serving Desk is on http://localhost:{copy.port}/" in lines
    assert len(lines) <= 10
    assert requests.get(f"{copy.url}/healthz", timeout=5).status_code == 200

    assert set(copy.accounts()) == {"viewer", "operator", "manager"}
    for name, password in copy.accounts().items():
        eventually(Person(copy.url, name, password).statuses, what="A fleet to see")


def test_its_budget_policies_have_names(copy: Copy) -> None:
    manager = Person(copy.url, "manager", copy.accounts()["manager"])
    eventually(lambda: len(_policies(manager)) > 3, what="A policy in use")
    unnamed = [name for name in _policies(manager) if re.fullmatch(r"[0-9a-f-]{36}", name)]
    assert unnamed == []


def _policies(person: Person) -> list[str]:
    return [
        cell.get_text(strip=True) for cell in person.page("/budget/").select("[data-policy] th")
    ]


def test_what_is_secret_in_it_is_for_its_owner_alone(copy: Copy) -> None:
    for path in (".", "log", "accounts.txt", "secret_key", "redis.conf"):
        assert (copy.var_dir / path).stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("program", "part"),
    [
        ("web", "gunicorn"),
        ("worker-operations", "worker -Q operations"),
        ("beat", "--quiet beat"),
        ("redis", "redis-server"),
        ("emulator-ml-lab", "emulator-ml-lab"),
    ],
)
def test_a_process_that_dies_is_started_again_and_a_line_says_so(
    copy: Copy, program: str, part: str
) -> None:
    before = copy.pid_of(part)
    assert before
    os.kill(before, signal.SIGKILL)

    said = f"{program} ended (killed by SIGKILL) and is started again"
    eventually(lambda: said in copy.said, what="The line")
    eventually(lambda: copy.pid_of(part) not in (0, before), what=f"Another {program}")
    eventually(lambda: requests.get(f"{copy.url}/healthz", timeout=2).ok, what="web")


def test_a_second_copy_on_the_same_files_is_refused(copy: Copy) -> None:
    second = Copy(copy.var_dir, output=copy.var_dir.with_suffix(".second"))
    said = f"Another copy runs on {copy.var_dir}. Set VAR_DIR and PORT to run a second one.\n"
    assert second.refusal() == said


def test_a_second_copy_on_the_same_port_is_refused(copy: Copy, start: Start) -> None:
    said = start(PORT=str(copy.port)).refusal()
    assert said == f"Port {copy.port} is taken. Set PORT to another one.\n"


def test_two_copies_run_side_by_side(copy: Copy, start: Start) -> None:
    second = start()
    second.wait_until_up()
    for one in (copy, second):
        assert requests.get(f"{one.url}/healthz", timeout=5).status_code == 200
    assert second.accounts() != copy.accounts()


def test_ctrl_c_and_sigterm_end_every_process_and_the_second_start_takes_seconds(
    start: Start,
) -> None:
    first = start()
    first.wait_until_up()
    accounts = first.accounts()
    assert len(processes_of(first.var_dir)) >= 9
    first.end(signal.SIGINT)

    began = time.monotonic()
    second = start()
    second.wait_until_up()
    assert time.monotonic() - began < 20
    assert second.accounts() == accounts
    second.end(signal.SIGTERM)


def test_killed_itself_it_takes_its_processes_along(start: Start) -> None:
    SETPRIV.required()
    copy = start()
    copy.wait_until_up()
    copy.process.kill()
    eventually(lambda: processes_of(copy.var_dir) == {}, what="The end of all its children")


def test_it_goes_on_when_nobody_reads_what_it_says_until_the_terminal_closes(
    start: Start,
) -> None:
    read, write = os.pipe()
    os.close(read)
    copy = start(stdout=write)
    eventually(lambda: requests.get(f"{copy.url}/healthz", timeout=2).ok, what="web")
    before = copy.pid_of("--quiet beat")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: copy.pid_of("--quiet beat") not in (0, before), what="Another beat")
    copy.end(signal.SIGHUP)
    os.close(write)


# A workspace of one's own ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def workspace() -> Iterator[Running]:
    with serving(endpoints=5, time_scale=0.02) as running:
        yield running


@pytest.mark.parametrize(("named", "name"), [({}, "workspace"), ({"WORKSPACE_NAME": "eu"}, "eu")])
def test_with_a_databricks_host_that_workspace_is_operated_and_none_is_emulated(
    start: Start, workspace: Running, named: dict[str, str], name: str
) -> None:
    copy = start(
        DATABRICKS_HOST=workspace.url,
        DATABRICKS_TOKEN=workspace.token,
        DJANGO_SUPERUSER_USERNAME="root",
        DJANGO_SUPERUSER_PASSWORD="let me in, please",
        **named,
    )
    copy.wait_until_up()
    assert "emulated" not in copy.said
    assert copy.pid_of("run_emulator") == 0

    root = Person(copy.url, "root", "let me in, please")
    endpoint = f"{name}/basket-recommender"
    eventually(lambda: endpoint in root.statuses(), what="The fleet")
    eventually(lambda: root.status(endpoint) == "ready", what="A ready endpoint")
    root.ask(endpoint, "stop")
    root.until_status(endpoint, "stopped")
    root.ask(endpoint, "start")
    root.until_status(endpoint, "ready")
    assert root.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "http"}, "PORT must be a number from 1 to 65535."),
        ({"SYNC_SECONDS": "soon"}, "SYNC_SECONDS must be a number from 1 to 3600."),
        ({"WORKSPACES": "lab"}, "WORKSPACE_LAB_HOST or WORKSPACE_LAB_PROFILE must be set"),
    ],
)
def test_a_bad_setting_stops_the_start_with_a_sentence(
    tmp_path: Path, env: dict[str, str], said: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dashboard.run"],
        cwd=ROOT,
        env=os.environ | {"VAR_DIR": str(tmp_path / "var"), "PORT": str(free_port())} | env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(said)
    assert "Traceback" not in ended.stderr
