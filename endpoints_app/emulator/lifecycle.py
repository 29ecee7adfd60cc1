"""How an endpoint moves: what begins a change, how long it takes and how it ends.

Databricks publishes no table of this. The order of states follows its documentation and recorded
responses; 99 s for the start of a small CPU model is recorded, the other durations are our
estimate.
"""

from __future__ import annotations

from copy import deepcopy

from endpoints_app.emulator.endpoint import (
    ABORTED,
    CREATING,
    CREATING_MESSAGE,
    DEPLOYED,
    FAILED,
    FAILED_MESSAGE,
    IDLE_MESSAGE,
    IN_PROGRESS,
    NOT_READY,
    NOT_SUSPENDED,
    NOT_UPDATING,
    READY,
    STOPPED,
    TIMED_OUT_MESSAGE,
    UPDATE_FAILED,
    Change,
    Config,
    Endpoint,
    Entity,
    Script,
)

SECONDS = {  # kind of change: on CPU, on GPU
    "create": (480, 1500),
    "update": (360, 1200),
    "start": (99, 420),
}
STOP_SECONDS = 15
IDLE_SECONDS = 1800
NO_COMPUTE_SECONDS = 5  # an external model or a feature spec has nothing to build


def duration(kind: str, config: Config) -> float:
    """Seconds that a change takes at time scale 1."""
    entities = config.entities
    if all(entity.fields.get("type") != "UC_MODEL" for entity in entities):
        return NO_COMPUTE_SECONDS
    if kind == "update" and all("provisioned_model_units" in it.fields for it in entities):
        return NO_COMPUTE_SECONDS  # updates of model units are instantaneous (SDK)
    on_cpu, on_gpu = SECONDS[kind]
    return on_gpu if any(entity.on_gpu for entity in config.entities) else on_cpu


def deploy(endpoint: Endpoint, kind: str, config: Config, *, now: float, scale: float) -> None:
    """Begin to bring `config` up beside what serves now (kind: create, update or start)."""
    endpoint.latest_version += 1
    config.version = endpoint.latest_version
    config.started = now
    config.ends = now + duration(kind, config) * scale
    for entity in config.entities:
        entity.deployment, entity.message = CREATING, CREATING_MESSAGE
    endpoint.pending = config
    endpoint.config_update = IN_PROGRESS
    endpoint.note(now, f"ENDPOINT_{kind.upper()}", "IN_PROGRESS", f"{_what(config)} is deployed.")
    endpoint.updated = now
    if endpoint.suspend is not None:
        endpoint.suspend = NOT_SUSPENDED
    _begin(endpoint, kind, config.ends)


def stop(endpoint: Endpoint, *, now: float, scale: float) -> None:
    """Begin a stop: nothing shows until `suspend` turns STOPPED."""
    endpoint.updated = now
    endpoint.note(now, "ENDPOINT_STOP", "IN_PROGRESS", "The endpoint is stopping.")
    _begin(endpoint, "stop", now + STOP_SECONDS * scale)


def wake(endpoint: Endpoint, *, now: float) -> bool:
    """A query brings an entity back that had scaled to zero; half an hour later it is idle again.

    Returns whether anything changed.
    """
    asleep = _asleep(endpoint)
    for entity in asleep:
        entity.message = ""
    script = endpoint.script
    # Put off once a minute at most: each time is an entry in the agenda.
    idles = script and script.kind == "idles" and (script.at or 0) < now + IDLE_SECONDS - 60
    if idles or (asleep and script is None):
        endpoint.script = Script("idles", at=now + IDLE_SECONDS)
    return bool(asleep or idles)


def fall_asleep(endpoint: Endpoint) -> None:
    for entity in endpoint.config.entities if endpoint.config else ():
        if entity.may_idle and entity.deployment == DEPLOYED:
            entity.message = IDLE_MESSAGE


def _asleep(endpoint: Endpoint) -> list[Entity]:
    entities = endpoint.config.entities if endpoint.config else []
    return [entity for entity in entities if entity.message == IDLE_MESSAGE]


