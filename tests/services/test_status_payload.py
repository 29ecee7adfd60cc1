"""The writer of the status page: what it writes and when, days that are over, and that two of it do
no harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.domain import status_facts
from endpoints_app.models import (
    Endpoint,
    Maintenance,
    Outage,
    StatusChange,
    StatusDays,
    StatusDocument,
    StatusPayload,
    StatusView,
    Workspace,
)
from endpoints_app.services import live, status_page, status_payload, workspaces
from tests.conftest import Clock, Lab

SECONDS_A_DAY = 86_400


@pytest.fixture
def written(lab: Lab) -> Lab:
    lab.settle()
    status_payload.publish(now=lab.clock.now)
    return lab


def answered(lab: Lab, seconds: float) -> datetime:
    """A cycle without news."""
    now = lab.clock.forward(seconds)
    Workspace.objects.update(observed_at=now)
    return now


def row() -> StatusPayload:
    return StatusPayload.objects.get()


def document() -> StatusDocument:
    return StatusDocument.objects.get()


# When ------------------------------------------------------------------------------------------


def test_without_news_only_the_age_is_written(written: Lab) -> None:
    before = document()

    with CaptureQueriesContext(connection) as queries:
        assert not status_payload.publish(now=answered(written, 15))

    touched = [query["sql"] for query in queries if "statusdocument" in query["sql"]]
    assert touched == [], "however large the facts are, they are not moved"

    after = row()
    assert (document().version, document().text) == (before.version, before.text)
    assert after.seen_at == written.clock.now
    (observed, failing) = after.sources[str(written.workspace.pk)]
    assert observed == written.clock.now.timestamp()
    assert failing == 0


def test_a_change_is_written_with_the_next_cycle(written: Lab, behind_our_back: Any) -> None:
    before = document().version
    behind_our_back("customer-ltv", state={"ready": "NOT_READY", "config_update": "NOT_UPDATING",
                                           "suspend": "STOPPED"})  # fmt: skip
    written.sync()

    assert status_payload.publish(now=written.clock.now)

    assert document().version != before
    page = status_page.build(status_page.read_public(), "lab", written.clock.now)
    assert page is not None
    shown = {item.name: item.status.value for item in page.items}
    assert shown["customer-ltv"] == written.endpoint("customer-ltv").status


def test_history_moves_on_although_nothing_happens(written: Lab) -> None:
    assert not status_payload.publish(now=answered(written, 59))
    assert status_payload.publish(now=answered(written, 2))


def test_what_people_enter_is_news(written: Lab) -> None:
    StatusView.objects.create(slug="team", workspace=written.workspace)

    assert status_payload.publish(now=written.clock.forward(1))
    assert not status_payload.publish(now=written.clock.forward(1))


def test_a_failed_sync_is_told_and_does_not_touch_the_facts(written: Lab) -> None:
    before = document().text
    Workspace.objects.update(error="Unreachable")
    with live.writing():
        live.next_revision()
    status_payload.publish(now=written.clock.forward(1))

    assert row().sources[str(written.workspace.pk)][1] == 1
    ignored = {"written_at", "figures"}
    facts = [
        {k: v for k, v in json.loads(text).items() if k not in ignored}
        for text in (before, document().text)
    ]
    assert facts[0]["entries"] == facts[1]["entries"]


# One at a time ---------------------------------------------------------------------------------


def test_two_writers_do_not_write_at_once(written: Lab) -> None:
    now = written.clock.forward(61)
    StatusPayload.objects.update(leased_until=now + timedelta(seconds=20), lease_token="other")

    assert not status_payload.publish(now=now)
    assert row().lease_token == "other"
    assert row().seen_at < now


def test_one_that_died_in_the_middle_is_followed_by_another(written: Lab) -> None:
    now = written.clock.forward(61)
    StatusPayload.objects.update(leased_until=now - timedelta(seconds=1), lease_token="dead")

    assert status_payload.publish(now=now)
    assert row().lease_token == ""


def test_one_that_was_too_slow_does_not_overwrite_what_came_after(
    written: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any) -> str:
        StatusPayload.objects.update(lease_token="the next")
        return "news"

    monkeypatch.setattr(status_payload, "_digest", slow)
    before = row().seen_at, document().version

    status_payload.publish(now=written.clock.forward(61))

    assert (row().seen_at, document().version) == before


# What ------------------------------------------------------------------------------------------


def test_the_facts_come_back_as_they_were(written: Lab) -> None:
    kept = json.loads(document().text)

    facts = status_facts.load(kept)

    assert facts is not None
    assert json.loads(json.dumps(status_facts.dump(facts))) == kept


def test_what_another_version_wrote_is_not_read(written: Lab) -> None:
    StatusDocument.objects.update(text='{"format": 0}', version=1)

    assert status_page.read_public().facts.entries == ()


def test_ten_thousand_endpoints_cost_the_same_queries_as_ten(
    written: Lab, django_assert_max_num_queries: Any
) -> None:
    model = written.endpoint("customer-ltv")
    rows = []
    for i in range(1000):
        rows.append(Endpoint(**{**_fields(model), "name": f"model-{i:04}", "uid": f"{i:032}"}))
    Endpoint.objects.bulk_create(rows)
    status_payload.publish(now=written.clock.forward(61))

    with django_assert_max_num_queries(30):
        status_payload.publish(now=written.clock.forward(61))


def _fields(model: Endpoint) -> dict[str, Any]:
    skipped = {"id", "document"}
    return {
        f.attname: getattr(model, f.attname)
        for f in Endpoint._meta.concrete_fields
        if f.attname not in skipped
    }


# Days that are over ----------------------------------------------------------------------------


class Past:
    """Endpoints with a history of days, and the writer each so often."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        workspaces.ensure(["lab"])
        self.workspace = Workspace.objects.get(name="lab")

    def endpoint(self, name: str, *, born: datetime, status: str = "ready") -> Endpoint:
        return Endpoint.objects.create(
            workspace=self.workspace, name=name, first_seen_at=born, status=status, severity=20,
            status_since=born, observed_at=born, kind="custom", changed_at=born,
        )  # fmt: skip

    def change(self, endpoint: Endpoint, at: datetime, was: str, now: str) -> None:
        StatusChange.objects.create(endpoint=endpoint, was=was, now=now, at=at)
        Endpoint.objects.filter(pk=endpoint.pk).update(status=now, status_since=at)

    def write(self, now: datetime) -> None:
        Workspace.objects.update(observed_at=now)
        self.clock.now = now
        for _ in range(3):  # the page, then the days of one scope after the other
            status_payload.publish(now=self.clock.forward(61))

    def days(self, kind: str = "w:") -> dict[str, list[int]]:
        days: dict[str, list[int]] = StatusDays.objects.get(scope__startswith=kind).days
        return days


