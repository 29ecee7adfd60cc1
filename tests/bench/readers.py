"""A crowd on the status page: a thousand phones, each asking every ten seconds, while the desk
reads its workspace. Beside it, in the same run, the same crowd on a bare view."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dashboard import programs
from tests.bench.measuring import cpu_seconds, p95, percentiles, server
from tests.harness import Desk, Program
from tests.waiting import eventually

READERS = int(os.environ.get("BENCH_READERS", "1000"))
FLEET = int(os.environ.get("BENCH_READERS_FLEET", "200"))
PACE = 10.0
SECONDS = 3 * PACE
SHAPE = f"{READERS} readers, each every {PACE:g} s; {FLEET} endpoints, a cycle of 15 s"

Say = Callable[[str], None]


class Public(Desk):
    def _add_workspace(self, name: str, seed: int, time_scale: float) -> None:
        super()._add_workspace(name, seed, time_scale)
        self.programs[f"emulator-{name}"].command.append(f"--endpoints={FLEET}")

    def wait_until_read(self) -> None:
        workspace = self.lab
        eventually(lambda: workspace.reads() >= FLEET, within=300, what="The first reading")


@dataclass(slots=True)
class Served:
    """`ratio` is to the bare view's: of the processor's time per answer."""

    what: str
    n: int
    failed: int
    median_ms: float
    p95_ms: float
    kb: float  # of an answer, as sent
    unchanged: int  # answered by 304
    cores: float
    cpu_ms: float
    ratio: float = 1.0


def run(*, say: Say) -> list[dict[str, Any]]:
    os.environ |= {"EMBEDDED": "on", "LOG_LEVEL": "ERROR"}
    found: list[Served] = []
    with tempfile.TemporaryDirectory(prefix="desk-readers-") as folder:
        env = {"STATUS_PAGE_ACCESS": "public", "SYNC_SECONDS": "15", "SYNC_FAST_SECONDS": "2"}
        with Public(Path(folder) / "var", env=env) as desk:
            web = desk.programs["web"]
            for what, path in (("the page", "/status/"), ("status.json", "/status.json")):
                found.append(asyncio.run(_crowd(what, web, desk.port, path)))
            # Under the same load: the workers go on beside it.
            port = programs.free_port()
            bare_env = os.environ | {"PYTHONUNBUFFERED": "1"}
            with server("tests.bench.bare", port, bare_env, Path(folder)) as bare:
                found.insert(0, asyncio.run(_crowd("a bare view", bare, port, "/")))
    say(
        f"{'what':<14}{'n':>7}{'failed':>8}{'median':>9}{'p95':>9}{'kB':>7}{'304':>7}"
        f"{'cores':>7}{'cpu ms':>8}{'ratio':>7}"
    )
    for line in found:
        line.ratio = round(line.cpu_ms / found[0].cpu_ms, 1)
        say(
            f"{line.what:<14}{line.n:>7}{line.failed:>8}{line.median_ms:>9.1f}{line.p95_ms:>9.1f}"
            f"{line.kb:>7.1f}{line.unchanged:>7}{line.cores:>7.2f}{line.cpu_ms:>8.2f}"
            f"{line.ratio:>7.1f}"
        )
    return [asdict(line) for line in found]


async def _crowd(what: str, web: Program, port: int, path: str) -> Served:
    """Each reader keeps what it got last and asks whether that still counts, as a browser does."""
    took: list[float] = []
    sizes: list[int] = []
    failed, unchanged = 0, 0
    used, started = cpu_seconds(web), time.monotonic()
    ends = started + SECONDS

    async def reader(number: int) -> None:
        nonlocal failed, unchanged
        etag = ""
        await asyncio.sleep(PACE * number / READERS)
        while (begin := time.monotonic()) < ends:
            try:
                status, headers, size = await _get(port, path, etag)
            except (OSError, asyncio.IncompleteReadError, IndexError, TimeoutError):
                failed += 1
            else:
                took.append(time.monotonic() - begin)
                etag = headers.get("etag", "")
                failed += status not in (200, 304)
                unchanged += status == 304
                if status == 200:
                    sizes.append(size)
            await asyncio.sleep(max(0.0, begin + PACE - time.monotonic()))

    async with asyncio.TaskGroup() as group:
        for number in range(READERS):
            group.create_task(reader(number))
    spent = cpu_seconds(web) - used
    cores = spent / (time.monotonic() - started)
    median, _ = percentiles(took)
    return Served(
        what,
        len(took),
        failed,
        median,
        round(p95(took) * 1000, 1),
        round(sum(sizes) / max(1, len(sizes)) / 1000, 1),
        unchanged,
        round(cores, 3),
        round(spent / len(took) * 1000, 3),
    )


async def _get(port: int, path: str, etag: str) -> tuple[int, dict[str, str], int]:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
        asked += f"If-None-Match: {etag}\r\n" if etag else ""
        writer.write(f"{asked}Connection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:])
    headers = {name.lower(): text.strip() for name, _, text in pairs}
    return int(head[0].split()[1]), headers, len(answer)
