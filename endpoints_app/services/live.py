"""What every open page asks each few seconds, answered from one cached head: what is new?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists

from endpoints_app.models import Fleet, Operation, Outage, Workspace
from endpoints_app.services import turns

CACHE_KEY = "head"
PAUSE = 0.05
TRACE = timedelta(hours=24)  # what the strip of a row covers
CACHE_SECONDS = 2  # the copy's life: it is never the truth, and a lost Redis only costs a query


class Source(NamedTuple):
    """One workspace as a source of facts: when it last answered, and what keeps it from it."""

    pk: int
    name: str
    observed_at: datetime | None
    error: str
    unread: tuple[tuple[datetime, datetime], ...] = ()
    """Spans of the last day in which our poller had no answer from it."""

    def is_stale(self, now: datetime) -> bool:
        return self.observed_at is None or now - self.observed_at > stale_limit()


class Head(NamedTuple):  # which unpickle in a fraction of a dataclass's time
    epoch: str
    revision: int
    sources: tuple[Source, ...]
    moving: bool  # an operation is under way: browsers look more often

    def stale(self, now: datetime) -> frozenset[int]:
        """Workspaces whose endpoints' status is no longer known. The clock decides, each time."""
        return frozenset(source.pk for source in self.sources if source.is_stale(now))

    def cursor(self, now: datetime) -> str:
        """Names all that a page shows: the revision, the sources, and which of them are stale.
        `since` with another cursor is answered with what differs."""
        stale = self.stale(now)
        sources = ",".join(f"{s.pk}{'?' if s.pk in stale else ''}" for s in self.sources)
        return f"{self.epoch}.{self.revision}.{_short(sources)}"


@dataclass(frozen=True, slots=True)
class Since:
    """A cursor as it came from a browser; `revision` is None when it tells us nothing."""

    revision: int | None = None

    @classmethod
    def read(cls, text: str, head: Head, now: datetime) -> Since:
        """Only a cursor of this database, with the same sources in the same state, allows a
        partial answer."""
        epoch, _, rest = text.partition(".")
        revision, _, sources = rest.partition(".")
        known = revision.isascii() and revision.isdigit() and len(revision) < 19
        same = epoch == head.epoch and sources == head.cursor(now).rpartition(".")[2]
        return cls(int(revision)) if known and same and int(revision) <= head.revision else cls()


def stale_limit() -> timedelta:
    return timedelta(seconds=settings.STALE_SECONDS)


def head() -> Head:
    found = cache.get(CACHE_KEY)
    return found if isinstance(found, Head) else read_head()


def read_head() -> Head:
    """From the database. Revision first: a head must not claim more than the rows read after it."""
    fleets = Fleet.objects.annotate(moving=Exists(Operation.objects.open()))
    fleet = fleets.filter(pk=1).first()
    if fleet is None:
        Fleet.objects.get_or_create(pk=1)
        fleet = fleets.get(pk=1)
    found = list(Workspace.objects.configured())
    unread = _unread(found)
    sources = tuple(
        Source(w.pk, w.name, w.observed_at, w.error, unread.get(w.pk, ())) for w in found
    )
    fresh = Head(fleet.epoch.hex[:8], fleet.revision, sources, fleet.moving)
    cache.set(CACHE_KEY, fresh, CACHE_SECONDS)
    return fresh


def _unread(
    workspaces: Sequence[Workspace],
) -> dict[int, tuple[tuple[datetime, datetime], ...]]:
    """The outages that a trace may still show. No page is older than the newest answer."""
    newest = max((w.observed_at for w in workspaces if w.observed_at), default=None)
    if newest is None:
        return {}
    spans: dict[int, tuple[tuple[datetime, datetime], ...]] = {}
    for outage in Outage.objects.filter(end__gt=newest - TRACE).order_by("end"):
        known = spans.get(outage.workspace_id, ())
        spans[outage.workspace_id] = (*known, (outage.start, outage.end))
    return spans


@contextmanager
def writing() -> Iterator[None]:
    """The transaction of everybody who writes rows that are shown, one at a time.

    The Fleet row is locked before all others. That is the whole order of locks: two writers cannot
    wait for each other crosswise, what one reads here nobody else changes, and PostgreSQL behaves
    as SQLite does by nature. So it must be short: no call to Databricks or Redis in here.
    """
    inside = transaction.get_connection().in_atomic_block
    with nullcontext() if inside else turns.one(), transaction.atomic():
        Fleet.hold()
        yield


def let_others_in() -> None:
    """Between two batches of a long piece of work, so that several who wait may write before the
    next one: a turn that ends leaves room for one of another process (turns.py)."""
    time.sleep(PAUSE)


def next_revision() -> int:
    """The next revision, for the rows that are written in the caller's `writing()`. The cached
    head is forgotten at its commit, so that browsers hear of them sooner than the copy's life."""
    revision = Fleet.next_revision()
    transaction.on_commit(lambda: cache.delete(CACHE_KEY), robust=True)
    return revision


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
