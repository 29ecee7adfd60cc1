"""Control plane of the endpoints: list, get, create, update, tags, delete, stop and start."""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator import documents, invocations
from endpoints_app.emulator.errors import invalid
from endpoints_app.emulator.inputs import json_object
from endpoints_app.emulator.routing import BASE, Call, Route


def list_endpoints(call: Call) -> str:
    # The key is sent even when there are none: mlflow cannot read a list without it.
    return f'{{"endpoints":[{call.emulator.list_items.joined(call.emulator.world.all())}]}}'


def get(call: Call) -> dict[str, Any]:
    endpoint = call.emulator.world.get(call.name)
    document = documents.detailed(endpoint)
    if endpoint.route_optimized and endpoint.config:
        document |= invocations.data_plane(call)
    return document


def create(call: Call) -> dict[str, Any]:
    return documents.detailed(call.emulator.world.create(call.body(), call.caller))


def update_config(call: Call) -> dict[str, Any]:
    world = call.emulator.world
    return documents.detailed(world.update_config(call.name, call.body(), call.caller))


def create_throughput(call: Call) -> dict[str, Any]:
    """Provisioned throughput: each served entity says how many model units it takes."""
    body = call.body()
    _need_units(body)
    return documents.detailed(call.emulator.world.create(body, call.caller))


def update_throughput(call: Call) -> dict[str, Any]:
    world, body = call.emulator.world, call.body()
    _need_units(body)
    return documents.detailed(world.update_config(call.name, body["config"], call.caller))


def _need_units(body: dict[str, Any]) -> None:
    entities = json_object(body.get("config")).get("served_entities")
    for entity in entities if isinstance(entities, list) else [{}]:
        if not isinstance(json_object(entity).get("provisioned_model_units"), int):
            raise invalid("Each served entity needs a number of provisioned_model_units.")


def patch_tags(call: Call) -> dict[str, Any]:
    endpoint = call.emulator.world.change_tags(call.name, call.body())
    return {"tags": documents.tags(endpoint)}


def delete(call: Call) -> dict[str, Any]:
    call.emulator.world.delete(call.name)
    return {}


def stop(call: Call) -> dict[str, Any]:
    """The body is unpublished: the endpoint as it is now."""
    return documents.detailed(call.emulator.world.stop(call.name))


def start(call: Call) -> dict[str, Any]:
    return documents.detailed(call.emulator.world.start(call.name))


ROUTES = [
    Route("GET", BASE, list_endpoints),
    Route("POST", BASE, create, names="name"),
    Route("POST", f"{BASE}/pt", create_throughput, names="name"),
    Route("PUT", f"{BASE}/pt/{{name}}/config", update_throughput),
    Route("GET", f"{BASE}/{{name}}", get),
    Route("DELETE", f"{BASE}/{{name}}", delete),
    Route("PUT", f"{BASE}/{{name}}/config", update_config),
    Route("PATCH", f"{BASE}/{{name}}/tags", patch_tags),
    Route("POST", f"{BASE}/{{name}}/config:stop", stop),
    Route("POST", f"{BASE}/{{name}}/config:start", start),
]