def replace_config(endpoint: Endpoint, config: Config, *, now: float) -> None:
    """Update a stopped endpoint: it stays stopped and keeps the new content (recorded once)."""
    endpoint.latest_version += 1
    config.version = endpoint.latest_version
    config.started = now
    for entity in config.entities:
        entity.deployment = None
    endpoint.config, endpoint.pending = config, None
    endpoint.config_update = NOT_UPDATING
    endpoint.updated = now


def next_event(endpoint: Endpoint) -> float | None:
    """When the endpoint next changes by itself."""
    due = endpoint.change.due if endpoint.change else None
    scripted = endpoint.script.at if endpoint.script else None
    return min((at for at in (due, scripted) if at is not None), default=None)


def happen(endpoint: Endpoint, at: float) -> None:
    """Let the event that is due at `at` take place. Scripts keep their pace at any time scale."""
    change, script = endpoint.change, endpoint.script
    if change and change.due == at:
        _finish(endpoint, change)
        endpoint.note(at, f"ENDPOINT_{change.kind.upper()}", *_ended(endpoint, change))
        if script and script.kind == "redeploys" and endpoint.config and not endpoint.stopped:
            deploy(endpoint, "update", deepcopy(endpoint.config), now=at, scale=1)
    elif script and script.at == at and script.kind == "idles":
        endpoint.script = None
        fall_asleep(endpoint)
    elif script and script.at == at:
        script.at = at + script.every
        if endpoint.config and not endpoint.stopped:
            endpoint.ready = NOT_READY if endpoint.ready == READY else READY


def _what(config: Config) -> str:
    return f"Config version {config.version}"


def _ended(endpoint: Endpoint, change: Change) -> tuple[str, str]:
    """Status and message of the event that ends a change."""
    if change.kind == "stop":
        done = endpoint.stopped
        return ("SUCCESS", "Stopped.") if done else ("FAILED", "The endpoint goes on serving.")
    if change.outcome == "done" and endpoint.config:
        return "SUCCESS", f"{_what(endpoint.config)} is serving."
    failed = endpoint.pending.entities[0].message if endpoint.pending else change.message
    return "FAILED", failed or "The change did not succeed."


def _begin(endpoint: Endpoint, kind: str, due: float) -> None:
    endpoint.change = Change(kind, due, **endpoint.fails.get(kind, {}))


def _finish(endpoint: Endpoint, change: Change) -> None:
    endpoint.change = None
    match change.kind, change.outcome, endpoint.pending:
        case "stop", "done", _:
            _suspend(endpoint)
        case "stop", _, _:
            pass  # it goes on serving
        case _, "done", Config() as pending:
            _activate(endpoint, pending)
        case _, "stopped", _ if endpoint.config:
            _suspend(endpoint)
        case _, _, Config() as pending:
            _leave_failed(endpoint, change, pending)


def _activate(endpoint: Endpoint, pending: Config) -> None:
    endpoint.config, endpoint.pending = pending, None
    for entity in pending.entities:
        entity.deployment, entity.message = DEPLOYED, ""
    endpoint.ready, endpoint.config_update = READY, NOT_UPDATING


def _suspend(endpoint: Endpoint) -> None:
    endpoint.ready, endpoint.suspend = NOT_READY, STOPPED
    endpoint.config_update = NOT_UPDATING
    if endpoint.config:
        endpoint.pending = None
        for entity in endpoint.config.entities:
            # What a stopped entity reports is unpublished; the enum has no word for it.
            entity.deployment = None


def _leave_failed(endpoint: Endpoint, change: Change, pending: Config) -> None:
    endpoint.config_update = UPDATE_FAILED
    timed_out = change.outcome == "timed_out"
    first, *siblings = pending.entities
    first.deployment = ABORTED if timed_out else FAILED
    first.message = change.message or (TIMED_OUT_MESSAGE if timed_out else FAILED_MESSAGE)
    for entity in siblings:
        entity.deployment = ABORTED
        entity.message = "Aborted because another served entity of this version failed."
