"""Events of an endpoint: in no reference, used by Databricks' own packages.

Some workspaces have none of it: there the path is unknown. The newest comes first; clients
disagree on the order.
"""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator.documents import milliseconds
from endpoints_app.emulator.errors import invalid, no_such_route
from endpoints_app.emulator.routing import BASE, Call, Route


def served_in(seed: int) -> bool:
    return seed % 3 != 2


def listed(call: Call) -> dict[str, Any]:
    world, request = call.emulator.world, call.request
    if not served_in(world.seed):
        raise no_such_route(request.method, request.path)
    limit = request.args.get("limit", "50")
    if not limit.isdecimal():
        raise invalid(f"Invalid limit '{limit}'.")
    newest = world.get(call.name).events[::-1][: int(limit)]
    return {
        "events": [
            {"timestamp": milliseconds(event["at"])}
            | {key: value for key, value in event.items() if key != "at" and value}
            for event in newest
        ]
    }


ROUTES = [Route("GET", f"{BASE}/{{name}}/events", listed)]
