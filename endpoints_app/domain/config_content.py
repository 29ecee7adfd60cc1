"""What is kept of a configuration: the settings without the state they are in, of a size that can
be kept, and nothing that looks like a credential."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from endpoints_app.domain.log_secrets import masked
from endpoints_app.domain.masking import MASK, clean

JSON = dict[str, Any]

SETTINGS: Final = (
    "description",
    "task",
    "tags",
    "route_optimized",
    "budget_policy_id",
    "effective_budget_policy_id",
    "ai_gateway",
    "rate_limits",
    "telemetry_config",
    "email_notifications",
)
"""What belongs to the endpoint and not to one of its config versions."""

STATE: Final = frozenset({"state", "creation_timestamp", "creator"})
"""Of a served entity: how it fares and who made it, not what is configured."""
NUMBERED: Final = frozenset({"config_version", "start_time"})
"""What differs between two versions that are otherwise the same: a start makes such a one."""
# Names are how things are addressed; a model may well be called after what it finds.
_NAMES: Final = frozenset(
    {"name", "entity_name", "entity_version", "served_entity_name", "served_model_name", "provider"}
)

LONGEST: Final = 4_000  # characters of a text
MOST: Final = 4_000  # values of all
DEEPEST: Final = 24


def content(document: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[JSON, bool]:
    """One configuration of an endpoint's kept document with the settings around it, and whether
    something had to be left out for its size."""
    keeper = _Keeper()
    kept: JSON = {"config": keeper.copy(_without_twins(config))}
    for key in SETTINGS:
        if document.get(key) not in (None, "", [], {}):
            kept[key] = keeper.copy(document[key], key=key)
    return kept, keeper.cut


def shown(document: Any) -> Any:
    """A kept document as it may be shown: whole, with its states, without credentials."""
    return _Keeper(most=10**9, longest=10**9, deepest=100).copy(document)


def digest(config: Mapping[str, Any]) -> str:
    """The same for two configs with the same settings, whatever their numbers."""
    settings = {k: v for k, v in settings_of(config).items() if k not in NUMBERED}
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()


def settings_of(config: Mapping[str, Any]) -> JSON:
    """A config without the states of its entities, which change all the time."""
    settings = dict(config)
    for key in ("served_entities", "served_models"):
        if isinstance(settings.get(key), list):
            settings[key] = [
                {k: v for k, v in each.items() if k not in STATE}
                if isinstance(each, dict)
                else each
                for each in settings[key]
            ]
    return settings


def secrets(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The environment's values of a config as it came: "entity/NAME" and the value, which is masked
    in what is kept. Never to be kept as they are."""
    entities = config.get("served_entities") or config.get("served_models")
    for entity in entities[:MOST_ENTITIES] if isinstance(entities, list) else ():
        environment = entity.get("environment_vars") if isinstance(entity, Mapping) else None
        served = entity.get("name") if isinstance(entity, Mapping) else None
        if isinstance(environment, Mapping) and isinstance(served, str):
            for name, value in list(environment.items())[:MOST_VARIABLES]:
                if isinstance(value, str):
                    yield clean(f"{served}/{name}")[:LONGEST], value


MOST_ENTITIES: Final = 50
MOST_VARIABLES: Final = 200
"""Databricks allows 10 entities with 50 variables each."""


def _without_twins(config: Mapping[str, Any]) -> JSON:
    """Databricks repeats the served entities and the names of routes under their old keys."""
    kept = {key: value for key, value in config.items() if key != "served_models"}
    if not isinstance(config.get("served_entities"), list) and "served_models" in config:
        kept["served_entities"] = config["served_models"]
    entities = kept.get("served_entities")
    if isinstance(entities, list):
        kept["served_entities"] = [
            {key: value for key, value in entity.items() if key != "state"}
            if isinstance(entity, dict)
            else entity
            for entity in entities
        ]
    return kept


@dataclass(slots=True)
class _Keeper:
    """Copies JSON up to its limits; `cut` says that there was more."""

    most: int = MOST
    longest: int = LONGEST
    deepest: int = DEEPEST
    cut: bool = field(default=False, init=False)

    def copy(self, value: Any, *, key: str = "", depth: int = 0) -> Any:
        self.most -= 1
        if self.most < 0 or depth > self.deepest:
            self.cut = True
            return "…"
        match value:
            case str():
                return self._text(value, key)
            case list():
                return self._list(value, key, depth)
            case dict():
                kept: JSON = {}
                for name, item in value.items():
                    if self.most <= 0:
                        self.cut = True
                        break
                    kept[self._text(str(name), "name")] = self.copy(item, key=name, depth=depth + 1)
                return kept
        return value

    def _list(self, value: list[Any], key: str, depth: int) -> list[Any]:
        kept = []
        for item in value:
            if self.most <= 0:
                self.cut = True
                break
            kept.append(self.copy(item, key=key, depth=depth + 1))
        return kept

    def _text(self, text: str, key: str) -> str:
        if len(text) > self.longest:
            self.cut = True
            text = text[: self.longest] + "…"
        return text if key in _NAMES or text == MASK else masked(text)
