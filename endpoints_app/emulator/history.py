"""What has happened to an endpoint of the seeded fleet before anybody looked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from endpoints_app.emulator import lifecycle
from endpoints_app.emulator.endpoint import (
    UPDATE_CANCELED,
    UPDATE_FAILED,
    Config,
    Endpoint,
)

VERSIONS = 5  # that are told of


def of(endpoint: Endpoint, now: float, scale: float) -> list[dict[str, Any]]:
    """Its events, the oldest first, as `Endpoint.note` takes them."""
    if endpoint.id is None:
        return []  # it belongs to the platform, which tells of nothing
    told = [_event(endpoint.created, "ENDPOINT_CREATE", "SUCCESS", "The endpoint was created.")]
    if endpoint.config:
        told += _versions(endpoint, endpoint.config, scale)
    if endpoint.pending:
        told += _pending(endpoint, endpoint.pending, now, scale)
    if endpoint.config_update == UPDATE_CANCELED:
        text = "The update was canceled."
        told.append(_event(endpoint.updated, "ENDPOINT_UPDATE", "CANCELED", text))
    if endpoint.stopped:
        told.append(_event(endpoint.updated, "ENDPOINT_STOP", "SUCCESS", "Stopped."))
    return sorted((it for it in told if it["at"] <= now), key=lambda it: float(it["at"]))


def _versions(endpoint: Endpoint, active: Config, scale: float) -> Iterator[dict[str, Any]]:
    """The last few versions; those before the active one are spread over the life so far."""
    first = max(1, active.version - VERSIONS + 1)
    life = active.started - endpoint.created
    for version in range(first, active.version + 1):
        began = endpoint.created + life * (version - first + 1) / (active.version - first + 1)
        took = lifecycle.duration("update", active) * scale
        text = f"Config version {version}"
        yield _event(began, "ENDPOINT_UPDATE", "IN_PROGRESS", f"{text} is deployed.")
        yield _event(began + took, "ENDPOINT_UPDATE", "SUCCESS", f"{text} is serving.")


def _pending(
    endpoint: Endpoint, pending: Config, now: float, scale: float
) -> Iterator[dict[str, Any]]:
    kind = f"ENDPOINT_{(endpoint.change.kind if endpoint.change else 'update').upper()}"
    text = f"Config version {pending.version} is deployed."
    yield _event(pending.started, kind, "IN_PROGRESS", text)
    if endpoint.config_update == UPDATE_FAILED:
        ended = pending.started + lifecycle.duration("update", pending) * scale
        yield _event(min(ended, now), kind, "FAILED", pending.entities[0].message)


def _event(at: float, event_type: str, status: str, message: str) -> dict[str, Any]:
    return {"at": at, "event_type": event_type, "status": status, "message": message}
