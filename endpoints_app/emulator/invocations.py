"""Data plane: queries of every form, answered by one of the served entities."""

from __future__ import annotations

from collections import Counter
from typing import Any

from werkzeug.wrappers import Response

from endpoints_app.emulator import generating, scoring, signatures
from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.endpoint import READY, Endpoint, Entity
from endpoints_app.emulator.errors import Refusal, bad_request, forbidden, too_many
from endpoints_app.emulator.routing import Call, Route, as_response
from endpoints_app.emulator.signatures import Kind

WORD = 0.03  # seconds that a word of a streamed answer takes
SCORED = (Kind.FRAME, Kind.TENSOR, Kind.TENSORS, Kind.FEATURES, Kind.ANYTHING)


class Queries:
    """How many there were: of all for the traffic split, in this minute for the rate limits."""

    def __init__(self) -> None:
        self._all = 0
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def arrived(self, name: str, now: float) -> tuple[int, int]:
        """The number of this query, and how many of this endpoint came in this minute."""
        if int(now // 60) != self._minute:
            self._minute = int(now // 60)
            self._counts.clear()
        self._all += 1
        self._counts[name] += 1
        return self._all, self._counts[name]


def invoke(call: Call) -> Response:
    endpoint = _answering(call, call.name)
    if endpoint.route_optimized:
        raise bad_request(f"Endpoint '{call.name}' is route optimized: query its endpoint_url.")
    return _answered(call, call.name, call.body())


def data_plane(call: Call) -> dict[str, Any]:
    """Where a route-optimized endpoint is queried, and what a token for it must be asked with."""
    url = f"{call.request.host_url.rstrip('/')}{DATA_PLANE.format(name=call.name)}"
    details = [
        {
            "type": "workspace_permission",
            "object_type": "serving-endpoints",
            "object_path": f"/serving-endpoints/{call.name}",
            "actions": ["query_inference_endpoint"],
        }
    ]
    info = {"endpoint_url": url, "authorization_details": dumps(details)}
    return {"endpoint_url": url, "data_plane_info": {"query_info": info}}


def invoke_optimized(call: Call) -> Response:
    """Without a way through the workspace; personal access tokens do not open it."""
    if call.caller.kind == "User":
        raise forbidden("Route-optimized endpoints take OAuth tokens only.")
    return _answered(call, call.name, call.body())


def invoke_entity(call: Call) -> Response:
    """One served entity by name, whatever the traffic split says."""
    return _answered(call, call.name, call.body(), served=call.args["served"])


def openai_style(kind: Kind) -> Any:
    """A path as the OpenAI API has it: the endpoint is the `model` of the body."""

    def invoke(call: Call) -> Response:
        body = call.body()
        name = body.get("model")
        if not isinstance(name, str):
            raise bad_request("The request body must name an endpoint as its 'model'.")
        return _answered(call, name, body, kind=kind)

    return invoke


def _answered(
    call: Call, name: str, body: dict[str, Any], *, served: str = "", kind: Kind | None = None
) -> Response:
    emulator, now = call.emulator, call.emulator.world.now()
    endpoint = _answering(call, name)
    number, in_minute = emulator.queries.arrived(name, now)
    if any(in_minute > limit for limit in _limits(endpoint)):
        raise too_many(f"User defined rate limit(s) exceeded for endpoint '{name}'.")
    entity = _entity(endpoint, served, number)
    emulator.world.wake(endpoint)
    signature = _signature(endpoint, entity)
    if kind not in (None, signature.kind):
        raise bad_request(f"Endpoint '{name}' does not serve this API; its task is another.")
    entity_name = entity.name if entity else endpoint.name
    if signature.kind in SCORED:
        response = as_response(scoring.answer(entity_name, signature, body))
    else:
        asked = generating.Asked(signature.kind, _model(entity_name, entity), body, now)
        generating.check(asked)
        if asked.streams:
            pause = WORD * min(emulator.world.time_scale, 1)
            response = Response(generating.stream(asked, pause), mimetype="text/event-stream")
        else:
            response = as_response(generating.answer(asked))
    response.headers["served-model-name"] = entity_name
    return response


def _answering(call: Call, name: str) -> Endpoint:
    try:
        endpoint = call.emulator.world.get(name)
    except Refusal as refusal:
        # The data plane has its own word for it.
        raise Refusal(404, "ENDPOINT_NOT_FOUND", refusal.message) from refusal
    if endpoint.permission_level == "CAN_VIEW":
        raise forbidden(f"User does not have permission 'Query' on serving endpoint '{name}'.")
    if endpoint.stopped:
        raise bad_request(f"Endpoint '{name}' is stopped. Please start it to query it.")
    if endpoint.ready != READY:
        # Unpublished for an endpoint that is not ready yet.
        raise bad_request(f"Endpoint '{name}' is not ready to be queried.")
    return endpoint


def _limits(endpoint: Endpoint) -> list[int]:
    """Calls a minute; there is one caller here, so each kind of key counts the same."""
    given = [*endpoint.rate_limits, *endpoint.ai_gateway.get("rate_limits", [])]
    return [limit["calls"] for limit in given if "calls" in limit]


def _entity(endpoint: Endpoint, served: str, number: int) -> Entity | None:
    """The one that is named, else the one whose turn it is; None for an agent of the platform."""
    config = endpoint.config
    if served:
        for entity in config.entities if config else ():
            if entity.name == served:
                return entity
        message = f"Served entity '{served}' does not exist in endpoint '{endpoint.name}'."
        raise Refusal(404, "ENDPOINT_NOT_FOUND", message)
    if config is None or not config.entities:
        return None
    # 37 and 100 have no common divisor: each hundred queries are split exactly.
    place = number * 37 % 100
    for entity in config.entities:
        place -= config.routes.get(entity.name, 100)
        if place < 0:
            return entity
    return config.entities[0]


def _signature(endpoint: Endpoint, entity: Entity | None) -> signatures.Signature:
    if entity is None:
        return signatures.Signature(signatures.TASKS.get(endpoint.task or "", Kind.RESPONSES))
    return signatures.of(endpoint, entity)


def _model(name: str, entity: Entity | None) -> str:
    external = entity.fields.get("external_model", {}) if entity else {}
    return str(external.get("name", name))


BASE = "/serving-endpoints"
DATA_PLANE = "/data-plane/serving-endpoints/{name}/invocations"

ROUTES = [
    Route("POST", f"{BASE}/{{name}}/invocations", invoke),
    Route("POST", f"{BASE}/{{name}}/served-models/{{served}}/invocations", invoke_entity),
    Route("POST", DATA_PLANE, invoke_optimized),
    Route("POST", f"{BASE}/chat/completions", openai_style(Kind.CHAT), names="model"),
    Route("POST", f"{BASE}/completions", openai_style(Kind.COMPLETIONS), names="model"),
    Route("POST", f"{BASE}/embeddings", openai_style(Kind.EMBEDDINGS), names="model"),
    Route("POST", f"{BASE}/responses", openai_style(Kind.RESPONSES), names="model"),
]
