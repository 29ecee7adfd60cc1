"""Data plane: queries of custom models. The answer is plausible, not intelligent."""

from __future__ import annotations

import hashlib
from typing import Any

from werkzeug.wrappers import Response

from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.endpoint import READY, Endpoint
from endpoints_app.emulator.errors import Refusal, bad_request
from endpoints_app.emulator.routing import Call, Route, as_response

_INPUTS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def invoke(call: Call) -> Response:
    endpoint = _answering(call)
    rows = _rows(call.body())
    response = as_response({"predictions": [_score(endpoint.name, row) for row in rows]})
    if endpoint.config:
        response.headers["served-model-name"] = endpoint.config.entities[0].name
    return response


def _answering(call: Call) -> Endpoint:
    try:
        endpoint = call.emulator.world.get(call.name)
    except Refusal as refusal:
        # The data plane has its own word for it.
        raise Refusal(404, "ENDPOINT_NOT_FOUND", refusal.message) from refusal
    if endpoint.stopped:
        raise bad_request(f"Endpoint '{endpoint.name}' is stopped. Please start it to query it.")
    if endpoint.ready != READY:
        # Unpublished for an endpoint that is not ready yet.
        raise bad_request(f"Endpoint '{endpoint.name}' is not ready to be queried.")
    return endpoint


def _rows(body: dict[str, Any]) -> list[Any]:
    given = [key for key in _INPUTS if key in body]
    if len(given) != 1:
        raise bad_request(
            "The request body must contain exactly one of dataframe_split, dataframe_records, "
            "instances and inputs."
        )
    sent = body[given[0]]
    if given[0] == "dataframe_split":
        sent = sent.get("data") if isinstance(sent, dict) else None
    elif isinstance(sent, dict):
        sent = next(iter(sent.values()), None)
    if not isinstance(sent, list):
        raise bad_request(f"{given[0]} does not hold rows.")
    return sent


def _score(name: str, row: Any) -> float:
    digest = hashlib.sha256(f"{name}{dumps(row)}".encode()).digest()
    return round(int.from_bytes(digest[:4], "big") / 2**32, 4)


ROUTES = [Route("POST", "/serving-endpoints/{name}/invocations", invoke)]
