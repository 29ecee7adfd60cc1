"""One endpoint: its configurations side by side, and its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from endpoints_app.databricks_api import errors, wire
from endpoints_app.models import Endpoint, Operation, StatusChange
from endpoints_app.services import clients, sync
from endpoints_app.services.upstream import page_call

TIMELINE_LENGTH = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the comparison; None is "not set". `entity` is empty for what is not of one."""

    entity: str
    name: str
    active: str | None
    pending: str | None

    @property
    def differs(self) -> bool:
        return self.active != self.pending


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    version: str
    percent: int
    offset: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A moment of the timeline: a status change, or a step of an operation."""

    at: datetime
    change: StatusChange | None = None
    operation: Operation | None = None
    step: str = ""  # "asked", "sent", "settled"


@dataclass(frozen=True, slots=True)
class Configurations:
    active: wire.Config | None
    pending: wire.Config | None
    settings: Sequence[Setting]
    active_split: Sequence[Share]
    pending_split: Sequence[Share]

    @property
    def changed(self) -> list[Setting]:
        return [setting for setting in self.settings if setting.differs]

    @property
    def same(self) -> list[Setting]:
        return [setting for setting in self.settings if not setting.differs]

    @property
    def ordered(self) -> list[Setting]:
        """What differs first, where there is something to compare."""
        both = self.active is not None and self.pending is not None
        return [*self.changed, *self.same] if both else list(self.settings)

    @property
    def entities(self) -> list[Entity]:
        pending = self.pending.entities if self.pending else ()
        active = self.active.entities if self.active else ()
        return [Entity(e, pending=True) for e in pending] + [Entity(e) for e in active]

    @property
    def failing(self) -> wire.ServedEntity | None:
        """The first entity that did not come up: what one wants to read first."""
        return next((e.entity for e in self.entities if e.entity.deployment in FAILED), None)


FAILED = ("DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED")


@dataclass(frozen=True, slots=True)
class Entity:
    """A served entity as a line of a table."""

    entity: wire.ServedEntity
    pending: bool = False

    @property
    def what(self) -> str:
        entity = self.entity
        return entity.entity_name or entity.external_name or entity.foundation_name or ""

    @property
    def size(self) -> str:
        entity = self.entity
        if entity.provisioned_model_units is not None:
            return f"{entity.provisioned_model_units} model units"
        for least, most, unit in (
            (entity.min_provisioned_throughput, entity.max_provisioned_throughput, "tokens/s"),
            (entity.min_provisioned_concurrency, entity.max_provisioned_concurrency, "concurrent"),
        ):
            if most is not None:
                return f"{least if least is not None else 0}–{most} {unit}"
        return " · ".join(text for text in (entity.workload_size, entity.workload_type) if text)


def configurations(endpoint: Endpoint) -> Configurations | None:
    """None until a GET has told us; lists do not carry them."""
    if endpoint.document is None:
        return None
    document = wire.Endpoint.parse(endpoint.document)
    return Configurations(
        active=document.config,
        pending=document.pending_config,
        settings=_compare(document.config, document.pending_config),
        active_split=_split(document.config),
        pending_split=_split(document.pending_config),
    )


def document_of(endpoint: Endpoint) -> wire.Endpoint:
    return wire.Endpoint.parse(endpoint.document or {})


def read_now(endpoint: Endpoint, *, now: datetime) -> None:
    """Fetch the details of an endpoint opened before its turn in the sync came. Without an answer
    in time the page is shown without them."""
    try:
        document = page_call(
            endpoint.workspace.name,
            lambda seconds: clients.client_for(endpoint.workspace.name).get_endpoint(
                endpoint.name, deadline=seconds
            ),
        )
    except errors.DatabricksError:
        return
    with transaction.atomic():
        sync.write_look(endpoint.pk, document, now)


def timeline(endpoint: Endpoint) -> list[Entry]:
    """The latest moments, newest first: status changes and the steps of operations."""
    changes = StatusChange.objects.filter(endpoint=endpoint).select_related("operation")
    entries = [Entry(change.at, change=change) for change in changes[:TIMELINE_LENGTH]]
    for operation in Operation.objects.filter(endpoint=endpoint)[:TIMELINE_LENGTH]:
        moments = (
            (operation.requested_at, "asked"),
            (operation.sent_at or operation.sending_at, "sent"),
            (operation.settled_at, "settled"),
        )
        entries += [Entry(at, operation=operation, step=step) for at, step in moments if at]
    return sorted(entries, key=lambda e: (e.at, _RANK.get(e.step, 2)), reverse=True)[:TIMELINE_LENGTH]


_RANK = {"asked": 0, "sent": 1, "settled": 3}


def usual_start(endpoint: Endpoint) -> timedelta | None:
    """The median of what the last starts took here."""
    took = [
        operation.settled_at - operation.sent_at
        for operation in Operation.objects.filter(
            endpoint=endpoint, kind="start", state="confirmed", sent_at__isnull=False
        )[:5]
        if operation.settled_at and operation.sent_at
    ]
    return sorted(took)[len(took) // 2] if took else None


def latest_operation(endpoint: Endpoint) -> Operation | None:
    return Operation.objects.filter(endpoint=endpoint).first()


def _compare(active: wire.Config | None, pending: wire.Config | None) -> list[Setting]:
    """Entity by entity, setting by setting; what both lack is left out."""
    ours = {e.name or "": e for e in active.entities} if active else {}
    theirs = {e.name or "": e for e in pending.entities} if pending else {}
    lines: list[Setting] = []
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        before, after = _facts(ours.get(name)), _facts(theirs.get(name))
        for key in [*before, *(key for key in after if key not in before)]:
            lines.append(Setting(name, key, before.get(key), after.get(key)))
    return lines


def _facts(entity: wire.ServedEntity | None) -> dict[str, str]:
    """What is set on a served entity, by Databricks' own names."""
    if entity is None:
        return {}
    facts: dict[str, object] = {
        "entity_name": entity.entity_name,
        "entity_version": entity.entity_version,
        "external_model": entity.external_name,
        "foundation_model": entity.foundation_name,
        "workload_size": entity.workload_size,
        "workload_type": entity.workload_type,
        "scale_to_zero_enabled": entity.scale_to_zero,
        "min_provisioned_concurrency": entity.min_provisioned_concurrency,
        "max_provisioned_concurrency": entity.max_provisioned_concurrency,
        "min_provisioned_throughput": entity.min_provisioned_throughput,
        "max_provisioned_throughput": entity.max_provisioned_throughput,
        "provisioned_model_units": entity.provisioned_model_units,
        **{f"environment_vars.{name}": value for name, value in entity.environment.items()},
    }
    return {key: _shown(value) for key, value in facts.items() if value not in (None, "")}


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _split(config: wire.Config | None) -> list[Share]:
    """How traffic is shared, as a bar of 100."""
    if config is None:
        return []
    versions = {entity.name: entity.entity_version or "" for entity in config.entities}
    shares: list[Share] = []
    offset = 0
    for route in config.routes:
        percent = min(max(route.traffic_percentage or 0, 0), 100 - offset)
        name = route.served_entity_name or ""
        shares.append(Share(name, versions.get(name, ""), percent, offset))
        offset += percent
    return shares
