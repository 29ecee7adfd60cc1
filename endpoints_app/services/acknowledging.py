"""Somebody is on it: said by a person, ended by a person, by the clock, or by a reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from endpoints_app.domain.acknowledging import ACKNOWLEDGEABLE, LONGEST, Cleared, ends_with
from endpoints_app.domain.status import Status
from endpoints_app.models import Acknowledgement, Endpoint, StatusChange
from endpoints_app.models.acknowledgement import AcknowledgementQuerySet
from endpoints_app.services import audit, live

BATCH = 500
ROLES_OFFERED = 8


class NotNeeded(Exception):
    """There is nothing to be on: it is well, stopped, or gone."""


def standing(endpoints: Collection[int], now: datetime) -> dict[int, Acknowledgement]:
    """Of these endpoints, which somebody is on. One query."""
    found = Acknowledgement.objects.standing(now).filter(endpoint__in=endpoints)
    return {acknowledgement.endpoint_id: acknowledgement for acknowledgement in found}


def is_needed(endpoint: Endpoint, shown: Status) -> bool:
    return endpoint.gone_at is None and shown in ACKNOWLEDGEABLE


def acknowledge(
    endpoint: Endpoint,
    *,
    role: str,
    note: str,
    lasting: timedelta,
    by: User,
    now: datetime,
) -> Acknowledgement:
    """Say that `role` is on it. Whoever was before is replaced. Raises NotNeeded where a reading
    came first that shows it well."""
    with live.writing():
        row = Endpoint.objects.select_related("workspace").get(pk=endpoint.pk)
        source = live.Source(row.workspace_id, "", row.workspace.observed_at, "")
        if not is_needed(row, Status.UNKNOWN if source.is_stale(now) else row.known_status):
            raise NotNeeded
        _clear(Acknowledgement.objects.filter(endpoint=row), Cleared.REPLACED, now)
        made = Acknowledgement.objects.create(
            endpoint=row,
            role=role,
            note=note,
            actor=by,
            actor_name=audit.name_of(by),
            at=now,
            until=now + min(lasting, LONGEST),
        )
        detail = {"role": role, "reason": note, "until": made.until.isoformat()}
        audit.of_endpoint(row, "acknowledged", by=by, now=now, detail=detail)
    return made


def clear(endpoint: Endpoint, *, by: User, now: datetime) -> bool:
    """Nobody is on it any more; False where nobody was."""
    with live.writing():
        standing = Acknowledgement.objects.standing(now).filter(endpoint=endpoint)
        if not _clear(standing, Cleared.BY_HAND, now):
            return False
        audit.of_endpoint(endpoint, "acknowledgement cleared", by=by, now=now, detail={})
    return True


def follow(changes: Iterable[StatusChange]) -> None:
    """End what these changes end, inside the transaction that writes them and stamps the rows."""
    ending: dict[tuple[Cleared, datetime], set[int]] = {}
    for change in changes:
        if change.was and (why := ends_with(change.status)):
            ending.setdefault((why, change.at), set()).add(change.endpoint_id)
    if not ending:
        return
    standing = set(
        Acknowledgement.objects.filter(cleared_at=None).values_list("endpoint_id", flat=True)
    )
    for said, endpoints in ending.items():
        if ended := endpoints & standing:
            _clear(Acknowledgement.objects.filter(endpoint__in=ended), *said)


def found_well(workspace_id: int, at: datetime) -> None:
    """A workspace answers again: what was Unknown only because it was silent, and is well, has no
    status change to end its acknowledgement. Inside the transaction that notes the answer, whose
    end of silence sends every open page the rows anew."""
    well = ~Q(endpoint__status__in=[status.value for status in ACKNOWLEDGEABLE])
    _clear(
        Acknowledgement.objects.filter(well, endpoint__workspace=workspace_id, at__lte=at),
        Cleared.RECOVERED,
        at,
    )


def expire(*, now: datetime) -> None:
    """End what the clock has ended, and send the rows to open pages."""
    over = Acknowledgement.objects.filter(cleared_at=None, until__lte=now).order_by("pk")
    while pairs := list(over.values_list("pk", "endpoint_id")[:BATCH]):
        with live.writing():
            mine = Acknowledgement.objects.filter(pk__in=[pk for pk, _ in pairs])
            _clear(mine, Cleared.EXPIRED, now)
            _stamp([endpoint for _, endpoint in pairs])


def roles_said(by: User) -> list[str]:
    """What to offer as a role: what this person said last, then what others did."""
    said = Acknowledgement.objects.order_by("-at").values_list("actor_id", "role")[:100]
    mine = [role for actor, role in said if actor == by.pk]
    others = [role for actor, role in said if actor != by.pk]
    return list(dict.fromkeys(mine + others))[:ROLES_OFFERED]


def _clear(rows: AcknowledgementQuerySet, why: Cleared, at: datetime) -> int:
    return rows.filter(cleared_at=None).update(cleared_at=at, cleared_because=why.value)


def _stamp(endpoints: Collection[int]) -> None:
    Endpoint.objects.filter(pk__in=endpoints).update(revision=live.next_revision())
