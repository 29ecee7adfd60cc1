"""How long endpoints ran: added up in the database as the spans of their history say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endpoints_app.domain import uptime
from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, StatusChange, Workspace
from endpoints_app.services import live, running, workspaces

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DAYS = timedelta(days=30)
STOPPED, READY = Status.STOPPED, Status.READY


@pytest.fixture
def workspace(db: None) -> Workspace:
    workspaces.ensure(["lab"])
    Workspace.objects.update(observed_at=NOW)
    return Workspace.objects.get(name="lab")


def endpoint(workspace: Workspace, *history: tuple[float, Status], name: str = "churn") -> int:
    """`history`: so many days ago it became that; the first is when it was first seen."""
    times = [(NOW - timedelta(days=days), status) for days, status in history]
    row = Endpoint.objects.create(
        workspace=workspace,
        name=name,
        kind="custom",
        status=times[-1][1].value,
        severity=0,
        first_seen_at=times[0][0],
        observed_at=NOW,
        status_since=NOW,
        changed_at=NOW,
    )
    StatusChange.objects.create(endpoint=row, now=times[0][1].value, at=times[0][0])
    for (_was_at, was), (at, now) in pairwise(times):
        StatusChange.objects.create(endpoint=row, was=was.value, now=now.value, at=at)
    return row.pk


def share(pk: int, now: datetime = NOW) -> float:
    found = running.share_of_time(Endpoint.objects.all(), live.read_head(), now, period=DAYS)
    return found[pk]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([(90, READY)], 1.0),
        ([(90, STOPPED)], 0.0),
        ([(3, READY)], 1.0),  # since it was first seen
        ([(90, READY), (15, STOPPED)], 0.5),
        ([(90, STOPPED), (15, READY)], 0.5),
        ([(90, READY), (40, STOPPED)], 0.0),
        ([(90, READY), (20, STOPPED), (10, READY)], 2 / 3),
        ([(90, Status.NOT_READY)], 1.0),  # it costs all the same
        ([(90, READY), (6, Status.UNKNOWN)], 0.8),
        ([(10, STOPPED), (5, READY)], 0.5),
    ],
)
def test_what_was_not_stopped_ran(
    workspace: Workspace, history: list[tuple[float, Status]], expected: float
) -> None:
    assert share(endpoint(workspace, *history)) == pytest.approx(expected)


def test_a_silent_workspace_has_told_nothing_since(workspace: Workspace) -> None:
    pk = endpoint(workspace, (90, READY))
    Workspace.objects.update(observed_at=NOW - timedelta(days=15))
    assert share(pk) == pytest.approx(1.0), "of the time that is known"
    stopped = endpoint(workspace, (90, STOPPED), name="b")
    assert share(stopped) == 0.0


@pytest.mark.hypothesis
@given(
    st.lists(
        st.tuples(st.integers(0, 60 * 24), st.sampled_from(Status)),
        min_size=1,
        max_size=8,
        unique_by=lambda it: it[0],
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_adds_up_what_the_spans_say(workspace: Workspace, drawn: Any) -> None:
    history = [(hours / 24, status) for hours, status in sorted(drawn, reverse=True)]
    with transaction.atomic():
        pk = endpoint(workspace, *history)
        start = NOW - DAYS
        changes = [
            uptime.Change(c.at, c.former, c.status)
            for c in StatusChange.objects.filter(endpoint=pk, at__gt=start).order_by("at")
        ]
        row = Endpoint.objects.get(pk=pk)
        spans = uptime.spans(
            changes,
            start=start,
            end=NOW,
            first_seen=row.first_seen_at,
            current=row.known_status,
        )
        ran = sum(
            ((s.end - s.start) for s in spans if s.status and s.status.value in running.RUNNING),
            timedelta(),
        )
        known = NOW - max(start, row.first_seen_at)
        assert share(pk) == pytest.approx(ran / known if known else 0.0, abs=1e-6)
        transaction.set_rollback(True)


def test_more_endpoints_cost_no_more_queries(
    workspace: Workspace, django_assert_num_queries: Any
) -> None:
    head = live.read_head()
    for number in range(20):
        endpoint(workspace, (90, READY), (number + 1, STOPPED), name=str(number))
    with django_assert_num_queries(2):
        running.share_of_time(Endpoint.objects.all(), head, NOW, period=DAYS)
