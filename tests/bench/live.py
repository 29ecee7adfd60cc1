"""What people wait for while everything runs: clicks, changes, and five hundred open pages."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import clicks
from tests.bench.measuring import cpu_seconds, p95, percentiles
from tests.harness import Desk
from tests.needs import POSTGRESQL
from tests.on_postgresql import server as postgresql
from tests.waiting import eventually

WORKSPACES = int(os.environ.get("BENCH_WORKSPACES", "10"))
FLEET = int(os.environ.get("BENCH_FLEET", "1000"))
VIEWERS = int(os.environ.get("BENCH_VIEWERS", "500"))
WATCHED = float(os.environ.get("BENCH_WATCHED", "20"))  # seconds
IDLE_FLEET = 100
FEW = 20  # viewers
STOPS = 10
SYNC_SECONDS = 15
SHAPE = f"{WORKSPACES} workspaces of {FLEET}, a cycle of {SYNC_SECONDS} s, {VIEWERS} viewers"

Say = Callable[[str], None]


class Sized(Desk):
    """A desk whose emulated workspaces are as large as Databricks allows, or as small as told."""

    def __init__(self, directory: Path, *, fleet: int = FLEET, **options: Any) -> None:
        self.fleet = fleet
        super().__init__(directory, **options)

    def _add_workspace(self, name: str, seed: int, time_scale: float) -> None:
        super()._add_workspace(name, seed, time_scale)
        self.programs[f"emulator-{name}"].command.append(f"--endpoints={self.fleet}")

    def wait_until_read(self) -> None:
        """Listed; the looks at each endpoint follow for minutes, and are part of the load."""

        def every_workspace() -> bool:
            return all(workspace.lists() >= 2 for workspace in self.workspaces.values())

        eventually(every_workspace, within=300, what="The first lists")


@dataclass(slots=True)
class Found:
    """In milliseconds where nothing else is said."""

    what: str
    n: int
    median: float
    p95: float
    note: str = ""


def run(database: str, *, say: Say) -> list[dict[str, Any]]:
    os.environ |= {"EMBEDDED": "on", "LOG_LEVEL": "ERROR"}
    found: list[Found] = []

    def tell(what: str, seconds: list[float], note: str = "") -> None:
        median, _ = percentiles(seconds)
        found.append(Found(what, len(seconds), median, round(p95(seconds) * 1000, 1), note))
        line = found[-1]
        say(f"{what:<46}{line.n:>6}{line.median:>10.1f}{line.p95:>10.1f}  {note}")

    say(f"{'what':<46}{'n':>6}{'median':>10}{'p95':>10}")
    # What is stopped is stopped at once, so that nothing of the click before is still under way.
    with _desk(database, workspaces=1, fleet=IDLE_FLEET, time_scale=0.0) as desk:
        _until_all_is_read(desk)
        _tell_clicks(desk, tell, "nothing else to do", pause=1.5)
    with _desk(database, workspaces=WORKSPACES, fleet=FLEET, time_scale=0.02) as desk:
        _measure(desk, tell)
    return [asdict(line) for line in found]


@contextmanager
def _desk(database: str, *, workspaces: int, fleet: int, time_scale: float) -> Iterator[Sized]:
    """Of the settings that anybody begins with."""
    names = {f"lab{number}": number for number in range(workspaces)}
    env = {"SYNC_SECONDS": str(SYNC_SECONDS), "SYNC_FAST_SECONDS": "2"}
    on_it = postgresql(POSTGRESQL.path) if database == "postgresql" and POSTGRESQL.path else None
    with (
        tempfile.TemporaryDirectory(prefix="desk-bench-") as folder,
        on_it or nullcontext("") as url,
        Sized(
            Path(folder) / "var",
            fleet=fleet,
            workspaces=names,
            time_scale=time_scale,
            env=env,
            database_url=url,
        ) as desk,
    ):
        yield desk


def _measure(desk: Sized, tell: Callable[..., None]) -> None:
    _tell_clicks(desk, tell, "all being read", pause=0.5)
    _until_all_is_read(desk)
    _tell_clicks(desk, tell, "all being synced", pause=0.5)

    time.sleep(2 * SYNC_SECONDS)  # what was started is looked at until it is
    calls = _calls(desk)
    time.sleep(2 * SYNC_SECONDS)
    alone = _calls(desk) - calls
    calls = _calls(desk)
    crowd = asyncio.run(_watch(desk, pace=5.0, seconds=2 * SYNC_SECONDS))
    note = (
        f"upstream calls in {2 * SYNC_SECONDS} s: {alone} alone, {_calls(desk) - calls} with them"
    )
    tell(f"poll, {VIEWERS} viewers at 5 s", crowd.polls, f"{note}; {crowd.cores:.2f} cores of web")

    crowd = asyncio.run(_watch(desk, seconds=3 * SYNC_SECONDS, happens=_change))
    tell(f"change → visible to {VIEWERS} viewers", crowd.seen)

    for viewers in (FEW, VIEWERS):
        crowd = asyncio.run(_watch(desk, viewers=viewers, seconds=40, happens=_stops))
        note = f"{crowd.cores:.2f} cores of web"
        tell(f"own stop done → visible to {viewers} viewers", crowd.seen, note)

    crowd = asyncio.run(_watch(desk, pace=1.0, seconds=WATCHED))
    tell(f"poll, {VIEWERS} viewers at 1 s", crowd.polls, f"{crowd.cores:.2f} cores of web")


def _tell_clicks(desk: Sized, tell: Callable[..., None], when: str, *, pause: float) -> None:
    for kind, found in clicks.of_every_kind(desk, pause=pause).items():
        tell(f"{kind}: click → POST received, {when}", found.took, found.note)


def _until_all_is_read(desk: Sized) -> None:
    """Each endpoint was looked at once, and no more than those in transition are looked at."""

    def read() -> bool:
        return all(workspace.reads() >= desk.fleet for workspace in desk.workspaces.values())

    eventually(read, within=1800, what="The first look at every endpoint")
    time.sleep(SYNC_SECONDS)


def _calls(desk: Desk) -> int:
    return sum(sum(workspace.calls().values()) for workspace in desk.workspaces.values())


# Viewers ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Crowd:
    """In seconds; `seen`: from what happened until a viewer had it, for each thing and viewer."""

    polls: list[float]
    seen: list[float]
    cores: float = 0.0


Happened = dict[str, tuple[str, float]]
"""Endpoint → the status that its row will have, and since when the workspace says so."""


async def _watch(
    desk: Desk,
    *,
    seconds: float,
    pace: float | None = None,
    viewers: int = VIEWERS,
    happens: Callable[[Desk, Happened], None] | None = None,
) -> Crowd:
    """Pages of the list, each asking with its own cursor every `pace` seconds, or like a browser
    when it was told to; while something `happens`, each notes when it has it."""
    vera = desk.person("vera")
    cookie = f"sessionid={vera.cookies['sessionid']}"
    begun = vera.get("/endpoints/changes/")
    cursor = begun.headers["Desk-Cursor"]
    crowd, happened, sights = Crowd([], []), Happened(), list[tuple[str, float]]()
    web = desk.programs["web"]
    used, started = cpu_seconds(web), time.monotonic()
    ends = started + seconds

    async def viewer(number: int) -> None:
        since, connection, seen = cursor, None, set[str]()
        await asyncio.sleep((pace or 5.0) * number / viewers)
        while (begin := time.monotonic()) < ends:
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", desk.port)
                headers, body = await _get(
                    *connection, f"/endpoints/changes/?since={since}", cookie
                )
            except (OSError, asyncio.IncompleteReadError, IndexError):
                connection = None  # the server has closed what was quiet
                continue
            crowd.polls.append(time.monotonic() - begin)
            since = headers.get("desk-cursor", since)
            for name, (status, _) in list(happened.items()):
                if name not in seen and _shows(body.decode(), name, status):
                    seen.add(name)
                    sights.append((name, time.monotonic()))
            wait = pace or float(headers.get("desk-pace", "5"))
            if headers.get("connection") == "close" or wait > 2:
                connection[1].close()
                connection = None
            # A browser plans its next look when the last one has ended.
            begin = begin if pace else time.monotonic()
            await asyncio.sleep(max(0.0, begin + wait - time.monotonic()))

    async with asyncio.TaskGroup() as group:
        for number in range(viewers):
            group.create_task(viewer(number))
        if happens:
            group.create_task(asyncio.to_thread(happens, desk, happened))
    crowd.cores = (cpu_seconds(web) - used) / (time.monotonic() - started)
    crowd.seen = [at - happened[name][1] for name, at in sights]
    return crowd


def _shows(body: str, name: str, status: str) -> bool:
    row = body.partition(f'data-endpoint="lab0/{name}"')[2]
    return f'data-status="{status}"' in row.partition("</td>")[0]


def _change(desk: Desk, happened: Happened) -> None:
    """Somebody else's doing, which only the next list tells."""
    time.sleep(SYNC_SECONDS / 3)
    lab = desk.workspaces["lab0"]
    name = clicks.listed(lab)[0]["name"]
    state = {"ready": "NOT_READY", "config_update": "UPDATE_FAILED"}
    happened[name] = ("update_failed", time.monotonic())
    lab._control("POST", f"endpoints/{name}", json={"state": state})


def _stops(desk: Desk, happened: Happened) -> None:
    """Stops that somebody asked for here. Like real ones they last longer than a calm page waits,
    and each is over at a moment of our choosing."""
    otto, lab = desk.person("otto"), desk.workspaces["lab0"]
    time.sleep(6)  # every viewer has its own time
    names = clicks.ready(lab)[:STOPS]
    for name in names:
        lab.fault("ignore", match={"name": name, "method": "POST"}, times=1)
        otto.ask(f"lab0/{name}", "stop")
    time.sleep(6)
    stopped = {"ready": "NOT_READY", "config_update": "NOT_UPDATING", "suspend": "STOPPED"}
    for name in names:
        happened[name] = ("stopped", time.monotonic())
        lab._control("POST", f"endpoints/{name}", json={"state": stopped})
        time.sleep(random.uniform(1.0, 2.0))


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, cookie: str
) -> tuple[dict[str, str], bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
    writer.write(request.encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    assert head[0].split()[1] in ("200", "204"), head[0]
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): text.strip() for name, _, text in pairs}
    return headers, await reader.readexactly(int(headers.get("content-length", 0)))
