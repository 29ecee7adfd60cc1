"""Who may do what with an endpoint: read by endpoint id, as the Permissions API does."""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator.endpoint import Endpoint
from endpoints_app.emulator.errors import Refusal
from endpoints_app.emulator.routing import Call, Route

BASE = "/api/2.0/permissions/serving-endpoints"

LEVELS = {
    "CAN_VIEW": "Can view serving endpoint",
    "CAN_QUERY": "Can query serving endpoint",
    "CAN_MANAGE": "Can manage serving endpoint",
}


def levels(call: Call) -> dict[str, Any]:
    _endpoint(call)
    return {
        "permission_levels": [
            {"permission_level": level, "description": about} for level, about in LEVELS.items()
        ]
    }


def get(call: Call) -> dict[str, Any]:
    endpoint = _endpoint(call)
    return {
        "object_id": f"/serving-endpoints/{endpoint.id}",
        "object_type": "serving-endpoint",
        "access_control_list": _access(endpoint),
    }


def _endpoint(call: Call) -> Endpoint:
    endpoint_id = call.args["id"]
    endpoint = call.emulator.world.by_id(endpoint_id)
    if endpoint is None:
        raise Refusal(
            404,
            "RESOURCE_DOES_NOT_EXIST",
            f"Serving endpoint with id '{endpoint_id}' does not exist.",
        )
    return endpoint


def _access(endpoint: Endpoint) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    if endpoint.creator:
        user = endpoint.creator_kind == "User"
        entries.append(
            {
                "user_name" if user else "service_principal_name": endpoint.creator,
                "display_name": endpoint.creator_display_name,
                "all_permissions": [{"permission_level": "CAN_MANAGE", "inherited": False}],
            }
        )
    if team := endpoint.tags.get("team"):
        entries.append(
            {
                "group_name": team,
                "all_permissions": [{"permission_level": "CAN_QUERY", "inherited": False}],
            }
        )
    entries.append(
        {
            "group_name": "admins",
            "all_permissions": [
                {
                    "permission_level": "CAN_MANAGE",
                    "inherited": True,
                    # Our reading; unpublished. Jobs give ["/jobs/"].
                    "inherited_from_object": ["/serving-endpoints/"],
                }
            ],
        }
    )
    return entries


ROUTES = [
    Route("GET", f"{BASE}/{{id}}", get),
    Route("GET", f"{BASE}/{{id}}/permissionLevels", levels),
]
