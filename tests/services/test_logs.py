"""Logs: read once for all who look, and kept before they are gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.domain.lifecycle import State
from endpoints_app.domain.logs import Log
from endpoints_app.domain.masking import MASK
from endpoints_app.models import Endpoint, LogSnapshot
from endpoints_app.services import activity, detail, history, logs, operations
from endpoints_app.services.logs import Wanted
from tests.conftest import Lab
from tests.services.conftest import Desk, at_once, listed


def says(lab: Lab, text: str, *, name: str = "", log: str = "") -> None:
    """From now on the workspace answers with this text wherever it is asked for logs."""
    path = rf"{name}/served-models/[^/]+/{log or '(build-)?logs'}$"
    lab.emulator.fault("status", status=200, body={"logs": text}, match={"path": path})


def asked(lab: Lab) -> int:
    """How often it was."""
    counts = lab.emulator.calls.document()["calls"]
    return sum(n for route, n in counts.items() if "logs" in route or "no such route" in route)


def custom(lab: Lab, *, pending: bool = False) -> Endpoint:
    rows = lab.workspace.endpoints.filter(kind="custom", gone_at=None, document__isnull=False)
    if pending:
        rows = rows.filter(config_update="UPDATE_FAILED", pending_version__isnull=False)
    else:
        rows = rows.filter(status="ready", pending_version=None)
    found = rows.select_related("workspace").order_by("name").first()
    assert found is not None
    return found


def server_log(endpoint: Endpoint) -> Wanted:
    return Wanted(endpoint, logs.choices(endpoint)[0], Log.SERVER)


@pytest.fixture
def read_lab(lab: Lab) -> Lab:
    lab.settle()
    return lab


@pytest.fixture
def local_cache(settings: Any) -> None:
    """A cache that answers: what is shared is shared through it."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def test_fifty_readers_cost_one_call_per_log_and_three_seconds(
    shared_lab: Lab, local_cache: None
) -> None:
    shared_lab.settle()
    says(shared_lab, "one\n")
    wanted = server_log(custom(shared_lab))
    now = shared_lab.clock()
    first = logs.tail(wanted, now=now)
    answers = at_once(*[lambda: logs.tail(wanted, now=now) for _ in range(50)])
    assert {answer.value.text for answer in answers} == {"one\n"}
    assert asked(shared_lab) == 1
    later = now + timedelta(seconds=3)
    answers = at_once(*[lambda: logs.tail(wanted, now=later) for _ in range(50)])
    assert {answer.value for answer in answers} == {first.value}
    assert asked(shared_lab) == 2


def test_a_log_has_its_own_copy_for_each_entity_version_and_kind(
    read_lab: Lab, local_cache: None
) -> None:
    endpoint = custom(read_lab, pending=True)
    wanted = [Wanted(endpoint, it, log) for it in logs.choices(endpoint) for log in Log]
    assert len({one.key for one in wanted}) == len(wanted) >= 2


def test_credentials_are_masked_before_anything_is_shared(read_lab: Lab, local_cache: None) -> None:
    says(read_lab, "DB_PASSWORD=hunter2\n")
    wanted = server_log(custom(read_lab))
    copy = logs.tail(wanted, now=read_lab.clock())
    assert copy.value is not None
    assert copy.value.text == f"DB_PASSWORD={MASK}\n"
    assert "hunter2" not in str(cache.get(wanted.key))
    with logs.whole(wanted) as file:
        assert file.read().decode() == f"DB_PASSWORD={MASK}\n"


def test_what_one_reads_first_is_why_an_entity_did_not_come_up(read_lab: Lab) -> None:
    endpoint = custom(read_lab, pending=True)
    first = logs.first_choice(logs.choices(endpoint))
    assert first is not None
    assert (first[0].config, first[0].failing, first[1]) == ("pending", True, Log.BUILD)
    first = logs.first_choice(logs.choices(custom(read_lab)))
    assert first is not None
    assert (first[0].config, first[1]) == ("active", Log.SERVER)


