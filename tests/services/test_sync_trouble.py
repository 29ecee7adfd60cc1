"""Workspaces that fail, hang or throttle; syncs that meet, and syncs that oversleep."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from endpoints_app.domain.status import Status
from endpoints_app.emulator import Running, serving
from endpoints_app.models import Endpoint, Outage, StatusChange, Workspace
from endpoints_app.services import listing, live, sync, workspaces
from tests.conftest import Clock, Lab
from tests.services.conftest import ALL, GET, LIST, ONE, at_once, listed

STALE = timedelta(seconds=45)


def revision() -> int:
    return live.read_head().revision


def shown(lab: Lab, name: str) -> listing.Row:
    """The endpoint as the list shows it now."""
    endpoint = Endpoint.objects.for_rows().get(workspace=lab.workspace, name=name, gone_at=None)
    (row,) = listing.rows([endpoint], live.read_head(), lab.clock())
    return row


# A fetch that fails ----------------------------------------------------------------------------


def test_a_failed_fetch_touches_the_error_fields_alone(lab: Lab) -> None:
    listed(lab)
    rows = list(Endpoint.objects.order_by("pk").values())
    answered = lab.workspace.observed_at
    lab.emulator.fault("status", match=ALL, status=500)

    lab.sync()

    assert list(Endpoint.objects.order_by("pk").values()) == rows
    assert lab.workspace.observed_at == answered
    assert lab.workspace.error == "Internal"
    assert lab.workspace.error_at == lab.clock.now
    assert "internal error" in lab.workspace.error_detail


def test_a_failure_is_news_once(lab: Lab) -> None:
    listed(lab)
    lab.sync()
    lab.emulator.fault("status", match=ALL, status=500)
    before = revision()

    lab.sync()
    told = revision()
    lab.sync()

    assert told > before
    assert revision() == told


def test_the_first_answer_after_a_failure_is_news(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("status", match=ALL, status=500, times=1)
    lab.sync()
    before = revision()

    lab.sync()

    assert (lab.workspace.error, lab.workspace.error_at) == ("", None)
    assert revision() > before


def test_old_rows_age_until_they_are_unknown_and_nobody_wrote_that(lab: Lab) -> None:
    listed(lab)
    last = lab.clock.now
    lab.emulator.fault("status", match=ALL, status=500)

    lab.clock.now = last + STALE
    assert shown(lab, "customer-ltv").status is Status.READY

    lab.clock.now = last + STALE + timedelta(seconds=1)
    row = shown(lab, "customer-ltv")
    assert (row.status, row.stale) == (Status.UNKNOWN, True)
    assert lab.endpoint("customer-ltv").known_status is Status.READY
    assert not StatusChange.objects.filter(endpoint__name="customer-ltv", now="unknown").exists()


def test_without_usable_credentials_the_workspace_says_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSPACE_LAB_TOKEN", "")
    lab.sync()

    assert lab.workspace.error == "NotConfigured"
    assert "WORKSPACE_LAB_TOKEN" in lab.workspace.error_detail


# Retry-After -----------------------------------------------------------------------------------


@pytest.mark.parametrize("throttled", [ALL, ONE], ids=["the list", "a look"])
def test_a_throttled_workspace_is_left_alone_for_as_long_as_it_says(
    lab: Lab, throttled: dict[str, str]
) -> None:
    lab.emulator.fault("status", match=throttled, status=429, retry_after=90, times=1)

    lab.sync()

    assert lab.workspace.error == "Throttled"
    rested = lab.clock.now + timedelta(seconds=90)
    assert lab.workspace.rest_until == rested
    assert not Workspace.objects.due(rested - timedelta(seconds=1)).exists()
    assert Workspace.objects.due(rested).exists()


def test_without_retry_after_a_failed_workspace_rests_a_cycle(lab: Lab) -> None:
    lab.emulator.fault("status", match=ALL, status=500)

    lab.sync()

    assert lab.workspace.rest_until == lab.clock.now + timedelta(seconds=15)


# Outages of ours -------------------------------------------------------------------------------


def test_a_gap_longer_than_the_limit_is_recorded_and_history_says_unknown(lab: Lab) -> None:
    listed(lab)
    lab.sync()
    last = lab.clock.now

    lab.sync(seconds=3600)

    outage = Outage.objects.get()
    assert (outage.workspace_id, outage.start, outage.end) == (
        lab.workspace.pk,
        last,
        lab.clock.now,
    )
    spans = [s for s in shown(lab, "customer-ltv").trace if s.status is not None]
    assert [s.status for s in spans] == [Status.READY, Status.UNKNOWN]
    assert (spans[-1].start, spans[-1].end) == (last, lab.clock.now)


def test_a_gap_within_the_limit_is_none(lab: Lab) -> None:
    listed(lab)

    lab.sync(seconds=STALE.total_seconds())

    assert not Outage.objects.exists()


def test_the_first_list_ever_ends_no_outage(lab: Lab) -> None:
    lab.sync(seconds=3600)

    assert not Outage.objects.exists()


def test_while_a_workspace_does_not_answer_its_traces_end_in_unknown(lab: Lab) -> None:
    listed(lab)
    last = lab.clock.now
    lab.clock.forward(600)

    span = shown(lab, "customer-ltv").trace[-1]

    assert (span.status, span.start, span.end) == (Status.UNKNOWN, last, lab.clock.now)


# The others ------------------------------------------------------------------------------------


@pytest.fixture
def other(lab: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A second workspace beside `lab`."""
    with serving(seed=1, clock=lambda: clock.now.timestamp()) as emulator:
        monkeypatch.setenv("WORKSPACES", "lab other")
        monkeypatch.setenv("WORKSPACE_OTHER_HOST", emulator.url)
        monkeypatch.setenv("WORKSPACE_OTHER_TOKEN", emulator.token)
        settings.WORKSPACES[:] = ["lab", "other"]
        workspaces.ensure(settings.WORKSPACES)
        second = Lab(emulator, clock)
        second.workspace = Workspace.objects.get(name="other")
        yield second


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 429, "retry_after": 600},
        {"kind": "drop"},
        {"kind": "status", "status": 200, "body": "<html>sign in</html>"},
    ],
    ids=["failing", "throttled", "dropping", "a login page"],
)
def test_one_failing_workspace_neither_delays_nor_blanks_another(
    lab: Lab, other: Lab, fault: dict[str, Any]
) -> None:
    lab.sync()
    other.sync()
    lab.emulator.fault(**fault)

    lab.sync()
    other.sync()
    other.sync(seconds=46)

    assert Workspace.objects.get(name="other").observed_at == other.clock.now
    stale = live.read_head().stale(lab.clock())
    assert stale == {lab.workspace.pk}
    assert other.workspace.endpoints.living().count() == 24
    assert lab.workspace.endpoints.living().count() == 24


