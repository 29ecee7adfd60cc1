"""Write what the status page is made from: one row, after each sync, outside its transaction.

The document is written anew when something it shows has changed, and once a minute for the sake of
its history; that the writer lives, and how old each workspace's last answer is, with each cycle.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from endpoints_app.domain import status_facts
from endpoints_app.models import Fleet, StatusPayload, Workspace
from endpoints_app.services import status_gather
from endpoints_app.services.status_gather import Entered

LEASE = timedelta(seconds=30)
REFRESH = timedelta(seconds=60)  # history moves on even when nothing happens


def publish(*, now: datetime) -> bool:
    """One cycle of the writer; returns whether the document was written. Returns at once when
    another writer is at work."""
    token = uuid.uuid4().hex
    StatusPayload.objects.get_or_create(pk=1)
    if not StatusPayload.objects.claim(token=token, now=now, until=now + LEASE):
        return False
    held = StatusPayload.objects.filter(pk=1, lease_token=token)
    try:
        row = StatusPayload.objects.get(pk=1)
        workspaces = list(Workspace.objects.configured())
        entered = Entered.read(now)
        digest = _digest(workspaces, entered, now)
        old = row.written_at is None or not now - REFRESH < row.written_at <= now
        fresh: dict[str, object] = {"sources": _sources(workspaces), "seen_at": now}
        if old or digest != row.digest:
            facts, scopes, book = status_gather.gather(workspaces, entered, now)
            fresh |= {
                "document": json.dumps(status_facts.dump(facts), separators=(",", ":")),
                "version": secrets.randbits(62),
                "digest": digest,
                "written_at": now,
            }
            held.update(**fresh)
            status_gather.close_days(scopes, book, entered)
            return True
        held.update(**fresh)
        return False
    finally:
        held.update(lease_token="", leased_until=None)


def _digest(workspaces: Iterable[Workspace], entered: Entered, now: datetime) -> str:
    revision = Fleet.objects.filter(pk=1).values_list("revision", "epoch").first()
    stale = [(w.pk, w.name, status_gather.is_stale(w, now)) for w in workspaces]
    said = f"{status_facts.FORMAT} {revision} {stale} {entered.digest}"
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _sources(workspaces: Iterable[Workspace]) -> dict[str, list[object]]:
    return {
        str(w.pk): [w.observed_at.timestamp() if w.observed_at else None, int(bool(w.error))]
        for w in workspaces
    }
