"""How an endpoint of the seeded fleet fares: one function per role, each makes one endpoint."""

from __future__ import annotations

from collections.abc import Callable

from endpoints_app.emulator.endpoint import (
    ABORTED,
    FAILED,
    IDLE_MESSAGE,
    IN_PROGRESS,
    NOT_READY,
    STOPPED,
    TIMED_OUT_MESSAGE,
    UPDATE_CANCELED,
    UPDATE_FAILED,
    Config,
    Endpoint,
    Entity,
    Script,
)
from endpoints_app.emulator.identity import new_uuid
from endpoints_app.emulator.maker import Maker


def ready(make: Maker) -> Endpoint:
    return make.endpoint(config=make.config(make.random.randint(1, 40), make.entity()))


def ready_gpu(make: Maker) -> Endpoint:
    config = make.config(make.random.randint(1, 20), make.entity(gpu=True))
    config.auto_capture = make.inference_table()
    return make.endpoint(config=config)


def ready_split(make: Maker) -> Endpoint:
    champion, challenger = make.entity(), make.entity(make.part.version + 1)
    config = make.config(make.random.randint(5, 40), champion, challenger)
    config.routes = {champion.name: 90, challenger.name: 10}
    for entity in config.entities:
        entity.fields["environment_vars"] = make.environment()
    return make.endpoint(
        config=config,
        ai_gateway={"inference_table_config": make.inference_table()},
        email_notifications=make.notifications(),
    )


def idle(make: Maker) -> Endpoint:
    entity = make.entity(scale_to_zero_enabled=True, message=IDLE_MESSAGE)
    return make.endpoint(config=make.config(7, entity))


def agent(make: Maker) -> Endpoint:
    return make.endpoint(
        config=make.config(3, make.entity(environment_vars=make.environment())),
        task="agent/v1/responses",
        ai_gateway={
            "usage_tracking_config": {"enabled": True},
            "inference_table_config": make.inference_table(),
        },
    )


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
        email_notifications=make.notifications(),
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
                "tile_id": new_uuid(make.seed, "tile", make.part.name),
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
        inherited_policy_id=None,
        ai_gateway={
            "usage_tracking_config": {"enabled": True},
            "rate_limits": [
                {"renewal_period": "minute", "key": "endpoint", "calls": 600},
                {"renewal_period": "minute", "key": "user", "tokens": 20_000},
            ],
            "guardrails": {
                "input": {"pii": {"behavior": "BLOCK"}, "invalid_keywords": ["password"]},
                "output": {"safety": True, "pii": {"behavior": "MASK"}},
            },
            "fallback_config": {"enabled": False},
        },
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
        inherited_policy_id=None,
        permission_level="CAN_QUERY",
        ai_gateway={
            "usage_tracking_config": {"enabled": True},
            "rate_limits": [{"renewal_period": "minute", "key": "user", "calls": 60}],
        },
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
