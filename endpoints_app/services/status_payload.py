"""Write what the status page is made from: one row, after each sync, outside its transaction.

The document is written anew when something it shows has changed, and once a minute for the sake of
its history; that the writer lives, and how old each workspace's last answer is, with each cycle.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from endpoints_app.domain import status_facts
from endpoints_app.models import Fleet, StatusDocument, StatusPayload, Workspace
from endpoints_app.services import status_gather, status_rows
from endpoints_app.services.status_gather import Entered

LEASE = timedelta(seconds=30)
REFRESH = timedelta(seconds=60)  # history moves on even when nothing happens
SHARE = 4
"""Of a fleet so large that writing takes long, news waits: a fifth of the time may go into it."""

QUICK = timedelta(milliseconds=300)  # what takes no longer never waits

_took = timedelta()  # the last writing of this process


def forget() -> None:
    global _took
    _took = timedelta()
    status_rows.forget()


def _patience() -> timedelta:
    return SHARE * _took if _took > QUICK else timedelta()


def publish(*, now: datetime) -> bool:
    """One cycle of the writer; returns whether the document was written. Returns at once when
    another writer is at work."""
    global _took
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
        age = now - row.written_at if row.written_at else None
        due = age is None or not timedelta() <= age < REFRESH
        news = digest != row.digest and (age is None or age >= _patience())
        fresh: dict[str, object] = {"sources": _sources(workspaces), "seen_at": now}
        if due or news:
            started = time.monotonic()
            facts, scopes, book = status_gather.gather(workspaces, entered, now)
            text = json.dumps(status_facts.dump(facts), separators=(",", ":"))
            fresh |= {"digest": digest, "written_at": now}
            with transaction.atomic():
                if held.update(**fresh):
                    document = {"version": secrets.randbits(62), "text": text}
                    StatusDocument.objects.update_or_create(pk=1, defaults=document)
            _took = timedelta(seconds=time.monotonic() - started)
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
