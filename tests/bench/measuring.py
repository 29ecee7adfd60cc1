"""One request over and over, and what it cost on both sides of the socket."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness import ROOT, Program
from tests.waiting import eventually

WRK = shutil.which("wrk")
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Line:
    """One line of the table. `ratio` is to the bare view before and after in the same run, by
    `median_ms`, which is what the one who asked waited."""

    what: str
    n: int
    per_second: float
    median_ms: float
    p99_ms: float
    bytes_raw: int  # of the whole answer, headers too
    bytes_gzip: int
    queries: int | None
    cpu_ms: float  # of the web processes, per request
    ratio: float = 0.0


HEADINGS = (
    f"{'what':<34}{'n':>7}{'per s':>8}{'median':>9}{'p99':>9}{'bytes':>9}{'gzip':>8}"
    f"{'SQL':>5}{'cpu ms':>8}{'ratio':>7}"
)


def printed(line: Line) -> str:
    queries = "–" if line.queries is None else line.queries
    return (
        f"{line.what:<34}{line.n:>7}{line.per_second:>8.0f}{line.median_ms:>9.2f}"
        f"{line.p99_ms:>9.2f}{line.bytes_raw:>9}{line.bytes_gzip:>8}{queries:>5}"
        f"{line.cpu_ms:>8.2f}{line.ratio:>7.1f}"
    )


class Connection:
    """Plain HTTP/1.1 over one socket: a client library would cost more than the view."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.headers = "".join(f"{name}: {text}\r\n" for name, text in headers.items())

    def get(self, path: str) -> tuple[int, dict[str, str], bytes, int]:
        """Status, headers, body, and the bytes that came."""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{self.headers}\r\n".encode()
        )
        head = [self.file.readline()]
        while head[-1] not in (b"\r\n", b""):
            head.append(self.file.readline())
        pairs = (line.decode("latin-1").partition(":") for line in head[1:-1])
        headers = {name.lower(): text.strip() for name, _, text in pairs}
        body = self.file.read(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, body, sum(map(len, head)) + len(body)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextmanager
def server(application: str, port: int, env: dict[str, str], directory: Path) -> Iterator[Program]:
    """gunicorn as `make run` starts it."""
    from dashboard import programs

    command = programs.dashboard(bind="127.0.0.1", port=port, var_dir=directory)["web"]
    command = [application if part == "dashboard.wsgi" else part for part in command]
    web = Program("web", command, env, directory / f"{application}.log")
    web.start()
    try:
        eventually(lambda: socket.create_connection(("127.0.0.1", port)).close() or True)
        yield web
    finally:
        web.stop()


def cpu_seconds(program: Program) -> float:
    """What the program and its children have used."""
    assert program.process is not None
    return sum(_used(pid) for pid in [program.process.pid, *_children(program.process.pid)])


def _children(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for text in found for pid in (int(text), *_children(int(text)))]


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(
    web: Program,
    port: int,
    what: str,
    paths: str | Sequence[str],
    *,
    cookie: str = "",
    queries: int | None = None,
    seconds: float,
) -> Line:
    """Ask for the path, or for several in turn, one after the other over one connection."""
    asked = [paths] if isinstance(paths, str) else list(paths)
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"} if cookie else {}
    connection = Connection(port, headers)
    for path in asked:
        for _ in range(6):  # both processes have met it
            status, answered, body, size = connection.get(path)
            assert status in (200, 204), (what, status, body[:200])
            connection.close()
            connection = Connection(port, headers)
    connection.close()
    packed = answered.get("content-encoding") == "gzip"
    raw = size - len(body) + len(gzip.decompress(body)) if packed else size
    before, started = cpu_seconds(web), time.perf_counter()
    if WRK and len(asked) == 1:
        n, median, p99 = _with_wrk(port, asked[0], headers, seconds)
    else:
        n, median, p99 = _by_hand(port, asked, headers, seconds)
    lasted, used = time.perf_counter() - started, cpu_seconds(web) - before
    return Line(
        what, n, round(n / lasted), median, p99, raw, size, queries, round(used / n * 1000, 3)
    )


def _with_wrk(
    port: int, path: str, headers: dict[str, str], seconds: float
) -> tuple[int, float, float]:
    assert WRK
    command = [WRK, "-t1", "-c1", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, text in headers.items():
        command += ["-H", f"{name}: {text}"]
    command.append(f"http://127.0.0.1:{port}{path}")
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    requests = re.search(r"(\d+) requests in", said)
    assert requests, said
    return int(requests[1]), _milliseconds(said, "50%"), _milliseconds(said, "99%")


def _milliseconds(said: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return round(float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]], 3)


def _by_hand(
    port: int, paths: Sequence[str], headers: dict[str, str], seconds: float
) -> tuple[int, float, float]:
    connection, times = Connection(port, headers), []
    ends, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < ends:
        path, number = paths[number % len(paths)], number + 1
        start = time.perf_counter()
        _, answered, _, _ = connection.get(path)
        times.append(time.perf_counter() - start)
        if answered.get("connection") == "close":
            connection.close()
            connection = Connection(port, headers)
    connection.close()
    return len(times), *percentiles(times)


def percentiles(seconds: Iterable[float]) -> tuple[float, float]:
    """Median and p99, in milliseconds."""
    times = sorted(seconds)
    return (
        round(statistics.median(times) * 1000, 3),
        round(times[min(len(times) - 1, int(len(times) * 0.99))] * 1000, 3),
    )


def p95(seconds: Iterable[float]) -> float:
    times = sorted(seconds)
    return times[min(len(times) - 1, int(len(times) * 0.95))]
