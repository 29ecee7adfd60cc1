"""One timeline of everything that happened to an endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.activity import Filters, Key, Kind
from endpoints_app.domain.lifecycle import State
from endpoints_app.models import (
    AuditEntry,
    ConfigVersion,
    Endpoint,
    LogSnapshot,
    Operation,
    Outage,
    SchemaCopy,
    StatusChange,
    Workspace,
)
from endpoints_app.services import activity, activity_summary, live

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def ago(**how: float) -> datetime:
    return NOW - timedelta(**how)


def make_endpoint(workspace: Workspace, name: str = "churn", **fields: Any) -> Endpoint:
    known: dict[str, Any] = {
        "first_seen_at": ago(days=100),
        "status": "ready",
        "severity": 0,
        "status_since": ago(days=1),
        "observed_at": NOW,
        "changed_at": NOW,
        "kind": "custom",
    }
    return Endpoint.objects.create(workspace=workspace, name=name, **known | fields)


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return make_endpoint(Workspace.objects.create(name="lab"))


def operation(endpoint: Endpoint, at: datetime, **fields: Any) -> Operation:
    known: dict[str, Any] = {
        "kind": "stop",
        "state": State.CONFIRMED.value,
        "actor_name": "Otto",
        "requested_at": at,
        "send_by": at,
        "next_look_at": at,
    }
    return Operation.objects.create(endpoint=endpoint, **known | fields)


def change(endpoint: Endpoint, at: datetime, **fields: Any) -> StatusChange:
    known = {"was": "ready", "now": "stopped", "after": at - timedelta(minutes=1)}
    return StatusChange.objects.create(endpoint=endpoint, at=at, **known | fields)


def config(endpoint: Endpoint, version: int, at: datetime, **fields: Any) -> ConfigVersion:
    known: dict[str, Any] = {"stage": "active", "content": {"config": {}}, "digest": "x"}
    return ConfigVersion.objects.create(
        endpoint=endpoint, version=version, first_seen_at=at, **known | fields
    )


def record(action: str, at: datetime, who: str = "Mika", **detail: Any) -> AuditEntry:
    return AuditEntry.objects.create(
        at=at, actor_name=who, action=action, workspace="lab", endpoint="churn", detail=detail
    )


@pytest.fixture
def busy(endpoint: Endpoint) -> Endpoint:
    """One of everything."""
    stop = operation(
        endpoint,
        ago(hours=9),
        sent_at=ago(hours=9) + timedelta(seconds=2),
        settled_at=ago(hours=8),
        reason="idle",
    )
    change(endpoint, ago(hours=8), operation=stop)
    for log in ("build", "server"):
        LogSnapshot.objects.create(
            endpoint=endpoint, log=log, entity="m", taken_at=ago(hours=9), operation=stop
        )
    config(
        endpoint,
        7,
        ago(hours=7),
        after=ago(hours=8),
        changes=[["entities", "m", "workload_size", "Small", "Medium"]],
        changed=1,
    )
    record("permissions saved", ago(hours=6), changes=[{"kind": "user", "name": "ann"}])
    record("budget policy changed", ago(hours=5))
    record("request sent", ago(hours=4), request_bytes=10)
    record("request answered", ago(hours=4), request_bytes=10, status=200)
    SchemaCopy.objects.create(
        endpoint=endpoint, config_version=7, first_read_at=ago(hours=3), read_at=NOW, document="{}"
    )
    record("acknowledged", ago(hours=2), role="on-call")
    Outage.objects.create(workspace=endpoint.workspace, start=ago(hours=1), end=ago(minutes=30))
    change(endpoint, ago(minutes=20), was="stopped", now="ready")
    return endpoint


def kinds(endpoint: Endpoint, **filters: Any) -> list[str]:
    return [str(e.kind) for e in activity.page(endpoint, Filters(**filters), now=NOW).entries]


def test_everything_is_in_it_the_newest_first(busy: Endpoint) -> None:
    assert kinds(busy) == [
        "status",
        "status",  # our poller's own outage
        "noted",
        "schema",
        "requests",
        "budget",
        "permissions",
        "configs",
        "status",
        "logs",
        "operations",
    ]


def test_each_entry_tells_what_its_row_does(busy: Endpoint) -> None:
    entries = activity.page(busy, Filters(), now=NOW).entries
    found = {entry.name.split("-")[0]: entry for entry in entries}
    stop = Operation.objects.get()
    made = found["operation"].operation
    assert made is not None
    assert (made.pk, made.reason, made.known_state) == (stop.pk, "idle", State.CONFIRMED)
    assert (made.requested_at, made.sent_at) == (stop.requested_at, stop.sent_at)
    told = found["config"].config
    assert told is not None
    assert told.changes == [["entities", "m", "workload_size", "Small", "Medium"]]
    assert told.after == ago(hours=8)
    assert told.cut is False
    assert found["kept"].kept[0].operation == stop
    assert {log.log for log in found["kept"].kept} == {"build", "server"}
    assert found["outage"].outage is not None
    assert found["outage"].outage.start == ago(hours=1)
    said = [entry.audit.detail for entry in entries if entry.audit]
    assert {"changes": [{"kind": "user", "name": "ann"}]} in said
    assert entries[8].change is not None
    assert entries[8].change.operation_id == stop.pk


def test_a_page_is_one_statement(busy: Endpoint) -> None:
    with CaptureQueriesContext(connection) as asked:
        for entry in activity.page(busy, Filters(), now=NOW).entries:
            str(entry.kept and entry.kept[0].operation)
            str(entry.config and entry.config.endpoint)
    assert len(asked) == 1


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.EVENTS])
def test_each_kind_can_be_asked_for_alone(kind: Kind, busy: Endpoint) -> None:
    found = activity.page(busy, Filters(kind=kind), now=NOW).entries
    assert found
    if kind is Kind.OUTSIDE:
        assert [entry.name.split("-")[0] for entry in found] == ["change", "config"]
    else:
        assert {entry.kind for entry in found} == {kind}


def test_the_counts_are_those_of_the_entries(busy: Endpoint) -> None:
    counted = activity.tally(busy, Filters(kind=Kind.STATUS), now=NOW).kinds
    for kind in Kind:
        found = activity.page(busy, Filters(kind=kind), now=NOW).entries
        assert counted[kind] == sum(len(entry.kept) or 1 for entry in found), kind


def test_a_request_without_an_outcome_is_told_of(endpoint: Endpoint) -> None:
    record("request sent", ago(hours=4), who="Otto")
    record("request answered", ago(hours=4), who="Mika", status=200)
    found = activity.page(endpoint, Filters(), now=NOW).entries
    assert [e.audit.action for e in found if e.audit] == ["request answered", "request sent"]


def test_who_and_when(busy: Endpoint) -> None:
    assert kinds(busy, who="Otto") == ["status", "operations"]
    assert kinds(busy, who="Mika", kind=Kind.BUDGET) == ["budget"]
    assert activity_summary.of(busy, live.read_head(), now=NOW).people == ["Mika"]
    change(busy, ago(days=3))
    change(busy, datetime(2026, 9, 30, 23, 59, tzinfo=UTC))
    assert len(kinds(busy, period="24h")) == 11
    assert len(kinds(busy, period="7d")) == 12
    assert len(kinds(busy)) == 13
    september = datetime(2026, 9, 1, tzinfo=UTC)
    assert kinds(busy, month=september) == ["status"]
    assert kinds(busy, month=datetime(2026, 10, 1, tzinfo=UTC)) == []
    counted = activity.tally(busy, Filters(), now=NOW).months
    assert [month.month for month, _ in counted] == [11, 9]
    assert dict(counted)[september] == 1


def test_it_is_of_this_endpoint_alone(busy: Endpoint) -> None:
    """The record goes by names, and names are given anew."""
    Endpoint.objects.filter(pk=busy.pk).update(gone_at=ago(hours=5, minutes=30))
    busy.refresh_from_db()
    successor = make_endpoint(busy.workspace, first_seen_at=ago(hours=5, minutes=30))
    assert "budget" not in kinds(busy)
    assert "permissions" in kinds(busy)
    assert "budget" in kinds(successor)
    assert "permissions" not in kinds(successor)
    other = make_endpoint(busy.workspace, name="other")
    assert set(kinds(other)) == {"status"}  # only what its workspace did not answer


def test_pages_follow_each_other_without_a_gap_or_a_repetition(endpoint: Endpoint) -> None:
    """Also where many things have one time."""
    for n in range(12):
        at = ago(hours=1) if n % 3 else ago(hours=n)
        change(endpoint, at)
        operation(endpoint, at)
        record("permissions saved", at)
        config(endpoint, n, at)
    whole = [e.name for e in activity.page(endpoint, Filters(), now=NOW).entries]
    assert len(whole) == 48
    for size in (1, 5, 7, 47, 48):
        filters, names = Filters(), []
        while True:
            part = activity.page(endpoint, filters, now=NOW, size=size)
            assert len(part.entries) <= size
            names += [entry.name for entry in part.entries]
            if part.older is None:
                break
            change(endpoint, ago(seconds=-1))  # what is new moves nothing
            StatusChange.objects.filter(at__gt=NOW).delete()
            filters = Filters(before=part.older)
        assert names == whole, size
    assert [e.name for e in activity.everything(endpoint, Filters(), now=NOW)] == whole


def test_an_entry_has_an_address_that_begins_with_it(busy: Endpoint) -> None:
    for entry in activity.page(busy, Filters(), now=NOW).entries:
        key = Key.read(str(entry.key))
        assert key == entry.key
        assert activity.page(busy, Filters(at=key), now=NOW).entries[0].name == entry.name


@given(st.text(max_size=40) | st.from_regex(r"\d{1,22}-\d{1,3}-\d{1,22}", fullmatch=True))
def test_whatever_stands_in_an_address_is_a_key_or_none(text: str) -> None:
    key = Key.read(text)
    assert key is None or key.at.tzinfo is not None


def test_the_short_one_has_each_step_of_an_operation(busy: Endpoint) -> None:
    short = activity.latest(busy, now=NOW, size=20)
    steps = [(entry.step, entry.at) for entry in short if entry.operation]
    assert steps == [
        ("settled", ago(hours=8)),
        ("sent", ago(hours=9) + timedelta(seconds=2)),
        ("asked", ago(hours=9)),
    ]
    assert len(activity.latest(busy, now=NOW, size=4)) == 4


def test_a_long_history_costs_a_page_no_more(endpoint: Endpoint) -> None:
    StatusChange.objects.bulk_create(
        StatusChange(endpoint=endpoint, was="ready", now="stopped", at=ago(minutes=n))
        for n in range(3000)
    )
    with CaptureQueriesContext(connection) as asked:
        entries = activity.page(endpoint, Filters(), now=NOW).entries
    assert len(entries) == 50
    assert len(asked) == 1
