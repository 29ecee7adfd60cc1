"""What callers send, checked as the platform checks it and brought into our shapes."""

from __future__ import annotations

import re
from typing import Any

from endpoints_app.emulator.endpoint import Config, Entity
from endpoints_app.emulator.errors import Refusal, invalid

_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_GATEWAY = {
    "usage_tracking_config",
    "inference_table_config",
    "rate_limits",
    "guardrails",
    "fallback_config",
}
_LIMIT_KEYS = {"user", "endpoint", "user_group", "service_principal"}
_OLD_NAMES = {"model_name": "entity_name", "model_version": "entity_version"}


def endpoint_name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid(
            "Endpoint name must be 1 to 63 characters long and consist of letters, digits, "
            "dashes and underscores."
        )
    if name.startswith("databricks-"):
        raise invalid("Endpoint names must not start with the reserved prefix 'databricks-'.")
    return name


def config(body: dict[str, Any], *, creator: str, now: float) -> Config:
    """A new config version out of a create or update request."""
    sent, old = body.get("served_entities"), body.get("served_models")
    if sent and old:
        raise invalid("Only one of served_entities and served_models may be given.")
    entities = [_entity(item, creator=creator, now=now) for item in _items(sent or old)]
    names = [entity.name for entity in entities]
    if len(set(names)) < len(names):
        raise invalid("Served entity names must be unique within an endpoint.")
    return Config(
        version=0,
        entities=sorted(entities, key=lambda entity: entity.name),
        routes=_routes(body.get("traffic_config"), names),
        auto_capture=body.get("auto_capture_config"),
    )


def tag_changes(body: dict[str, Any]) -> tuple[dict[str, str | None], list[str]]:
    """The tags to add and the keys to delete."""
    return tags(body.get("add_tags")), [str(key) for key in body.get("delete_tags") or []]


def tags(sent: Any) -> dict[str, str | None]:
    if sent is not None and not (
        isinstance(sent, list) and all(isinstance(tag, dict) and tag.get("key") for tag in sent)
    ):
        raise invalid("Tags must be a list of objects with a key.")
    return {str(tag["key"]): tag.get("value") for tag in sent or []}


def gateway(sent: dict[str, Any]) -> dict[str, Any]:
    """As stored: what says nothing is left out."""
    if unknown := sent.keys() - _GATEWAY:
        raise invalid(f"Unknown field in ai_gateway: {', '.join(sorted(unknown))}.")
    limits(sent.get("rate_limits") or [])
    return {key: value for key, value in sent.items() if value}


def limits(sent: Any) -> list[dict[str, Any]]:
    if not isinstance(sent, list):
        raise invalid("rate_limits must be a list.")
    for limit in sent:
        if json_object(limit).get("renewal_period") != "minute":
            raise invalid("The renewal_period of a rate limit must be 'minute'.")
        if limit.get("key", "endpoint") not in _LIMIT_KEYS:
            raise invalid(f"Invalid rate limit key '{limit['key']}'.")
        numbers = [limit[key] for key in ("calls", "tokens") if key in limit]
        if not numbers or not all(isinstance(it, int) and it >= 0 for it in numbers):
            raise invalid("A rate limit needs a number of calls or tokens.")
    return sent


def notifications(sent: Any) -> dict[str, Any]:
    found = json_object(sent)
    if unknown := found.keys() - {"on_update_success", "on_update_failure"}:
        raise invalid(f"Unknown field in email_notifications: {', '.join(sorted(unknown))}.")
    for mails in found.values():
        if not isinstance(mails, list) or not all("@" in str(mail) for mail in mails):
            raise invalid("Notifications go to mail addresses.")
    return found


def _items(sent: Any) -> list[dict[str, Any]]:
    if not isinstance(sent, list) or not sent or not all(isinstance(item, dict) for item in sent):
        raise invalid("At least one served entity must be given.")
    if len(sent) > 10:
        raise invalid("An endpoint serves at most 10 entities.")
    return sent


def _entity(item: dict[str, Any], *, creator: str, now: float) -> Entity:
    fields = {_OLD_NAMES.get(key, key): value for key, value in item.items() if value is not None}
    if "external_model" in fields:
        json_object(fields["external_model"])
        fields["external_model"] = _without_plaintext(fields["external_model"])
        fields["type"] = "EXTERNAL_MODEL"
    elif not fields.get("entity_name"):
        raise invalid("A served entity needs an entity_name or an external_model.")
    elif any("provisioned" in key for key in fields):
        fields["type"] = "UC_MODEL"
    elif "entity_version" in fields:
        fields["type"] = "UC_MODEL"
        fields.setdefault("workload_size", "Small")
        fields.setdefault("workload_type", "CPU")
        fields.setdefault("scale_to_zero_enabled", False)
    else:
        fields["type"] = "FEATURE_SPEC"  # our reading; unpublished
    if "entity_version" in fields:
        fields["entity_version"] = str(fields["entity_version"])
    fields.setdefault("name", _default_name(fields))
    if not isinstance(fields["name"], str) or not _NAME.fullmatch(fields["name"]):
        raise invalid("Served entity names consist of letters, digits, dashes and underscores.")
    fields.pop("burst_scaling_enabled", None)  # write-only
    return Entity(fields=fields, creator=creator, created=now)


def _default_name(fields: dict[str, Any]) -> str:
    if external := fields.get("external_model"):
        return re.sub(r"[.:/]", "-", str(external.get("name", "")))
    last = str(fields["entity_name"]).rpartition(".")[2]
    version = fields.get("entity_version")
    return f"{last}-{version}" if version else last


def _without_plaintext(sent: Any) -> Any:
    """Secrets given in plain text are never echoed; references to secrets are."""
    if not isinstance(sent, dict):
        return sent
    return {
        key: _without_plaintext(value)
        for key, value in sent.items()
        if not key.endswith("_plaintext")
    }


def _routes(sent: Any, names: list[str]) -> dict[str, int]:
    if not sent or not json_object(sent).get("routes"):
        if len(names) > 1:
            raise invalid("traffic_config is required when there are several served entities.")
        return {names[0]: 100}
    try:
        routes = {
            str(route.get("served_entity_name") or route["served_model_name"]): int(
                route["traffic_percentage"]
            )
            for route in sent["routes"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise invalid("A route needs a served entity name and a traffic percentage.") from error
    if unknown := set(routes) - set(names):
        raise invalid(f"Traffic is routed to unknown served entities: {', '.join(unknown)}.")
    if sum(routes.values()) != 100:
        raise invalid("The traffic percentages of all routes must sum to 100.")
    return routes


def json_object(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Refusal(400, "INVALID_REQUEST", "The request body must be a JSON object.")
    return raw
