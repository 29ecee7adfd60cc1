"""How long endpoints were not stopped: what they were paid for, as far as we read it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, Sum

from endpoints_app.domain.status import Status
from endpoints_app.models import StatusChange
from endpoints_app.models.endpoint import EndpointQuerySet
from endpoints_app.services.live import Head

RUNNING = [s.value for s in Status if s not in (Status.STOPPED, Status.UNKNOWN)]
DAY = timedelta(days=1)


def share_of_time(
    endpoints: EndpointQuerySet, head: Head, now: datetime, *, period: timedelta
) -> dict[int, float]:
    """Endpoint → how much of the time since `now - period`, or since it was first seen, it ran;
    from 0 to 1. What was unknown does not count. Two queries, whatever their number.

    A run is the time of its end less that of its beginning, so that the changes can be added up
    one by one, in the database: leaving RUNNING adds its time, entering takes it away.
    """
    start = now - period
    left = Q(was__in=RUNNING) & ~Q(now__in=RUNNING)
    entered = Q(now__in=RUNNING) & ~Q(was__in=RUNNING)
    lately = StatusChange.objects.filter(at__gt=start, at__lte=now, endpoint__in=endpoints)
    added = {
        pk: (ends or timedelta()) - (beginnings or timedelta())
        for pk, ends, beginnings in lately.order_by()
        .values("endpoint")
        .annotate(
            ends=Sum(F("at") - start, filter=left),
            beginnings=Sum(F("at") - start, filter=entered),
        )
        .values_list("endpoint", "ends", "beginnings")
    }
    # A workspace that is silent has told us nothing since it answered last.
    until = {s.pk: s.observed_at or start for s in head.sources if s.is_stale(now)}
    shares = {}
    for pk, workspace, status, first_seen in endpoints.order_by().values_list(
        "pk", "workspace_id", "status", "first_seen_at"
    ):
        end = max(min(until.get(workspace, now), now), start)
        ran = added.get(pk, timedelta()) + (end - start if status in RUNNING else timedelta())
        known = end - max(start, first_seen)
        shares[pk] = min(max(ran / known, 0.0), 1.0) if known > timedelta() else 0.0
    return shares
