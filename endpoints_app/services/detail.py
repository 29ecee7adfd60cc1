"""One endpoint: its configurations side by side, and how it fared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints_app.databricks_api import errors, wire
from endpoints_app.domain.lifecycle import OperationKind, State
from endpoints_app.models import Endpoint, Operation
from endpoints_app.services import clients, live, looks, upstream
from endpoints_app.services.statements import Statement


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
    percent: int
    offset: int
    new: bool  # it gets traffic now that the active configuration does not give it


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
    def entities(self) -> list[Entity]:
        pending = self.pending.entities if self.pending else ()
        active = self.active.entities if self.active else ()
        return [Entity(e, pending=True) for e in pending] + [Entity(e) for e in active]

    @property
    def failing(self) -> wire.ServedEntity | None:
        """The entity that did not come up: what one wants to read first."""
        failing = [e.entity for e in self.entities if e.entity.deployment in FAILED]
        return min(failing, key=lambda it: FAILED.index(it.deployment or ""), default=None)


FAILED = ("DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED")  # those beside a failed one are aborted


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
        active_split=_split(document.config, known=document.config),
        pending_split=_split(document.pending_config, known=document.config),
    )


def document_of(endpoint: Endpoint) -> wire.Endpoint:
    return wire.Endpoint.parse(endpoint.document or {})


def read_now(endpoint: Endpoint, *, now: datetime) -> None:
    """Fetch the details of an endpoint opened before its turn in the sync came. Without an answer
    in time the page is shown without them."""
    document: wire.Endpoint | None
    try:
        document = upstream.page_call(
            endpoint.workspace.name,
            lambda seconds: clients.client_for(endpoint.workspace.name).get_endpoint(
                endpoint.name, deadline=seconds
            ),
            key=f"detail:{endpoint.pk}",
        )
    except errors.DoesNotExist:
        document = None
    except errors.DatabricksError:
        return
    with live.writing():
        looks.write_look(endpoint.pk, document, now)


def usual(endpoint: Endpoint, kind: OperationKind) -> timedelta | None:
    """The median of how long the last ones took here, from sending to the read that showed it."""
    found = _LAST_TIMES.rows(endpoint.pk, kind.value)
    took = [it["settled_at"] - it["sent_at"] for it in found if it["settled_at"]]
    return sorted(took)[len(took) // 2] if took else None


def latest_operation(endpoint: Endpoint) -> Operation | None:
    return next(iter(_LATEST.objects(endpoint.pk)), None)


_LATEST = Statement(lambda pk: Operation.objects.filter(endpoint=pk)[:1], 2**62)
_LAST_TIMES = Statement(
    lambda pk, kind: Operation.objects.filter(
        endpoint=pk, kind=kind, state=State.CONFIRMED.value, sent_at__isnull=False
    ).values("sent_at", "settled_at")[:5],
    *(2**62, "a kind"),
)


def _compare(active: wire.Config | None, pending: wire.Config | None) -> list[Setting]:
    """Entity by entity, setting by setting; what both lack is left out."""
    lines: list[Setting] = []
    for before, after in _pairs(active, pending):
        names = dict.fromkeys(e.name for e in (before, after) if e is not None and e.name)
        ours, theirs = _facts(before), _facts(after)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            lines.append(Setting(" → ".join(names), key, ours.get(key), theirs.get(key)))
    return lines


def _pairs(
    active: wire.Config | None, pending: wire.Config | None
) -> list[tuple[wire.ServedEntity | None, wire.ServedEntity | None]]:
    """The served entities of both, matched by name, then by what they serve: unless told
    otherwise Databricks names them after model and version, so that a new version has another."""
    ours = list(active.entities) if active else []
    theirs = list(pending.entities) if pending else []
    partners: list[wire.ServedEntity | None] = [None] * len(ours)
    for key in ("name", "entity_name"):
        for i, entity in enumerate(ours):
            wanted = getattr(entity, key)
            found = next((e for e in theirs if wanted and getattr(e, key) == wanted), None)
            if partners[i] is None and found is not None:
                partners[i] = found
                theirs = [e for e in theirs if e is not found]
    return [*zip(ours, partners, strict=True), *((None, entity) for entity in theirs)]


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


def _split(config: wire.Config | None, *, known: wire.Config | None) -> list[Share]:
    """How traffic is shared, as a bar of 100; `known` is the configuration that serves now."""
    if config is None:
        return []
    before = {route.served_entity_name for route in known.routes} if known else set()
    shares: list[Share] = []
    offset = 0
    for route in config.routes:
        percent = min(max(route.traffic_percentage or 0, 0), 100 - offset)
        new = route.served_entity_name not in before
        shares.append(Share(route.served_entity_name or "", percent, offset, new))
        offset += percent
    return shares
