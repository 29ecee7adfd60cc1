"""Build log and server log of a served entity: the latest of it, as one text.

A log is read by asking again, and answers with what is still there. Some logs keep whole lines,
some are cut within a line, some begin anew every half hour. The control path can make any of them
begin anew, cut it, make it very long or put words in its mouth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from werkzeug.wrappers import Response

from endpoints_app.emulator import build_log, server_log
from endpoints_app.emulator.endpoint import IDLE_MESSAGE, Config, Endpoint, Entity
from endpoints_app.emulator.errors import Refusal, bad_request, invalid
from endpoints_app.emulator.log_source import Source, iso
from endpoints_app.emulator.routing import BASE, Call, Route, read_json

STOPPED = "the endpoint is stopped"
IDLE = "'{}' has scaled to zero"
REFUSED = frozenset({STOPPED})
"""Where no server runs, its log is refused in these cases and empty in the others; which is which
is unpublished."""

WINDOW = 64 * 1024  # bytes of a server log that are still there
TURN = 1800.0  # seconds after which a log that is rotated begins anew
BUILD_DAYS = 30
LONGEST = 200_000_000

BUILD, SERVER = "build", "server"


@dataclass
class Order:
    """What the control path asked of a log; None: nothing.

    `since`: it began anew then. `most`: so many bytes of it are left. `size`: it is that long.
    `says`: this and nothing else.
    """

    since: float | None = None
    most: int | None = None
    size: int | None = None
    says: str | None = None


class Orders:
    """By endpoint, served entity (all of them: None) and log; the newest that fits counts."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str | None, str], Order] = {}

    def give(self, name: str, served: str | None, log: str, order: Order) -> None:
        self._orders[name, served, log] = order

    def clear(self, name: str | None = None) -> None:
        for key in [key for key in self._orders if name in (None, key[0])]:
            del self._orders[key]

    def of(self, name: str, served: str, log: str) -> Order:
        general = self._orders.get((name, None, log), Order())
        return self._orders.get((name, served, log), general)


def build(call: Call) -> dict[str, str] | Response:
    source, now = _source(call), call.emulator.world.now()
    forgotten = now - source.config.started > BUILD_DAYS * 86400
    return _answer(call, BUILD, source, "" if forgotten else build_log.text(source, now))


def server(call: Call) -> dict[str, str] | Response:
    source, now = _source(call), call.emulator.world.now()
    order = call.emulator.log_orders.of(call.name, source.entity.name, SERVER)
    if order.says is None and (reason := _nothing_runs(source)):
        if reason in REFUSED:
            raise bad_request(f"Logs are not available: {reason.format(source.entity.name)}.")
        return {"logs": ""}
    return _answer(call, SERVER, source, _window(source, now, order.since))


def _nothing_runs(source: Source) -> str | None:
    if source.endpoint.stopped:
        return STOPPED
    idle = source.entity.message == IDLE_MESSAGE or source.entity.deployment is None
    return IDLE if idle else None


def _source(call: Call) -> Source:
    world = call.emulator.world
    endpoint = world.get(call.name)
    config, entity = _found(endpoint, call.args["served"], _version(call))
    if entity.fields.get("type") != "UC_MODEL":
        raise bad_request(f"Served entity '{entity.name}' has no logs: it runs no model server.")
    return Source(world.seed, endpoint, config, entity, world.time_scale)


def _found(endpoint: Endpoint, served: str, version: int | None) -> tuple[Config, Entity]:
    """Without a version the active configuration is meant, else the pending one."""
    for config in (endpoint.config, endpoint.pending):
        if config and version in (None, config.version):
            for entity in config.entities:
                if entity.name == served:
                    return config, entity
    which = "" if version is None else f" of config version {version}"
    raise Refusal(
        404,
        "RESOURCE_DOES_NOT_EXIST",
        f"Served entity '{served}'{which} does not exist in endpoint '{endpoint.name}'.",
    )


