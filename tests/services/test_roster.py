"""The fleet in memory is what the database says, however it came to be known."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, Fleet
from endpoints_app.services import live, readings, roster
from endpoints_app.services.roster import Roster
from tests.conftest import Lab
from tests.services.conftest import listed

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
EMPTY = Roster(epoch="e", revision=0, members={}, recent=[], complete_since=0)


def row(pk: int, revision: int, status: Status, name: str, *, gone: bool = False) -> Any:
    at = START + timedelta(seconds=revision)
    return Endpoint(
        pk=pk,
        workspace_id=pk % 3,
        revision=revision,
        status=status.value,
        name=name,
        kind="custom",
        owner=name[::-1],
        changed_at=at,
        search=name,
        gone_at=at if gone else None,
    )


changes = st.lists(
    st.lists(
        st.tuples(
            st.integers(1, 12),
            st.sampled_from(Status),
            st.text("abc", min_size=1, max_size=3),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda change: change[0],
    ),
    max_size=8,
)


LARGE = [row(pk, pk, Status.READY, "abcde"[pk % 5] * (pk % 3 + 1)) for pk in range(1, 201)]
"""So many that a change is put in its place, where a small fleet is sorted anew."""


@given(changes)
def test_a_change_in_a_large_fleet_finds_its_place(batches: list[list[Any]]) -> None:
    step = EMPTY.with_changes(LARGE, len(LARGE))
    for name in roster.ORDERS:
        step.in_order(name)
    for revision, batch in enumerate(batches, len(LARGE) + 1):
        rows = [row(pk, revision, status, name, gone=gone) for pk, status, name, gone in batch]
        step = step.with_changes(rows, revision)

    for name, key in roster.ORDERS.items():
        assert step.in_order(name) == sorted(step.members.values(), key=key)
    assert step.counts == Counter((m.workspace, m.status) for m in step.members.values())


@given(changes, st.sets(st.sampled_from(sorted(roster.ORDERS))))
def test_change_by_change_it_becomes_what_one_reading_would_have_been(
    batches: list[list[Any]], used: set[str]
) -> None:
    step, latest = EMPTY, {}
    for revision, batch in enumerate(batches, 1):
        rows = [row(pk, revision, status, name, gone=gone) for pk, status, name, gone in batch]
        latest |= {row.pk: row for row in rows}
        for order in used:
            step.in_order(order)  # what is asked for is kept, and patched
        step = step.with_changes(rows, revision)
    whole = EMPTY.with_changes(list(latest.values()), len(batches))

    assert step.members == whole.members
    assert (
        step.counts
        == whole.counts
        == Counter((m.workspace, m.status) for m in [*whole.members.values()])
    )
    assert step.revision == whole.revision == len(batches)
    for order, key in roster.ORDERS.items():
        assert step.in_order(order) == sorted(whole.members.values(), key=key)
    for at, name in [(workspace, name) for workspace in range(3) for name in ("a", "ab", "c")]:
        named = [m for m in whole.members.values() if (m.workspace, m.name) == (at, name)]
        assert step.named(at, name) == min(named, key=lambda m: m.pk, default=None)
    for since in range(len(batches) + 1):
        told = step.changed_since(since, {0, 1, 2})
        assert told == sorted(
            roster.Version(row.revision, row.pk, row.workspace_id)
            for row in latest.values()
            if row.revision > since
        )


def test_it_remembers_so_many_changes_and_says_when_it_cannot_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roster, "RECENT", 5)
    step = EMPTY
    for number in range(1, 11):
        step = step.with_changes([row(number, number, Status.READY, "a")], number)

    assert [version.pk for version in step.changed_since(5, {0, 1, 2}) or ()] == [6, 7, 8, 9, 10]
    assert step.changed_since(4, {0, 1, 2}) is None
    assert [version.pk for version in step.changed_since(5, {0}) or ()] == [6, 9]


@pytest.fixture
def shown(lab: Lab) -> Lab:
    listed(lab)
    return lab


def asked(call: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_what_is_known_is_not_asked_again(shown: Lab) -> None:
    head = live.read_head()

    assert asked(lambda: roster.at(head)) == 2
    assert asked(lambda: roster.at(head)) == 0


def test_what_changed_costs_one_query_for_any_number_of_changes(shown: Lab) -> None:
    roster.at(live.read_head())
    for row in shown.workspace.endpoints.all():
        row.owner = "somebody-else"
        with live.writing():
            readings.save([row], [], [])
    head = live.read_head()

    assert asked(lambda: roster.at(head)) == 1
    assert {member.owner for member in roster.at(head).members.values()} == {"somebody-else"}


def test_a_process_that_starts_knows_what_changed_before_it(shown: Lab) -> None:
    before = live.read_head()
    row = shown.endpoint("churn")
    with live.writing():
        readings.save([row], [], [readings.bury(row, shown.clock.now)])
    roster.forget()

    held = roster.at(live.read_head())

    assert row.pk not in held.members
    told = held.changed_since(before.revision, {shown.workspace.pk}) or ()
    assert [version.pk for version in told] == [row.pk]


def test_another_database_is_read_anew(shown: Lab) -> None:
    roster.at(live.read_head())
    Endpoint.objects.all().delete()
    Fleet.objects.all().delete()

    assert roster.at(live.read_head()).members == {}


def test_so_is_one_that_was_restored_under_its_old_name(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head may be behind for a moment, while its copy lives; not for longer."""
    first = live.read_head()
    ahead = roster.at(first).with_changes([], first.revision + 100)
    monkeypatch.setattr(roster, "_held", ahead)

    assert roster.at(live.read_head()) is ahead
    monkeypatch.setattr(live, "CACHE_SECONDS", -1)
    assert roster.at(live.read_head()).revision == first.revision
