"""The WSGI application: routes, credentials, faults and the count of calls."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from endpoints_app.emulator import (
    aspects,
    auth,
    budgets,
    connections,
    control,
    documents,
    effects,
    endpoints_api,
    events,
    fleet,
    invocations,
    logs,
    metrics,
    openapi,
    permissions,
)
from endpoints_app.emulator.auth import USER, Credentials
from endpoints_app.emulator.calls import Calls
from endpoints_app.emulator.endpoint import Endpoint
from endpoints_app.emulator.errors import Refusal
from endpoints_app.emulator.faults import Fault, Faults
from endpoints_app.emulator.rendering import PerRevision
from endpoints_app.emulator.routing import (
    Call,
    Route,
    Router,
    as_response,
    not_found,
    read_json,
    refusal_response,
)
from endpoints_app.emulator.state import StateFile
from endpoints_app.emulator.world import World

ROUTES = [
    *auth.ROUTES,
    *endpoints_api.ROUTES,
    *aspects.ROUTES,
    *budgets.ROUTES,
    *connections.ROUTES,
    *events.ROUTES,
    *invocations.ROUTES,
    *logs.ROUTES,
    *metrics.ROUTES,
    *openapi.ROUTES,
    *permissions.ROUTES,
]


@dataclass(frozen=True)
class Options:
    """What a workspace is made of; the same options make the same fleet.

    `company` is one of companies.NAMES, chosen by the seed when None. `time_scale` multiplies how
    long the platform takes for a change: 0.01 makes a start of 99 s take one.
    """

    endpoints: int = 24
    seed: int = 0
    company: str | None = None
    time_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.time_scale < 0:
            raise ValueError("The time scale must not be negative.")

    def fleet(self, now: float) -> list[Endpoint]:
        return fleet.seeded(
            self.seed, self.endpoints, now=now, scale=self.time_scale, company=self.company
        )


class Emulator:
    """One workspace, callable by a WSGI server."""

    def __init__(
        self,
        options: Options | None = None,
        credentials: Credentials | None = None,
        *,
        clock: Callable[[], float] = time.time,
        state: Path | None = None,
    ) -> None:
        """With a `state` file the world in it goes on, and every change is written to it.

        Raises ValueError for an impossible fleet and UnreadableState.
        """
        self.options = options or Options()
        self.credentials = credentials or Credentials()
        self.calls = Calls()
        self.faults = Faults()
        self.log_orders = logs.Orders()
        self.queries = invocations.Queries()
        self.list_items = PerRevision(lambda it: documents.dumps(documents.summary(it)))
        self._state = StateFile(state) if state else None
        self.world = self._first_world(clock)
        self._api = Router(ROUTES)
        self._control = Router([*control.ROUTES, *logs.CONTROL_ROUTES])

    @property
    def workspace_id(self) -> str:
        """16 digits, the same for the same seed."""
        digest = hashlib.sha256(f"workspace {self.world.seed}".encode()).digest()
        return str(10**15 + int.from_bytes(digest[:7], "big") % (9 * 10**15))

    def reset(self) -> None:
        self.calls.clear()
        self.faults.clear()
        self.log_orders.clear()
        self.world.reset(self.options.fleet(self.world.clock()))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        try:
            if request.path.startswith("/_control/"):
                return self._steer(request)(environ, start_response)
            response, deliver = self._serve(request)
        except effects.Dropped:
            effects.drop(environ)
        if deliver:
            deliver(environ, response)
        return response(environ, start_response)

    def _serve(self, request: Request) -> tuple[Response, effects.Delivery | None]:
        """Count the call, let its faults act and answer it. Raises Dropped."""
        route, args = self._api.match(request)
        name = args.get("name") or _name_in_body(request, route)
        write = self.calls.arrived(
            route=str(route) if route else f"{request.method} (no such route)",
            method=request.method,
            path=request.path,
            name=name,
            at=self.world.now(),
        )
        hits = self.faults.take(
            method=request.method,
            route=route.pattern if route else None,
            path=request.path,
            name=name,
        )
        response = effects.instead(hits, after=False)
        if response is None:
            performed = self._answer(request, route, args, name, hits)
            response = effects.instead(hits, after=True) or effects.falsified(performed, hits)
        if write:
            write.status = response.status_code
        return response, effects.delivery(hits)

    def _answer(
        self,
        request: Request,
        route: Route | None,
        args: dict[str, str],
        name: str | None,
        hits: list[Fault],
    ) -> Response:
        try:
            with self.world.lock:
                caller = USER
                if route is None or not route.open:
                    caller = self.credentials.caller(request, self.world.now())
                if route is None:
                    return not_found(request)
                call = Call(self, request, caller, args)
                return self._perform(route, call, name, hits)
        except Refusal as refusal:
            return refusal_response(refusal)

    def _perform(self, route: Route, call: Call, name: str | None, hits: list[Fault]) -> Response:
        if route.method == "GET" or route.open:
            return as_response(route.handler(call))
        ignored = any(fault.kind == "ignore" for fault in hits)
        restore = self.world.undo(name) if ignored and name else None
        response = as_response(route.handler(call))
        if restore:
            restore()
        for fault in hits:
            if fault.kind == "fail_midway" and name:
                self.world.divert(
                    name,
                    fault.options.get("outcome", "failed"),
                    fault.options.get("message", ""),
                )
        self._save()
        return response

    def _steer(self, request: Request) -> Response:
        route, args = self._control.match(request)
        try:
            if not _from_this_machine(request):
                raise Refusal(403, "PERMISSION_DENIED", "The control path is local.")
            if route is None:
                return not_found(request)
            with self.world.lock:
                response = as_response(route.handler(Call(self, request, USER, args)))
                if route.method != "GET":
                    self._save()
                return response
        except Refusal as refusal:
            return refusal_response(refusal)

    def _first_world(self, clock: Callable[[], float]) -> World:
        saved = self._state.load() if self._state else None
        world = World(
            saved.endpoints if saved else self.options.fleet(clock()),
            seed=saved.seed if saved else self.options.seed,
            offset=saved.offset if saved else 0.0,
            clock=clock,
            time_scale=self.options.time_scale,
        )
        if self._state:
            self._state.save(world)
        return world

    def _save(self) -> None:
        if self._state:
            self._state.save(self.world)


def _name_in_body(request: Request, route: Route | None) -> str | None:
    """The endpoint that a create is about, say."""
    if route is None or not route.names:
        return None
    try:
        body = read_json(request)
    except Refusal:
        return None
    name = body.get(route.names) if isinstance(body, dict) else None
    return name if isinstance(name, str) else None


def _from_this_machine(request: Request) -> bool:
    return ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104
