"""One answer about an endpoint → the fields of its row, and the status change it proves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from endpoints_app.databricks_api import wire
from endpoints_app.domain import kind, status
from endpoints_app.domain.lifecycle import State
from endpoints_app.domain.masking import clean, keepable
from endpoints_app.domain.status import Reading, Reason, Reported, Status
from endpoints_app.models import Endpoint, Operation, StatusChange, Workspace
from endpoints_app.services import acknowledging, config_history, live

DERIVATION = 2
"""Raise when the rules that turn an answer into a row change: every row is then derived anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Databricks said about one endpoint, and when we asked. List items are `thin`: they
    lack sizes, deployment states, traffic, versions and the pending configuration."""

    document: wire.Endpoint
    asked_at: datetime
    thin: bool = False


QUIET = frozenset({Status.READY, Status.STOPPED})


_in_order = json.JSONEncoder(sort_keys=True, check_circular=False).encode
"""Made once: a thousand times a cycle it would cost more than what it does."""


def fingerprint(raw: wire.Raw) -> str:
    """Tells whether an item of the list is what it was, without reading it."""
    try:
        text = _in_order(raw)
    except RecursionError:  # nested deeper than anything we read of it
        document = wire.Endpoint.parse(raw)
        text = repr((document.name, document.id, document.updated_at, document.state))
    return hashlib.blake2b(f"{DERIVATION}{text}".encode(), digest_size=16).hexdigest()


def is_another(endpoint: Endpoint, document: wire.Endpoint) -> bool:
    """Whether the name has been given to an endpoint with another id."""
    uid = _uid(document)
    return bool(endpoint.uid and uid and endpoint.uid != uid)


def first_sight(workspace: Workspace, name: str, answer: Answer) -> Endpoint:
    """A row for an endpoint not met before, unsaved. Its details are due at once."""
    endpoint = Endpoint(
        workspace=workspace,
        name=name,
        first_seen_at=answer.asked_at,
        observed_at=answer.asked_at,
        status_since=answer.asked_at,
        changed_at=min(answer.document.updated_at or answer.asked_at, answer.asked_at),
    )
    _describe(endpoint, answer)
    _set_status(endpoint, _read(endpoint, answer), answer.asked_at)
    endpoint.next_look_at = answer.asked_at
    return endpoint


def take_in(endpoint: Endpoint, answer: Answer) -> StatusChange | None:
    """Write `answer` into the fields of `endpoint`, unsaved; returns the status change, unsaved.

    Does nothing when the row rests on a newer reading: a list asked for before a stop was
    confirmed must not bring READY back.
    """
    read_at = endpoint.read_at()
    if answer.asked_at < read_at:
        return None
    was, was_reason = endpoint.status, endpoint.reason
    told = (endpoint.ready, endpoint.config_update, endpoint.suspend)
    endpoint.observed_at = answer.asked_at
    _describe(endpoint, answer)
    _set_status(endpoint, _read(endpoint, answer), answer.asked_at)
    if answer.thin:
        endpoint.missing_since = None
        endpoint.next_look_at = answer.asked_at
    elif told != (endpoint.ready, endpoint.config_update, endpoint.suspend):
        # The next list may say again what the last one said, and would pass for unchanged.
        endpoint.fingerprint = ""
    return _change(endpoint, was, was_reason, after=read_at, at=answer.asked_at)


def miss(endpoint: Endpoint, asked_at: datetime, *, look_at: datetime) -> StatusChange | None:
    """The list lacks it, which proves nothing: Unknown until a GET by name says more."""
    read_at = endpoint.read_at()
    was, was_reason = endpoint.status, endpoint.reason
    endpoint.missing_since = endpoint.missing_since or asked_at
    endpoint.observed_at = max(endpoint.observed_at, asked_at)
    endpoint.next_look_at = look_at
    _set_status(endpoint, Reading(Status.UNKNOWN, Reason.MISSING_FROM_LIST), asked_at)
    return _change(endpoint, was, was_reason, after=read_at, at=asked_at)


def bury(endpoint: Endpoint, asked_at: datetime) -> StatusChange:
    """Databricks said that it does not exist, or the name carries another id."""
    change = StatusChange(
        endpoint=endpoint, was=endpoint.status, now="", after=endpoint.read_at(), at=asked_at
    )
    endpoint.gone_at = asked_at
    endpoint.next_look_at = None
    return change


def save(
    changed: Collection[Endpoint],
    new: Collection[Endpoint],
    changes: Collection[StatusChange | None],
) -> None:
    """Write rows and changes under one new revision, in batches, inside the caller's
    `writing()`. `changed` were read in there too: what was read of them is written."""
    revision = live.next_revision()
    for endpoint in (*changed, *new):
        endpoint.revision = revision
    proven = [change for change in changes if change is not None]
    _name_their_cause(proven)
    _update(changed)  # first: a burial frees the name for its successor
    Endpoint.objects.bulk_create(new, batch_size=BATCH)
    config_history.keep([endpoint.seen for endpoint in (*changed, *new) if endpoint.seen])
    proven += [
        StatusChange(
            endpoint=endpoint,
            now=endpoint.status,
            reason=endpoint.reason,
            message=endpoint.message,
            at=endpoint.first_seen_at,
        )
        for endpoint in new
    ]
    StatusChange.objects.bulk_create(proven, batch_size=BATCH)
    acknowledging.follow(proven)


BATCH = 250


WRITTEN = [
    field.name
    for field in Endpoint._meta.concrete_fields
    if field.name not in ("id", "workspace", "name", "first_seen_at")
]


def _update(rows: Collection[Endpoint]) -> None:
    """As upserts, because bulk_update needs seconds for what these do in milliseconds."""
    unread = set().union(*(row.get_deferred_fields() for row in rows))
    for row in rows:
        # Their insert, which never happens, names every column.
        for name in row.get_deferred_fields():
            setattr(row, name, None)
    Endpoint.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name for name in WRITTEN if name not in unread],
    )


def _name_their_cause(changes: list[StatusChange]) -> None:
    """A change while an operation of ours was under way is that operation's, whoever saw it."""
    if not changes:
        return
    under_way = Q(state__in=[State.SENDING, State.SENT])
    operations = Operation.objects.filter(under_way, endpoint__in=[c.endpoint_id for c in changes])
    by_endpoint = {operation.endpoint_id: operation for operation in operations}
    for change in changes:
        if operation := by_endpoint.get(change.endpoint_id):
            change.operation = change.endpoint.cause = operation


