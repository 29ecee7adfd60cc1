"""Build and server logs: the tail that all readers share, the whole, and what is kept of them."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from endpoints_app.databricks_api import errors, wire
from endpoints_app.databricks_api.client import LogName
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OperationKind, State
from endpoints_app.domain.log_secrets import masked, masked_parts
from endpoints_app.domain.logs import Log
from endpoints_app.domain.masking import clean
from endpoints_app.models import Endpoint, LogSnapshot, Operation
from endpoints_app.services import clients, live, upstream
from endpoints_app.services.upstream import Busy, Copy, Problem, long_call, shared_read

log = logging.getLogger(__name__)

TAIL = 2 * 1024 * 1024  # characters that are read for the page
FRESH_SECONDS = 3.0  # so long all readers of a log share one answer
READ_SECONDS = 10.0  # for one answer: it may be large, and its end is what is wanted
KEPT_SECONDS = 600.0  # so long an old answer stands in while there is no new one

SNAPSHOT = 256 * 1024  # characters that are kept of a log
BEFORE_SECONDS = 2.0  # that a stop or delete may wait for its logs, in all
AT_ONCE = 4  # of the logs of one endpoint
FAILURE_SECONDS = 6.0  # for the logs of one failed update
FAILURES_AT_ONCE = 5
PATIENCE = timedelta(minutes=10)  # so long the logs of a failed update are asked for again

NO_LOGS = frozenset({Kind.EXTERNAL, Kind.FOUNDATION})
"""They run elsewhere, or for everybody: there is nothing of ours to log (our reading)."""

NAMES: Mapping[Log, LogName] = {Log.BUILD: "build-logs", Log.SERVER: "logs"}

FAILED = ("DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED")
"""The culprit first: entities beside one that failed are aborted (SDK)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A served entity of one configuration; `config` is "active", "pending" or, as digits, a
    version."""

    config: str
    version: int | None
    entity: str
    deployment: str | None = None

    @property
    def failing(self) -> bool:
        return self.deployment in FAILED


@dataclass(frozen=True, slots=True)
class Wanted:
    """One log. Without a version it is that of the active configuration."""

    endpoint: Endpoint
    choice: Choice
    log: Log

    @property
    def asked_version(self) -> int | None:
        return None if self.choice.config == "active" else self.choice.version

    @property
    def key(self) -> str:
        what = f"{self.asked_version}/{self.log}/{self.choice.entity}"
        digest = hashlib.blake2b(what.encode("utf-8", "replace"), digest_size=12).hexdigest()
        return f"log:{self.endpoint.pk}:{digest}"


@dataclass(frozen=True, slots=True)
class Text:
    """The last part of a log, credentials masked; `skipped` lines came before it."""

    text: str
    skipped: int = 0


class NotRead(Exception):
    """The workspace did not give the whole of a log."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def choices(endpoint: Endpoint) -> list[Choice]:
    """What has logs, the active configuration first; nothing where there are none."""
    if endpoint.document is None or endpoint.known_kind in NO_LOGS:
        return []
    document = wire.Endpoint.parse(endpoint.document)
    found = []
    for name, config in (("active", document.config), ("pending", document.pending_config)):
        for entity in config.entities if config else ():
            if entity.name and _addressable(entity.name):
                version = config.version if config else None
                found.append(Choice(name, version, entity.name, entity.deployment))
    return found


def _addressable(name: str) -> bool:
    """Databricks' names are letters, digits, - and _; what no URL can say is left out."""
    return "/" not in name and name.strip(".") != ""


def first_choice(found: Sequence[Choice]) -> tuple[Choice, Log] | None:
    """What one wants to read first: why an entity did not come up, else what serves now says."""
    failing = [choice for choice in found if choice.failing]
    failing.sort(key=lambda it: (FAILED.index(it.deployment or ""), it.config != "pending"))
    if failing:
        return failing[0], Log.BUILD
    return (found[0], Log.SERVER if found[0].config == "active" else Log.BUILD) if found else None


# Reading ---------------------------------------------------------------------------------------


def tail(wanted: Wanted, *, now: datetime) -> Copy[Text]:
    """The last part of a log, credentials masked. Raises Busy."""
    return shared_read(
        wanted.key,
        wanted.endpoint.workspace.name,
        lambda seconds: _read(wanted, keep=TAIL, deadline=seconds),
        now=now,
        fresh=FRESH_SECONDS,
        kept=KEPT_SECONDS,
        seconds=READ_SECONDS,
    )


def at_hand(wanted: Wanted) -> Copy[Text] | None:
    """What was read in the last minutes, without asking Databricks."""
    return upstream.at_hand(wanted.key)


def whole(wanted: Wanted) -> IO[bytes]:
    """All that the workspace has of a log, credentials masked, as a file that its reader closes.
    Raises Busy and NotRead."""

    def write(parts: Iterator[str]) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            for part in masked_parts(parts):
                file.write(part.encode("utf-8", "replace"))
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def call(seconds: float) -> IO[bytes]:
        client = clients.client_for(wanted.endpoint.workspace.name)
        return client.save_logs(
            wanted.endpoint.name,
            wanted.choice.entity,
            NAMES[wanted.log],
            write,
            config_version=wanted.asked_version,
            deadline=seconds,
        )

    try:
        return long_call(call)
    except Busy:
        raise
    except errors.DatabricksError as e:
        raise NotRead(Problem(type(e).__name__, e.message, e.status)) from None


