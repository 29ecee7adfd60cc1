"""A whole Serving Desk as real processes, each of which a test can kill, freeze and start again.

`with Desk(directory) as desk:` starts Redis, the emulated workspaces, web, both workers and beat
on free ports, by the command lines of `make run`, and leaves nothing behind.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from dashboard import programs
from tests.emulated import EmulatedWorkspace
from tests.needs import REDIS
from tests.person import Person
from tests.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[1]
LAB = {"lab": 0}  # workspace → seed of its fleet
FLEET = 24
TOKEN = "dapi-of-the-tests"

SYNC_SECONDS = 2
STALE_SECONDS = 3 * SYNC_SECONDS


# Processes -------------------------------------------------------------------------------------


class Program:
    """One process with a group of its own; its output is kept in `log`."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.command = command
        self.env = env
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        assert not self.running, self.name
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                programs.with_its_parent(self.command),
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def kill(self) -> None:
        """kill -9, of the whole group."""
        if self.process is not None:
            self._signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Ask it to end, which lets it finish what it has in hand."""
        if self.process is not None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                pass
            self.kill()

    def freeze(self) -> None:
        """It stays there, holds its sockets and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


def processes_of(directory: Path) -> dict[int, str]:
    """Every living process whose VAR_DIR is `directory`, or that works in it, as Redis, which
    writes over its environment, does: pid → command line."""
    mark = f"VAR_DIR={directory}".encode()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            if mark in environment or (process / "cwd").readlink() == directory:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(process.name)] = command
        except OSError:
            continue  # ended meanwhile
    return {pid: command for pid, command in found.items() if command}


# The whole -------------------------------------------------------------------------------------


