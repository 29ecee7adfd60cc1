"""What a worker that reads whole workspaces takes of the machine: a process of its own as in real
life, with its threads, a real queue, and the workspace's bytes over a socket.

The bench is its beat: it makes the lists due, puts the messages on the queue and waits for the
answers to be noted, so that 200 cycles take as long as they take and not 200 times 15 seconds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import requests

from dashboard import programs
from tests.bench import fleet
from tests.bench.measuring import cpu_seconds
from tests.emulated import ENDPOINTS
from tests.harness import TOKEN, Program
from tests.waiting import eventually

CYCLES = 200
SETTLED = 40  # cycles until it has what it keeps: connections, code, room for as many lists at once
CHANGED = 10
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Held:
    """Resident memory of the worker in MB, as the kernel counts it at that moment."""

    what: str
    cycles: int
    ready: float  # before the first list
    settled: float
    after: float
    most: float
    cpu_ms: float  # of the worker, per cycle


def run(workspaces: int, endpoints: int) -> list[Held]:
    from django.core.management import call_command

    from endpoints_app.services import workspaces as named

    call_command("migrate", verbosity=0)
    names = fleet.names(workspaces)
    named.ensure(names)
    shape = f"{workspaces}x{endpoints}"
    with _processes(names, endpoints) as (worker, url):
        ready = resident(worker)
        _settle(names)
        lines = [_measure(worker, names, f"{shape}, unchanged", ready)]
        if workspaces == 1:
            change = _changing(url)
            lines.append(_measure(worker, names, f"{shape}, {CHANGED} changed", ready, change))
    return lines


def _settle(names: Sequence[str]) -> None:
    from endpoints_app.models import Endpoint

    _round(names)
    # The first look at each is an hour's work for ten thousand, and not what is measured.
    Endpoint.objects.update(next_look_at=None)
    for _ in range(SETTLED // len(names)):
        _round(names)


def _measure(
    worker: Program,
    names: Sequence[str],
    what: str,
    ready: float,
    change: Callable[[], None] = lambda: None,
) -> Held:
    settled, used, seen = resident(worker), cpu_seconds(worker), []
    rounds = CYCLES // len(names)
    for _ in range(rounds):
        change()
        _round(names)
        seen.append(resident(worker))
    cycles = rounds * len(names)
    cpu_ms = round((cpu_seconds(worker) - used) / cycles * 1000, 1)
    return Held(what, cycles, ready, settled, seen[-1], max(seen), cpu_ms)


def _round(names: Sequence[str]) -> None:
    """One cycle of each workspace, all at once, and the looks that follow."""
    from django.utils import timezone

    from endpoints_app.models import Workspace
    from endpoints_app.tasks import sync_workspace

    ours, begun = Workspace.objects.filter(name__in=names), timezone.now()
    ours.update(next_list_at=None, rest_until=None)
    for pk in ours.values_list("pk", flat=True):
        sync_workspace.apply_async((pk,), retry=False)
    read = ours.filter(observed_at__gte=begun, lease_until=None)
    eventually(lambda: read.count() == len(names), within=120, what="A cycle")


def _changing(url: str) -> Callable[[], None]:
    """Each call lets the same CHANGED endpoints stop serving, or serve again."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    listed = requests.get(f"{url}{ENDPOINTS}", headers=headers, timeout=10).json()["endpoints"]
    names = [item["name"] for item in listed if item["state"]["ready"] == "READY"][:CHANGED]
    session, turns = requests.Session(), cycle(("NOT_READY", "READY"))

    def change() -> None:
        ready = next(turns)
        for name in names:
            where, state = f"{url}/_control/endpoints/{name}", {"state": {"ready": ready}}
            session.post(where, json=state, timeout=10).raise_for_status()

    return change


@contextmanager
def _processes(names: Sequence[str], endpoints: int) -> Iterator[tuple[Program, str]]:
    """The worker, and one emulator that is all of its workspaces."""
    port = programs.free_port()
    url = f"http://127.0.0.1:{port}"
    env = dict(os.environ) | {"WORKSPACES": " ".join(names), "EMULATOR_TOKEN": TOKEN}
    for name in names:
        prefix = f"WORKSPACE_{name.upper().replace('-', '_')}"
        env |= {f"{prefix}_HOST": url, f"{prefix}_TOKEN": TOKEN}
    with tempfile.TemporaryDirectory(prefix="desk-bench-worker-") as folder:
        directory = Path(folder)
        state = directory / "emulator.json"
        emulating = programs.emulator(port=port, seed=0, time_scale=1, state=state)
        emulating.append(f"--endpoints={endpoints}")
        working = programs.dashboard(bind="", port=0, var_dir=directory)["worker-sync"]
        emulator = Program("emulator", emulating, env, directory / "emulator.log")
        worker = Program("worker", working, env, directory / "worker.log")
        try:
            emulator.start()
            eventually(lambda: _answers(url), what="The emulator")
            worker.start()
            time.sleep(8)  # it imports, and signs in to each workspace
            yield worker, url
        finally:
            worker.stop()
            emulator.stop()


def _answers(url: str) -> bool:
    return requests.get(f"{url}/_control/calls", timeout=10).ok


def resident(program: Program) -> float:
    assert program.process is not None
    pages = int(Path(f"/proc/{program.process.pid}/statm").read_text().split()[1])
    return round(pages * PAGE / 1e6, 1)
