"""What happened lately, as the status page tells it: flips, operations, incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from endpoints_app.domain import status_facts, uptime
from endpoints_app.domain.lifecycle import State
from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Happening, Planned, Trouble
from endpoints_app.domain.status_page import DOWN, LATELY
from endpoints_app.models import Operation, StatusChange
from endpoints_app.services import status_days
from endpoints_app.services.status_rows import Row

TROUBLES_BACK = timedelta(days=14)
TROUBLED = 100  # endpoints whose incidents and strips the document holds
NEW_ONES = 3  # so many first sights of one workspace are told one by one


def happenings(
    rows: Mapping[int, Row],
    names: Mapping[int, str],
    outages: Iterable[status_facts.Outage],
    now: datetime,
) -> list[Happening]:
    since = now - LATELY
    found = [
        Happening(
            o.end, o.workspace, None, "", "answered", lasted=int((o.end - o.start).total_seconds())
        )
        for o in outages
        if o.end > since
    ]
    flipped = set()
    new: dict[int, list[Happening]] = {}
    changes = StatusChange.objects.filter(at__gt=since, endpoint__workspace__in=list(names))
    for at, pk, was, to, ours, ws, name in changes.values_list(
        "at",
        "endpoint_id",
        "was",
        "now",
        "operation_id",
        "endpoint__workspace_id",
        "endpoint__name",
    ):
        flipped.add(pk)
        if was == to:
            continue  # another reason, the same status
        if not was:
            new.setdefault(ws, []).append(Happening(at, ws, pk, name, "new"))
            continue
        entry = rows[pk].entry if pk in rows else None
        latest = entry is not None and entry.status.value == to and entry.since == at
        config = (entry.pending or entry.config) if entry and latest else None
        found.append(Happening(at, ws, pk, name, to or "gone", ours is not None, config))
    for ws, seen in new.items():
        if len(seen) <= NEW_ONES:
            found += seen
        else:
            found.append(Happening(max(h.at for h in seen), ws, None, "", "many", config=len(seen)))
    found += [
        Happening(row.updated_at, e.workspace, e.pk, e.name, "config", config=e.config)
        for pk, row in rows.items()
        if (e := row.entry).status is Status.READY
        and row.updated_at
        and since < row.updated_at <= now
        and e.config is not None
        and not e.updating
        and pk not in flipped
    ]
    return sorted([*found, *_operations(rows, since)], key=lambda h: h.at, reverse=True)


def _operations(rows: Mapping[int, Row], since: datetime) -> list[Happening]:
    """Those whose outcome no change of status shows: under way, failed, not confirmed."""
    open_now = Q(state__in=[State.QUEUED, State.SENDING, State.SENT])
    ended = Q(state__in=[State.FAILED, State.NOT_CONFIRMED], settled_at__gt=since)
    found = []
    for pk, kind, state, asked, settled in Operation.objects.filter(open_now | ended).values_list(
        "endpoint_id", "kind", "state", "requested_at", "settled_at"
    ):
        if row := rows.get(pk):
            what = f"{kind}:{state if settled else 'open'}"
            e = row.entry
            found.append(Happening(settled or asked, e.workspace, pk, e.name, what, ours=True))
    return found


def troubles(
    rows: Mapping[int, Row],
    names: Mapping[int, str],
    planned: Sequence[Planned],
    gaps: status_days.Gaps,
    now: datetime,
) -> list[Trouble]:
    """Incidents of the last days, newest first, of the endpoints that had trouble most lately."""
    start = now - TROUBLES_BACK
    down = [status.value for status in DOWN]
    came_down = Q(now__in=down) | Q(now=Status.UPDATING.value, was__startswith="ready")
    lately = StatusChange.objects.filter(
        came_down, at__gt=start, endpoint__workspace__in=list(names), endpoint__gone_at=None
    )
    pks = dict.fromkeys(lately.order_by("-at").values_list("endpoint_id", flat=True)[:500])
    still = (row.entry.pk for row in rows.values() if row.entry.status in DOWN)
    chosen = list(dict.fromkeys([*still, *pks]))[:TROUBLED]
    changes = status_days.read_changes(start - status_days.LEAD, chosen)
    found = []
    for pk in chosen:
        row = rows.get(pk)
        if row is None:
            continue
        told = uptime.accounts(
            uptime.spans(
                changes.get(pk, ()),
                start=start - status_days.LEAD,
                end=now,
                first_seen=row.first_seen,
                current=row.entry.status,
                unread=gaps.get(row.entry.workspace, ()),
            ),
            [(p.start, p.end) for p in planned if p.covers(row.entry)],
        )
        found += [
            Trouble(
                pk,
                row.entry.workspace,
                row.entry.name,
                incident.start,
                incident.end,
                int(incident.down.total_seconds()),
            )
            for incident in uptime.incidents(told)
        ]
    return sorted(found, key=lambda trouble: trouble.start, reverse=True)[:TROUBLED]