def test_of_several_that_did_not_come_up_the_one_that_failed_is_read(read_lab: Lab) -> None:
    """Databricks aborts the entities beside it; and what serves is not what was changed."""

    def entity(name: str, deployment: str) -> dict[str, Any]:
        return {"name": name, "state": {"deployment": f"DEPLOYMENT_{deployment}"}}

    endpoint = custom(read_lab, pending=True)
    entities = [entity("a", "ABORTED"), entity("culprit", "FAILED"), entity("z", "ABORTED")]
    endpoint.document = {
        "name": endpoint.name,
        "config": {"config_version": 1, "served_entities": [entity("old", "FAILED")]},
        "pending_config": {"config_version": 2, "served_entities": entities},
    }
    first = logs.first_choice(logs.choices(endpoint))
    assert first is not None
    assert (first[0].entity, first[0].version, first[1]) == ("culprit", 2, Log.BUILD)
    shown = detail.configurations(endpoint)
    assert shown is not None
    assert shown.failing is not None
    assert shown.failing.name == "culprit", "the page names the one whose log it leads to"


# Kept ------------------------------------------------------------------------------------------


def test_the_logs_of_a_failed_update_are_kept_once(read_lab: Lab) -> None:
    says(read_lab, "ERROR: no matching distribution\ntoken=abc\n")
    endpoint = custom(read_lab, pending=True)
    logs.keep_failures(now=read_lab.clock())
    kept = LogSnapshot.objects.filter(endpoint=endpoint)
    assert {snapshot.log for snapshot in kept} == {"build", "server"}
    assert {snapshot.config_version for snapshot in kept} == {endpoint.pending_version}
    assert kept[0].text == f"ERROR: no matching distribution\ntoken={MASK}\n"
    for _ in range(5):  # the other failures have their turn
        logs.keep_failures(now=read_lab.clock())
    calls, number = asked(read_lab), LogSnapshot.objects.count()
    logs.keep_failures(now=read_lab.clock())
    assert (asked(read_lab), LogSnapshot.objects.count()) == (calls, number)


def test_a_failure_that_does_not_answer_is_asked_again_and_then_noted(read_lab: Lab) -> None:
    endpoint = custom(read_lab, pending=True)
    read_lab.workspace.endpoints.exclude(pk=endpoint.pk).update(config_update="")
    endpoint.status_since = read_lab.clock()
    endpoint.save(update_fields=["status_since"])
    read_lab.emulator.fault("status", status=504, match={"path": "served-models"})
    logs.keep_failures(now=read_lab.clock())
    assert not LogSnapshot.objects.exists()
    logs.keep_failures(now=read_lab.clock() + logs.PATIENCE * 2)
    assert {s.problem for s in LogSnapshot.objects.all()} == {"Gateway"}


def test_before_a_stop_is_sent_every_log_is_kept(read_lab: Lab, otto: User) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    says(read_lab, "last words\n", name=endpoint.name)
    operation = desk.look(desk.ask("stop", endpoint.name, otto))
    assert operation.known_state is State.SENT
    kept = LogSnapshot.objects.filter(operation=operation)
    assert {(s.log, s.text) for s in kept} == {
        ("build", "last words\n"),
        ("server", "last words\n"),
    }
    calls = asked(read_lab)
    desk.look(operation, 2)
    assert asked(read_lab) == calls, "they are kept once"


def test_what_was_kept_outlives_the_endpoint_and_is_in_its_timeline(
    read_lab: Lab, mika: User
) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    says(read_lab, "last words\n", name=endpoint.name)
    operation = desk.look_until_settled(desk.ask("delete", endpoint.name, mika))
    assert operation.known_state is State.CONFIRMED
    endpoint.refresh_from_db()
    assert endpoint.gone_at is not None
    timeline = activity.latest(endpoint, now=desk.clock())
    kept = [entry.kept for entry in timeline if entry.kept]
    assert len(kept) == 1
    texts = LogSnapshot.objects.filter(pk__in=[snapshot.pk for snapshot in kept[0]])
    assert set(texts.values_list("text", flat=True)) == {"last words\n"}


def test_logs_that_hang_delay_a_stop_by_no_more_than_their_own_deadline(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "BEFORE_SECONDS", 0.4)
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    read_lab.emulator.fault("latency", seconds=3, match={"path": "served-models"})
    operation = desk.ask("stop", endpoint.name, otto)
    started = time.monotonic()
    assert desk.look(operation).known_state is State.SENT
    assert time.monotonic() - started < 1.5
    assert {s.problem for s in LogSnapshot.objects.filter(operation=operation)} == {"TimedOut"}