def test_while_one_workspace_hangs_another_is_read(
    shared_lab: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "LIST_SECONDS", 1.5)
    with serving(seed=1, clock=lambda: clock.now.timestamp()) as healthy:
        monkeypatch.setenv("WORKSPACE_OTHER_HOST", healthy.url)
        monkeypatch.setenv("WORKSPACE_OTHER_TOKEN", healthy.token)
        settings.WORKSPACES[:] = ["lab", "other"]
        workspaces.ensure(settings.WORKSPACES)
        shared_lab.emulator.fault("latency", match=ALL, seconds=3)
        other = Workspace.objects.get(name="other")
        answered = []

        def read_other() -> None:
            sync.sync(other.pk, clock=clock)
            answered.append(time.monotonic())

        def read_hanging() -> float:
            sync.sync(shared_lab.workspace.pk, clock=clock)
            return time.monotonic()

        _, gave_up = at_once(read_other, read_hanging)

    other.refresh_from_db()
    assert answered[0] < gave_up
    assert other.observed_at == clock.now
    assert Workspace.objects.get(name="lab").error == "TimedOut"


# The lease -------------------------------------------------------------------------------------


def test_two_syncs_of_a_workspace_at_once_read_it_once(shared_lab: Lab) -> None:
    shared_lab.emulator.fault("latency", match=ALL, seconds=0.2)

    def cycle() -> None:
        sync.sync(shared_lab.workspace.pk, clock=shared_lab.clock)

    assert at_once(cycle, cycle, cycle) == [None, None, None]
    assert shared_lab.emulator.calls.counts[LIST] == 1
    assert shared_lab.workspace.endpoints.count() == 24


def test_a_lease_is_given_back(lab: Lab) -> None:
    lab.sync()

    assert (lab.workspace.lease_token, lab.workspace.lease_until) == ("", None)


def test_a_lease_is_given_back_when_the_program_fails(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as m:
        m.setattr(sync, "_list", fail)
        with pytest.raises(ZeroDivisionError):
            lab.sync()

    assert lab.sync().observed_at == lab.clock.now


def test_the_lease_of_a_worker_that_died_runs_out(lab: Lab) -> None:
    died = {"lease_token": "of a dead worker", "lease_until": lab.clock.now + sync.LEASE}
    Workspace.objects.update(**died)

    lab.sync(seconds=sync.LEASE.total_seconds() - 1)
    assert lab.workspace.observed_at is None

    lab.sync(seconds=2)
    assert lab.workspace.observed_at == lab.clock.now


@pytest.mark.parametrize("while_reading", [ALL, ONE], ids=["the list", "an endpoint"])
def test_a_sync_that_overslept_its_lease_writes_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, while_reading: dict[str, str]
) -> None:
    calls = "list_endpoints" if while_reading is ALL else "get_endpoint"
    call: Callable[..., Any] = getattr(sync.WorkspaceClient, calls)
    lab.sync()
    rows = list(Endpoint.objects.order_by("pk").values())
    lab.emulator.fault("lie", set={"description": "something new"})

    def oversleep(self: Any, *args: Any, **options: Any) -> Any:
        answer = call(self, *args, **options)
        later = lab.clock.forward(60)
        other = Workspace.objects.lease(
            lab.workspace.pk, token="another", now=later, until=later + sync.LEASE
        )
        assert other, "the lease has run out"
        return answer

    with monkeypatch.context() as m:
        m.setattr(sync.WorkspaceClient, calls, oversleep)
        lab.sync(seconds=15 if while_reading is ALL else 2)

    assert list(Endpoint.objects.order_by("pk").values()) == rows
    assert lab.workspace.lease_token == "another", "and it does not take the lease of the other"


def test_a_workspace_that_the_settings_no_longer_name_is_not_read(
    lab: Lab, emulator: Running
) -> None:
    workspaces.ensure([])

    lab.sync()

    assert emulator.calls.counts[LIST] + emulator.calls.counts[GET] == 0
    assert not Workspace.objects.due(lab.clock.now).exists()
    assert os.environ["WORKSPACE_LAB_TOKEN"]
