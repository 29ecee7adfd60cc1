"""Calls to a service outside through a connection of Unity Catalog, as the SDK has them.

One connection exists. Nothing is called: the answer repeats what was asked.
"""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator.errors import Refusal, invalid
from endpoints_app.emulator.routing import Call, Route

CONNECTION = "echo"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def call_function(call: Call) -> dict[str, Any]:
    body = call.body()
    name = body.get("connection_name")
    if name != CONNECTION:
        raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Connection '{name}' does not exist.")
    if body.get("method") not in _METHODS:
        raise invalid(f"method must be one of {', '.join(_METHODS)}.")
    return {key: value for key, value in body.items() if key != "headers"}


ROUTES = [Route("POST", "/api/2.0/external-function", call_function)]
