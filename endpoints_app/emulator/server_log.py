"""What a model server says: how it comes up, then what its requests leave behind.

Nothing is kept: a line is made from the entity and the moment it was written at, so that two
readings agree on what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from endpoints_app.emulator import texts, traffic
from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.endpoint import CREATING
from endpoints_app.emulator.log_source import Source, iso

TICK = 5.0  # seconds; what is written within one is written at once
SHARE = 0.7  # of a deployment is over when the server comes up
LOOK_BACK = 3 * 3600.0  # nothing older is left, however little was written since
HEARTBEAT = 300.0
RESTART = 150.0  # seconds between two starts of a worker that does not stay


def start(source: Source) -> float:
    return source.at(SHARE)


def startup(source: Source, now: float) -> list[str]:
    """What it said while it came up."""
    begin, end = start(source), source.built_at
    lines: list[str] = []
    for part in _startup(source):
        lines += source.told(part, begin, end, until=now)
    return lines


def ticks(source: Source, now: float) -> Iterator[tuple[float, list[str]]]:
    """What it has said since, backwards in time: (when, the lines of that moment)."""
    if source.failed or source.entity.deployment == CREATING:
        return
    write = _unwell if source.entity.deployment == "DEPLOYMENT_RECOVERING" else _serving(source)
    oldest = max(source.built_at, now - LOOK_BACK)
    number = int(now // TICK)
    while number * TICK > oldest:
        at = number * TICK
        yield at, write(source, at, Random(f"{source.key}/{number}"))
        number -= 1


def _startup(source: Source) -> list[str]:
    if not source.failed:
        begins = ["server_start"]
        return begins if source.entity.deployment == CREATING else [*begins, "server_ready"]
    message = source.entity.message
    if "image creation" in message or "capacity" in message or "Aborted because" in message:
        return []  # it never came up
    return ["server_start", "server_weights" if "timed out" in message else "server_missing_module"]


def _serving(source: Source) -> Callable[[Source, float, Random], list[str]]:
    """Models are served by different programs, each with a manner of its own."""
    if source.endpoint.task:
        return _json_lines
    return Random(f"{source.key}/manner").choice((_access_lines, _access_lines, _json_lines))


def _heartbeat(source: Source, at: float) -> list[str]:
    if at % HEARTBEAT >= TICK:
        return []
    return [f"[{source.words['replica']}] {iso(at)} DEBUG serving.health /ping answers 200"]


def _requests(source: Source, at: float, random: Random) -> list[float]:
    """When a request left a line in this tick; few do, so that the log stays readable."""
    busy = min(traffic.per_second(source.seed, source.endpoint.name, at) / 4, 1.0)
    count = sum(random.random() < busy for _ in range(3))
    return sorted(at - random.uniform(0, TICK) for _ in range(count))


def _access_lines(source: Source, at: float, random: Random) -> list[str]:
    replica, lines = source.words["replica"], list[str]()
    for moment in _requests(source, at, random):
        milliseconds = random.lognormvariate(3.5, 0.6)
        if random.random() < 0.004:
            rows = str(random.randint(2, 64))
            lines += _filled(source, "traceback", moment, column="amount", rows=rows)
            lines.append(_access(replica, random, "500 Internal Server Error", 31))
        elif random.random() < 0.02:
            lines.append(
                f"[{replica}] {iso(moment)} WARN serving.scoring Request took "
                f"{milliseconds * 10 + 500:.0f} ms, longer than 500 ms"
            )
            lines.append(_access(replica, random, "200 OK", 32))
        elif random.random() < 0.02:
            lines.append(
                f"[{replica}] {iso(moment)} ERROR serving.scoring Failed to enforce schema of "
                "data: Model is missing inputs ['amount']."
            )
            lines.append(_access(replica, random, "400 Bad Request", 33))
        else:
            lines.append(
                f"[{replica}] {iso(moment)} INFO serving.scoring Scored {random.randint(1, 64)} "
                f"rows in {milliseconds:.1f} ms"
            )
            lines.append(_access(replica, random, "200 OK", 32))
    return lines + _heartbeat(source, at)


def _access(replica: str, random: Random, status: str, colour: int) -> str:
    client = f"127.0.6.{random.randint(1, 9)}:{random.randint(32768, 60999)}"
    return (
        f"[{replica}] \x1b[32mINFO\x1b[0m:     {client} - "
        f'"\x1b[1mPOST /invocations HTTP/1.1\x1b[0m" \x1b[{colour}m{status}\x1b[0m'
    )


def _json_lines(source: Source, at: float, random: Random) -> list[str]:
    lines = []
    for moment in _requests(source, at, random):
        rows, tokens = random.randint(1, 64), random.randint(80, 3000)
        level, message, more = _told(bool(source.endpoint.task), rows, random)
        record: dict[str, Any] = {
            "timestamp": iso(moment),
            "level": level,
            "logger": "agent.run" if source.endpoint.task else "model.predict",
            "message": message,
            "request_id": f"{random.getrandbits(64):016x}",
            "duration_ms": round(random.lognormvariate(6, 0.7)),
        }
        record |= {"prompt_tokens": tokens} if source.endpoint.task else {"rows": rows}
        record |= more
        lines.append(dumps(record))
    return lines


def _told(agent: bool, rows: int, random: Random) -> tuple[str, str, dict[str, str]]:
    """Level, message and further fields of a record."""
    chance = random.random()
    if chance < 0.01:
        if agent:
            return "error", "tool failed", {"tool": "search", "error": "ReadTimeout"}
        return "error", "feature lookup failed", {"error": "ReadTimeout"}
    if chance < 0.04:
        if agent:
            return "warning", "tool was slow", {"tool": "search"}
        return "warning", "feature lookup was slow, going on with defaults", {}
    return "info", "request answered" if agent else f"scored {rows} rows", {}


def _unwell(source: Source, at: float, random: Random) -> list[str]:
    """A worker that does not stay."""
    if at % RESTART >= TICK:
        return []
    restart = int((at - source.built_at) // RESTART) + 1
    pid = 11 + 3 * restart
    name = "cuda" if "CUDA" in source.entity.message else "killed"
    numbers = {"pid": pid, "next": pid + 3, "restart": restart}
    return _filled(source, name, at, **{key: str(number) for key, number in numbers.items()})


def _filled(source: Source, name: str, at: float, **words: str) -> list[str]:
    stamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
    return [
        template.substitute(source.words, time=iso(at), stamp=stamp, **words)
        for _share, template in texts.script(name)
    ]
