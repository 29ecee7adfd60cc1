"""The common ground of every role: names, owners, tags, sizes and times of one endpoint.

Everything random about an endpoint comes from the seed and its own name, so that it is the same
in a fleet of twelve and in one of ten thousand.
"""

from __future__ import annotations

from random import Random
from typing import Any

from endpoints_app.emulator import history, lifecycle
from endpoints_app.emulator.companies import Company, Part
from endpoints_app.emulator.endpoint import (
    CREATING,
    CREATING_MESSAGE,
    DEPLOYED,
    READY,
    Change,
    Config,
    Endpoint,
    Entity,
)
from endpoints_app.emulator.identity import budget_policy, new_id, new_uuid

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
            new_uuid("pipeline", company.domain, part.team)
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
            "inherited_policy_id": self._inherited_policy(),
        }
        endpoint = Endpoint(name=part.name, **defaults | how)
        endpoint.latest_version = max(
            (it.version for it in (endpoint.config, endpoint.pending) if it), default=0
        )
        for event in history.of(endpoint, self.now, self.scale):
            endpoint.note(**event)
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
        return budget_policy(self.company.domain, self.part.team)

    def _inherited_policy(self) -> str | None:
        """That of its creator, which is in effect where it has none of its own."""
        if Random(f"{self.seed}/{self.part.name}/inherited").random() < 0.5:
            return None
        return budget_policy(self.company.domain, "default")

    def environment(self) -> dict[str, str]:
        return {
            "LOG_LEVEL": "info",
            "FEATURE_STORE_URL": f"https://features.{self.company.domain}",
            "FEATURE_STORE_TOKEN": f"{{{{secrets/{self.part.team}/feature-store}}}}",
        }

    def inference_table(self) -> dict[str, Any]:
        return {
            "enabled": True,
            "catalog_name": self.company.catalog,
            "schema_name": "inference",
            "table_name_prefix": self.part.name.replace("-", "_"),
        }

    def notifications(self) -> dict[str, Any]:
        return {"on_update_failure": [f"{self.part.team}@{self.company.domain}"]}
