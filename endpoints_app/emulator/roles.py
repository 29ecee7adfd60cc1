"""How an endpoint of the seeded fleet fares: one function per role, each makes one endpoint.

Everything random about an endpoint comes from the seed and its own name, so that it is the same
in a fleet of twelve and in one of ten thousand.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from endpoints_app.emulator import lifecycle
from endpoints_app.emulator.companies import Company, Part
from endpoints_app.emulator.endpoint import (
    ABORTED,
    CREATING,
    CREATING_MESSAGE,
    DEPLOYED,
    FAILED,
    IDLE_MESSAGE,
    IN_PROGRESS,
    NOT_READY,
    READY,
    STOPPED,
    TIMED_OUT_MESSAGE,
    UPDATE_CANCELED,
    UPDATE_FAILED,
    Change,
    Config,
    Endpoint,
    Entity,
    Script,
)
from endpoints_app.emulator.world import new_id

DAY = 86400.0


class Maker:
    """The common ground of every role: names, owners, tags, sizes and times of one part."""

    def __init__(
        self, part: Part, company: Company, *, seed: int, now: float, scale: float
    ) -> None:
        self.part = part
        self.company = company
        self.now = now
        self.scale = scale
        self.seed = seed
        self.random = Random(f"{seed}/{part.name}")
        self.age = self.random.uniform(60, 500) * DAY
        self.since = self.random.uniform(1, 25) * DAY
        owner = self.random.choice(company.people)
        self.by_pipeline = self.random.random() < 0.15
        self.creator = (
            str(uuid.UUID(new_id("pipeline", company.domain, part.team)))
            if self.by_pipeline
            else f"{owner.lower().replace(' ', '.')}@{company.domain}"
        )
        self.creator_name = f"deploy-{part.team}" if self.by_pipeline else owner

    def endpoint(self, **how: Any) -> Endpoint:
        """A custom model endpoint that has been serving for a while, unless `how` says else."""
        part = self.part
        defaults: dict[str, Any] = {
            "id": new_id(self.seed, part.name),
            "creator": self.creator,
            "creator_kind": "ServicePrincipal" if self.by_pipeline else "User",
            "creator_display_name": self.creator_name,
            "created": self.now - self.age,
            "updated": self.now - self.since,
            "ready": READY,
            "system_update_failure": False,
            "tags": self._tags(),
            "description": part.about,
            "budget_policy_id": self._budget_policy(),
        }
        endpoint = Endpoint(name=part.name, **defaults | how)
        endpoint.latest_version = max(
            (it.version for it in (endpoint.config, endpoint.pending) if it), default=0
        )
        return endpoint

    def entity(
        self,
        version: int | None = None,
        *,
        deployment: str | None = DEPLOYED,
        message: str = "",
        gpu: bool = False,
        **fields: Any,
    ) -> Entity:
        part = self.part
        number = version or part.version
        schema = part.team.replace("-", "_")
        return Entity(
            fields={
                "name": f"{part.model}-{number}",
                "entity_name": f"{self.company.catalog}.{schema}.{part.model}",
                "entity_version": str(number),
                "type": "UC_MODEL",
                "workload_size": self.random.choice(("Small", "Small", "Medium")),
                "workload_type": "GPU_SMALL" if gpu else "CPU",
                "scale_to_zero_enabled": part.tier > 1,
            }
            | fields,
            creator=self.creator,
            created=self.now - self.since,
            deployment=deployment,
            message=message,
        )

    def config(self, version: int, *entities: Entity, **how: Any) -> Config:
        routes = {entity.name: 0 for entity in entities} | {entities[0].name: 100}
        return Config(version, list(entities), routes, **{"started": self.now - self.since} | how)

    def under_way(self, kind: str, config: Config, *, elapsed: float) -> Change:
        """A change that began `elapsed` seconds ago and ends when its time is over."""
        config.started = self.now - elapsed
        for entity in config.entities:
            entity.deployment, entity.message = CREATING, CREATING_MESSAGE
        left = max(lifecycle.duration(kind, config) - elapsed, 1)
        config.ends = self.now + left * self.scale
        return Change(kind, config.ends)

    def _tags(self) -> dict[str, str | None]:
        part = self.part
        environment = "prod" if part.tier < 3 else self.random.choice(("prod", "staging"))
        tags: dict[str, str | None] = {
            "team": part.team,
            "tier": str(part.tier),
            "env": environment,
        }
        if self.random.random() < 0.8:
            tags["cost-centre"] = f"cc-{new_id('cost centre', part.team)[:4]}"
        return tags

    def _budget_policy(self) -> str | None:
        if self.random.random() < 0.25:
            return None
        return str(uuid.UUID(new_id("budget policy", self.company.domain, self.part.team)))


def ready(make: Maker) -> Endpoint:
    return make.endpoint(config=make.config(make.random.randint(1, 40), make.entity()))


def ready_gpu(make: Maker) -> Endpoint:
    return make.endpoint(config=make.config(make.random.randint(1, 20), make.entity(gpu=True)))


def ready_split(make: Maker) -> Endpoint:
    champion, challenger = make.entity(), make.entity(make.part.version + 1)
    config = make.config(make.random.randint(5, 40), champion, challenger)
    config.routes = {champion.name: 90, challenger.name: 10}
    return make.endpoint(config=config)


def idle(make: Maker) -> Endpoint:
    entity = make.entity(scale_to_zero_enabled=True, message=IDLE_MESSAGE)
    return make.endpoint(config=make.config(7, entity))


def agent(make: Maker) -> Endpoint:
    return make.endpoint(config=make.config(3, make.entity()), task="agent/v1/responses")


def build_failed(make: Maker) -> Endpoint:
    """Recreated, and its first deployment failed: nothing serves."""
    entity = make.entity(
        deployment=FAILED,
        message=make.part.trouble
        or "Container image creation failed: ERROR: ResolutionImpossible. "
        "Please see build logs for more information.",
    )
    began = make.now - make.random.uniform(30, 55) * 60
    return make.endpoint(
        ready=NOT_READY,
        config_update=UPDATE_FAILED,
        pending=make.config(1, entity, started=began),
        created=began,
        updated=began,
    )


def timed_out(make: Maker) -> Endpoint:
    entity = make.entity(deployment=ABORTED, message=TIMED_OUT_MESSAGE, gpu=True)
    began = make.now - make.random.uniform(5, 8) * 3600
    return make.endpoint(
        ready=NOT_READY,
        config_update=UPDATE_FAILED,
        pending=make.config(1, entity, started=began),
        created=began,
        updated=began,
        task="agent/v1/chat",
    )


def first_deployment(make: Maker) -> Endpoint:
    pending = make.config(1, make.entity(gpu=True))
    change = make.under_way("create", pending, elapsed=14 * 60)
    return make.endpoint(
        ready=NOT_READY,
        config_update=IN_PROGRESS,
        pending=pending,
        change=change,
        created=pending.started,
        updated=pending.started,
        task="agent/v1/responses",
    )


def starting(make: Maker) -> Endpoint:
    pending = make.config(8, make.entity())
    change = make.under_way("start", pending, elapsed=40)
    return make.endpoint(
        ready=NOT_READY,
        config_update=IN_PROGRESS,
        config=make.config(7, make.entity(deployment=None)),
        pending=pending,
        change=change,
        updated=pending.started,
    )


def stopped(make: Maker) -> Endpoint:
    entity = make.entity(deployment=None)
    return make.endpoint(ready=NOT_READY, suspend=STOPPED, config=make.config(4, entity))


def stopped_gpu(make: Maker) -> Endpoint:
    entity = make.entity(deployment=None, gpu=True)
    return make.endpoint(ready=NOT_READY, suspend=STOPPED, config=make.config(6, entity))


def stopped_after_failure(make: Maker) -> Endpoint:
    """An old failure is still reported beside the stop."""
    endpoint = stopped(make)
    endpoint.config_update = UPDATE_FAILED
    return endpoint


def start_falls_back(make: Maker) -> Endpoint:
    """Stopped, and every start ends in stopped again."""
    endpoint = stopped_gpu(make)
    endpoint.fails["start"] = {"outcome": "stopped", "message": make.part.trouble}
    return endpoint


def updating(make: Maker) -> Endpoint:
    pending = make.config(18, make.entity(make.part.version + 1, gpu=True))
    change = make.under_way("update", pending, elapsed=6 * 60)
    return make.endpoint(
        config_update=IN_PROGRESS,
        config=make.config(17, make.entity(gpu=True)),
        pending=pending,
        change=change,
        updated=pending.started,
    )


def update_failed(make: Maker) -> Endpoint:
    """The latest change failed; what served before still serves."""
    failed = make.entity(
        make.part.version + 1,
        deployment=FAILED,
        message=make.part.trouble
        or "Model server failed to load the model. Please see service logs for more information.",
    )
    began = make.now - make.random.uniform(1, 3) * 3600
    return make.endpoint(
        config_update=UPDATE_FAILED,
        config=make.config(make.part.version, make.entity()),
        pending=make.config(make.part.version + 1, failed, started=began),
        updated=began,
    )


def update_canceled(make: Maker) -> Endpoint:
    """Its update was cancelled, and every further one fails."""
    endpoint = make.endpoint(config_update=UPDATE_CANCELED, config=make.config(9, make.entity()))
    endpoint.fails["update"] = {"outcome": "failed", "message": make.part.trouble}
    return endpoint


def not_ready(make: Maker) -> Endpoint:
    """Deployed and not stopped, yet one of its entities does not come back."""
    well, ill = make.entity(gpu=True), make.entity(make.part.version + 1, gpu=True)
    ill.deployment, ill.message = "DEPLOYMENT_RECOVERING", make.part.trouble
    config = make.config(12, well, ill)
    config.routes = {well.name: 80, ill.name: 20}
    return make.endpoint(ready=NOT_READY, config=config)


def strange(make: Maker) -> Endpoint:
    """A state that no published enum knows, on an endpoint that another team keeps."""
    return make.endpoint(
        ready="DEGRADED",
        config=make.config(5, make.entity(gpu=True)),
        permission_level="CAN_VIEW",
    )


def flaps(make: Maker) -> Endpoint:
    endpoint = ready(make)
    endpoint.script = Script("flaps", every=240, at=make.now + 240)
    return endpoint


def redeploys(make: Maker) -> Endpoint:
    endpoint = updating(make)
    endpoint.script = Script("redeploys")
    return endpoint


def no_config(make: Maker) -> Endpoint:
    return make.endpoint(ready=NOT_READY)


def feature_spec(make: Maker) -> Endpoint:
    entity = make.entity(message="", workload_size="Small", type="FEATURE_SPEC")
    del entity.fields["entity_version"], entity.fields["workload_type"]
    entity.fields["name"] = make.part.model
    return make.endpoint(config=make.config(2, entity))


def throughput(make: Maker) -> Endpoint:
    config = make.config(3, _throughput_entity(make, 100))
    return make.endpoint(config=config, task="llm/v1/embeddings")


def throughput_update_failed(make: Maker) -> Endpoint:
    failed = _throughput_entity(make, 200)
    failed.deployment, failed.message = ABORTED, TIMED_OUT_MESSAGE
    began = make.now - 10 * 3600
    return make.endpoint(
        config_update=UPDATE_FAILED,
        config=make.config(7, _throughput_entity(make, 100)),
        pending=make.config(8, failed, started=began),
        updated=began,
        task="llm/v1/embeddings",
    )


def tile(make: Maker) -> Endpoint:
    """An agent that the platform built: an empty config and no `suspend`."""
    return make.endpoint(
        empty_config=True,
        suspend=None,
        system_update_failure=None,
        task="agent/v1/responses",
        extras={
            "tile_endpoint_metadata": {
                "tile_id": str(uuid.UUID(new_id(make.seed, "tile", make.part.name))),
                "tile_model_name": make.part.model,
                "problem_type": "KNOWLEDGE_ASSISTANT",
            }
        },
    )


def external(make: Maker) -> Endpoint:
    model = make.part.model
    provider = "anthropic" if model.startswith("claude") else "openai"
    task = "llm/v1/chat"
    entity = Entity(
        fields={
            "name": model.replace(".", "-"),
            "type": "EXTERNAL_MODEL",
            "external_model": {
                "provider": provider,
                "name": model,
                "task": task,
                f"{provider}_config": {
                    f"{provider}_api_key": f"{{{{secrets/llm-proxy/{provider}-key}}}}"
                },
            },
        },
        creator=make.creator,
        created=make.now - make.since,
    )
    return make.endpoint(
        config=make.config(4, entity),
        endpoint_type="EXTERNAL_MODEL",
        task=task,
        budget_policy_id=None,
        extras={"ai_gateway": {"usage_tracking_config": {"enabled": True}}},
    )


def foundation_chat(make: Maker) -> Endpoint:
    return _foundation(make, "llm/v1/chat")


def foundation_embeddings(make: Maker) -> Endpoint:
    return _foundation(make, "llm/v1/embeddings")


def _foundation(make: Maker, task: str) -> Endpoint:
    """Pay-per-token: no id, no creator, no `suspend`."""
    part = make.part
    name = f"system.ai.{part.model}"
    entity = Entity(
        fields={
            "name": part.name,
            "type": "FOUNDATION_MODEL",
            "foundation_model": {
                "name": name,
                "display_name": part.about.rstrip("."),
                "docs": "https://docs.databricks.com/machine-learning/foundation-models/",
                "description": part.about,
            },
        },
        deployment=None,
    )
    return make.endpoint(
        id=None,
        creator=None,
        creator_kind=None,
        creator_display_name=None,
        suspend=None,
        system_update_failure=None,
        config=Config(0, [entity]),
        endpoint_type="FOUNDATION_MODEL_API",
        task=task,
        tags={},
        description="",
        budget_policy_id=None,
        permission_level="CAN_QUERY",
    )


def _throughput_entity(make: Maker, most: int) -> Entity:
    entity = make.entity(
        entity_name=f"system.ai.{make.part.model}",
        workload_type="GPU_MEDIUM",
        scale_to_zero_enabled=False,
        min_provisioned_throughput=0,
        max_provisioned_throughput=most,
    )
    del entity.fields["workload_size"]
    return entity


Role = Callable[[Maker], Endpoint]

ROLES: dict[str, Role] = {
    role.__name__: role
    for role in (
        agent,
        build_failed,
        external,
        feature_spec,
        first_deployment,
        flaps,
        foundation_chat,
        foundation_embeddings,
        idle,
        no_config,
        not_ready,
        ready,
        ready_gpu,
        ready_split,
        redeploys,
        start_falls_back,
        starting,
        stopped,
        stopped_after_failure,
        stopped_gpu,
        strange,
        throughput,
        throughput_update_failed,
        tile,
        timed_out,
        update_canceled,
        update_failed,
        updating,
    )
}