def _version(call: Call) -> int | None:
    """`config_version` is shown in the body of a GET, and used in the query."""
    sent = call.request.args.get("config_version")
    if sent is None:
        body = read_json(call.request)
        sent = body.get("config_version") if isinstance(body, dict) else None
    if sent is None:
        return None
    if not str(sent).isdecimal():
        raise invalid(f"Invalid config_version '{sent}'.")
    return int(sent)


def _window(source: Source, now: float, since: float | None) -> str:
    """What is left of a server log."""
    habit = Random(f"{source.key}/habit").choice(("whole", "cut", "rotated"))
    begin = since or 0.0
    if habit == "rotated" and not source.failed:
        begin = max(begin, now // TURN * TURN)
    parts: list[str] = []
    size = 0
    for at, lines in server_log.ticks(source, now):
        if at < begin or size > WINDOW:
            break
        if lines:
            parts.append("\n".join(lines) + "\n")
            size += len(parts[-1])
    else:
        came_up = server_log.start(source)
        if begin < came_up and (source.failed or now - server_log.LOOK_BACK < came_up):
            parts.append("".join(f"{line}\n" for line in server_log.startup(source, now)))
    text = "".join(reversed(parts))
    if len(text) <= WINDOW:
        return text
    text = text[-WINDOW:]
    return text if habit == "cut" else text.partition("\n")[2]


def _answer(call: Call, log: str, source: Source, text: str) -> dict[str, str] | Response:
    """The log as it was, or as the control path wants it."""
    order = call.emulator.log_orders.of(call.name, source.entity.name, log)
    if order.size is not None:
        return _long(order.size, call.emulator.world.now())
    text = text if order.says is None else order.says
    return {"logs": text if order.most is None else text[-order.most :] if order.most else ""}


def _long(size: int, now: float) -> Response:
    """A log of so many bytes, of which one line is written each second. Made while it is sent."""
    last = int(now)
    count = max(size // LINE, 1)

    def parts() -> Iterator[bytes]:
        yield b'{"logs":"'
        for first in range(last - count + 1, last + 1, 1000):
            numbers = range(first, min(first + 1000, last + 1))
            yield "".join(_numbered(number) + r"\n" for number in numbers).encode()
        yield b'"}'

    response = Response(parts(), mimetype="application/json", direct_passthrough=True)
    response.content_length = count * (LINE + 1) + 11
    return response


LINE = 120


def _numbered(number: int) -> str:
    """One line; the newline is its last character."""
    level = "ERROR" if number % 997 == 0 else "WARN " if number % 101 == 0 else "INFO "
    text = f"[5cb7p] {iso(number)} {level} serving.scoring request {number} scored"
    return text.ljust(LINE - 1, ".")


def order(call: Call) -> dict[str, Any]:
    """`POST /_control/logs/{name}`."""
    body = call.body()
    call.emulator.world.get(call.name)
    if unknown := body.keys() - {"served", "log", "rotate", "most", "size", "says"}:
        raise invalid(f"A log cannot be told {', '.join(sorted(unknown))}.")
    log = body.get("log", SERVER)
    if log not in (BUILD, SERVER):
        raise invalid("log must be build or server.")
    for key in ("most", "size"):
        value = body.get(key)
        if value is not None and not (isinstance(value, int) and 0 <= value <= LONGEST):
            raise invalid(f"{key} must be a number of bytes up to {LONGEST}.")
    if not isinstance(body.get("says", ""), str):
        raise invalid("says must be a text.")
    call.emulator.log_orders.give(
        call.name,
        body.get("served"),
        log,
        Order(
            since=call.emulator.world.now() if body.get("rotate") else None,
            most=body.get("most"),
            size=body.get("size"),
            says=body.get("says"),
        ),
    )
    return {}


def clear_orders(call: Call) -> dict[str, Any]:
    call.emulator.log_orders.clear(call.name)
    return {}


SERVED = f"{BASE}/{{name}}/served-models/{{served}}"

ROUTES = [
    Route("GET", f"{SERVED}/build-logs", build),
    Route("GET", f"{SERVED}/logs", server),
]
CONTROL_ROUTES = [
    Route("POST", "/_control/logs/{name}", order),
    Route("DELETE", "/_control/logs/{name}", clear_orders),
]
