"""The query schema of an endpoint: read, kept per config version when seen, compared."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from endpoints_app.databricks_api import errors
from endpoints_app.domain import openapi, openapi_values
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.masking import clean
from endpoints_app.domain.openapi import Document, Unreadable
from endpoints_app.models import Endpoint, SchemaCopy
from endpoints_app.services import clients, live, schema_check
from endpoints_app.services.upstream import Problem, shared_read

FRESH_SECONDS = 5
CACHE_SECONDS = 600
LARGEST = 8_000_000  # bytes of a document
VERSIONS = 20  # of one endpoint that are kept


class Absence(StrEnum):
    """Why there is no schema to show; each has its own sentence and advice."""

    NOT_READY = "not_ready"
    NO_SIGNATURE = "no_signature"
    NOT_OURS = "not_ours"  # served by somebody else's API: external and foundation models
    FEATURE_SPEC = "feature_spec"
    NOT_ALLOWED = "not_allowed"
    PREVIEW = "preview"
    UNREADABLE = "unreadable"  # it answered, but not with a document
    EMPTY = "empty"
    GONE = "gone"
    FAILED = "failed"  # it did not answer: `problem` says how


@dataclass(frozen=True, slots=True)
class Shown:
    """`copy` and `document` may be of an older reading or configuration; `absence` then says why
    there is no newer one."""

    copy: SchemaCopy | None
    document: Document | None
    absence: Absence | None = None
    problem: Problem | None = None
    asked_at: datetime | None = None


def kept(endpoint: Endpoint, version: int | None = None) -> SchemaCopy | None:
    """The copy of that config version, else of the one that serves now, else the newest where
    nobody says which one serves."""
    wanted = endpoint.config_version if version is None else version
    if wanted is None:
        return newest(endpoint)
    return SchemaCopy.objects.filter(endpoint=endpoint, config_version=wanted).first()


def newest(endpoint: Endpoint) -> SchemaCopy | None:
    return SchemaCopy.objects.filter(endpoint=endpoint).first()


def versions(endpoint: Endpoint) -> list[SchemaCopy]:
    """All that are kept, newest first, without their documents."""
    return list(SchemaCopy.objects.filter(endpoint=endpoint).defer("document"))


def shown(copy: SchemaCopy) -> Shown:
    """A kept copy, without asking anybody."""
    parsed = openapi.parse(copy.document)
    document = None if isinstance(parsed, Unreadable) else openapi.read(parsed)
    return Shown(copy, document, asked_at=copy.read_at)


def read(endpoint: Endpoint, *, now: datetime) -> Shown:
    """The schema as the workspace gives it now, else the newest copy and why there is no newer.

    Raises upstream.Busy when it cannot be asked now and nothing is known.
    """
    if endpoint.gone_at is not None:
        return _without(endpoint, Absence.GONE, None, now)
    found = shared_read(
        f"schema:{endpoint.pk}",
        endpoint.workspace.name,
        lambda seconds: _fetch(endpoint, seconds, now),
        now=now,
        fresh=FRESH_SECONDS,
        kept=CACHE_SECONDS,
    )
    seen = found.value
    if seen is None:
        problem = found.problem
        return _without(endpoint, _why(endpoint, problem), problem, found.read_at)
    if isinstance(seen, Unreadable):
        absence = Absence.EMPTY if seen is Unreadable.EMPTY else Absence.UNREADABLE
        return _without(endpoint, absence, None, found.read_at)
    copy = SchemaCopy.objects.filter(pk=seen).first()
    if copy is None:
        return _without(endpoint, Absence.FAILED, found.problem, found.read_at)
    stale = Absence.FAILED if found.problem else None
    return replace(shown(copy), absence=stale, problem=found.problem, asked_at=found.read_at)


def check(copy: SchemaCopy) -> None:
    """Let a validator look at it, once, and remember what it found. Raises schema_check.Busy."""
    checked = schema_check.document(copy.document)
    copy.findings = [
        {key: openapi_values.text(text, 300) for key, text in asdict(finding).items()}
        for finding in checked.findings
    ]
    copy.checked_whole = checked.whole
    SchemaCopy.objects.filter(pk=copy.pk, digest=copy.digest).update(
        findings=copy.findings, checked_whole=copy.checked_whole
    )


def _fetch(endpoint: Endpoint, seconds: float, now: datetime) -> int | Unreadable:
    """The number of the copy that is kept now, or why it is none."""
    client = clients.client_for(endpoint.workspace.name)
    raw = client.get_openapi(endpoint.name, deadline=seconds, most=LARGEST)
    text = clean(raw.decode("utf-8-sig", "replace"))
    parsed = openapi.parse(text)
    if isinstance(parsed, Unreadable):
        return parsed
    version = openapi.read(parsed).config_version
    if version is None:
        version = endpoint.config_version or 0
    return _keep(endpoint, version, text, now).pk


def _keep(endpoint: Endpoint, version: int, text: str, now: datetime) -> SchemaCopy:
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    with live.writing():
        copy, made = SchemaCopy.objects.get_or_create(
            endpoint=endpoint,
            config_version=version,
            defaults={
                "first_read_at": now,
                "read_at": now,
                "document": text,
                "digest": digest,
            },
        )
        if not made:
            copy.read_at = now
            if copy.digest != digest:
                copy.document, copy.digest = text, digest
                copy.findings, copy.checked_whole = None, False
            copy.save()
        old = SchemaCopy.objects.filter(endpoint=endpoint).exclude(pk=copy.pk)
        last = list(old.values_list("pk", flat=True)[VERSIONS - 1 :])
        SchemaCopy.objects.filter(pk__in=last).delete()
        if made:  # which its timeline tells
            Endpoint.objects.filter(pk=endpoint.pk).update(revision=live.next_revision())
    return copy


def _without(
    endpoint: Endpoint, absence: Absence, problem: Problem | None, asked_at: datetime
) -> Shown:
    copy = newest(endpoint)
    document = shown(copy).document if copy else None
    return Shown(copy, document, absence, problem, asked_at)


def _why(endpoint: Endpoint, problem: Problem | None) -> Absence:
    """What a refusal most likely means. Which codes Databricks uses for which reason is
    unpublished; the state and kind of the endpoint tell more."""
    kind = problem.kind if problem else ""
    if kind == errors.PermissionDenied.__name__:
        return Absence.NOT_ALLOWED
    if kind == errors.DoesNotExist.__name__:
        return Absence.GONE
    told = (problem.message if problem else "").lower()
    if any(word in told for word in ("preview", "region", "not enabled")):
        return Absence.PREVIEW
    refused = (errors.BadRequest, errors.InvalidState, errors.NotKnown, errors.Conflict)
    unknown_path = kind == errors.NotKnown.__name__ or (problem and problem.status == 501)
    if kind not in [each.__name__ for each in refused] and not unknown_path:
        return Absence.FAILED
    if endpoint.known_kind in (Kind.EXTERNAL, Kind.FOUNDATION, Kind.PLATFORM_AGENT):
        return Absence.NOT_OURS
    if not endpoint.known_status.serving:
        return Absence.NOT_READY
    if unknown_path or "not available" in told:
        return Absence.PREVIEW
    return (
        Absence.FEATURE_SPEC if endpoint.known_kind is Kind.FEATURE_SPEC else (Absence.NO_SIGNATURE)
    )