def _read(wanted: Wanted, *, keep: int, deadline: float) -> Text:
    client = clients.client_for(wanted.endpoint.workspace.name)
    found = client.logs(
        wanted.endpoint.name,
        wanted.choice.entity,
        NAMES[wanted.log],
        keep=keep,
        config_version=wanted.asked_version,
        deadline=deadline,
    )
    return Text(masked(clean(found.text)), found.skipped)


# Keeping ---------------------------------------------------------------------------------------


def keep_failures(*, now: datetime) -> None:
    """Keep the logs of every update that has failed and whose logs we do not have yet."""
    kept = LogSnapshot.objects.filter(
        endpoint=OuterRef("pk"), operation=None, config_version=OuterRef("pending_version")
    )
    failed = Endpoint.objects.living().select_related("workspace")
    failed = failed.filter(
        ~Exists(kept),
        config_update="UPDATE_FAILED",
        pending_version__isnull=False,
        document__isnull=False,
        workspace__configured=True,
    )
    failed = failed.exclude(kind__in=[kind.value for kind in NO_LOGS])
    for endpoint in failed.order_by("-status_since")[:FAILURES_AT_ONCE]:
        wanted = [
            Wanted(endpoint, choice, which)
            for choice in choices(endpoint)
            if choice.config == "pending" and choice.version == endpoint.pending_version
            for which in (Log.BUILD, Log.SERVER)
        ]
        last_try = now - endpoint.status_since > PATIENCE
        taken = _take(wanted, seconds=FAILURE_SECONDS, now=now)
        if last_try or not any(snapshot.problem in PASSING for snapshot in taken):
            _keep(endpoint, taken)


class Before:
    """The logs that a stop or a delete would take with it, all asked for at once while the caller
    reads on. What has not come after BEFORE_SECONDS is noted as such: the operation goes on."""

    def __init__(self, operation: Operation, *, now: datetime) -> None:
        """Begins to read, unless there is nothing to keep or it was kept before. `operation` comes
        with its endpoint and the document of it."""
        self._operation = operation
        wanted: list[Wanted] = []
        if _would_take_logs(operation):
            wanted = [
                Wanted(operation.endpoint, choice, which)
                for which in (Log.SERVER, Log.BUILD)
                for choice in choices(operation.endpoint)
            ]
        self._reading = _Reading(wanted, seconds=BEFORE_SECONDS, now=now)

    def taken(self) -> list[LogSnapshot]:
        """Waits for them."""
        snapshots = self._reading.snapshots()
        for snapshot in snapshots:
            snapshot.operation = self._operation
        return snapshots

    def forget(self) -> None:
        """Nobody waits any more."""
        self._reading.forget()


def _would_take_logs(operation: Operation) -> bool:
    if operation.known_kind is OperationKind.START or operation.known_state is not State.QUEUED:
        return False
    if operation.endpoint.gone_at is not None:
        return False
    return not LogSnapshot.objects.filter(operation=operation).exists()


def keep_taken(taken: Sequence[LogSnapshot]) -> None:
    """Write what was taken before an operation, inside the `writing()` that says it is being sent:
    it is kept before it is sent, or neither. That it cannot be written is only noted."""
    if not taken:
        return
    try:
        with transaction.atomic():
            LogSnapshot.objects.bulk_create(taken)
    except DatabaseError:
        log.exception("The logs of %s were not kept.", taken[0].operation)


PASSING = frozenset({"NeverOpened", "Lost", "TimedOut", "Throttled", "Unavailable", "Gateway"})
"""Problems of a moment: the logs may still come."""


def _take(wanted: Sequence[Wanted], *, seconds: float, now: datetime) -> list[LogSnapshot]:
    """The last part of each, in one span of seconds; what did not come is noted with why."""
    return _Reading(wanted, seconds=seconds, now=now).snapshots()


class _Reading:
    """Several logs, AT_ONCE at a time, in one span of seconds."""

    def __init__(self, wanted: Sequence[Wanted], *, seconds: float, now: datetime) -> None:
        self._ends = time.monotonic() + seconds
        self._now = now
        # Threads of its own: a workspace that hangs keeps no other one's logs waiting.
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="logs")
        self._asked = [(one, self._pool.submit(self._read, one)) for one in wanted]

    def _read(self, wanted: Wanted) -> Text:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise errors.TimedOut(sent=errors.Sent.NO)
        return _read(wanted, keep=SNAPSHOT, deadline=left)

    def snapshots(self) -> list[LogSnapshot]:
        """Waits for all; what did not come is noted with why."""
        self._pool.shutdown()
        return [self._snapshot(wanted, answer) for wanted, answer in self._asked]

    def _snapshot(self, wanted: Wanted, answer: Future[Text]) -> LogSnapshot:
        snapshot = LogSnapshot(
            endpoint=wanted.endpoint,
            log=wanted.log.value,
            entity=clean(wanted.choice.entity)[:255],
            config_version=wanted.choice.version,
            taken_at=self._now,
        )
        try:
            found = answer.result()
            snapshot.text, snapshot.skipped = found.text, found.skipped
        except errors.DatabricksError as e:
            log.info("%s was not kept: %s", snapshot, e)
            snapshot.problem = type(e).__name__
        return snapshot

    def forget(self) -> None:
        """Begins no more of them and waits for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _keep(endpoint: Endpoint, taken: Sequence[LogSnapshot]) -> None:
    if not taken:
        return
    with live.writing():
        LogSnapshot.objects.bulk_create(taken, ignore_conflicts=True)
        Endpoint.objects.filter(pk=endpoint.pk).update(revision=live.next_revision())
