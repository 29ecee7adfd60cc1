"""Who may do what with an endpoint: by endpoint id, as the Permissions API has it."""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator.endpoint import Endpoint
from endpoints_app.emulator.errors import Refusal, bad_request, forbidden, invalid
from endpoints_app.emulator.inputs import json_object
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


def patch(call: Call) -> dict[str, Any]:
    """Adds the listed grants, or sets them anew; the others stay."""
    endpoint = _managed(call)
    _grant(call, endpoint, _direct(endpoint) | _listed(call.body()))
    return get(call)


def put(call: Call) -> dict[str, Any]:
    """Replaces all direct grants; what is inherited stays."""
    endpoint = _managed(call)
    _grant(call, endpoint, _listed(call.body()))
    return get(call)


def _managed(call: Call) -> Endpoint:
    endpoint = _endpoint(call)
    if endpoint.permission_level != "CAN_MANAGE":
        raise forbidden(
            f"User does not have permission 'Manage' on serving endpoint '{endpoint.name}'."
        )
    return endpoint


def _grant(call: Call, endpoint: Endpoint, grants: Grants) -> None:
    endpoint.grants = {f"{field}:{name}": level for (field, name), level in grants.items()}
    call.emulator.world.put(endpoint)


Grants = dict[tuple[str, str], str]
"""(the field that names the principal, its name) → level"""

PRINCIPALS = {
    "user_name": "UserName",
    "group_name": "GroupName",
    "service_principal_name": "ServicePrincipalName",
}


def _listed(body: dict[str, Any]) -> Grants:
    items = body.get("access_control_list")
    if not isinstance(items, list):
        raise invalid("access_control_list must be a list.")
    grants: Grants = {}
    for item in items:
        entry = json_object(item)
        named = [field for field in PRINCIPALS if entry.get(field)]
        if len(named) != 1 or not isinstance(entry[named[0]], str):
            raise invalid(f"An entry names exactly one of {', '.join(PRINCIPALS)}.")
        level = entry.get("permission_level")
        if level not in LEVELS:
            raise invalid(f"Invalid permission level {level} for a serving endpoint.")
        if not _exists(named[0], entry[named[0]]):
            who = PRINCIPALS[named[0]]
            raise Refusal(
                404,
                "RESOURCE_DOES_NOT_EXIST",
                f"Principal: {who}({entry[named[0]]}) does not exist.",
            )
        grants[named[0], entry[named[0]]] = level
    if grants.get(ADMINS, "CAN_MANAGE") != "CAN_MANAGE":
        raise bad_request(f"Cannot change permissions for group 'admins' to {grants[ADMINS]}.")
    return grants


def _exists(field: str, name: str) -> bool:
    """Everybody does but who says not to: users below .invalid, and whoever is called nobody."""
    if field == "user_name":
        return "@" in name and not name.endswith(".invalid")
    return not name.startswith("nobody")


ADMINS = ("group_name", "admins")


def _direct(endpoint: Endpoint) -> Grants:
    """What was granted on the endpoint; at first its creator manages and its team queries it."""
    if endpoint.grants is not None:
        parts = ((*key.partition(":"), level) for key, level in endpoint.grants.items())
        return {(field, name): level for field, _colon, name, level in parts}
    grants: Grants = {}
    if endpoint.creator:
        user = endpoint.creator_kind == "User"
        grants["user_name" if user else "service_principal_name", endpoint.creator] = "CAN_MANAGE"
    if team := endpoint.tags.get("team"):
        grants["group_name", team] = "CAN_QUERY"
    return grants


def _access(endpoint: Endpoint) -> list[dict[str, Any]]:
    direct = _direct(endpoint)
    entries = []
    for field, name in dict.fromkeys([*direct, ADMINS]):
        entry: dict[str, Any] = {field: name}
        if name == endpoint.creator:
            entry["display_name"] = endpoint.creator_display_name
        entry["all_permissions"] = permissions = []
        if level := direct.get((field, name)):
            permissions.append({"permission_level": level, "inherited": False})
        if (field, name) == ADMINS:
            permissions.append(FROM_ABOVE)
        entries.append(entry)
    return entries


FROM_ABOVE = {
    "permission_level": "CAN_MANAGE",
    "inherited": True,
    # Our reading; unpublished. Jobs give ["/jobs/"].
    "inherited_from_object": ["/serving-endpoints/"],
}


ROUTES = [
    Route("GET", f"{BASE}/{{id}}", get),
    Route("PATCH", f"{BASE}/{{id}}", patch),
    Route("PUT", f"{BASE}/{{id}}", put),
    Route("GET", f"{BASE}/{{id}}/permissionLevels", levels),
]
