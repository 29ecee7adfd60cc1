"""One request to an endpoint, sent by us with our credential, for a person who may.

What is sent and answered is shown once and kept nowhere; that it was sent is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache

from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.answers import Reply
from endpoints_app.domain.json_text import pretty
from endpoints_app.domain.openapi import NAMES, Format
from endpoints_app.domain.openapi_values import text
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, SchemaCopy
from endpoints_app.services import audit, clients, schema_check
from endpoints_app.services.schema_check import Finding
from endpoints_app.services.upstream import Busy, long_call

LARGEST_REQUEST = 1_000_000
LARGEST_ANSWER = 2_000_000  # bytes that are taken
SHOWN = 200_000  # characters that are shown


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request. `problem` names the error (`databricks_api/errors.py`) where there
    was no answer with a result; `said` is the text of a streamed answer put together."""

    sent_at: datetime
    milliseconds: int
    status: int | None
    size: int = 0
    body: str = ""
    cut: bool = False
    served: str = ""
    streamed: bool = False
    said: str = ""
    problem: str = ""
    message: str = ""
    stopped: bool = False

    @property
    def ok(self) -> bool:
        return not self.problem


class TooLarge(Exception):
    """The request is larger than LARGEST_REQUEST."""


class AlreadySent(Exception):
    """This very form was sent before: two clicks are one request."""


@dataclass(frozen=True, slots=True)
class Check:
    """What of a body does not fit; `whole` is False where the validator did not come to an end."""

    findings: tuple[Finding, ...]
    whole: bool
    missing: str = ""  # the property that this input format is told by


def check(copy: SchemaCopy, chosen: Format, body: Any) -> Check:
    """Hold `body` to the chosen input format alone: Databricks requires nothing in the formats, so
    that most requests fit several and none fits exactly one. Raises schema_check.Busy."""
    told_by = {name: key for key, name in NAMES.items()}.get(chosen.key, "")
    if told_by and isinstance(body, dict) and told_by not in body:
        return Check((), whole=True, missing=told_by)
    schema = {key: value for key, value in chosen.schema.items() if isinstance(key, str)}
    checked = schema_check.value(copy.document, schema, body)
    findings = tuple(Finding(text(f.where, 300), text(f.what, 300)) for f in checked.findings)
    return Check(findings, checked.whole)


def send(
    endpoint: Endpoint,
    body: Mapping[str, Any],
    *,
    by: User,
    now: datetime,
    served: str = "",
    ticket: str = "",
) -> Outcome:
    """Send it once. Raises TooLarge and AlreadySent, and then nothing was sent; everything else
    that goes wrong is an outcome."""
    size = len(json.dumps(body).encode())
    if size > LARGEST_REQUEST:
        raise TooLarge
    if ticket and not cache.add(f"try:{by.pk}:{ticket[:64]}", 1, timeout=3600):
        raise AlreadySent
    told: dict[str, Any] = {"request_bytes": size} | ({"served_entity": served} if served else {})
    audit.of_endpoint(endpoint, "request sent", by=by, now=now, detail=told)
    began = time.monotonic()
    try:
        client = clients.client_for(endpoint.workspace.name)
        reply = long_call(
            lambda seconds: client.query(
                endpoint.name, body, served=served, deadline=seconds, most=LARGEST_ANSWER
            )
        )
        outcome = _answered(reply, now, _since(began))
    except errors.DatabricksError as e:
        outcome = _failed(endpoint, e, now, _since(began))
    audit.of_endpoint(
        endpoint,
        "request answered" if outcome.status is not None else "request not answered",
        by=by,
        now=now,
        detail=told | _noted(outcome),
    )
    return outcome


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _noted(outcome: Outcome) -> dict[str, Any]:
    """For the audit: sizes and outcome, never content."""
    return {
        "status": outcome.status,
        "problem": outcome.problem,
        "answer_bytes": outcome.size,
        "milliseconds": outcome.milliseconds,
    }


def _answered(reply: Reply, now: datetime, milliseconds: int) -> Outcome:
    raw = reply.body.decode("utf-8", "replace")
    streamed = reply.headers.get("content-type", "").startswith("text/event-stream")
    shown = raw
    if not streamed:
        try:
            shown = pretty(json.loads(raw))
        except (ValueError, RecursionError):
            shown = raw
    return Outcome(
        sent_at=now,
        milliseconds=milliseconds,
        status=reply.status,
        size=len(reply.body),
        body=text(shown, SHOWN),
        cut=len(shown) > SHOWN,
        served=text(reply.headers.get("served-model-name"), 200),
        streamed=streamed,
        said=text(_said(raw), SHOWN) if streamed else "",
    )


def _said(events: str) -> str:
    """The text of a streamed chat or completion: `data: {json}` lines, the last one `[DONE]`."""
    parts = []
    for line in events.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line[5:])
            choice = event["choices"][0]
            part = choice.get("text") or choice.get("delta", {}).get("content")
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            continue
        parts.append(part if isinstance(part, str) else "")
    return "".join(parts)


def _failed(
    endpoint: Endpoint, e: errors.DatabricksError, now: datetime, milliseconds: int
) -> Outcome:
    stopped = isinstance(e, errors.BadRequest) and (
        endpoint.known_status is Status.STOPPED or "stopped" in e.message.lower()
    )
    return Outcome(
        sent_at=now,
        milliseconds=milliseconds,
        status=e.status,
        problem="Busy" if isinstance(e, Busy) else type(e).__name__,
        message=e.message,
        stopped=stopped,
    )
