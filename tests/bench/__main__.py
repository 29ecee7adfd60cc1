"""`make bench`: what requests, cycles and readers cost, as ratios to a bare view of the same run.

It builds its own fleets, starts the real server processes with a real Redis, and drives them with
wrk where it is installed (`apt install wrk`), else with a loop of its own. It prints one table per
database and fleet, writes var/bench.json, and never judges a time.

  BENCH_DATABASES  "sqlite postgresql"; the second where PostgreSQL is installed
  BENCH_FLEETS     "1x100 1x1000 10x1000": workspaces x endpoints
  BENCH_SECONDS    2: how long each line is asked
  BENCH_DOCUMENT   "on" puts the tables into docs/performance.md, when all is done
  BENCH_PARTS      "pages shares cycle worker browser live readers"; also "history", which
                   builds a year of it
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard import programs
from tests.bench.measuring import HEADINGS, WRK, Line, printed
from tests.harness import ROOT
from tests.needs import CHROMIUM, POSTGRESQL
from tests.on_postgresql import server as postgresql

DATABASES = os.environ.get("BENCH_DATABASES", "sqlite postgresql").split()
FLEETS = os.environ.get("BENCH_FLEETS", "1x100 1x1000 10x1000").split()
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
PARTS = os.environ.get("BENCH_PARTS", "pages shares cycle worker browser live readers").split()


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


said: list[str] = []


def say(text: str = "") -> None:
    said.append(text)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def alone(part: str, fleet: str, database: str, redis_url: str) -> Any:
    """One part in a process of its own, with an empty database; returns what it found."""
    server = postgresql(POSTGRESQL.path) if database == "postgresql" and POSTGRESQL.path else None
    with (
        tempfile.TemporaryDirectory(prefix="desk-bench-") as folder,
        server or nullcontext("") as url,
    ):
        env = os.environ | {
            "EMBEDDED": "on",
            "VAR_DIR": folder,
            "REDIS_URL": redis_url,
            "LOG_LEVEL": "ERROR",
            "SYNC_SECONDS": "3600",
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        }
        env = {k: v for k, v in env.items() if k not in ("WORKSPACES", "DATABASE_URL")}
        if url:
            env["DATABASE_URL"] = url
        command = [sys.executable, "-m", "tests.bench", part, fleet]
        result = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if result.returncode:
            say(result.stdout)
            raise SystemExit(f"{part} of {fleet} on {database} failed.")
        return json.loads(result.stdout.splitlines()[-1])


def one(part: str, fleet: str) -> list[Any]:
    """In the process of its own."""
    import django

    django.setup()
    from tests.bench import browser, cycle, pages, shares, worker

    workspaces, endpoints = map(int, fleet.split("x"))
    if part == "browser":
        return browser.run(endpoints)
    if part == "shares":
        return shares.run(workspaces, endpoints)
    if part == "cycle":
        return cycle.run(endpoints)
    if part == "worker":
        return worker.run(workspaces, endpoints)
    return pages.run(workspaces, endpoints, seconds=SECONDS, history=part == "history")


def pages_of(part: str, fleet: str, database: str, redis_url: str) -> list[dict[str, Any]]:
    found = alone(part, fleet, database, redis_url)
    kept = ", a year of history, 14 days of metrics" if part == "history" else ""
    say(f"\n{fleet} endpoints on {database}{kept}")
    say(HEADINGS)
    for line in found:
        say(printed(Line(**line)))
    return list(found)


def cycle_of(database: str, redis_url: str) -> list[dict[str, Any]]:
    found = alone("cycle", "1x1000", database, redis_url)
    say(f"\nOne sync cycle of 1,000 endpoints on {database}")
    say(f"{'what':<34}{'median ms':>10}{'ratio':>7}{'SQL':>5}{'rows':>7}")
    for line in found:
        say(
            f"{line['what']:<34}{line['median_ms']:>10.1f}{line['ratio']:>7.2f}"
            f"{line['statements']:>5}{line['rows_written']:>7}"
        )
    return list(found)


def worker_of(database: str, redis_url: str) -> list[dict[str, Any]]:
    say(f"\nA sync worker of its own, lists over a socket, on {database}")
    heads = f"{'ready':>9}{'settled':>9}{'after':>9}{'most':>9}"
    say(f"{'what':<34}{'cycles':>7}{'cpu ms':>8}{heads}  MB")
    found = []
    for fleet in ("1x1000", "10x1000"):
        for line in alone("worker", fleet, database, redis_url):
            found.append(line)
            held = "".join(f"{line[at]:>9.1f}" for at in ("ready", "settled", "after", "most"))
            say(f"{line['what']:<34}{line['cycles']:>7}{line['cpu_ms']:>8.1f}{held}")
    return found


def shares_of(database: str, redis_url: str) -> list[dict[str, Any]]:
    found = alone("shares", "1x1000", database, redis_url)
    say(f"\nPer cent of a request's time, 1,000 endpoints on {database}")
    names = [line["what"] for line in found]
    say(f"{'':<34}" + "".join(f"{chr(ord('a') + i):>8}" for i in range(len(names))))
    for part in found[0]["percent"]:
        say(f"{part:<34}" + "".join(f"{line['percent'][part]:>8.0f}" for line in found))
    say(f"{'calls of functions':<34}" + "".join(f"{line['calls']:>8}" for line in found))
    say("; ".join(f"{chr(ord('a') + i)}: {name}" for i, name in enumerate(names)))
    return list(found)


def browser_of(redis_url: str) -> list[dict[str, Any]]:
    found = alone("browser", "1x300", "sqlite", redis_url)
    say("\nChromium's own trace of a list of 300, a page of 100 rows")
    heads = f"{'longest task ms':>16}{'its cpu':>9}{'busy ms':>9}{'requests':>9}"
    say(f"{'what':<34}{heads}{'bytes':>8}{'shift':>7}")
    for line in found:
        say(
            f"{line['what']:<34}{line['longest_task_ms']:>16.1f}"
            f"{line['cpu_ms']:>9.1f}{line['busy_ms']:>9.1f}"
            f"{line['requests']:>9}{line['bytes']:>8}{line['layout_shift']:>7.3f}"
        )
    return list(found)


def put_into(document: Path) -> None:
    """With BENCH_DOCUMENT=on: what was said takes the place of the table there."""
    if os.environ.get("BENCH_DOCUMENT", "") not in ("1", "on"):
        return
    before, begin, rest = document.read_text().partition("```text\n")
    _, end, after = rest.partition("```\n")
    table = "\n".join([*said, ""])
    document.write_text(f"{before}{begin}{table}{end}{after}")


def main() -> None:
    started = datetime.now(UTC)
    databases = [d for d in DATABASES if d != "postgresql" or POSTGRESQL.there]
    results: dict[str, Any] = {
        "at": started.isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.platform()}",
        "python": platform.python_version(),
        "driver": "wrk" if WRK else "a loop in Python",
    }
    say(f"{results['machine']}, Python {results['python']}, {results['at']}")
    say(f"driven by {results['driver']}")
    with redis() as url:
        for database in databases:
            if "pages" in PARTS:
                for fleet in FLEETS:
                    results[f"pages {fleet} {database}"] = pages_of("pages", fleet, database, url)
            if "history" in PARTS:
                fleet = FLEETS[-1]
                results[f"history {fleet} {database}"] = pages_of("history", fleet, database, url)
            if "shares" in PARTS:
                results[f"shares {database}"] = shares_of(database, url)
            if "cycle" in PARTS:
                results[f"cycle {database}"] = cycle_of(database, url)
            if "worker" in PARTS:
                results[f"worker {database}"] = worker_of(database, url)
        if "browser" in PARTS and CHROMIUM.there:
            results["browser"] = browser_of(url)
    if "live" in PARTS:
        from tests.bench import live

        for database in databases:
            say(f"\nReal processes on {database}, {live.SHAPE}")
            results[f"live {database}"] = live.run(database, say=say)
    if "readers" in PARTS:
        from tests.bench import readers

        say(f"\nThe status page, {readers.SHAPE}")
        results["readers"] = readers.run(say=say)
    out = ROOT / "var" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1))
    out.with_suffix(".txt").write_text("\n".join([*said, ""]))
    put_into(ROOT / "docs" / "performance.md")
    say(f"\n{(datetime.now(UTC) - started).seconds} s; the same is in {out.relative_to(ROOT)}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        say()
        say(json.dumps([asdict(line) for line in one(*sys.argv[1:3])]))
    else:
        main()
