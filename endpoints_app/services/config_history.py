"""The config versions of each endpoint, kept as they are seen.

Databricks tells the active and the pending config and no history. A GET whose configs differ from
those of the GET before is written here, in the transaction that writes the endpoint's row; all
others cost a digest and no statement.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from endpoints_app.databricks_api import wire
from endpoints_app.domain import config_content, config_diff
from endpoints_app.domain.config_version import OPEN, Reported, Stage, stages
from endpoints_app.domain.lifecycle import OperationKind, State
from endpoints_app.models import ConfigVersion, Endpoint, Operation
from endpoints_app.services.statements import Statement

JSON = dict[str, Any]

OPEN_VALUES = [stage.value for stage in OPEN]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one GET told of an endpoint's configs, with the values that are masked once it is kept;
    `after` is the GET before it, if there was one."""

    endpoint: Endpoint
    document: wire.Endpoint
    at: datetime
    after: datetime | None

    @property
    def reported(self) -> Reported:
        return Reported(
            self.endpoint.config_version,
            self.endpoint.pending_version,
            self.document.state.config_update or "",
        )


def news(
    endpoint: Endpoint, document: wire.Endpoint, at: datetime, after: datetime | None
) -> Seen | None:
    """What is to be kept of a GET that `endpoint` was just described by; None if it says what the
    one before said. Also notes in the row which one that is."""
    kept = endpoint.document or {}
    told = {key: kept.get(key) for key in config_content.SETTINGS}
    for key in ("config", "pending_config"):
        config = kept.get(key)
        told[key] = config_content.settings_of(config) if isinstance(config, dict) else None
    text = json.dumps([document.state.config_update, told], sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    if digest == endpoint.config_digest:
        return None
    endpoint.config_digest = digest
    return Seen(endpoint, document, at, after)


def keep(seen: Collection[Seen]) -> None:
    """Write what is new, inside the caller's `writing()`; the endpoints' rows are saved."""
    if not seen:
        return
    known = _known(seen)
    cause = _causes(seen)
    new: list[ConfigVersion] = []
    changed: list[ConfigVersion] = []
    for one in seen:
        rows = known.get(one.endpoint.pk, {})
        fates = stages({v: row.known_stage for v, row in rows.items()}, one.reported)
        for version, config in _told(one).items():
            row = rows.get(version)
            if row is None:
                row = _first_seen(one, version, config, fates[version], rows)
                row.operation = cause.get(one.endpoint.pk) if row.after else None
                new.append(row)
            elif _describe(row, one, config):
                changed.append(row)
            rows[version] = row
        for version, stage in fates.items():
            if (row := rows.get(version)) is not None:
                _turn(row, stage, one)
                if row not in new and row not in changed:
                    changed.append(row)
    ConfigVersion.objects.bulk_create(new, batch_size=BATCH)
    ConfigVersion.objects.bulk_update(changed, CHANGING, batch_size=BATCH)


BATCH = 100
CHANGING = ["stage", "active_at", "ended_at", "message", "content", "cut", "digest", "secrets"]


def _known(seen: Collection[Seen]) -> dict[int, dict[int, ConfigVersion]]:
    """Of each endpoint what is not over, and what is told of now."""
    told = {v for one in seen for v in (one.reported.active, one.reported.pending) if v is not None}
    wanted = Q(stage__in=OPEN_VALUES) | Q(version__in=told)
    rows: dict[int, dict[int, ConfigVersion]] = {}
    for row in ConfigVersion.objects.filter(wanted, endpoint__in=[s.endpoint.pk for s in seen]):
        rows.setdefault(row.endpoint_id, {})[row.version] = row
    return rows


def _causes(seen: Collection[Seen]) -> dict[int, Operation]:
    """A version that comes while a start of ours is under way is the start's."""
    following = [one.endpoint.pk for one in seen if one.after is not None]
    if not following:
        return {}
    found = Operation.objects.filter(
        endpoint__in=following,
        state__in=[State.SENDING.value, State.SENT.value],
        kind=OperationKind.START.value,
    )
    return {operation.endpoint_id: operation for operation in found}


def _told(one: Seen) -> dict[int, wire.Config]:
    """The configs by their number; one without a number is no version."""
    found: dict[int, wire.Config] = {}
    for version, config in (
        (one.reported.active, one.document.config),
        (one.reported.pending, one.document.pending_config),
    ):
        if version is not None and config is not None:
            found.setdefault(version, config)
    return found


def _first_seen(
    one: Seen, version: int, config: wire.Config, stage: Stage, rows: Mapping[int, ConfigVersion]
) -> ConfigVersion:
    row = ConfigVersion(
        endpoint=one.endpoint,
        version=version,
        stage=stage.value,
        first_seen_at=one.at,
        after=one.after,
        made_at=_made_at(one, config),
    )
    _describe(row, one, config)
    earlier = [r for r in rows.values() if r.version != version]
    active = [r for r in earlier if r.known_stage is Stage.ACTIVE]
    if before := max(active or earlier, key=lambda r: r.version, default=None):
        comparison = config_diff.compare(
            before.content, row.content, secrets_before=before.secrets, secrets_after=row.secrets
        )
        row.compared_with = before.version
        row.changes = config_diff.brief(comparison)
        row.changed = len(comparison.changed)
    return row


def _made_at(one: Seen, config: wire.Config) -> datetime | None:
    """When it was asked for, as Databricks dates it; of an active one only the last change of the
    endpoint is known, which is its own if it came since the last reading."""
    made = config.started_at
    if made is None and one.after is not None:
        made = one.document.updated_at
        if made is not None and made < one.after:
            return None
    return made if made is not None and made <= one.at else None


def _describe(row: ConfigVersion, one: Seen, config: wire.Config) -> bool:
    """Put in what the config says; returns whether that is news."""
    before = row.content, row.secrets
    document = one.endpoint.document or {}
    key = "config" if config is one.document.config else "pending_config"
    kept = document.get(key)
    row.content, row.cut = config_content.content(document, kept if isinstance(kept, dict) else {})
    row.digest = config_content.digest(row.content["config"])
    row.secrets = {
        place: _keyed(one.endpoint, place, value)
        for place, value in config_content.secrets(config.raw)
    }
    return (row.content, row.secrets) != before


def _keyed(endpoint: Endpoint, place: str, value: str) -> str:
    """Tells whether a masked value has changed, and nothing else: short, keyed with a secret of
    this installation, and different for each variable."""
    text = f"{endpoint.pk}/{place}/{value}"
    key = f"config value {settings.SECRET_KEY}".encode()
    return hmac.new(key, text.encode("utf-8", "replace"), "sha256").hexdigest()[:12]


def _turn(row: ConfigVersion, stage: Stage, one: Seen) -> None:
    row.stage = stage.value
    if stage is Stage.ACTIVE:
        row.active_at, row.ended_at = row.active_at or one.at, None
    elif stage is Stage.PENDING:
        row.ended_at = None
    else:
        row.ended_at = one.at
    if stage is Stage.FAILED:
        row.message = one.endpoint.message


# What is shown ----------------------------------------------------------------------------------


def versions(endpoint: Endpoint) -> list[ConfigVersion]:
    """All that are kept, the newest first, without their contents."""
    return _VERSIONS.objects(endpoint.pk)


def contents(endpoint: Endpoint, one: int, another: int | None = None) -> dict[int, ConfigVersion]:
    found = _CONTENTS.objects(endpoint.pk, one, one if another is None else another)
    return {row.version: row for row in found}


_VERSIONS = Statement(
    lambda pk: (
        ConfigVersion.objects.filter(endpoint=pk)
        .select_related("operation")
        .defer("content", "secrets", "changes")
    ),
    2**62,
)
_CONTENTS = Statement(
    lambda pk, *numbers: ConfigVersion.objects.filter(endpoint=pk, version__in=numbers),
    *(2**62, 2**62 + 1, 2**62 + 2),
)


def unnumbered(endpoint: Endpoint) -> JSON | None:
    """The settings of an endpoint whose config has no number, as pay-per-token ones have none; None
    until it was read."""
    document = endpoint.document
    if document is None:
        return None
    config = document.get("config") or document.get("pending_config")
    return config_content.content(document, config if isinstance(config, dict) else {})[0]
