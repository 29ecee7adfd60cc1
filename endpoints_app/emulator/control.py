"""The control path: tests and demonstrations steer the workspace from outside its API.

Answers to this machine alone and asks for no credential; not counted and never hit by a fault.

GET    /_control/calls              counts per "METHOD route", and each write on its own:
                                    {"calls": {"POST …/config:stop": 1}, "writes": [{"method",
                                    "path", "name", "at", "status"}]}; status null: no answer
DELETE /_control/calls              counts start again from nothing
GET    /_control/faults             the faults in force
POST   /_control/faults             adds one: see faults.py
DELETE /_control/faults             clears them all
POST   /_control/endpoints/{name}   changes an endpoint behind everybody's back:
                                    {"state": {…}} sets what it reports, which then stays until an
                                    operation changes it; {"permission_level": …};
                                    {"remove": true}; {"replace": true} (same name, new id)
POST   /_control/logs/{name}        from now on a log of the endpoint is another: {"rotate": true}
                                    begins it anew now, {"most": bytes} leaves its last part,
                                    {"size": bytes} makes it that long (one line a second),
                                    {"says": text} is all of it; "log": "server" (the default) or
                                    "build", and "served": only of this entity
DELETE /_control/logs/{name}        its logs are as they were
POST   /_control/clock              {"advance": seconds} → {"now": seconds since the epoch}
POST   /_control/reset              all of this as it was at the first start
"""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator import documents
from endpoints_app.emulator.errors import invalid
from endpoints_app.emulator.routing import Call, Route

_STATE = {"ready", "config_update", "suspend", "system_update_failure"}


def calls(call: Call) -> dict[str, Any]:
    return call.emulator.calls.document()


def clear_calls(call: Call) -> dict[str, Any]:
    call.emulator.calls.clear()
    return {}


def faults(call: Call) -> dict[str, Any]:
    return {"faults": call.emulator.faults.document()}


def add_fault(call: Call) -> dict[str, Any]:
    call.emulator.faults.add(call.body())
    return faults(call)


def clear_faults(call: Call) -> dict[str, Any]:
    call.emulator.faults.clear()
    return {}


def change_endpoint(call: Call) -> dict[str, Any]:
    world, body = call.emulator.world, call.body()
    endpoint = world.get(call.name)
    if unknown := body.keys() - {"state", "permission_level", "remove", "replace"}:
        raise invalid(f"An endpoint cannot be told {', '.join(sorted(unknown))}.")
    if body.get("remove"):
        world.remove(call.name)
        return {}
    if body.get("replace"):
        return documents.detailed(world.recreate(call.name))
    if unknown := body.get("state", {}).keys() - _STATE:
        raise invalid(f"A state has no {', '.join(sorted(unknown))}.")
    if "state" in body:
        endpoint.change = endpoint.script = None
        for key, value in body["state"].items():
            setattr(endpoint, key, value)
    endpoint.permission_level = body.get("permission_level", endpoint.permission_level)
    world.put(endpoint)
    return documents.detailed(endpoint)


def clock(call: Call) -> dict[str, Any]:
    seconds = call.body().get("advance")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise invalid("advance must be a number of seconds.")
    call.emulator.world.advance(seconds)
    return {"now": call.emulator.world.now()}


def reset(call: Call) -> dict[str, Any]:
    call.emulator.reset()
    return {}


ROUTES = [
    Route("GET", "/_control/calls", calls),
    Route("DELETE", "/_control/calls", clear_calls),
    Route("GET", "/_control/faults", faults),
    Route("POST", "/_control/faults", add_fault),
    Route("DELETE", "/_control/faults", clear_faults),
    Route("POST", "/_control/endpoints/{name}", change_endpoint),
    Route("POST", "/_control/clock", clock),
    Route("POST", "/_control/reset", reset),
]
