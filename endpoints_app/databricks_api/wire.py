"""The documents of the serving API as frozen values.

`parse` takes any JSON value and never raises: what is missing, null or of another type than
Databricks documents becomes None or empty, numbers and booleans are also read from strings, and
unknown keys and enum values pass through. `raw` keeps the object as it came.

The shapes are those of the SDK and of recorded responses; `suspend`, `system_update_failure`,
`endpoint_type`, `creator_display_name` and `effective_budget_policy_id` are recorded only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

Raw = Mapping[str, Any]

_INT64: Final = range(-(2**63), 2**63)
# Nothing was created earlier, and a time in seconds read as milliseconds lands in 1970.
_EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def str_or_none(value: object) -> str | None:
    if isinstance(value, str):
        return value
    number = None if isinstance(value, bool) else int_or_none(value)
    if number is not None:
        return str(number)
    return str(value) if isinstance(value, float) and math.isfinite(value) else None


def int_or_none(value: object) -> int | None:
    """A whole number of 64 bits, also written as 100.0 or "100"."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,19}(\.0*)?\s*", value):
        value = int(value.split(".")[0])
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    return None


def bool_or_none(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def time_or_none(value: object) -> datetime | None:
    """UTC from milliseconds since the epoch; None outside 2010 to 2100."""
    milliseconds = int_or_none(value)
    if milliseconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def object_or_empty(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> Sequence[Raw]:
    """The objects of a list; whatever else it holds cannot be read and is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Tag:
    key: str
    value: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(
            key=str_or_none(raw.get("key")) or "",
            value=str_or_none(raw.get("value")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class State:
    ready: str | None
    config_update: str | None
    suspend: str | None
    system_update_failure: bool | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(
            ready=str_or_none(raw.get("ready")),
            # Documentation samples of some age call it `update_state`.
            config_update=str_or_none(raw.get("config_update"))
            or str_or_none(raw.get("update_state")),
            suspend=str_or_none(raw.get("suspend")),
            system_update_failure=bool_or_none(raw.get("system_update_failure")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Route:
    served_entity_name: str | None
    traffic_percentage: int | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(
            served_entity_name=str_or_none(raw.get("served_entity_name"))
            or str_or_none(raw.get("served_model_name")),
            traffic_percentage=int_or_none(raw.get("traffic_percentage")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class ServedEntity:
    name: str | None
    entity_name: str | None
    entity_version: str | None
    type: str | None
    workload_size: str | None
    workload_type: str | None
    scale_to_zero: bool | None
    min_provisioned_concurrency: int | None
    max_provisioned_concurrency: int | None
    min_provisioned_throughput: int | None
    max_provisioned_throughput: int | None
    provisioned_model_units: int | None
    deployment: str | None
    deployment_message: str | None
    external_provider: str | None
    external_name: str | None
    foundation_name: str | None
    foundation_display_name: str | None
    # Values are `{{secrets/scope/key}}` references or plain text, which may itself be a secret.
    environment: Mapping[str, str | None] = field(repr=False)
    creator: str | None
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Also the older `served_models` item, with `model_name` and `model_version`."""
        raw = object_or_empty(value)
        state = object_or_empty(raw.get("state"))
        external = object_or_empty(raw.get("external_model"))
        foundation = object_or_empty(raw.get("foundation_model"))
        environment = object_or_empty(raw.get("environment_vars"))
        return cls(
            name=str_or_none(raw.get("name")),
            entity_name=str_or_none(raw.get("entity_name")) or str_or_none(raw.get("model_name")),
            entity_version=str_or_none(raw.get("entity_version"))
            or str_or_none(raw.get("model_version")),
            type=str_or_none(raw.get("type")),
            workload_size=str_or_none(raw.get("workload_size")),
            workload_type=str_or_none(raw.get("workload_type")),
            scale_to_zero=bool_or_none(raw.get("scale_to_zero_enabled")),
            min_provisioned_concurrency=int_or_none(raw.get("min_provisioned_concurrency")),
            max_provisioned_concurrency=int_or_none(raw.get("max_provisioned_concurrency")),
            min_provisioned_throughput=int_or_none(raw.get("min_provisioned_throughput")),
            max_provisioned_throughput=int_or_none(raw.get("max_provisioned_throughput")),
            provisioned_model_units=int_or_none(raw.get("provisioned_model_units")),
            deployment=str_or_none(state.get("deployment")),
            deployment_message=str_or_none(state.get("deployment_state_message")),
            external_provider=str_or_none(external.get("provider")),
            external_name=str_or_none(external.get("name")),
            foundation_name=str_or_none(foundation.get("name")),
            foundation_display_name=str_or_none(foundation.get("display_name")),
            environment={str(name): str_or_none(item) for name, item in environment.items()},
            creator=str_or_none(raw.get("creator")),
            created_at=time_or_none(raw.get("creation_timestamp")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Config:
    version: int | None
    entities: tuple[ServedEntity, ...]
    routes: tuple[Route, ...]
    started_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        """An empty object is a config without version and entities, as platform agents have."""
        raw = object_or_empty(value)
        entities = objects(raw.get("served_entities")) or objects(raw.get("served_models"))
        traffic = object_or_empty(raw.get("traffic_config"))
        return cls(
            version=int_or_none(raw.get("config_version")),
            entities=tuple(ServedEntity.parse(item) for item in entities),
            routes=tuple(Route.parse(item) for item in objects(traffic.get("routes"))),
            started_at=time_or_none(raw.get("start_time")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A serving endpoint; an item of the list is the same with most fields left out.

    `config` serves the traffic and `pending_config` is the last change asked for; None means that
    the key is absent, null or no object, which for `config` is so until a first deployment is done.
    """

    name: str
    id: str | None
    creator: str | None
    creator_display_name: str | None
    created_at: datetime | None
    updated_at: datetime | None
    state: State
    config: Config | None
    pending_config: Config | None
    tags: tuple[Tag, ...]
    description: str | None
    task: str | None
    endpoint_type: str | None
    permission_level: str | None
    route_optimized: bool | None
    endpoint_url: str | None
    budget_policy_id: str | None
    effective_budget_policy_id: str | None
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(
            name=str_or_none(raw.get("name")) or "",
            id=str_or_none(raw.get("id")) or None,
            creator=str_or_none(raw.get("creator")),
            creator_display_name=str_or_none(raw.get("creator_display_name")),
            created_at=time_or_none(raw.get("creation_timestamp")),
            updated_at=time_or_none(raw.get("last_updated_timestamp")),
            state=State.parse(raw.get("state")),
            config=_config_or_none(raw.get("config")),
            pending_config=_config_or_none(raw.get("pending_config")),
            tags=tuple(Tag.parse(item) for item in objects(raw.get("tags"))),
            description=str_or_none(raw.get("description")),
            task=str_or_none(raw.get("task")),
            endpoint_type=str_or_none(raw.get("endpoint_type")),
            permission_level=str_or_none(raw.get("permission_level")),
            route_optimized=bool_or_none(raw.get("route_optimized")),
            endpoint_url=str_or_none(raw.get("endpoint_url")),
            # Lists carry the newer name of the same id.
            budget_policy_id=str_or_none(raw.get("budget_policy_id"))
            or str_or_none(raw.get("usage_policy_id")),
            effective_budget_policy_id=str_or_none(raw.get("effective_budget_policy_id")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of the list, read no further than its name: of most of them a cycle asks only
    whether they are what they were, and `raw` tells that."""

    name: str
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(name=str_or_none(raw.get("name")) or "", raw=raw)

    def read(self) -> Endpoint:
        return Endpoint.parse(self.raw)


def _config_or_none(value: object) -> Config | None:
    return Config.parse(value) if isinstance(value, Mapping) else None
