"""Routes: which handler answers which call. A panel's module lists its own `ROUTES`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.errors import Refusal, no_such_route
from endpoints_app.emulator.inputs import json_object

if TYPE_CHECKING:
    from endpoints_app.emulator.app import Emulator
    from endpoints_app.emulator.world import Caller

BASE = "/api/2.0/serving-endpoints"


@dataclass
class Call:
    """One request with what a handler needs to answer it."""

    emulator: Emulator
    request: Request
    caller: Caller
    args: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.args["name"]

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent, or a 400."""
        return json_object(read_json(self.request))


@dataclass(frozen=True)
class Route:
    """`pattern` has its variables in braces, as call counts and faults name it.

    An open route asks for no credential. `names`: the field of the body that names the endpoint,
    where the path does not.
    """

    method: str
    pattern: str
    handler: Callable[[Call], Any]
    open: bool = False
    names: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._map = Map(
            [
                Rule(
                    route.pattern.replace("{", "<").replace("}", ">"),
                    methods=[route.method],
                    endpoint=route,
                    strict_slashes=False,
                )
                for route in routes
            ],
            merge_slashes=False,
        )

    def match(self, request: Request) -> tuple[Route | None, dict[str, str]]:
        """The route of a request and its variables; a percent-encoded colon is a colon."""
        adapter = self._map.bind_to_environ(request.environ)
        try:
            route, args = adapter.match()
        except HTTPException:
            return None, {}
        return route, dict(args)


def read_json(request: Request) -> Any:
    """The request's JSON whatever its content type; None for an empty body."""
    raw = request.get_data(cache=True)
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "INVALID_REQUEST", "The request body is not valid JSON.") from error


def as_response(answer: Any) -> Response:
    """A handler answers with a document, with JSON text it has already rendered, or in full."""
    if isinstance(answer, Response):
        return answer
    text = answer if isinstance(answer, str) else dumps(answer)
    return Response(text, mimetype="application/json")


def refusal_response(refusal: Refusal) -> Response:
    response = as_response(refusal.document())
    response.status_code = refusal.status
    return response


def not_found(request: Request) -> Response:
    return refusal_response(no_such_route(request.method, request.path))
