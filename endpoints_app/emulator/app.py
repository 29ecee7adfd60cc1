"""The WSGI application: routing, credentials, faults and the count of calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from endpoints_app.emulator import auth, endpoints_api
from endpoints_app.emulator.auth import USER, Credentials
from endpoints_app.emulator.calls import Calls
from endpoints_app.emulator.endpoints_api import ListRenderer
from endpoints_app.emulator.errors import Refusal
from endpoints_app.emulator.routing import (
    Call,
    Route,
    Router,
    as_response,
    not_found,
    refusal_response,
)
from endpoints_app.emulator.world import World

ROUTES = [*auth.ROUTES, *endpoints_api.ROUTES]


class Emulator:
    """One workspace, callable by a WSGI server."""

    def __init__(self, world: World, credentials: Credentials | None = None) -> None:
        self.world = world
        self.credentials = credentials or Credentials()
        self.calls = Calls()
        self.list_renderer = ListRenderer()
        self._router = Router(ROUTES)

    @property
    def workspace_id(self) -> str:
        """16 digits, the same for the same seed."""
        digest = hashlib.sha256(f"workspace {self.world.seed}".encode()).digest()
        return str(10**15 + int.from_bytes(digest[:7], "big") % (9 * 10**15))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        route, args = self._router.match(request)
        write = self.calls.arrived(
            route=str(route) if route else f"{request.method} (no such route)",
            method=request.method,
            path=request.path,
            name=args.get("name"),
            at=self.world.now(),
        )
        response = self._answer(request, route, args)
        if write:
            write.status = response.status_code
        return response(environ, start_response)

    def _answer(self, request: Request, route: Route | None, args: dict[str, str]) -> Response:
        try:
            with self.world.lock:
                caller = USER
                if route is None or not route.open:
                    caller = self.credentials.caller(request, self.world.now())
                if route is None:
                    return not_found(request)
                return as_response(route.handler(Call(self, request, caller, args)))
        except Refusal as refusal:
            return refusal_response(refusal)
