"""A seeded, believable fleet."""

from __future__ import annotations

from endpoints_app.emulator.endpoint import NOT_READY, READY, STOPPED, Config, Endpoint, Entity
from endpoints_app.emulator.world import new_id


def seeded(seed: int, count: int, *, now: float) -> list[Endpoint]:
    names = ["basket-recommender", "churn", "card-ocr-v1", "credit-limit", "demand-forecast"]
    return [_custom(seed, name, now=now, stopped=name == "card-ocr-v1") for name in names[:count]]


def _custom(seed: int, name: str, *, now: float, stopped: bool) -> Endpoint:
    model = name.replace("-", "_")
    entity = Entity(
        fields={
            "name": f"{model}-3",
            "entity_name": f"ml.prod.{model}",
            "entity_version": "3",
            "type": "UC_MODEL",
            "workload_size": "Small",
            "workload_type": "CPU",
            "scale_to_zero_enabled": True,
        },
        creator="ann@example.com",
        created=now - 86400,
        deployment=None if stopped else "DEPLOYMENT_READY",
    )
    return Endpoint(
        name=name,
        id=new_id(seed, name),
        creator="ann@example.com",
        creator_kind="User",
        creator_display_name="Ann",
        created=now - 86400,
        updated=now - 86400,
        ready=NOT_READY if stopped else READY,
        suspend=STOPPED if stopped else "NOT_SUSPENDED",
        config=Config(3, [entity], {entity.name: 100}, started=now - 86400),
        latest_version=3,
    )