@pytest.fixture
def past(db: None, clock: Clock) -> Past:
    return Past(clock)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_days_that_are_over_are_counted_once_and_kept(past: Past) -> None:
    endpoint = past.endpoint("churn", born=NOON - timedelta(days=10))
    past.change(endpoint, NOON - timedelta(days=3), "ready", "not_ready")
    past.change(endpoint, NOON - timedelta(days=2), "not_ready", "ready")
    past.write(NOON)

    days = past.days()
    assert len(days) == 90
    assert days["2026-11-19"] == [SECONDS_A_DAY // 2, SECONDS_A_DAY // 2, 0, 0, 0]
    assert days["2026-11-20"] == [SECONDS_A_DAY // 2, SECONDS_A_DAY // 2, 0, 0, 0]
    assert days["2026-11-21"] == [SECONDS_A_DAY, 0, 0, 0, 0]
    assert days["2026-11-12"] == [SECONDS_A_DAY // 2, 0, 0, 0, 0], "its first day"
    assert days["2026-11-11"] == [0, 0, 0, 0, 0], "before it was there"
    assert "2026-11-22" not in days, "today is not over"

    StatusChange.objects.all().delete()
    past.write(NOON + timedelta(days=1))
    assert past.days()["2026-11-20"] == days["2026-11-20"], "kept, whatever becomes of its changes"
    assert past.days()["2026-11-22"] == [SECONDS_A_DAY, 0, 0, 0, 0]
    assert len(past.days()) == 90


def test_counting_day_by_day_gives_what_counting_at_once_gives(past: Past) -> None:
    born = NOON - timedelta(days=8)
    endpoints = [past.endpoint(f"model-{i}", born=born + i * timedelta(hours=7)) for i in range(3)]
    flips = ["updating", "ready", "stopped", "updating", "ready", "unknown", "not_ready", "ready"]
    was = dict.fromkeys(endpoints, "ready")
    moment = born + timedelta(hours=20)
    for i, now in enumerate(flips * 3):
        endpoint = endpoints[i % 3]
        moment += timedelta(hours=5, minutes=7)
        past.change(endpoint, moment, was[endpoint], now)
        was[endpoint] = now
        past.write(moment + timedelta(minutes=1))
    past.write(NOON)
    step_by_step = past.days()

    StatusDays.objects.all().delete()
    past.write(NOON + timedelta(minutes=10))

    assert past.days() == step_by_step


def test_a_day_waits_until_its_workspace_was_read_after_its_end(past: Past) -> None:
    """Our poller may have been away across midnight: then the day was not known to its end."""
    past.endpoint("churn", born=NOON - timedelta(days=10))
    past.write(NOON)
    StatusDays.objects.all().delete()
    asleep = datetime(2026, 11, 22, 22, tzinfo=UTC)
    Workspace.objects.update(observed_at=asleep)
    for minutes in (1, 5, 9):
        status_payload.publish(now=datetime(2026, 11, 23, 0, minutes, tzinfo=UTC))
    assert "2026-11-22" not in past.days()

    awake = datetime(2026, 11, 23, 1, tzinfo=UTC)
    Outage.objects.create(workspace=past.workspace, start=asleep, end=awake)
    past.write(awake)

    assert past.days()["2026-11-22"] == [22 * 3600, 0, 0, 2 * 3600, 0]


def test_planned_work_entered_or_withdrawn_afterwards_is_counted_after_all(
    past: Past, django_user_model: Any
) -> None:
    endpoint = past.endpoint("churn", born=NOON - timedelta(days=10))
    past.change(endpoint, NOON - timedelta(days=1), "ready", "not_ready")
    past.change(endpoint, NOON - timedelta(hours=23), "not_ready", "ready")
    past.write(NOON)
    assert past.days()["2026-11-21"][1] == 3600

    window = Maintenance.objects.create(
        title="Move", start=NOON - timedelta(days=1), end=NOON - timedelta(hours=22), zone="UTC",
        workspace=past.workspace, made_by_name="Otto", made_at=past.clock.forward(1),
    )  # fmt: skip
    past.write(past.clock.forward(60))
    assert past.days()["2026-11-21"] == [SECONDS_A_DAY - 7200, 0, 0, 0, 7200]

    Maintenance.objects.filter(pk=window.pk).update(cancelled_at=past.clock.forward(1))
    past.write(past.clock.forward(60))
    assert past.days()["2026-11-21"] == [SECONDS_A_DAY - 3600, 3600, 0, 0, 0]


def test_what_is_forgotten_is_not_told_as_up(past: Past, settings: Any) -> None:
    settings.HISTORY_DAYS = 3
    past.endpoint("churn", born=NOON - timedelta(days=40))
    past.write(NOON)

    assert past.days()["2026-11-18"] == [0, 0, 0, 0, 0]
    assert past.days()["2026-11-20"] == [SECONDS_A_DAY, 0, 0, 0, 0]


def test_a_deleted_endpoint_stays_in_the_days_it_was_there(past: Past) -> None:
    endpoint = past.endpoint("churn", born=NOON - timedelta(days=10))
    gone = NOON - timedelta(days=1)
    StatusChange.objects.create(endpoint=endpoint, was="ready", now="", at=gone)
    Endpoint.objects.filter(pk=endpoint.pk).update(gone_at=gone)
    past.write(NOON)

    assert past.days()["2026-11-20"] == [SECONDS_A_DAY, 0, 0, 0, 0]
    assert past.days()["2026-11-21"] == [SECONDS_A_DAY // 2, 0, 0, 0, 0]


def test_a_view_has_days_of_its_own(past: Past) -> None:
    good = past.endpoint("good", born=NOON - timedelta(days=10))
    bad = past.endpoint("bad", born=NOON - timedelta(days=10), status="not_ready")
    Endpoint.objects.filter(pk=bad.pk).update(tags={"team": "risk"})
    StatusView.objects.create(slug="risk", tag="team=risk")
    past.write(NOON)
    past.write(NOON + timedelta(minutes=10))

    assert good.name
    assert past.days("v:")["2026-11-21"] == [0, SECONDS_A_DAY, 0, 0, 0]
    assert past.days()["2026-11-21"] == [SECONDS_A_DAY, SECONDS_A_DAY, 0, 0, 0]

    StatusView.objects.all().delete()
    StatusView.objects.create(slug="risk", tag="team=other")
    past.write(NOON + timedelta(minutes=20))
    figure = status_page.read_public().facts.figures["v:risk"]
    assert not any(totals.whole for _, totals in figure.days), "it inherits none"
