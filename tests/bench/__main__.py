"""`make bench`: what each request costs, as a ratio to a bare view of the same run.

It fills a database by a real sync from the emulator, starts the real web server with a real Redis,
and asks one request after the other over one connection. It never judges a time.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dashboard import programs

ROOT = Path(__file__).resolve().parents[2]
SIZES = [int(size) for size in os.environ.get("BENCH_ENDPOINTS", "100 1000").split()]
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))


@dataclass(slots=True)
class Line:
    what: str
    n: int
    per_second: float
    median_ms: float
    p99_ms: float
    bytes_raw: int
    bytes_gzip: int
    queries: int
    ratio: float = 0.0


class Connection:
    """Plain HTTP/1.1 over one kept socket: a client library would cost more than the view."""

    def __init__(self, port: int, cookie: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self.cookie = cookie

    def get(self, path: str) -> tuple[int, bytes, int]:
        """Status, body, and the bytes that came."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\n\r\n"
        self.socket.sendall(request.encode())
        head = [self.file.readline()]
        while head[-1] not in (b"\r\n", b""):
            head.append(self.file.readline())
        length = next(
            (int(h.split(b":")[1]) for h in head if h.lower().startswith(b"content-length")), 0
        )
        body = self.file.read(length)
        return int(head[0].split()[1]), body, sum(map(len, head)) + len(body)


def measure(port: int, cookie: str, what: str, path: str, queries: int) -> Line:
    connection = Connection(port, cookie)
    status, body, size = connection.get(path)
    assert status in (200, 204), (what, status, body[:200])
    times = []
    ends = time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        start = time.perf_counter()
        connection.get(path)
        times.append(time.perf_counter() - start)
    times.sort()
    return Line(
        what=what,
        n=len(times),
        per_second=round(len(times) / sum(times)),
        median_ms=round(statistics.median(times) * 1000, 3),
        p99_ms=round(times[int(len(times) * 0.99)] * 1000, 3),
        bytes_raw=size,
        bytes_gzip=len(gzip.compress(body)) if body else 0,
        queries=queries,
    )


@contextmanager
def redis() -> Iterator[str]:
    port, server = programs.free_port(), programs.redis_server()
    assert server, "make bench needs a redis-server"
    process = subprocess.Popen(
        [server, "--port", str(port), "--save", "", "--loglevel", "warning"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def fill(size: int) -> dict[str, Any]:
    """A fleet of `size` in this process's database, and somebody who sees it."""
    from django.contrib.auth.models import Group, User
    from django.test import Client
    from django.utils import timezone

    from endpoints_app.emulator import serving
    from endpoints_app.models import Workspace
    from endpoints_app.services import clients, sync, workspaces

    with serving(endpoints=size) as emulator:
        os.environ |= {"WORKSPACE_LAB_HOST": emulator.url, "WORKSPACE_LAB_TOKEN": emulator.token}
        workspaces.ensure(["lab"])
        workspace = Workspace.objects.get(name="lab")
        sync.sync(workspace.pk, clock=timezone.now)
        clients.forget()
    user, _ = User.objects.get_or_create(username="viewer")
    user.groups.set([Group.objects.get(name="viewer")])
    client = Client()
    client.force_login(user)
    name = workspace.endpoints.order_by("name").values_list("name", flat=True)[0]
    return {"client": client, "name": name, "session": client.cookies["sessionid"].value}


def count_queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)


def run(size: int) -> list[Line]:
    from django.utils import timezone

    from endpoints_app.services import live

    filled = fill(size)
    client, cookie = filled["client"], f"sessionid={filled['session']}"
    port = programs.free_port()
    web = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{port}"),
            *("--workers", "1", "--threads", "2", "--log-level", "error"),
        ],
        cwd=ROOT,
    )
    try:
        for _ in range(100):
            try:
                Connection(port, cookie)
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        cursor = live.read_head().cursor(timezone.now())
        detail = f"/w/lab/e/{filled['name']}/"
        paths = {
            "refresh, unchanged": f"/endpoints/changes/?since={cursor}",
            "list, first page": "/endpoints/",
            "list, filtered": "/endpoints/?status=ready&sort=name",
            "detail": detail,
            "operations": "/operations/",
            "status.json": "/status.json",
        }
        bare = measure(port, cookie, "bare view, before", "/healthz", 0)
        lines = [
            measure(port, cookie, what, path, count_queries(client, path))
            for what, path in paths.items()
        ]
        after = measure(port, cookie, "bare view, after", "/healthz", 0)
        base = (bare.median_ms + after.median_ms) / 2
        lines = [bare, *lines, after]
        for line in lines:
            line.ratio = round(line.median_ms / base, 1)
        return lines
    finally:
        web.terminate()
        web.wait()


def main() -> None:
    results: dict[int, list[Line]] = {}
    with tempfile.TemporaryDirectory(prefix="desk-bench-") as folder, redis() as url:
        os.environ |= {
            "EMBEDDED": "on",
            "REDIS_URL": url,
            "LOG_LEVEL": "ERROR",
            "WORKSPACES": "lab",
            "WORKSPACE_LAB_HOST": "http://127.0.0.1:1",
            "WORKSPACE_LAB_TOKEN": "none",
            "SYNC_SECONDS": "3600",
        }
        for size in SIZES:
            result = subprocess.run(
                [sys.executable, "-m", "tests.bench", str(size)],
                env=os.environ | {"VAR_DIR": str(Path(folder) / str(size))},
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            results[size] = [Line(**line) for line in json.loads(result.stdout.splitlines()[-1])]
    for size, lines in results.items():
        sys.stdout.write(f"\n{size} endpoints\n")
        sys.stdout.write(
            f"{'what':<22}{'n':>7}{'per s':>8}{'median':>9}{'p99':>9}{'bytes':>9}"
            f"{'gzip':>8}{'SQL':>5}{'ratio':>8}\n"
        )
        for x in lines:
            sys.stdout.write(
                f"{x.what:<22}{x.n:>7}{x.per_second:>8.0f}{x.median_ms:>9.2f}{x.p99_ms:>9.2f}"
                f"{x.bytes_raw:>9}{x.bytes_gzip:>8}{x.queries:>5}{x.ratio:>8.1f}\n"
            )
    out = ROOT / "var" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({n: [asdict(x) for x in xs] for n, xs in results.items()}, indent=1))


def one(size: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    sys.stdout.write("\n" + json.dumps([asdict(line) for line in run(size)]) + "\n")


if __name__ == "__main__":
    one(int(sys.argv[1])) if len(sys.argv) > 1 else main()
