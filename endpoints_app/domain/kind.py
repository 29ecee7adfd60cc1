"""What kind of endpoint this is, told from its served entities first.

`endpoint_type` is a hint that is often absent, and `task` says little alone (recorded answers).
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """Labels: `sentences/`."""

    CUSTOM = "custom"
    AGENT = "agent"
    PLATFORM_AGENT = "platform_agent"
    PROVISIONED = "provisioned"
    FOUNDATION = "foundation"
    EXTERNAL = "external"
    FEATURE_SPEC = "feature_spec"
    UNKNOWN = "unknown"

    @property
    def can_stop(self) -> bool:
        """Databricks documents stop and start for endpoints of custom models only. Agents of
        custom code are custom models; provisioned throughput behaves like one (our reading).
        Where we cannot tell the kind, Databricks is asked and decides."""
        return self not in ALWAYS_ON


ALWAYS_ON = frozenset({Kind.PLATFORM_AGENT, Kind.FOUNDATION, Kind.EXTERNAL, Kind.FEATURE_SPEC})


class Entity(Protocol):
    """What the decision needs of a served entity."""

    @property
    def type(self) -> str | None: ...
    @property
    def entity_name(self) -> str | None: ...
    @property
    def entity_version(self) -> str | None: ...
    @property
    def external_provider(self) -> str | None: ...
    @property
    def foundation_name(self) -> str | None: ...
    @property
    def min_provisioned_throughput(self) -> int | None: ...
    @property
    def max_provisioned_throughput(self) -> int | None: ...
    @property
    def provisioned_model_units(self) -> int | None: ...


def classify(
    entities: Sequence[Entity], *, endpoint_type: str | None, task: str | None, tile: bool
) -> Kind:
    """`tile`: the document carries `tile_endpoint_metadata`, the mark of agents the platform
    builds."""
    if tile:
        return Kind.PLATFORM_AGENT
    for entity in entities:
        if (kind := _of_entity(entity, task)) is not Kind.UNKNOWN:
            return kind
    match endpoint_type:
        case "EXTERNAL_MODEL":
            return Kind.EXTERNAL
        case "FOUNDATION_MODEL_API":
            return Kind.FOUNDATION
    if not entities and _is_agent(task):
        return Kind.PLATFORM_AGENT
    return Kind.UNKNOWN


def _of_entity(entity: Entity, task: str | None) -> Kind:
    if entity.type == "EXTERNAL_MODEL" or entity.external_provider:
        return Kind.EXTERNAL
    if entity.type == "FOUNDATION_MODEL" or entity.foundation_name:
        # A foundation model with throughput of its own is paid for by size, not by token.
        return Kind.PROVISIONED if _has_throughput(entity) else Kind.FOUNDATION
    if entity.type == "FEATURE_SPEC":
        return Kind.FEATURE_SPEC
    if _has_throughput(entity) or (entity.entity_name or "").startswith("system.ai."):
        return Kind.PROVISIONED
    if entity.entity_name and not entity.entity_version and entity.type != "UC_MODEL":
        return Kind.FEATURE_SPEC
    if entity.entity_name:
        return Kind.AGENT if _is_agent(task) else Kind.CUSTOM
    return Kind.UNKNOWN


def _has_throughput(entity: Entity) -> bool:
    return any(
        value is not None
        for value in (
            entity.min_provisioned_throughput,
            entity.max_provisioned_throughput,
            entity.provisioned_model_units,
        )
    )


def _is_agent(task: str | None) -> bool:
    return (task or "").startswith("agent/")
