"""What the last thirty days of an endpoint come to, beside its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Q

from endpoints_app.domain import uptime
from endpoints_app.domain.config_version import Stage
from endpoints_app.models import ConfigVersion, Endpoint, Operation, Outage, StatusChange
from endpoints_app.services.live import Head

WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Summary:
    """Shares are of what was read, in per cent; None where there was no such time."""

    could_serve: str | None
    unknown: str | None
    stopped: timedelta
    versions: int
    failed: int
    asked_by: list[tuple[str, int]]


def of(endpoint: Endpoint, head: Head, *, now: datetime) -> Summary:
    start = now - WINDOW
    totals = uptime.Totals.of(uptime.accounts(_spans(endpoint, head, start, now)))
    asked = Operation.objects.filter(endpoint=endpoint, requested_at__gte=start)
    by = asked.order_by().values("actor_name").annotate(n=Count("pk")).order_by("-n", "actor_name")
    made = ConfigVersion.objects.filter(
        endpoint=endpoint, after__isnull=False, first_seen_at__gte=start
    ).aggregate(n=Count("pk"), failed=Count("pk", filter=Q(stage=Stage.FAILED.value)))
    return Summary(
        could_serve=_per_cent(totals.availability, totals),
        unknown=_per_cent(totals.unknown / totals.whole if totals.unknown else None, totals),
        stopped=timedelta(seconds=totals.stopped),
        versions=made["n"],
        failed=made["failed"],
        asked_by=list(by.values_list("actor_name", "n")[:5]),
    )


def _spans(endpoint: Endpoint, head: Head, start: datetime, now: datetime) -> list[uptime.Span]:
    changes = StatusChange.objects.filter(endpoint=endpoint, at__gt=start).order_by("at", "pk")
    outages = Outage.objects.filter(workspace=endpoint.workspace_id, end__gt=start)
    unread = list(outages.values_list("start", "end"))
    for source in head.sources:
        if source.pk == endpoint.workspace_id and source.is_stale(now):
            unread.append((source.observed_at or start, now))
    return uptime.spans(
        [uptime.Change(change.at, change.former, change.status) for change in changes],
        start=start,
        end=now,
        first_seen=endpoint.first_seen_at,
        current=None if endpoint.gone_at else endpoint.known_status,
        unread=unread,
    )


def _per_cent(share: float | None, totals: uptime.Totals) -> str | None:
    if share is None:
        return None
    window = timedelta(seconds=totals.whole)
    return uptime.per_cent(share, window=window, poll=timedelta(seconds=settings.SYNC_SECONDS))
