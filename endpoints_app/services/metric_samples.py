"""Metrics are read once a minute, for whom somebody watches, whatever the number of watchers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Max, OuterRef, Subquery

from endpoints_app.databricks_api import WorkspaceClient, errors
from endpoints_app.domain.metrics import (
    MINUTE,
    NOTHING,
    Grain,
    Stretch,
    by_entity,
    read,
    window,
)
from endpoints_app.models import Endpoint, MetricSample, MetricWatch
from endpoints_app.models.metric_sample import MetricWatchQuerySet
from endpoints_app.services import audit, clients, live, metric_grains

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

MOST = 100  # endpoints that are sampled at all
WATCHED = timedelta(hours=24)  # so long after somebody has looked
NOTED = timedelta(minutes=5)  # how exactly is known when that was

AT_ONCE = 4  # calls to one workspace
SECONDS = 5.0
ROUND_SECONDS = 40.0  # later in a round no call begins
FAILURES = 3  # calls without an answer after which a round is given up
MOST_ENTITIES = 20

BATCH = 500


# Who is sampled --------------------------------------------------------------------------------


class TooMany(Exception):
    """As many as can be sampled are kept already."""


def wanted(now: datetime) -> MetricWatchQuerySet:
    return MetricWatch.objects.wanted(now - WATCHED)


def is_sampled(watch: MetricWatch, *, now: datetime) -> bool:
    """Whether it is among those there is room for."""
    return watch.pk in set(wanted(now).values_list("pk", flat=True)[:MOST])


@dataclass(frozen=True, slots=True)
class Watched:
    """An endpoint whose metrics somebody looks at. `watch` is None where that could not be noted,
    or where it is gone and nobody ever did."""

    watch: MetricWatch | None
    newest: datetime | None = None  # the last minute that was asked for

    @property
    def key(self) -> Hashable:
        """Equal where the same is known."""
        return self.watch and (self.watch.pk, self.watch.kept), self.newest

    def is_noted(self, now: datetime) -> bool:
        at = self.watch.watched_at if self.watch else None
        return at is not None and now - at < NOTED


def watched(endpoint_id: int) -> Watched:
    """One query, or two where it never was."""
    minutes = MetricSample.objects.filter(grain=Grain.MINUTE).order_by("-at").values_list("at")
    newest = Subquery(minutes.filter(endpoint=OuterRef("endpoint"))[:1])
    known = MetricWatch.objects.filter(endpoint=endpoint_id).annotate(newest=newest).first()
    if known is not None:
        return Watched(known, known.newest)
    last = minutes.filter(endpoint=endpoint_id).first()
    return Watched(None, last[0] if last else None)


def watch(endpoint: Endpoint, *, now: datetime) -> Watched:
    """Somebody looks at its metrics; a page that cannot note it goes on without."""
    found = watched(endpoint.pk)
    if endpoint.gone_at is not None or found.is_noted(now):
        return found
    try:
        with transaction.atomic():
            watch, _ = MetricWatch.objects.update_or_create(
                endpoint=endpoint,
                defaults={"watched_at": now},
                create_defaults={"watched_at": now, "due_at": _first_due(endpoint, now)},
            )
    except DatabaseError:
        log.exception("That %s is watched was not noted.", endpoint)
        return found
    return replace(found, watch=watch)


def keep(endpoint: Endpoint, on: bool, *, by: User, now: datetime) -> None:
    """Sample it whether or not anybody watches; raises TooMany."""
    with live.writing():
        if MetricWatch.objects.filter(endpoint=endpoint, kept=True).exists() is on:
            return
        kept = MetricWatch.objects.filter(kept=True, endpoint__gone_at=None)
        if on and kept.count() >= MOST:
            raise TooMany
        MetricWatch.objects.update_or_create(
            endpoint=endpoint,
            defaults={"kept": on},
            create_defaults={"kept": on, "due_at": _first_due(endpoint, now)},
        )
        action = "metrics kept" if on else "metrics no longer kept"
        audit.of_endpoint(endpoint, action, by=by, now=now, detail={})


def _first_due(endpoint: Endpoint, now: datetime) -> datetime:
    """At once, unless its workspace has asked to be left alone."""
    others = MetricWatch.objects.filter(endpoint__workspace=endpoint.workspace_id)
    last = others.aggregate(last=Max("due_at"))["last"]
    return last if last is not None and last > now + MINUTE else now


# Once a minute ---------------------------------------------------------------------------------


def due_workspaces(now: datetime) -> set[int]:
    """Where somebody's minute has come. One query."""
    return {watch.endpoint.workspace_id for watch in _due(now)}


