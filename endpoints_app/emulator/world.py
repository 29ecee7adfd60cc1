"""The endpoints of one workspace and the operations on them.

Nothing runs in the background: whoever asks first calls `settle`, which lets everything happen
that has become due. So a test moves the world by moving its clock.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from endpoints_app.emulator import inputs, lifecycle
from endpoints_app.emulator.endpoint import IN_PROGRESS, Config, Endpoint
from endpoints_app.emulator.errors import (
    bad_request,
    busy,
    forbidden,
    name_taken,
    no_such_endpoint,
)
from endpoints_app.emulator.identity import new_id


@dataclass(frozen=True)
class Caller:
    """Who asks: a user (`name` is the mail address) or a service principal (its application id)."""

    id: str
    name: str
    display_name: str
    kind: str


class World:
    """Endpoints by name. Operations raise `Refusal`; callers hold `lock` around them."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        time_scale: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self.time_scale = time_scale
        self.offset = offset
        self.clock = clock
        self._endpoints: dict[str, Endpoint] = {}
        self._agenda: list[tuple[float, str]] = []
        self._revision = 0
        for endpoint in endpoints:
            self.put(endpoint)

    @property
    def revision(self) -> int:
        """Another one after every change."""
        return self._revision

    def now(self) -> float:
        return self.clock() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds
        self.settle()

    def settle(self) -> None:
        """Let everything happen that has become due."""
        now = self.now()
        while self._agenda and self._agenda[0][0] <= now:
            at, name = heapq.heappop(self._agenda)
            endpoint = self._endpoints.get(name)
            if endpoint is not None and lifecycle.next_event(endpoint) == at:
                lifecycle.happen(endpoint, at)
                self._touch(endpoint)

    def all(self) -> list[Endpoint]:
        self.settle()
        return list(self._endpoints.values())

    def get(self, name: str) -> Endpoint:
        self.settle()
        if name not in self._endpoints:
            raise no_such_endpoint(name)
        return self._endpoints[name]

    def by_id(self, endpoint_id: str) -> Endpoint | None:
        return next((it for it in self.all() if it.id == endpoint_id), None)

    def put(self, endpoint: Endpoint) -> None:
        """Add an endpoint, or take over what was changed on it from outside."""
        self._endpoints[endpoint.name] = endpoint
        self._touch(endpoint)

    def remove(self, name: str) -> None:
        self.get(name)
        del self._endpoints[name]
        self._revision += 1

    def recreate(self, name: str) -> Endpoint:
        """Somebody deleted the endpoint and made it anew: same name and content, new id."""
        endpoint = deepcopy(self.get(name))
        endpoint.created = endpoint.updated = self.now()
        endpoint.id = new_id(self.seed, name, endpoint.created, self._revision)
        self.put(endpoint)
        return endpoint

    def reset(self, endpoints: Iterable[Endpoint]) -> None:
        """Begin again with these endpoints and the clock as it really is."""
        self.offset = 0.0
        self._revision += 1
        self._endpoints.clear()
        self._agenda.clear()
        for endpoint in endpoints:
            self.put(endpoint)

    def undo(self, name: str) -> Callable[[], None]:
        """What brings the endpoint of this name back to how it is now, or to not existing."""
        kept = deepcopy(self._endpoints.get(name))

        def restore() -> None:
            if kept is not None:
                self.put(kept)
            elif self._endpoints.pop(name, None):
                self._revision += 1

        return restore

    def create(self, body: dict[str, Any], caller: Caller) -> Endpoint:
        name, now = inputs.endpoint_name(body), self.now()
        if name in self._endpoints:
            raise name_taken(name)
        endpoint = Endpoint(
            name=name,
            id=new_id(self.seed, name, now, self._revision),
            creator=caller.name,
            creator_kind=caller.kind,
            creator_display_name=caller.display_name,
            created=now,
            updated=now,
            tags=inputs.tags(body.get("tags")),
            description=str(body.get("description") or ""),
            route_optimized=bool(body.get("route_optimized")),
            budget_policy_id=body.get("budget_policy_id"),
            task=body.get("task"),
            ai_gateway=inputs.gateway(body.get("ai_gateway") or {}),
            rate_limits=inputs.limits(body.get("rate_limits") or []),
            email_notifications=inputs.notifications(body.get("email_notifications") or {}),
            telemetry_config=inputs.json_object(body.get("telemetry_config") or {}),
        )
        endpoint.note(now, "ENDPOINT_CREATE", "SUCCESS", "The endpoint was created.")
        if body.get("config"):
            config = self._config(body["config"], caller)
            for entity in config.entities:
                if external := entity.fields.get("external_model"):
                    endpoint.endpoint_type = "EXTERNAL_MODEL"
                    endpoint.task = external.get("task")
            if endpoint.endpoint_type and endpoint.budget_policy_id:
                raise bad_request("An endpoint of an external model cannot have a budget policy.")
            lifecycle.deploy(endpoint, "create", config, now=now, scale=self.time_scale)
        self.put(endpoint)
        return endpoint

    def update_config(self, name: str, body: dict[str, Any], caller: Caller) -> Endpoint:
        endpoint = self.managed(name)
        config = self._config(body, caller)
        if endpoint.config and _external(endpoint.config) != _external(config):
            raise bad_request("An endpoint cannot change from or to an external model.")
        self._refuse_while_changing(endpoint)
        if endpoint.stopped:
            lifecycle.replace_config(endpoint, config, now=self.now())
        else:
            kind = "update" if endpoint.config else "create"
            lifecycle.deploy(endpoint, kind, config, now=self.now(), scale=self.time_scale)
        self._touch(endpoint)
        return endpoint

    def stop(self, name: str) -> Endpoint:
        """Idempotent: a stopped or stopping endpoint is left alone (our reading; unpublished)."""
        if not self.get(name).serves_custom_models:
            raise bad_request(f"Endpoint '{name}' cannot be stopped: it serves no custom model.")
        endpoint = self.managed(name)
        if endpoint.stopped or (endpoint.change and endpoint.change.kind == "stop"):
            return endpoint
        self._refuse_while_changing(endpoint)
        lifecycle.stop(endpoint, now=self.now(), scale=self.time_scale)
        self._touch(endpoint)
        return endpoint

    def start(self, name: str) -> Endpoint:
        endpoint = self.managed(name)
        self._refuse_while_changing(endpoint)
        if not endpoint.stopped or endpoint.wanted is None:
            raise bad_request(f"Endpoint '{name}' is not stopped.")
        config = deepcopy(endpoint.wanted)
        lifecycle.deploy(endpoint, "start", config, now=self.now(), scale=self.time_scale)
        self._touch(endpoint)
        return endpoint

    def delete(self, name: str) -> None:
        self.managed(name)
        self.remove(name)

    def change_tags(self, name: str, body: dict[str, Any]) -> Endpoint:
        endpoint = self.managed(name)
        added, deleted = inputs.tag_changes(body)
        for key in deleted:
            endpoint.tags.pop(key, None)
        endpoint.tags |= added
        endpoint.updated = self.now()
        self._touch(endpoint)
        return endpoint

    def wake(self, endpoint: Endpoint) -> None:
        """Something queries it."""
        if lifecycle.wake(endpoint, now=self.now()):
            self._touch(endpoint)

    def divert(self, name: str, outcome: str, message: str = "") -> None:
        """Give the change that has just begun on an endpoint another end."""
        endpoint = self._endpoints.get(name)
        if endpoint and endpoint.change:
            endpoint.change.outcome, endpoint.change.message = outcome, message

    def _config(self, body: Any, caller: Caller) -> Config:
        return inputs.config(inputs.json_object(body), creator=caller.name, now=self.now())

    def managed(self, name: str) -> Endpoint:
        endpoint = self.get(name)
        if endpoint.permission_level != "CAN_MANAGE":
            raise forbidden(f"User does not have permission 'Manage' on serving endpoint '{name}'.")
        return endpoint

    def _refuse_while_changing(self, endpoint: Endpoint) -> None:
        if endpoint.change or endpoint.config_update == IN_PROGRESS:
            raise busy(endpoint.name)

    def _touch(self, endpoint: Endpoint) -> None:
        self._revision += 1
        endpoint.revision = self._revision
        at = lifecycle.next_event(endpoint)
        if at is not None:
            heapq.heappush(self._agenda, (at, endpoint.name))


def _external(config: Config) -> bool:
    return any("external_model" in entity.fields for entity in config.entities)
