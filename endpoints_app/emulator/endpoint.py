"""One endpoint as the workspace keeps it. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

READY, NOT_READY = "READY", "NOT_READY"
NOT_UPDATING, IN_PROGRESS = "NOT_UPDATING", "IN_PROGRESS"
UPDATE_FAILED, UPDATE_CANCELED = "UPDATE_FAILED", "UPDATE_CANCELED"
NOT_SUSPENDED, STOPPED = "NOT_SUSPENDED", "STOPPED"

CREATING = "DEPLOYMENT_CREATING"
DEPLOYED = "DEPLOYMENT_READY"
FAILED = "DEPLOYMENT_FAILED"
ABORTED = "DEPLOYMENT_ABORTED"

CREATING_MESSAGE = "Creating resources for served entity."
TIMED_OUT_MESSAGE = (
    "Served model creation aborted because the endpoint update timed out. "
    "Please see service logs for more information."
)
FAILED_MESSAGE = "Failed to deploy the served entity. Please see service logs for more information."
IDLE_MESSAGE = "Scaled to zero"

EVENTS_KEPT = 50


@dataclass
class Entity:
    """A served entity: what was asked for (`fields`, as in `served_entities`) and how it fares.

    `deployment` is None where the platform reports no deployment, as for pay-per-token models.
    """

    fields: dict[str, Any]
    creator: str | None = None
    created: float = 0
    deployment: str | None = DEPLOYED
    message: str = ""

    @property
    def name(self) -> str:
        return str(self.fields["name"])

    @property
    def on_gpu(self) -> bool:
        return "GPU" in str(self.fields.get("workload_type", ""))

    @property
    def may_idle(self) -> bool:
        return bool(self.fields.get("scale_to_zero_enabled"))


@dataclass
class Config:
    """One version of what an endpoint serves; `routes` maps entity name to percentage.

    `ends` is when its deployment is over, or was; None: it took the usual time.
    """

    version: int
    entities: list[Entity]
    routes: dict[str, int] = field(default_factory=dict)
    started: float = 0
    ends: float | None = None
    auto_capture: dict[str, Any] | None = None


@dataclass
class Change:
    """What is under way: `due` is when it ends (None: never), `outcome` is how.

    `kind` is create, update, start or stop. `outcome` is done, failed (the entities fail),
    timed_out (they are aborted) or stopped (a start that falls back).
    """

    kind: str
    due: float | None
    outcome: str = "done"
    message: str = ""


@dataclass
class Script:
    """How an endpoint misbehaves by itself.

    flaps: READY and NOT_READY in turn, every `every` seconds.
    redeploys: each update that ends is followed by the next one at once.
    idles: it scales to zero at `at`, unless something asks it before.
    """

    kind: str
    every: float = 0
    at: float | None = None


@dataclass
class Endpoint:
    name: str
    id: str | None
    creator: str | None
    creator_kind: str | None
    creator_display_name: str | None
    created: float
    updated: float
    ready: str = NOT_READY
    config_update: str = NOT_UPDATING
    suspend: str | None = NOT_SUSPENDED
    system_update_failure: bool | None = None
    config: Config | None = None
    pending: Config | None = None
    empty_config: bool = False
    tags: dict[str, str | None] = field(default_factory=dict)
    description: str = ""
    task: str | None = None
    endpoint_type: str | None = None
    permission_level: str = "CAN_MANAGE"
    grants: dict[str, str] | None = None  # "user_name:ann@…" → level; None: as it began
    budget_policy_id: str | None = None
    inherited_policy_id: str | None = None  # its creator's, in effect without one of its own
    ai_gateway: dict[str, Any] = field(default_factory=dict)
    rate_limits: list[dict[str, Any]] = field(default_factory=list)
    email_notifications: dict[str, Any] = field(default_factory=dict)
    telemetry_config: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)  # the oldest first
    route_optimized: bool = False
    extras: dict[str, Any] = field(default_factory=dict)
    change: Change | None = None
    script: Script | None = None
    fails: dict[str, dict[str, str]] = field(default_factory=dict)
    latest_version: int = 0
    revision: int = field(default=0, compare=False)

    def note(self, at: float, event_type: str, status: str, message: str) -> None:
        """Remember an event; the oldest are forgotten."""
        event = {"at": at, "event_type": event_type, "status": status, "message": message}
        self.events = [*self.events[-EVENTS_KEPT + 1 :], event]

    @property
    def stopped(self) -> bool:
        return self.suspend == STOPPED

    @property
    def wanted(self) -> Config | None:
        """The configuration a start would deploy: the active one, else the one that failed."""
        return self.config or self.pending

    @property
    def serves_custom_models(self) -> bool:
        """Only such endpoints can be stopped (Databricks documentation)."""
        config = self.wanted
        return config is not None and all(
            entity.fields.get("type") == "UC_MODEL" for entity in config.entities
        )
