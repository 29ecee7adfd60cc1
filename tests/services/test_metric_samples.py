"""Metrics are asked for once a minute, for whom somebody watches, and never more than that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import AuditEntry, Endpoint, MetricSample, MetricWatch, Workspace
from endpoints_app.services import history, metric_samples
from tests.conftest import Lab
from tests.services.conftest import at_once, listed

EXPORTED = """\
# TYPE request_count_total gauge
request_count_total{endpoint_name="e",x="1"} 40 1788718020000
request_count_total{endpoint_name="e",x="2"} 20 1788718020000
request_4xx_count_total{endpoint_name="e"} 2
request_5xx_count_total{endpoint_name="e"} 1
cpu_usage_percentage{replica="1"} 10
cpu_usage_percentage{replica="2"} 30
request_latency_ms_bucket{le="10"} 30
request_latency_ms_bucket{le="20"} 60
request_latency_ms_bucket{le="+Inf"} 60
"""


def says(lab: Lab, text: str = EXPORTED, *, name: str = "", times: int | None = None) -> None:
    """From now on the workspace exports this."""
    path = rf"{name or '[^/]+'}/metrics$"
    lab.emulator.fault("status", status=200, body=text, match={"path": path}, times=times)


def asked(lab: Lab) -> int:
    """How often it was asked for metrics."""
    counts = lab.emulator.calls.document()["calls"]
    return sum(n for route, n in counts.items() if "metrics" in route or "no such route" in route)


def look(lab: Lab, seconds: float = 0) -> None:
    """Let `seconds` pass, then what a beat does."""
    lab.clock.forward(seconds)
    for pk in metric_samples.due_workspaces(lab.clock()):
        metric_samples.sample(pk, clock=lab.clock)


def watched(lab: Lab, number: int) -> list[Endpoint]:
    """So many endpoints, looked at now."""
    rows = lab.workspace.endpoints.exclude(status="stopped").filter(gone_at=None)
    found = list(rows.select_related("workspace").order_by("name")[:number])
    assert len(found) == number
    for endpoint in found:
        metric_samples.watch(endpoint, now=lab.clock())
    return found


@pytest.fixture
def read_lab(lab: Lab) -> Lab:
    """Read, at the beginning of a minute."""
    listed(lab)
    lab.clock.forward(45)
    return lab


# Once a minute ---------------------------------------------------------------------------------


def test_a_minute_is_asked_for_once_whatever_the_number_of_watchers(read_lab: Lab) -> None:
    says(read_lab)
    (endpoint,) = watched(read_lab, 1)
    for _ in range(50):
        metric_samples.watch(endpoint, now=read_lab.clock())
        look(read_lab)
    assert asked(read_lab) == 1
    for _ in range(12):
        look(read_lab, 5)
    assert asked(read_lab) == 2
    rows = MetricSample.objects.filter(endpoint=endpoint)
    assert [row.at for row in rows] == [read_lab.clock() - 2 * MINUTE, read_lab.clock() - MINUTE]


def test_two_workers_do_not_ask_for_the_same_minute(shared_lab: Lab) -> None:
    listed(shared_lab)
    says(shared_lab)
    watched(shared_lab, 5)
    pk = shared_lab.workspace.pk
    calls: list[Callable[[], Any]] = [
        lambda: metric_samples.sample(pk, clock=shared_lab.clock) for _ in range(4)
    ]
    assert at_once(*calls) == [None] * 4
    assert asked(shared_lab) == 5
    assert MetricSample.objects.count() == 5


def test_what_is_exported_becomes_a_row(read_lab: Lab) -> None:
    says(read_lab)
    watched(read_lab, 1)
    look(read_lab)
    row = MetricSample.objects.get()
    assert (row.requests, row.errors_4xx, row.errors_5xx) == (60, 2, 1)
    assert (row.cpu, row.memory, row.gpu, row.concurrency) == (20, None, None, None)
    assert row.latency == [[10, 30], [20, 60], [None, 60]]
    assert (row.answer, row.minutes, row.at) == ("", 1, read_lab.clock() - MINUTE)


def test_entities_that_a_label_tells_apart_have_rows_of_their_own(read_lab: Lab) -> None:
    (endpoint,) = watched(read_lab, 1)
    endpoint.entities = [{"name": "a-1"}, {"name": "b-1"}]
    endpoint.save(update_fields=["entities"])
    says(read_lab, 'request_count_total{what="a-1"} 5\nrequest_count_total{what="b-1"} 7\n')
    look(read_lab)
    assert dict(MetricSample.objects.values_list("entity", "requests")) == {
        "": 12,
        "a-1": 5,
        "b-1": 7,
    }


def test_what_the_emulated_workspace_exports_is_read_over_the_wire(read_lab: Lab) -> None:
    rows = read_lab.workspace.endpoints.filter(kind="custom", status="ready", idle=False)
    for endpoint in rows.select_related("workspace"):
        metric_samples.watch(endpoint, now=read_lab.clock())
    assert len(rows) >= 3
    read_lab.clock.forward(600)  # what is new exports nothing yet
    for _ in range(3):
        look(read_lab, 60)
    for endpoint in rows:
        samples = list(MetricSample.objects.filter(endpoint=endpoint, entity=""))
        assert [row.minutes for row in samples] == [1, 1, 1]
        assert {row.answer for row in samples} == {""}
        assert all(row.requests is not None for row in samples)
    busy = [row for row in MetricSample.objects.filter(entity="") if row.requests]
    assert busy
    for row in busy:
        assert row.cpu is not None
        assert 0 < row.cpu <= 100
        assert row.latency[-1] == [None, row.requests], "as many in the histogram as were counted"
        assert (row.errors_4xx or 0) + (row.errors_5xx or 0) <= (row.requests or 0)
    parted = MetricSample.objects.exclude(entity="").values_list("endpoint", "at").distinct()
    assert parted, "the label that tells entities apart is found"
    for endpoint_id, at in parted:
        rows_then = MetricSample.objects.filter(endpoint=endpoint_id, at=at)
        whole = rows_then.get(entity="").requests
        assert sum(row.requests or 0 for row in rows_then.exclude(entity="")) == whole


def test_gpus_export_their_own(read_lab: Lab) -> None:
    for endpoint in read_lab.workspace.endpoints.filter(kind="custom", status="ready"):
        metric_samples.watch(endpoint, now=read_lab.clock())
    look(read_lab, 600)
    assert MetricSample.objects.filter(gpu__gt=0, gpu_memory__gt=0).exists()
    assert MetricSample.objects.filter(gpu=None, cpu__gt=0).exists()


# What comes instead ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "options", "answer"),
    [
        ("status", {"status": 200, "body": ""}, "nothing"),
        ("status", {"status": 200, "body": "something_else 1\n"}, "nothing"),
        ("status", {"status": 200, "body": "<html>Sign in</html>"}, "Nonsense"),
        ("status", {"status": 200, "body": "a 1\n" * 60_000}, "Nonsense"),
        ("status", {"status": 403}, "PermissionDenied"),
        ("status", {"status": 404}, "DoesNotExist"),
        ("status", {"status": 500}, "Internal"),
        ("status", {"status": 429}, "Throttled"),
    ],
)
def test_what_came_instead_is_noted(
    read_lab: Lab, fault: str, options: dict[str, Any], answer: str
) -> None:
    watched(read_lab, 1)
    read_lab.emulator.fault(fault, match={"path": "/metrics$"}, **options)
    look(read_lab)
    row = MetricSample.objects.get()
    assert (row.answer, row.requests, row.latency) == (answer, None, None)


def test_an_endpoint_that_is_gone_at_databricks_says_so_until_it_is_gone_here(
    read_lab: Lab, behind_our_back: Any
) -> None:
    (endpoint,) = watched(read_lab, 1)
    behind_our_back(endpoint.name, remove=True)
    look(read_lab)
    assert MetricSample.objects.get().answer in ("DoesNotExist", "NotKnown")
    Endpoint.objects.filter(pk=endpoint.pk).update(gone_at=read_lab.clock())
    calls = asked(read_lab)
    look(read_lab, 60)
    assert asked(read_lab) == calls


def test_a_stopped_endpoint_is_not_asked(read_lab: Lab) -> None:
    says(read_lab)
    (endpoint,) = watched(read_lab, 1)
    Endpoint.objects.filter(pk=endpoint.pk).update(status="stopped")
    look(read_lab, 60)
    assert asked(read_lab) == 0
    assert not MetricSample.objects.exists()


def test_a_workspace_that_asks_for_less_is_left_alone_as_long_as_it_says(read_lab: Lab) -> None:
    watched(read_lab, 12)
    read_lab.emulator.fault(
        "status", status=429, retry_after=150, match={"path": "/metrics$"}, times=50
    )
    look(read_lab)
    calls = asked(read_lab)
    assert 1 <= calls <= metric_samples.AT_ONCE
    for number in (13, 14):
        watched(read_lab, number)  # also not for who is new
        look(read_lab, 60)
    assert asked(read_lab) == calls
    look(read_lab, 60)
    assert asked(read_lab) > calls


def test_a_workspace_that_rests_is_not_asked(read_lab: Lab) -> None:
    says(read_lab)
    watched(read_lab, 3)
    resting = {"error": "Throttled", "rest_until": read_lab.clock() + timedelta(seconds=90)}
    Workspace.objects.update(**resting)
    look(read_lab)
    assert asked(read_lab) == 0
    look(read_lab, 120)
    assert asked(read_lab) == 3


def test_a_slow_workspace_costs_a_few_calls_and_everybody_has_their_turn(
    read_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_samples, "SECONDS", 0.3)
    watched(read_lab, 12)
    read_lab.emulator.fault("latency", seconds=2, match={"path": "/metrics$"})
    look(read_lab)
    first = set(MetricSample.objects.values_list("endpoint_id", flat=True))
    assert len(first) < 12
    assert set(MetricSample.objects.values_list("answer", flat=True)) == {"TimedOut"}
    look(read_lab, 60)
    newest = MetricSample.objects.filter(at=read_lab.clock() - MINUTE)
    second = set(newest.values_list("endpoint_id", flat=True))
    assert second
    assert not first & second


def test_one_endpoint_without_an_answer_keeps_nobody_from_theirs(read_lab: Lab) -> None:
    names = [endpoint.name for endpoint in watched(read_lab, 8)]
    read_lab.emulator.fault("status", status=500, match={"path": f"/{names[0]}/metrics$"})
    says(read_lab)
    look(read_lab)
    answers = dict(MetricSample.objects.values_list("endpoint__name", "answer"))
    assert answers == dict.fromkeys(names, "") | {names[0]: "Internal"}


# Who -------------------------------------------------------------------------------------------


def test_nobody_watches_so_nothing_is_asked(read_lab: Lab) -> None:
    look(read_lab, 60)
    assert asked(read_lab) == 0


def test_who_has_not_been_looked_at_for_a_day_is_not_asked_unless_kept(
    read_lab: Lab, otto: User
) -> None:
    says(read_lab)
    first, second = watched(read_lab, 2)
    metric_samples.keep(second, True, by=otto, now=read_lab.clock())
    read_lab.clock.forward(86_460)
    look(read_lab)
    assert [row.endpoint_id for row in MetricSample.objects.all()] == [second.pk]
    metric_samples.watch(first, now=read_lab.clock())
    look(read_lab)
    assert asked(read_lab) == 2


def test_keeping_is_recorded_and_said_once(read_lab: Lab, otto: User) -> None:
    (endpoint,) = watched(read_lab, 1)
    for on in (True, True, False, False):
        metric_samples.keep(endpoint, on, by=otto, now=read_lab.clock())
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name"))
    assert actions == [("metrics kept", "Otto"), ("metrics no longer kept", "Otto")]


def test_a_hundred_are_asked_kept_ones_first(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_samples, "MOST", 3)
    says(read_lab)
    found = watched(read_lab, 6)
    metric_samples.keep(found[5], True, by=otto, now=read_lab.clock())
    MetricWatch.objects.filter(endpoint=found[2]).update(watched_at=read_lab.clock() - MINUTE)
    for _ in range(3):
        look(read_lab, 20)
    sampled = set(MetricSample.objects.values_list("endpoint_id", flat=True))
    assert sampled == {found[5].pk, found[0].pk, found[1].pk}
    for endpoint in found[:2]:
        metric_samples.keep(endpoint, True, by=otto, now=read_lab.clock())
    with pytest.raises(metric_samples.TooMany):
        metric_samples.keep(found[2], True, by=otto, now=read_lab.clock())


def test_asking_who_is_due_is_one_query(read_lab: Lab, django_assert_num_queries: Any) -> None:
    watched(read_lab, 8)
    with django_assert_num_queries(1):
        assert metric_samples.due_workspaces(read_lab.clock()) == {read_lab.workspace.pk}


def test_a_minute_of_many_endpoints_is_written_in_few_statements(
    read_lab: Lab, django_assert_max_num_queries: Any
) -> None:
    says(read_lab)
    watched(read_lab, 12)
    with django_assert_max_num_queries(20):
        metric_samples.sample(read_lab.workspace.pk, clock=read_lab.clock)
    assert MetricSample.objects.count() == 12


# What is late, and what is old ------------------------------------------------------------------


def test_what_comes_too_late_to_be_rolled_up_is_a_gap(read_lab: Lab) -> None:
    """In every chart: not in that of an hour alone, because longer ones are made already."""
    says(read_lab)
    watched(read_lab, 2)
    asked_for = []

    def clock() -> datetime:
        asked_for.append(read_lab.clock())
        stuck = timedelta(minutes=20) if len(asked_for) > 3 else timedelta()  # then it is saved
        return read_lab.clock() + stuck

    metric_samples.sample(read_lab.workspace.pk, clock=clock)
    assert asked(read_lab) == 2
    assert not MetricSample.objects.exists()
    look(read_lab, 60)
    assert MetricSample.objects.count() == 2


def test_metrics_are_forgotten_after_their_days(read_lab: Lab, settings: Any, otto: User) -> None:
    settings.METRICS_DAYS = 14
    endpoint, other = watched(read_lab, 2)
    metric_samples.keep(other, True, by=otto, now=read_lab.clock())
    start = read_lab.clock() - 10 * MINUTE
    MetricSample.objects.bulk_create(
        MetricSample(endpoint=endpoint, at=start + i * MINUTE, requests=i) for i in range(10)
    )
    history.prune(now=read_lab.clock() + timedelta(days=13))
    assert MetricSample.objects.count() == 10
    assert MetricWatch.objects.count() == 2
    history.prune(now=read_lab.clock() + timedelta(days=14, minutes=1))
    assert not MetricSample.objects.exists()
    assert [watch.endpoint_id for watch in MetricWatch.objects.all()] == [other.pk]
