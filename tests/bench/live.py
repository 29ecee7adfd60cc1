"""What people wait for while everything runs: clicks, changes, and five hundred open pages."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.measuring import cpu_seconds, p95, percentiles
from tests.harness import ENDPOINTS, TOKEN, Desk, eventually
from tests.needs import POSTGRESQL
from tests.on_postgresql import server as postgresql

WORKSPACES = int(os.environ.get("BENCH_WORKSPACES", "10"))
FLEET = int(os.environ.get("BENCH_FLEET", "1000"))
VIEWERS = int(os.environ.get("BENCH_VIEWERS", "500"))
WATCHED = float(os.environ.get("BENCH_WATCHED", "20"))  # seconds
CLICKS = 20
SYNC_SECONDS = 15
SHAPE = f"{WORKSPACES} workspaces of {FLEET}, a cycle of {SYNC_SECONDS} s, {VIEWERS} viewers"

Say = Callable[[str], None]


class Big(Desk):
    """A desk whose emulated workspaces are as large as Databricks allows."""

    def _add_workspace(self, name: str, seed: int, time_scale: float) -> None:
        super()._add_workspace(name, seed, time_scale)
        self.programs[f"emulator-{name}"].command.append(f"--endpoints={FLEET}")

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
    names = {f"lab{number}": number for number in range(WORKSPACES)}
    env = {"SYNC_SECONDS": str(SYNC_SECONDS), "SYNC_FAST_SECONDS": "0.5"}
    with tempfile.TemporaryDirectory(prefix="desk-bench-") as folder:
        directory = Path(folder) / "var"
        if database == "postgresql" and POSTGRESQL.path:
            with postgresql(POSTGRESQL.path) as url:
                desk = Big(directory, workspaces=names, env=env, database_url=url)
                with desk:
                    _measure(desk, tell)
        else:
            with Big(directory, workspaces=names, env=env) as desk:
                _measure(desk, tell)
    return [asdict(line) for line in found]


def _measure(desk: Desk, tell: Callable[..., None]) -> None:
    tell("click → POST received, all being read", _clicks(desk))
    _until_all_is_read(desk)
    tell("click → POST received, all being synced", _clicks(desk))

    time.sleep(2 * SYNC_SECONDS)  # what was stopped is looked at until it is
    calls = _calls(desk)
    time.sleep(2 * SYNC_SECONDS)
    alone = _calls(desk) - calls
    calls = _calls(desk)
    crowd = asyncio.run(_watch(desk, pace=5.0, seconds=2 * SYNC_SECONDS))
    note = (
        f"upstream calls in {2 * SYNC_SECONDS} s: {alone} alone, {_calls(desk) - calls} with them"
    )
    tell(f"poll, {VIEWERS} viewers at 5 s", crowd.polls, f"{note}; {crowd.cores:.2f} cores of web")

    crowd = asyncio.run(_watch(desk, pace=5.0, seconds=3 * SYNC_SECONDS, change=True))
    tell(f"change → visible to {VIEWERS} viewers", crowd.seen)

    crowd = asyncio.run(_watch(desk, pace=1.0, seconds=WATCHED))
    tell(f"poll, {VIEWERS} viewers at 1 s", crowd.polls, f"{crowd.cores:.2f} cores of web")


def _until_all_is_read(desk: Desk) -> None:
    """Each endpoint was looked at once, and no more than those in transition are looked at."""

    def read() -> bool:
        return all(workspace.reads() >= FLEET for workspace in desk.workspaces.values())

    eventually(read, within=900, what="The first look at every endpoint")
    time.sleep(SYNC_SECONDS)


def _calls(desk: Desk) -> int:
    return sum(sum(workspace.calls().values()) for workspace in desk.workspaces.values())


# Clicks ----------------------------------------------------------------------------------------


def _clicks(desk: Desk) -> list[float]:
    """From the click until the workspace has the POST, by the same machine's clock."""
    otto, workspace = desk.person("otto"), desk.workspaces["lab0"]
    stopped = {write["name"] for write in workspace._control("GET", "calls")["writes"]}
    ready = [
        item["name"]
        for item in _listed(workspace.url)
        if item["state"]["ready"] == "READY"
        and item["state"]["config_update"] == "NOT_UPDATING"
        and _is_custom(item)
        and item["name"] not in stopped
    ]
    took = []
    for name in ready[-CLICKS - 2 :]:
        clicked = time.time()
        otto.ask(f"lab0/{name}", "stop")

        def arrived(name: str = name) -> float:
            writes = workspace._control("GET", "calls")["writes"]
            return next((float(w["at"]) for w in writes if w["name"] == name), 0.0)

        took.append(eventually(arrived, what=f"The stop of {name}") - clicked)
        time.sleep(0.5)
    return took[2:]  # the first ones open connections


def _is_custom(item: dict[str, Any]) -> bool:
    entities = item.get("config", {}).get("served_entities", [])
    return bool(entities) and all(entity.get("type") == "UC_MODEL" for entity in entities)


def _listed(url: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    found = requests.get(f"{url}{ENDPOINTS}", headers=headers, timeout=10).json()["endpoints"]
    return [dict(item) for item in found]


# Viewers ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Crowd:
    polls: list[float]
    seen: list[float]
    cores: float


async def _watch(desk: Desk, *, pace: float, seconds: float, change: bool = False) -> Crowd:
    """VIEWERS pages of the list, each asking every `pace` seconds with its own cursor; with
    `change` something happens in a workspace, and each notes when it has it."""
    vera = desk.person("vera")
    cookie = f"sessionid={vera.cookies['sessionid']}"
    begun = vera.get("/endpoints/changes/")
    cursor = begun.headers["Desk-Cursor"]
    crowd = Crowd([], [], 0.0)
    changed_at: list[float] = []
    mark = ""
    if change:
        mark = _listed(desk.workspaces["lab0"].url)[0]["name"]
    web = desk.programs["web"]
    used, started = cpu_seconds(web), time.monotonic()
    ends = started + seconds

    async def viewer(number: int) -> None:
        since, connection, seen = cursor, None, False
        await asyncio.sleep(pace * number / VIEWERS)
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
            if changed_at and not seen and f'/{mark}"'.encode() in body:
                seen = True
                crowd.seen.append(time.monotonic() - changed_at[0])
            if headers.get("connection") == "close" or pace > 2:
                connection[1].close()
                connection = None
            await asyncio.sleep(max(0.0, begin + pace - time.monotonic()))

    async def something_happens() -> None:
        await asyncio.sleep(SYNC_SECONDS / 3)
        state = {"state": {"ready": "NOT_READY", "config_update": "UPDATE_FAILED"}}
        url = f"{desk.workspaces['lab0'].url}/_control/endpoints/{mark}"
        changed_at.append(time.monotonic())
        await asyncio.to_thread(requests.post, url, json=state, timeout=10)

    async with asyncio.TaskGroup() as group:
        for number in range(VIEWERS):
            group.create_task(viewer(number))
        if change:
            group.create_task(something_happens())
    crowd.cores = (cpu_seconds(web) - used) / (time.monotonic() - started)
    return crowd


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
