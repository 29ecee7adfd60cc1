"""A click is kept whatever the queue does; the queue's messages are only nudges."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from dashboard.celery import app
from endpoints_app import tasks
from endpoints_app.domain.lifecycle import OperationKind, State
from endpoints_app.models import MetricSample, Operation, Workspace
from endpoints_app.services import clients, metric_samples
from endpoints_app.services.operations import NotOffered
from tests.conftest import Lab, make_user
from tests.services.conftest import Desk, listed
from tests.silence import silent_server


@pytest.fixture(autouse=True)
def _the_broker_has_rested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_broker_rests_until", 0.0)


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The operations that workers were told of."""
    told: list[int] = []

    def publish(args: tuple[int], **options: Any) -> None:
        assert options["retry"] is False
        assert options["expires"] <= 60
        told.append(*args)

    monkeypatch.setattr(tasks.advance_operation, "apply_async", publish)
    return told


def submit(desk: Desk, actor: User, name: str = "customer-ltv") -> Operation:
    endpoint = desk.lab.endpoint(name)
    return tasks.submit(endpoint, OperationKind.STOP, actor=actor, now=desk.clock(), stale=False)


# When the broker is told -----------------------------------------------------------------------


def test_a_worker_is_nudged_after_the_commit_and_not_before(
    shared_lab: Lab, nudged: list[int]
) -> None:
    listed(shared_lab)
    desk, otto = Desk(shared_lab), make_user("otto", "operator")

    with transaction.atomic():
        operation = submit(desk, otto)
        assert nudged == []
    assert nudged == [operation.pk]


def test_what_is_rolled_back_nudges_nobody(shared_lab: Lab, nudged: list[int]) -> None:
    listed(shared_lab)
    desk, otto = Desk(shared_lab), make_user("otto", "operator")

    with transaction.atomic():
        submit(desk, otto)
        transaction.set_rollback(True)

    assert nudged == []
    assert not Operation.objects.exists()


def test_what_is_not_offered_nudges_nobody(
    desk: Desk,
    otto: User,
    nudged: list[int],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(NotOffered):
        submit(desk, otto, "gpt-4o-proxy")

    assert nudged == []


# When the broker does not answer ---------------------------------------------------------------


@contextmanager
def broker_at(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as m:
        m.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")
        m.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
        app.amqp._producer_pool = None
        app._pool = None
        yield
    app.amqp._producer_pool = None
    app._pool = None


@pytest.mark.parametrize("broker", ["refuses", "is silent"])
def test_with_the_broker_gone_a_click_is_kept_and_answered_within_a_second(
    desk: Desk,
    otto: User,
    monkeypatch: pytest.MonkeyPatch,
    broker: str,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with (
        silent_server() as (silent, _),
        broker_at(1 if broker == "refuses" else silent, monkeypatch),
    ):
        began = time.monotonic()
        with django_capture_on_commit_callbacks(execute=True):
            operation = submit(desk, otto)
        took = time.monotonic() - began

        again = time.monotonic()
        with django_capture_on_commit_callbacks(execute=True):
            submit(desk, otto, "basket-recommender")
        took_again = time.monotonic() - again
        assert tasks._broker_rests_until > began, "the broker was asked, and failed"

    operation.refresh_from_db()
    assert operation.known_state is State.QUEUED
    assert operation in Operation.objects.due(desk.clock.now), "the look-up will find it"
    assert took < 1
    assert took_again < 0.2, "a broker that just failed is not asked again at once"


def test_a_broker_that_fails_in_an_unforeseen_way_does_not_fail_the_click(
    shared_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(shared_lab)
    desk, otto = Desk(shared_lab), make_user("otto", "operator")

    def burst(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of the blue")

    monkeypatch.setattr(tasks.advance_operation, "apply_async", burst)

    assert submit(desk, otto).known_state is State.QUEUED


# What workers are told -------------------------------------------------------------------------


def test_the_look_up_hands_out_what_is_due_and_nothing_else(
    desk: Desk, otto: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(
        tasks.advance_operation, "apply_async", lambda args, **_: told.append(*args)
    )
    due = desk.ask("stop", "customer-ltv", otto)
    resting = desk.look(desk.ask("stop", "basket-recommender", otto))
    over = desk.look(desk.ask("stop", "card-ocr-v1", otto))
    assert (resting.known_state, over.known_state) == (State.SENT, State.CONFIRMED)
    monkeypatch.setattr(tasks.timezone, "now", desk.clock)

    tasks.look_at_operations()

    assert told == [due.pk]


def test_the_look_up_makes_the_workspaces_of_the_settings_and_hands_them_out(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(tasks.sync_workspace, "apply_async", lambda args, **_: told.append(*args))
    settings.WORKSPACES = ["lab", "other"]

    tasks.look_at_workspaces()

    assert sorted(told) == sorted(Workspace.objects.values_list("pk", flat=True))
    assert len(told) == 2


def test_the_look_at_metrics_hands_out_the_workspaces_whose_minute_has_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(tasks.sample_metrics, "apply_async", lambda args, **_: told.append(*args))
    monkeypatch.setattr(tasks.timezone, "now", desk.clock)

    tasks.look_at_metrics()
    assert told == []

    metric_samples.watch(desk.lab.endpoint("customer-ltv"), now=desk.clock())
    tasks.look_at_metrics()
    assert told == [desk.lab.workspace.pk]

    tasks.sample_metrics(*told)
    assert MetricSample.objects.count() == 1
    tasks.look_at_metrics()
    assert len(told) == 1, "not before the next minute"


def test_metrics_are_the_work_of_the_worker_that_syncs(settings: Any) -> None:
    """A click never waits for them."""
    ours = {"look at metrics", "roll up metrics"}
    assert ours <= settings.CELERY_BEAT_SCHEDULE.keys()
    for name in ours:
        assert settings.CELERY_BEAT_SCHEDULE[name]["task"] not in settings.CELERY_TASK_ROUTES
    assert tasks.sample_metrics.name not in settings.CELERY_TASK_ROUTES
    assert settings.CELERY_TASK_DEFAULT_QUEUE == "sync"


def test_old_messages_with_more_in_them_than_we_know_are_understood(db: None) -> None:
    tasks.advance_operation(4711, asked_by="a newer version")
    tasks.sync_workspace(4711, hurry=True)


# The first click -------------------------------------------------------------------------------


def test_a_worker_signs_in_before_the_first_click(lab: Lab) -> None:
    clients.warm()

    deadline = time.monotonic() + 10
    while not lab.emulator.calls.counts["GET /.well-known/databricks-config"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_sign_in_ahead_of_time_that_fails_disturbs_nobody(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSPACE_LAB_TOKEN", "")

    clients.warm()  # an exception in its thread would be a warning, and fail this test
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join(10)