def test_the_logs_are_asked_for_all_at_once_and_while_the_endpoint_is_read(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    all_under_way = threading.Barrier(2 * len(logs.choices(endpoint)) + 1)

    def together(read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **options: Any) -> Any:
            all_under_way.wait(10)
            return read(*args, **options)

        return reading

    monkeypatch.setattr(logs, "_read", together(logs._read))
    monkeypatch.setattr(operations, "_read", together(operations._read))
    operation = desk.look(desk.ask("stop", endpoint.name, otto))
    assert operation.known_state is State.SENT
    assert not LogSnapshot.objects.filter(operation=operation).exclude(problem="").exists()


def test_they_are_kept_before_it_is_sent_and_with_what_says_so(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    operation = desk.ask("stop", endpoint.name, otto)
    send, known = operations._send, []

    def sending(*args: Any) -> Any:
        operation.refresh_from_db()
        known.append((operation.known_state, operation.log_snapshots.count()))
        return send(*args)

    monkeypatch.setattr(operations, "_send", sending)
    desk.look(operation)
    assert known == [(State.SENDING, 2 * len(logs.choices(endpoint)))]


def test_between_the_claim_and_the_sending_it_writes_once(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction is a wait for its turn, and a click waits for all of them."""
    desk = Desk(read_lab)
    operation = desk.ask("stop", custom(read_lab).name, otto)
    send, said = operations._send, []

    def sending(*args: Any) -> Any:
        said.extend(query["sql"] for query in captured)
        return send(*args)

    monkeypatch.setattr(operations, "_send", sending)
    with CaptureQueriesContext(connection) as captured:
        desk.look(operation)
    begin = next(i for i, sql in enumerate(said) if sql.startswith("SAVEPOINT"))
    writes = [i for i, sql in enumerate(said) if sql.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert [i for i in writes if i < begin] == [0], "the claim"
    assert said[-1].startswith("RELEASE"), "all others are in the one that says it is being sent"
    assert len(said) <= 21


def test_what_is_not_sent_keeps_nothing(read_lab: Lab, otto: User) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    read_lab.emulator.fault("status", status=500, match={"path": f"/{endpoint.name}$"}, times=1)
    operation = desk.look(desk.ask("stop", endpoint.name, otto))
    assert operation.known_state is State.QUEUED
    assert not LogSnapshot.objects.exists(), "they would be old when it is sent"

    says(read_lab, "last words\n", name=endpoint.name)
    desk.look(operation, 1)
    assert operation.known_state is State.SENT
    kept = LogSnapshot.objects.filter(operation=operation)
    assert {(s.text, s.taken_at) for s in kept} == {("last words\n", desk.clock.now)}


def test_logs_that_cannot_be_written_prevent_no_stop(
    read_lab: Lab, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(LogSnapshot.objects, "bulk_create", full)
    desk = Desk(read_lab)
    operation = desk.look(desk.ask("stop", custom(read_lab).name, otto))
    assert operation.known_state is State.SENT


def test_logs_that_are_refused_prevent_no_stop(read_lab: Lab, otto: User) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    read_lab.emulator.fault("status", status=403, match={"path": "served-models"})
    operation = desk.look(desk.ask("stop", endpoint.name, otto))
    assert operation.known_state is State.SENT


def test_a_start_keeps_nothing_and_what_was_never_read_has_nothing_to_keep(
    lab: Lab, otto: User
) -> None:
    listed(lab)
    desk = Desk(lab)
    endpoint = lab.workspace.endpoints.filter(kind="custom", status="ready").first()
    assert endpoint is not None
    desk.look(desk.ask("stop", endpoint.name, otto))
    assert not LogSnapshot.objects.exists()


def test_a_kept_log_is_the_last_part_of_it(read_lab: Lab, otto: User) -> None:
    desk = Desk(read_lab)
    endpoint = custom(read_lab)
    text = "".join(f"line {i}\n" for i in range(60_000))
    says(read_lab, text, name=endpoint.name, log="logs")
    operation = desk.look(desk.ask("stop", endpoint.name, otto))
    kept = LogSnapshot.objects.filter(operation=operation, log="server")[0]
    assert len(kept.text) <= logs.SNAPSHOT
    assert kept.text.endswith("line 59999\n")
    assert kept.skipped + kept.lines == 60_000


def test_kept_logs_are_forgotten_after_their_days(read_lab: Lab, settings: Any) -> None:
    says(read_lab, "x\n")
    logs.keep_failures(now=read_lab.clock())
    assert LogSnapshot.objects.exists()
    day = timedelta(days=1)
    history.prune(now=read_lab.clock() + settings.LOG_SNAPSHOT_DAYS * day - day)
    assert LogSnapshot.objects.exists()
    history.prune(now=read_lab.clock() + settings.LOG_SNAPSHOT_DAYS * day + day)
    assert not LogSnapshot.objects.exists()