def _read(endpoint: Endpoint, answer: Answer) -> Reading:
    document = answer.document
    pending = document.pending_config is not None
    if answer.thin:
        # A list never carries the pending configuration: what the last GET said stands.
        pending = endpoint.pending_version is not None
    return status.derive(
        Reported(
            ready=document.state.ready,
            config_update=document.state.config_update,
            suspend=document.state.suspend,
            has_config=_has_content(document.config),
            has_pending_config=pending,
        )
    )


def _has_content(config: wire.Config | None) -> bool:
    return config is not None and bool(config.entities or config.version)


def _set_status(endpoint: Endpoint, reading: Reading, at: datetime) -> None:
    if endpoint.status != reading.status.value:
        if endpoint.status:
            if endpoint.status != Status.UNKNOWN.value:
                endpoint.last_known = endpoint.status
            endpoint.changed_at = max(endpoint.changed_at, at)
        endpoint.status_since = at
        endpoint.cause = None
    endpoint.status = reading.status.value
    endpoint.severity = reading.status.severity
    endpoint.reason = reading.reason.value
    endpoint.updating = reading.updating
    if reading.status in QUIET and not reading.updating:
        endpoint.message = ""  # what was wrong before is over


def _change(
    endpoint: Endpoint, was: str, was_reason: str, *, after: datetime, at: datetime
) -> StatusChange | None:
    if (was, was_reason) == (endpoint.status, endpoint.reason):
        return None
    return StatusChange(
        endpoint=endpoint,
        was=was,
        now=endpoint.status,
        reason=endpoint.reason,
        message=endpoint.message,
        after=after,
        at=at,
    )


