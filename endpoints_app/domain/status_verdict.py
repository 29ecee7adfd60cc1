"""The first sentence of a status page, and where to look first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_facts import Facts
from endpoints_app.domain.status_page import (
    DOWN,
    LATE_CYCLES,
    Hint,
    Item,
    Kind,
    Pace,
    Pattern,
    Poller,
    Scope,
    Source,
    SourceLine,
    Verdict,
)


def verdict(items: Sequence[Item], lines: Sequence[SourceLine]) -> Verdict:
    def number(*statuses: Status) -> int:
        return sum(1 for item in items if item.status in statuses and not item.planned)

    down = number(*DOWN)
    unknown = number(Status.UNKNOWN)
    updating = number(Status.UPDATING)
    failed = number(Status.READY_UPDATE_FAILED)
    planned = sum(1 for item in items if item.planned)
    silent = [(line.name, line.observed_at) for line in lines if line.stale]
    fresh = [line.observed_at for line in lines if not line.stale and line.observed_at]
    ever = [line.observed_at for line in lines if line.observed_at]
    if len(silent) == len(lines) or (items and unknown == len(items)):
        kind = Kind.UNKNOWN
    elif down:
        kind = Kind.DOWN
    elif unknown or silent:
        kind = Kind.PARTLY_UNKNOWN
    elif updating:
        kind = Kind.UPDATING
    elif planned:
        kind = Kind.PLANNED
    elif failed:
        kind = Kind.UPDATE_FAILED
    else:
        kind = Kind.GOOD if items else Kind.EMPTY
    return Verdict(
        kind=kind,
        total=len(items),
        down=down,
        unknown=unknown,
        updating=updating,
        planned=planned,
        stopped=number(Status.STOPPED),
        serving=number(Status.READY, Status.READY_UPDATE_FAILED),
        update_failed=failed,
        observed_at=min(fresh, default=max(ever, default=None)),
        silent=silent,
        since=max(ever, default=None) if len(silent) == len(lines) else None,
    )


def poller(
    facts: Facts, mine: Sequence[Source], seen_at: datetime, dead: bool, now: datetime
) -> Poller:
    late = timedelta(seconds=LATE_CYCLES * facts.poll_seconds)
    waiting = [
        s for s in mine if not s.failing and (s.observed_at is None or now - s.observed_at > late)
    ]
    if dead:
        return Poller(Pace.SILENT, len(mine), seen_at)
    return Poller(Pace.LATE if waiting else Pace.ON_TIME, len(waiting), seen_at)


def hint(
    items: Sequence[Item],
    mine: Sequence[Source],
    stale: Collection[int],
    scope: Scope,
    dead: bool,
) -> Hint:
    names = [scope.workspaces[s.pk] for s in mine if s.pk in stale]
    if stale and (dead or not any(s.failing for s in mine if s.pk in stale)):
        return Hint(Pattern.POLLER)
    if len(names) > 1:
        return Hint(Pattern.WORKSPACES)
    down = [item for item in items if item.status in DOWN and not item.planned]
    if names:
        return Hint(Pattern.WORKSPACE, names[0]) if not down else Hint(Pattern.NONE)
    if len(down) == 1:
        return Hint(Pattern.ENDPOINT, down[0].name)
    places = {item.workspace for item in down}
    if len(places) == 1:
        (place,) = places
        there = [item for item in items if item.workspace == place]
        if len(down) > 2 and 2 * len(down) > len(there):
            return Hint(Pattern.WORKSPACE, place)
    return Hint(Pattern.ENDPOINTS if down else Pattern.NONE)
