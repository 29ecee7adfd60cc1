"""What an endpoint has beside its configuration, each changed by a call of its own.

AI gateway, rate limits, notifications, telemetry. What was sent is stored and echoed.
"""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator import documents, inputs
from endpoints_app.emulator.endpoint import IN_PROGRESS, Endpoint
from endpoints_app.emulator.errors import bad_request, busy
from endpoints_app.emulator.routing import BASE, Call, Route


def put_gateway(call: Call) -> dict[str, Any]:
    """Replaces all of it; an empty body clears it."""
    endpoint = _changeable(call)
    endpoint.ai_gateway = inputs.gateway(call.body())
    _changed(call, endpoint)
    return endpoint.ai_gateway


def put_rate_limits(call: Call) -> dict[str, Any]:
    """Deprecated, for foundation models only, and not echoed when the endpoint is read."""
    endpoint = _changeable(call)
    if not _is_foundation(endpoint):
        raise bad_request("Rate limits are only supported for foundation model endpoints.")
    endpoint.rate_limits = inputs.limits(call.body().get("rate_limits") or [])
    _changed(call, endpoint)
    return {"rate_limits": endpoint.rate_limits}


def patch_notifications(call: Call) -> dict[str, Any]:
    endpoint = _changeable(call)
    endpoint.email_notifications = inputs.notifications(
        call.body().get("email_notifications") or {}
    )
    _changed(call, endpoint)
    return {"name": endpoint.name, "email_notifications": endpoint.email_notifications}


def patch_telemetry(call: Call) -> dict[str, Any]:
    endpoint = _changeable(call)
    if endpoint.config_update == IN_PROGRESS:
        raise busy(endpoint.name)
    if endpoint.config is None or endpoint.endpoint_type == "EXTERNAL_MODEL":
        raise bad_request("Telemetry is only supported for endpoints that serve a model here.")
    sent = call.body() if call.request.get_data() else {}
    endpoint.telemetry_config = inputs.json_object(sent.get("telemetry_config") or {})
    _changed(call, endpoint)
    return documents.detailed(endpoint)


def _changeable(call: Call) -> Endpoint:
    """Pay-per-token endpoints have no owner: whoever asks is taken for a workspace admin."""
    endpoint = call.emulator.world.get(call.name)
    return endpoint if endpoint.id is None else call.emulator.world.managed(call.name)


def _is_foundation(endpoint: Endpoint) -> bool:
    entities = endpoint.config.entities if endpoint.config else []
    return bool(endpoint.endpoint_type) or any(
        "provisioned" in key for entity in entities for key in entity.fields
    )


def _changed(call: Call, endpoint: Endpoint) -> None:
    if endpoint.id is not None:
        endpoint.updated = call.emulator.world.now()
    call.emulator.world.put(endpoint)


ROUTES = [
    Route("PUT", f"{BASE}/{{name}}/ai-gateway", put_gateway),
    Route("PUT", f"{BASE}/{{name}}/rate-limits", put_rate_limits),
    Route("PATCH", f"{BASE}/{{name}}/notifications", patch_notifications),
    Route("PATCH", f"{BASE}/{{name}}/telemetry-config", patch_telemetry),
]