class Desk:
    """Programs by name: redis, emulator-<workspace>, web, worker-operations, worker-sync, beat.

    `env` adds to or changes the environment of all; `database_url` replaces the SQLite file.
    """

    def __init__(
        self,
        directory: Path,
        *,
        workspaces: dict[str, int] = LAB,
        time_scale: float = 0.02,
        env: dict[str, str] | None = None,
        database_url: str = "",
    ) -> None:
        self.directory = directory
        self.port = programs.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.redis_url = ""
        self.programs: dict[str, Program] = {}
        self.workspaces: dict[str, EmulatedWorkspace] = {}
        self._people: dict[str, Person] = {}
        self._env = environment(directory, database_url)
        self._prepare(database_url)
        self._add_redis()
        for name, seed in workspaces.items():
            self._add_workspace(name, seed, time_scale)
        self._env |= {"WORKSPACES": " ".join(workspaces)} | (env or {})
        own = programs.dashboard(bind="127.0.0.1", port=self.port, var_dir=directory)
        for name, command in own.items():
            self._add(name, command)

    def _prepare(self, database_url: str) -> None:
        self.directory.mkdir(exist_ok=True)
        if database_url:
            prepare(self._env)
        else:
            shutil.copytree(prepared(), self.directory, dirs_exist_ok=True)

    def _add(self, name: str, command: list[str]) -> None:
        log = self.directory / f"{name}.log"
        self.programs[name] = Program(name, command, dict(self._env), log)

    def _add_redis(self) -> None:
        server, port = str(REDIS.required()), programs.free_port()
        self.redis_url = f"redis://:of-the-tests@127.0.0.1:{port}/0"
        self._env |= {"REDIS_URL": self.redis_url}
        command = programs.redis(
            server, port=port, password="of-the-tests", directory=self.directory
        )
        self._add("redis", command)

    def _add_workspace(self, name: str, seed: int, time_scale: float) -> None:
        port = programs.free_port()
        url = f"http://127.0.0.1:{port}"
        self._env |= {
            "EMULATOR_TOKEN": TOKEN,
            f"WORKSPACE_{name.upper()}_HOST": url,
            f"WORKSPACE_{name.upper()}_TOKEN": TOKEN,
        }
        self.workspaces[name] = EmulatedWorkspace(url)
        command = programs.emulator(
            port=port, seed=seed, time_scale=time_scale, state=self.directory / f"{name}.json"
        )
        self._add(f"emulator-{name}", command)

    def __enter__(self) -> Desk:
        try:
            self.start(*self.programs)
            self.wait_until_read()
        except BaseException:
            sys.stdout.write(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for program in self.programs.values():
            program.kill()
        for person in self._people.values():
            person.close()
        assert not processes_of(self.directory)

    def start(self, *names: str) -> None:
        """Start programs and wait for those that answer somebody."""
        for name in names:
            self.programs[name].start()
        if "redis" in names:
            eventually(self._redis_answers, what="Redis")
        if "web" in names:
            healthz = f"{self.url}/healthz"
            eventually(lambda: requests.get(healthz, timeout=5).ok, what="web")

    def kill(self, *names: str) -> None:
        """kill -9, all at once."""
        for name in names:
            self.programs[name].kill()

    def freeze(self, *names: str) -> None:
        for name in names:
            self.programs[name].freeze()

    def thaw(self, *names: str) -> None:
        for name in names:
            self.programs[name].thaw()

    def restart(self, name: str, **env: str) -> None:
        """End it, change its environment, start it."""
        self.programs[name].stop()
        self.programs[name].env |= env
        self.start(name)

    def mend(self) -> None:
        """Whatever a test did to the processes and the workspaces, all is well again."""
        for workspace in self.workspaces.values():
            workspace.clear_faults()
        for name, program in self.programs.items():
            if program.running:
                program.thaw()
            else:
                self.start(name)
        eventually(self._fresh, what="A mended desk")

    def _fresh(self) -> bool:
        return self._redis_answers() and all(map(self.knows, self.workspaces))

    def knows(self, workspace: str) -> bool:
        """Whether the dashboard knows the state of this workspace: what is stale is all Unknown."""
        statuses = self.person("vera").statuses()
        return any(
            status != "unknown"
            for endpoint, status in statuses.items()
            if endpoint.startswith(f"{workspace}/")
        )

    def waiting_messages(self, queue: str) -> int:
        with redis.Redis.from_url(self.redis_url) as connection:
            return int(connection.llen(queue))

    def empty_redis(self) -> None:
        with redis.Redis.from_url(self.redis_url) as connection:
            connection.flushall()

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.redis_url, socket_timeout=1) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False

    def wait_until_read(self) -> None:
        """Every workspace was listed and each of its endpoints read."""

        def every_endpoint() -> bool:
            return all(workspace.reads() >= FLEET for workspace in self.workspaces.values())

        eventually(every_endpoint, within=2 * PATIENCE, what="The first reading of every endpoint")
        eventually(lambda: self.person("vera").status_document()["observed_at"], what="A reading")

    @property
    def lab(self) -> EmulatedWorkspace:
        return self.workspaces["lab"]

    def person(self, name: str) -> Person:
        """Somebody of the cast, signed in."""
        if name not in self._people:
            self._people[name] = Person(self.url, name)
        return self._people[name]

    def publish(self, task: str, *args: object, queue: str, **options: Any) -> None:
        """Put a message on the queue, as a late or doubled one would come."""
        from celery import Celery

        with Celery(broker=self.redis_url, set_as_current=False) as app:
            app.send_task(f"endpoints_app.tasks.{task}", args, queue=queue, **options)

    def logs(self) -> str:
        parts = []
        for name, program in self.programs.items():
            text = program.log.read_text(errors="replace") if program.log.exists() else ""
            if text.strip():
                parts.append(f"--- {name}\n{text[-6000:]}")
        return "\n".join(parts)


def environment(directory: Path, database_url: str = "") -> dict[str, str]:
    """What every process of a Desk in `directory` is told."""
    env = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}
    env |= {
        "VAR_DIR": str(directory),
        "SYNC_SECONDS": str(SYNC_SECONDS),
        "SYNC_FAST_SECONDS": "0.5",
        "PYTHONUNBUFFERED": "1",
    }
    return env | ({"DATABASE_URL": database_url} if database_url else {})


def prepare(env: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "tests.prepare_desk"], cwd=ROOT, env=env, check=True)


@functools.cache
def _template() -> tempfile.TemporaryDirectory[str]:
    directory = tempfile.TemporaryDirectory(prefix="desk-template-")
    prepare(environment(Path(directory.name)))
    return directory


def prepared() -> Path:
    """A VAR_DIR to copy, made once per run of the tests."""
    return Path(_template().name)


# In a conftest.py: `from tests.harness import pytest_runtest_makereport`
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows what the processes said."""
    report: Any = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Desk):
                report.sections.append((f"Logs of {name}", value.logs()))
    return report
