"""Control plane of the endpoints: list, get, create, update, tags, delete, stop and start."""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator import documents
from endpoints_app.emulator.endpoint import Endpoint
from endpoints_app.emulator.routing import BASE, Call, Route


class ListRenderer:
    """Keeps each endpoint's list item as text until the endpoint changes."""

    def __init__(self) -> None:
        self._rendered: dict[str, tuple[int, str]] = {}

    def render(self, endpoints: list[Endpoint]) -> str:
        return f'{{"endpoints":[{",".join(map(self._item, endpoints))}]}}'

    def _item(self, endpoint: Endpoint) -> str:
        kept = self._rendered.get(endpoint.name)
        if kept is None or kept[0] != endpoint.revision:
            text = documents.dumps(documents.summary(endpoint))
            kept = self._rendered[endpoint.name] = (endpoint.revision, text)
        return kept[1]


def list_endpoints(call: Call) -> str:
    # The key is sent even when there are none: mlflow cannot read a list without it.
    return call.emulator.list_renderer.render(call.emulator.world.all())


def get(call: Call) -> dict[str, Any]:
    return documents.detailed(call.emulator.world.get(call.name))


def create(call: Call) -> dict[str, Any]:
    return documents.detailed(call.emulator.world.create(call.body(), call.caller))


def update_config(call: Call) -> dict[str, Any]:
    world = call.emulator.world
    return documents.detailed(world.update_config(call.name, call.body(), call.caller))


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
    Route("POST", BASE, create),
    Route("GET", f"{BASE}/{{name}}", get),
    Route("DELETE", f"{BASE}/{{name}}", delete),
    Route("PUT", f"{BASE}/{{name}}/config", update_config),
    Route("PATCH", f"{BASE}/{{name}}/tags", patch_tags),
    Route("POST", f"{BASE}/{{name}}/config:stop", stop),
    Route("POST", f"{BASE}/{{name}}/config:start", start),
]
