"""What people tell of an incident, for the status page. Incidents are derived, never entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from endpoints_app.domain import uptime
from endpoints_app.models import Endpoint, IncidentNote, Outage, StatusChange
from endpoints_app.services import audit, live

BACK = timedelta(days=90)
MOST_CHANGES = 1000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Told:
    """An incident with what was told of it."""

    incident: uptime.Incident
    notes: Sequence[IncidentNote]


class NoSuchIncident(Exception):
    """There is none that holds this moment (any more)."""


def incidents(endpoint: Endpoint, now: datetime) -> list[Told]:
    """The last ones, newest first. Three queries."""
    notes = list(IncidentNote.objects.filter(endpoint=endpoint))
    return [
        Told(found, [note for note in notes if _within(note.incident_start, found)])
        for found in reversed(_incidents(endpoint, now)[-SHOWN:])
    ]


def add(
    endpoint: Endpoint, moment: datetime, text: str, *, by: User, now: datetime
) -> IncidentNote:
    """Tell of the incident that this moment is in. Raises NoSuchIncident."""
    with live.writing():
        found = next((i for i in _incidents(endpoint, now) if _within(moment, i)), None)
        if found is None:
            raise NoSuchIncident
        note = IncidentNote.objects.create(
            endpoint=endpoint,
            incident_start=found.start,
            text=text,
            at=now,
            author=by,
            author_name=audit.name_of(by),
        )
        audit.of_endpoint(endpoint, "incident told", by=by, now=now, detail={"reason": text})
    return note


def remove(endpoint: Endpoint, pk: int, *, by: User, now: datetime) -> bool:
    """Take it off the page; what it said stays in the record. False where it is gone already."""
    with live.writing():
        note = IncidentNote.objects.filter(endpoint=endpoint, pk=pk).first()
        if note is None:
            return False
        audit.of_endpoint(
            endpoint, "incident note removed", by=by, now=now, detail={"reason": note.text}
        )
        note.delete()
    return True


def _within(moment: datetime, incident: uptime.Incident) -> bool:
    # Addresses and forms name moments by the second.
    start = incident.start.replace(microsecond=0)
    return start <= moment and (incident.end is None or moment < incident.end)


def _incidents(endpoint: Endpoint, now: datetime) -> list[uptime.Incident]:
    start = now - BACK
    rows = list(
        StatusChange.objects.filter(endpoint=endpoint, at__gt=start).order_by("-at", "-pk")[
            :MOST_CHANGES
        ]
    )
    rows.reverse()
    unread = Outage.objects.filter(workspace=endpoint.workspace_id, end__gt=start)
    spans = uptime.spans(
        [uptime.Change(row.at, row.former, row.status) for row in rows],
        start=start,
        end=now,
        first_seen=endpoint.first_seen_at,
        current=None if endpoint.gone_at else endpoint.known_status,
        unread=unread.values_list("start", "end"),
    )
    return uptime.incidents(uptime.accounts(spans, ()))