def _describe(endpoint: Endpoint, answer: Answer) -> None:
    document = answer.document
    endpoint.uid = _uid(document) or endpoint.uid
    endpoint.ready = _cut(document.state.ready, 60)
    endpoint.config_update = _cut(document.state.config_update, 60)
    endpoint.suspend = _cut(document.state.suspend, 60)
    endpoint.creator = _cut(document.creator_display_name or document.creator, 255)
    endpoint.tags = {clean(tag.key): clean(tag.value or "") for tag in document.tags}
    lines = [line for key, value in endpoint.tags.items() for line in (key, f"{key}={value}")]
    endpoint.tag_lines = "\n".join(["", *lines, ""]) if lines else ""
    endpoint.owner = _cut(_owner(endpoint.tags), 255) or endpoint.creator
    endpoint.created_at = document.created_at
    endpoint.updated_at = document.updated_at
    _describe_budget(endpoint, answer)
    if document.updated_at and document.updated_at <= answer.asked_at:
        endpoint.changed_at = max(endpoint.changed_at, document.updated_at)
    if answer.thin:
        endpoint.fingerprint = fingerprint(document.raw)
        if endpoint.document_at is None:
            _describe_config(endpoint, document)
    else:
        last = endpoint.document_at
        endpoint.document = keepable(document.raw)
        endpoint.document_at = answer.asked_at
        _describe_config(endpoint, document)
        endpoint.seen = config_history.news(endpoint, document, answer.asked_at, last)
    endpoint.search = " ".join(
        [
            endpoint.name,
            endpoint.owner,
            endpoint.creator,
            *(f"{key}={value}" for key, value in endpoint.tags.items()),
            *(f"{e['entity']} {e['name']}" for e in endpoint.entities),
        ]
    ).lower()


def _describe_budget(endpoint: Endpoint, answer: Answer) -> None:
    own = _cut(answer.document.budget_policy_id, 255)
    if not answer.thin:
        endpoint.budget_policy = own
        endpoint.effective_budget_policy = (
            _cut(answer.document.effective_budget_policy_id, 255) or own
        )
        endpoint.budget_known = True
    elif own and own not in (endpoint.budget_policy, endpoint.effective_budget_policy):
        # A list names one id at most, and not which of the two: what the last GET said stands
        # until another one is listed. That none is listed says nothing.
        endpoint.budget_policy = endpoint.effective_budget_policy = own
        endpoint.budget_known = True


def _describe_config(endpoint: Endpoint, document: wire.Endpoint) -> None:
    active, pending = document.config, document.pending_config
    shown = active if _has_content(active) else pending
    entities = shown.entities if shown else ()
    routes = shown.routes if shown else ()
    shares = {route.served_entity_name: route.traffic_percentage for route in routes}
    endpoint.entities = [
        {
            "name": clean(entity.name or ""),
            "entity": clean(_what(entity)),
            "version": clean(entity.entity_version or ""),
            "share": shares.get(entity.name),
        }
        for entity in entities
    ]
    endpoint.kind = kind.classify(
        entities,
        endpoint_type=document.endpoint_type,
        task=document.task,
        tile=isinstance(document.raw.get("tile_endpoint_metadata"), dict),
    ).value
    endpoint.config_version = _version(active)
    endpoint.pending_version = _version(pending)
    endpoint.idle = _is_idle(active)
    endpoint.message = _cut(_message(pending) or _message(active), 500)


def _what(entity: wire.ServedEntity) -> str:
    return entity.entity_name or entity.external_name or entity.foundation_name or entity.name or ""


def _version(config: wire.Config | None) -> int | None:
    version = config.version if config else None
    return version if version is not None and 0 <= version < 2**63 else None


def _is_idle(config: wire.Config | None) -> bool:
    """ "Scaled to zero" is what a ready entity without instances was recorded to say."""
    entities = config.entities if config else ()
    return bool(entities) and all(e.deployment_message == "Scaled to zero" for e in entities)


def _message(config: wire.Config | None) -> str:
    """What Databricks says of the first entity that is not well."""
    for entity in config.entities if config else ():
        if entity.deployment_message and entity.deployment != "DEPLOYMENT_READY":
            return entity.deployment_message
    return ""


def _uid(document: wire.Endpoint) -> str:
    return _cut(document.id, 64)


def _owner(tags: dict[str, str]) -> str:
    return next((tags[name] for name in settings.OWNER_TAGS if tags.get(name)), "")


def _cut(text: str | None, length: int) -> str:
    text = clean(text or "")
    return text if len(text) <= length else text[: length - 1] + "…"
