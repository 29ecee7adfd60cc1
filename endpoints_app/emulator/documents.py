"""Endpoints as wire JSON: thin in the list, detailed by name.

Key names and omissions follow recorded responses: absent means absent, every timestamp is in
milliseconds and ends in 000, `served_models` repeats `served_entities` under its old keys.
"""

from __future__ import annotations

import json
from typing import Any

from endpoints_app.emulator.endpoint import Config, Endpoint, Entity

Document = dict[str, Any]

_THIN = ("name", "entity_name", "entity_version", "external_model", "foundation_model", "type")


def milliseconds(seconds: float) -> int:
    return int(seconds) * 1000


def dumps(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def summary(endpoint: Endpoint) -> Document:
    """A list item: entities by name and version, no sizes, deployment states or pending config.

    A budget policy is told under its newer name too, an inherited one only when asked by name.
    """
    document = _common(endpoint)
    if endpoint.budget_policy_id:
        document["usage_policy_id"] = endpoint.budget_policy_id
    if endpoint.config:
        entities = [_thin_entity(entity) for entity in endpoint.config.entities]
        document["config"] = _with_old_names(entities)
    elif endpoint.empty_config:
        document["config"] = {}
    return document


def detailed(endpoint: Endpoint) -> Document:
    """What get, create and update answer."""
    document = _common(endpoint)
    if endpoint.id:
        document["resource_credential_strategy"] = "EMBEDDED_CREDENTIALS"
    if endpoint.config:
        document["config"] = _config(endpoint.config)
    elif endpoint.empty_config:
        document["config"] = {}
    if endpoint.pending:
        document["pending_config"] = _config(endpoint.pending) | {
            "start_time": milliseconds(endpoint.pending.started)
        }
    if policy := endpoint.budget_policy_id or endpoint.inherited_policy_id:
        document["effective_budget_policy_id"] = policy
    if endpoint.email_notifications:
        document["email_notifications"] = endpoint.email_notifications
    return document


def tags(endpoint: Endpoint) -> list[Document]:
    return [
        {"key": key} if value is None else {"key": key, "value": value}
        for key, value in endpoint.tags.items()
    ]


def _common(endpoint: Endpoint) -> Document:
    document: Document = {"name": endpoint.name}
    for key, value in (
        ("id", endpoint.id),
        ("creator", endpoint.creator),
        ("creator_display_name", endpoint.creator_display_name),
        ("creator_kind", endpoint.creator_kind),
    ):
        if value:
            document[key] = value
    document |= {
        "creation_timestamp": milliseconds(endpoint.created),
        "last_updated_timestamp": milliseconds(endpoint.updated),
        "state": _state(endpoint),
        "permission_level": endpoint.permission_level,
        "route_optimized": endpoint.route_optimized,
        "description": endpoint.description,
    }
    aspects: tuple[tuple[str, Any], ...] = (
        ("task", endpoint.task),
        ("endpoint_type", endpoint.endpoint_type),
        ("budget_policy_id", endpoint.budget_policy_id),
        ("ai_gateway", endpoint.ai_gateway),
        ("telemetry_config", endpoint.telemetry_config),
    )
    if endpoint.tags:
        document["tags"] = tags(endpoint)
    document |= {key: value for key, value in aspects if value}
    return document | endpoint.extras


def _state(endpoint: Endpoint) -> Document:
    state: Document = {"ready": endpoint.ready, "config_update": endpoint.config_update}
    if endpoint.suspend is not None:
        state["suspend"] = endpoint.suspend
    if endpoint.system_update_failure is not None:
        state["system_update_failure"] = endpoint.system_update_failure
    return state


def _config(config: Config) -> Document:
    document = _with_old_names([_entity(entity) for entity in config.entities])
    if config.routes:
        document["traffic_config"] = {
            "routes": [
                {
                    "served_model_name": name,
                    "served_entity_name": name,
                    "traffic_percentage": percentage,
                }
                for name, percentage in config.routes.items()
            ]
        }
    if config.auto_capture:
        document["auto_capture_config"] = config.auto_capture
    if config.version:
        document["config_version"] = config.version
    return document


def _entity(entity: Entity) -> Document:
    document = dict(entity.fields)
    if entity.creator:
        document["creator"] = entity.creator
    if entity.created:
        document["creation_timestamp"] = milliseconds(entity.created)
    if entity.deployment:
        document["state"] = {
            "deployment": entity.deployment,
            "deployment_state_message": entity.message,
        }
    return document


def _thin_entity(entity: Entity) -> Document:
    return {key: entity.fields[key] for key in _THIN if key in entity.fields}


def _with_old_names(entities: list[Document]) -> Document:
    models = []
    for entity in entities:
        model = dict(entity)
        for old, new in (("model_name", "entity_name"), ("model_version", "entity_version")):
            if new in model:
                model[old] = model.pop(new)
        models.append(model)
    return {"served_entities": entities, "served_models": models}
