"""What the list shows, counts and sorts by is what the clock says of the last readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import State
from endpoints_app.domain.status import NEEDS_ATTENTION, Status
from endpoints_app.models import (
    AuditEntry,
    Endpoint,
    Operation,
    Outage,
    StatusChange,
    Workspace,
)
from endpoints_app.services import history, listing, live, operation_list
from endpoints_app.services.listing import Filters
from tests.conftest import Lab
from tests.services.conftest import Desk, listed

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def page(lab: Lab, **filters: Any) -> listing.Page:
    return listing.page([lab.workspace.pk], Filters(**filters), live.read_head(), lab.clock())


def rows(lab: Lab, **filters: Any) -> list[listing.Row]:
    return listing.rows_of(page(lab, **filters).versions, live.read_head(), lab.clock())


def names(lab: Lab, **filters: Any) -> set[str]:
    return {row.endpoint.name for row in rows(lab, **filters)}


@pytest.fixture
def shown(lab: Lab) -> Lab:
    """All 24, just listed."""
    listed(lab)
    return lab


# Order and filters -----------------------------------------------------------------------------


def test_the_worst_come_first(shown: Lab) -> None:
    severities = [row.status.severity for row in rows(shown)]

    assert severities == sorted(severities, reverse=True)
    assert severities[0] == Status.UPDATE_FAILED.severity
    assert severities[-1] == Status.STOPPED.severity


@pytest.mark.parametrize("sort", listing.ORDERS)
def test_every_order_can_be_turned_round(shown: Lab, sort: str) -> None:
    there = page(shown, sort=sort).pks
    back = page(shown, sort=f"-{sort}").pks

    assert there == back[::-1]
    assert len(set(there)) == 24


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"text": "churn"}, {"churn"}),
        ({"text": "CHURN  8"}, set()),
        ({"text": "gpt PROXY"}, {"gpt-4o-proxy"}),
        ({"kinds": frozenset({Kind.EXTERNAL})}, {"gpt-4o-proxy"}),
        ({"kinds": frozenset({Kind.FEATURE_SPEC})}, {"geo-features"}),
        ({"tag": "env=nowhere"}, set()),
        ({"owner": "nobody"}, set()),
        ({"workspaces": frozenset({"no-such"})}, set()),
        ({"text": "%"}, set()),
        ({"text": "_____________________"}, set()),
    ],
)
def test_filters_find_what_they_say(shown: Lab, filters: dict[str, Any], found: set[str]) -> None:
    assert names(shown, **filters) == found


def test_what_is_offered_to_filter_by_finds_something(shown: Lab) -> None:
    owners, tags = listing.choices([shown.workspace.pk], live.read_head())

    assert all(names(shown, owner=owner) for owner in owners)
    assert all(names(shown, tag=tag) for tag in tags)
    assert len(owners) > 1
    assert len(tags) > 1


def test_counts_are_of_what_the_other_filters_leave(shown: Lab) -> None:
    everything = page(shown)
    stopped = page(shown, statuses=frozenset({Status.STOPPED}))

    assert everything.counts.total == everything.fleet == everything.matching == 24
    assert stopped.counts.by_source == everything.counts.by_source
    assert stopped.matching == everything.counts.of({Status.STOPPED}) == len(stopped.pks) == 3
    assert stopped.hidden == 21


def test_attention_is_what_is_not_well(shown: Lab) -> None:
    found = rows(shown, attention=True)

    assert {row.status for row in found} <= NEEDS_ATTENTION
    assert len(found) == page(shown).counts.attention


def test_somebody_else_s_workspace_is_neither_shown_nor_counted(shown: Lab) -> None:
    nothing = listing.page([], Filters(), live.read_head(), shown.clock())

    assert (nothing.pks, nothing.fleet, nothing.counts.total) == ([], 0, 0)
    assert listing.changed_since(0, [], live.read_head(), limit=100) == []
    assert listing.choices([], live.read_head()) == ([], [])


# The clock -------------------------------------------------------------------------------------


def test_past_the_limit_all_is_unknown_in_rows_counts_filters_and_order(shown: Lab) -> None:
    unknown = frozenset({Status.UNKNOWN})
    assert len(rows(shown, statuses=unknown)) == 1
    shown.clock.forward(46)

    assert {row.status for row in rows(shown)} == {Status.UNKNOWN}
    assert page(shown).counts.of(unknown) == 24
    assert page(shown).counts.attention == 24
    assert len(rows(shown, statuses=unknown)) == 24
    assert rows(shown, statuses=frozenset({Status.READY})) == []
    in_order = [row.endpoint.name for row in rows(shown)]
    assert in_order == sorted(in_order), "none is worse than another"


def test_of_two_workspaces_only_the_stale_one_is_unknown(shown: Lab) -> None:
    silent = Workspace.objects.create(name="silent", observed_at=shown.clock.now)
    row = shown.endpoint("customer-ltv")
    row.pk, row.workspace, row.uid = None, silent, "another"
    row.save()
    shown.clock.forward(46)
    Workspace.objects.filter(pk=shown.workspace.pk).update(observed_at=shown.clock.now)

    head, both = live.read_head(), [silent.pk, shown.workspace.pk]
    found = listing.page(both, Filters(text="customer-ltv"), head, shown.clock())
    by_workspace = {
        r.endpoint.workspace.name: r.status
        for r in listing.rows_of(found.versions, head, shown.clock())
    }

    assert by_workspace == {"silent": Status.UNKNOWN, "lab": Status.READY}
    assert found.counts.of({Status.UNKNOWN}) == 1
    first = Endpoint.objects.get(pk=found.pks[0])
    assert first.workspace == silent, "Unknown is worse than Ready"


# What changed ----------------------------------------------------------------------------------


def test_changed_are_the_rows_of_later_revisions_gone_ones_too(desk: Desk, mika: User) -> None:
    before = live.read_head().revision
    desk.look(desk.ask("stop", "customer-ltv", mika))
    delete = desk.look(desk.ask("delete", "basket-recommender", mika))
    desk.look(delete, seconds=1)

    head, visible = live.read_head(), [desk.lab.workspace.pk]
    changed = listing.changed_since(before, visible, head, limit=100) or []

    found = listing.rows_of(changed, head, desk.clock())
    assert [row.endpoint.name for row in found] == ["customer-ltv", "basket-recommender"]
    assert [row.endpoint.gone_at is None for row in found] == [True, False]
    assert listing.changed_since(head.revision, visible, head, limit=9) == []


def test_of_too_many_changes_none_is_told(shown: Lab) -> None:
    head, visible = live.read_head(), [shown.workspace.pk]

    assert len(listing.changed_since(0, visible, head, limit=24) or ()) == 24
    assert listing.changed_since(0, visible, head, limit=23) is None


def test_a_row_shows_its_open_operation(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)

    (row,) = rows(desk.lab, text="customer-ltv")
    assert row.operation == operation

    desk.look_until_settled(operation)
    (row,) = rows(desk.lab, text="customer-ltv")
    assert row.operation is None


# Cost ------------------------------------------------------------------------------------------


def test_a_page_costs_a_constant_number_of_queries(shown: Lab) -> None:
    head, now = live.read_head(), shown.clock()
    for filters in (Filters(), Filters(text="a", attention=True)):
        with CaptureQueriesContext(connection) as captured:
            found = listing.page([shown.workspace.pk], filters, head, now)
            many = len(listing.rows_of(found.versions, head, now))
        assert many > 5
        assert len(captured) <= 8

    with CaptureQueriesContext(connection) as one:
        listing.rows([shown.endpoint("churn")], head, now)
    assert len(one) <= 5


def test_rows_leave_the_documents_where_they_are(shown: Lab) -> None:
    with CaptureQueriesContext(connection) as captured:
        rows(shown)

    assert not any('"document"' in query["sql"] for query in captured)


# Operations ------------------------------------------------------------------------------------


def test_open_operations_come_first_then_the_latest(desk: Desk, otto: User) -> None:
    over = desk.look(desk.ask("stop", "card-ocr-v1", otto))
    failed = desk.ask("stop", "customer-ltv", otto)
    desk.emulator.fault("status", match={"method": "POST"}, status=400)
    desk.look(failed, seconds=5)
    waiting = desk.ask("stop", "basket-recommender", otto)

    filters = operation_list.Filters()
    found = operation_list.page([desk.lab.workspace.pk], filters, desk.clock())

    assert found.operations == [waiting, failed, over]
    assert found.total == 3
    assert {name: n for name, n in found.counts.items() if n} == {
        "open": 1,
        "failed": 1,
        "not_done": 1,
    }
    assert operation_list.actors([desk.lab.workspace.pk]) == ["Otto"]
    assert operation_list.page([], filters, desk.clock()).total == 0


# How long we remember --------------------------------------------------------------------------


def test_what_is_older_than_the_limit_is_forgotten_in_batches(
    desk: Desk, mika: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BATCH", 7)
    settings.HISTORY_DAYS = 30
    over = desk.look(desk.ask("stop", "card-ocr-v1", mika))
    open_still = desk.look(desk.ask("stop", "customer-ltv", mika))
    gone = desk.look(desk.ask("delete", "basket-recommender", mika))
    desk.look(gone, seconds=1)
    assert gone.known_state is State.CONFIRMED
    Outage.objects.create(workspace=desk.lab.workspace, start=desk.clock.now, end=desk.clock.now)

    history.prune(now=desk.clock.now + timedelta(days=29))
    assert Operation.objects.count() == 3
    assert StatusChange.objects.count() > 20

    history.prune(now=desk.clock.now + timedelta(days=31))
    assert list(Operation.objects.all()) == [open_still]
    assert not StatusChange.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not Outage.objects.exists()
    assert not Endpoint.objects.filter(pk=gone.endpoint_id).exists()
    assert Endpoint.objects.living().count() == 23, "what lives is kept, however old"
    assert not Operation.objects.filter(pk=over.pk).exists()