def _due(now: datetime) -> list[MetricWatch]:
    """Of those that are sampled, longest waiting first. A workspace that rests is not asked."""
    chosen = wanted(now).select_related("endpoint__workspace").defer("endpoint__document")
    due = [watch for watch in chosen[:MOST] if watch.due_at <= now]
    due = [watch for watch in due if not _rests(watch.endpoint, now)]
    return sorted(due, key=lambda it: (it.due_at, it.pk))


def _rests(endpoint: Endpoint, now: datetime) -> bool:
    workspace = endpoint.workspace
    return bool(workspace.error and workspace.rest_until and workspace.rest_until > now)


def sample(workspace_id: int, *, clock: Clock) -> None:
    """Ask the endpoints of a workspace whose minute has come, a few at once."""
    now = clock()
    next_minute = window(now, 1) + MINUTE
    with live.writing():  # so that nobody else takes the same ones
        due = [it for it in _due(now) if it.endpoint.workspace_id == workspace_id]
        _put_off(due, next_minute)
    if not due:
        return
    workspace = due[0].endpoint.workspace
    try:
        found = _Round(clients.client_for(workspace.name), clock)
    except errors.DatabricksError as e:
        log.warning("%s: no metrics: %s", workspace.name, e)
        return
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="metrics") as pool:
        answers = list(pool.map(found.ask, [watch.endpoint.name for watch in due]))
    asked = [(watch, answer) for watch, answer in zip(due, answers, strict=True) if answer]
    _save([row for watch, answer in asked for row in _rows(watch.endpoint, answer)], clock)
    if found.throttled is not None:
        log.warning("%s wants to be asked for less: %s", workspace.name, found.throttled)
        rest = timedelta(seconds=found.throttled.retry_after or 0)
        until = window(clock() + rest, 1) + MINUTE
        all_of_it = MetricWatch.objects.filter(endpoint__workspace=workspace.pk)
        all_of_it.filter(due_at__lt=until).update(due_at=until)
    elif len(asked) < len(due):  # who was not asked comes first in the next round
        missed = [watch for watch, answer in zip(due, answers, strict=True) if not answer]
        _put_off(missed, next_minute - timedelta(seconds=1))


def _save(rows: Sequence[MetricSample], clock: Clock) -> None:
    """What comes so late that its time may be told in coarser rows already is left out: a gap."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        with live.writing():
            endpoints = Endpoint.objects.filter(pk__in={row.endpoint_id for row in batch})
            known = set(endpoints.values_list("pk", flat=True))
            settled = metric_grains.settled(clock())
            MetricSample.objects.bulk_create(
                [row for row in batch if row.endpoint_id in known and row.at >= settled],
                ignore_conflicts=True,
            )


def _put_off(watches: Sequence[MetricWatch], until: datetime) -> None:
    MetricWatch.objects.filter(pk__in=[watch.pk for watch in watches]).update(due_at=until)


@dataclass(frozen=True, slots=True)
class _Answer:
    asked_at: datetime
    points: Sequence[Any] = ()
    error: str = ""


@dataclass(slots=True)
class _Round:
    """One minute of a workspace, in several threads. It ends early when the workspace asks for
    that, or leaves several calls without an answer."""

    client: WorkspaceClient
    clock: Clock
    ends: float = field(default_factory=lambda: time.monotonic() + ROUND_SECONDS)
    unanswered: int = 0
    throttled: errors.Throttled | None = None

    def ask(self, name: str) -> _Answer | None:
        """None when it was not asked."""
        over = self.throttled is not None or self.unanswered >= FAILURES
        if over or time.monotonic() >= self.ends:
            return None
        asked_at = self.clock()
        try:
            return _Answer(asked_at, self.client.export_metrics(name, deadline=SECONDS))
        except errors.DatabricksError as e:
            if isinstance(e, errors.Throttled):
                self.throttled = e
            elif isinstance(e, errors.Unreachable | errors.ServerError):
                self.unanswered += 1
            return _Answer(asked_at, error=type(e).__name__)


def _rows(endpoint: Endpoint, answer: _Answer) -> Iterator[MetricSample]:
    at = window(answer.asked_at, 1) - MINUTE  # what is exported is of the minute before
    whole = read(answer.points)
    said = answer.error or ("" if whole else NOTHING)
    yield MetricSample.of(endpoint.pk, Stretch(at, whole, said))
    names = [entity["name"] for entity in endpoint.entities if entity.get("name")]
    for name, reading in by_entity(answer.points, names[:MOST_ENTITIES]).items():
        yield MetricSample.of(endpoint.pk, Stretch(at, reading), entity=name[:255])
