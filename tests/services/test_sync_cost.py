"""What a cycle asks of the database: little when nothing is new, and batches when much is."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.emulator import Running, serving
from endpoints_app.models import Endpoint, StatusChange
from endpoints_app.services import live, looks, readings, sync
from tests.conftest import Clock, Lab
from tests.services.conftest import ALL, BASE, GET, ONE, at_once, listed

MARKS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def shown(lab: Lab) -> Lab:
    listed(lab)
    return lab


@pytest.fixture
def known(lab: Lab) -> Lab:
    """Each was looked at, and no look is due."""
    lab.settle()
    lab.workspace.endpoints.update(next_look_at=None)
    return lab


@pytest.fixture
def thousand(lab: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The workspace with as many endpoints as Databricks allows, of which none moves by itself or
    is to be looked at."""
    with serving(endpoints=1000, clock=lambda: clock.now.timestamp()) as emulator:
        monkeypatch.setenv("WORKSPACE_LAB_HOST", emulator.url)
        monkeypatch.setenv("WORKSPACE_LAB_TOKEN", emulator.token)
        monkeypatch.setattr(sync, "LOOKS_PER_CYCLE", 0)
        monkeypatch.setattr(live, "PAUSE", 0)
        large = Lab(emulator, clock)
        large.clock.forward(7200)
        emulator.fault("lie", match=ALL, set={"state": {"ready": "READY"}})
        large.sync()
        assert large.workspace.endpoints.count() == 1000
        large.workspace.endpoints.update(next_look_at=None)
        yield large


def statements(lab: Lab) -> list[str]:
    """Of one cycle, without the marks of transactions."""
    lab.clock.forward(15)
    with CaptureQueriesContext(connection) as captured:
        sync.sync(lab.workspace.pk, clock=lab.clock)
    return [query["sql"] for query in captured if not query["sql"].startswith(MARKS)]


def tag(workspace: Running, name: str, value: str) -> None:
    answer = requests.patch(
        f"{workspace.url}{BASE}/{name}/tags",
        json={"add_tags": [{"key": "seen", "value": value}]},
        headers={"Authorization": f"Bearer {workspace.token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text


# The list --------------------------------------------------------------------------------------


def test_a_cycle_without_news_is_four_statements(shown: Lab) -> None:
    """Taking the workspace, reading it, what is known of its endpoints, the answer noted."""
    before = live.read_head().revision

    said = statements(shown)

    assert len(said) == 4
    assert [sql for sql in said if sql.startswith(("INSERT", "DELETE"))] == []
    assert live.read_head().revision == before


def test_it_is_four_for_a_thousand_endpoints_too(thousand: Lab) -> None:
    before = live.read_head().revision

    assert len(statements(thousand)) == 4

    assert live.read_head().revision == before
    thousand.workspace.refresh_from_db()
    assert thousand.workspace.observed_at == thousand.clock.now, "and yet it was read"


def test_a_list_that_is_the_last_one_to_the_byte_is_not_read_again(
    thousand: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    listed_items = sync.Listing.read

    def noted(listing: sync.Listing) -> tuple[sync.wire.Listed, ...]:
        read.append(len(listing.body))
        return listed_items(listing)

    monkeypatch.setattr(sync.Listing, "read", noted)
    thousand.sync()
    assert read == []
    assert thousand.workspace.observed_at == thousand.clock.now

    name = thousand.workspace.endpoints.order_by("name").values_list("name", flat=True)[17]
    thousand.workspace.endpoints.filter(name=name).update(fingerprint="", status="unknown")
    thousand.sync()
    assert len(read) == 1, "but where a row is not what it says"
    assert thousand.endpoint(name).status == "ready"

    sync.forget()
    before = live.read_head().revision
    thousand.sync()
    assert len(read) == 2, "and a new process reads it once"
    assert live.read_head().revision == before


def test_of_what_is_as_it_was_no_more_is_read_than_the_name(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    parse = sync.wire.Listed.read

    def noted(item: sync.wire.Listed) -> sync.wire.Endpoint:
        read.append(item.name)
        return parse(item)

    monkeypatch.setattr(sync.wire.Listed, "read", noted)
    shown.emulator.fault("lie", match=ALL, set={"description": "new words"}, of="customer-ltv")
    shown.sync()

    moving = set(shown.workspace.endpoints.filter(updating=True).values_list("name", flat=True))
    assert set(read) - moving == {"customer-ltv"}


def test_statements_grow_with_batches_and_only_what_changed_is_written(thousand: Lab) -> None:
    names = list(thousand.workspace.endpoints.order_by("name").values_list("name", flat=True))
    said: dict[int, int] = {}
    for number in (1, 10, 100, 1000):
        if number == 1000:
            thousand.emulator.fault("lie", match=ALL, set={"description": "new words"})
        else:
            for name in names[:number]:
                tag(thousand.emulator, name, f"with {number}")
        before = live.read_head().revision
        others = thousand.workspace.endpoints.filter(name__in=names[number:]).order_by("pk")
        untouched = list(others.values())

        said[number] = len(statements(thousand))

        written = thousand.workspace.endpoints.filter(revision__gt=before)
        assert set(written.values_list("name", flat=True)) == set(names[:number])
        assert list(others.values()) == untouched

    assert said[1] == said[10] == said[100] <= 12
    assert 1000 / readings.BATCH == 4
    assert said[1000] <= said[1] + 3 * 7, "of each batch more: a lock, a lease, a read, a write …"


def test_a_list_leaves_the_documents_where_they_are(
    known: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "LOOKS_PER_CYCLE", 0)
    before = known.endpoint("customer-ltv")
    assert before.document
    known.emulator.fault("lie", match=ALL, set={"description": "new words"}, of="customer-ltv")

    said = statements(known)

    after = known.endpoint("customer-ltv")
    assert after.revision > before.revision
    assert after.document == before.document
    assert (after.document_at, after.entities) == (before.document_at, before.entities)
    assert not [sql for sql in said if sql.startswith("SELECT") and '"document"' in sql]


def test_one_batch_after_the_other_nobody_s_answer_is_claimed_before_it_is_written(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that loses its lease, or dies, between two batches: the rows that are written are
    right, and the workspace is not said to have been read."""
    monkeypatch.setattr(readings, "BATCH", 6)
    monkeypatch.setattr(live, "PAUSE", 0)
    save, saved = readings.save, []

    def save_and_oversleep(*what: Any) -> None:
        save(*what)
        saved.append(what)
        if len(saved) == 2:
            later = lab.clock.forward(60)
            lab.workspace.__class__.objects.lease(
                lab.workspace.pk, token="another", now=later, until=later + sync.LEASE
            )

    with monkeypatch.context() as m:
        m.setattr(readings, "save", save_and_oversleep)
        lab.sync()

    assert lab.workspace.endpoints.count() == 12
    assert lab.workspace.observed_at is None
    assert lab.workspace.lease_token == "another"

    lab.sync(seconds=60)
    assert lab.workspace.endpoints.count() == 24
    assert lab.workspace.observed_at == lab.clock.now
    assert StatusChange.objects.filter(was="").count() == 24, "each was met once"


def test_between_two_batches_whoever_waits_gets_in(
    shared_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "BATCH", 3)
    monkeypatch.setattr(sync, "LOOKS_PER_CYCLE", 0)
    save = readings.save
    writing = threading.Event()
    found: list[int] = []

    def save_slowly(*what: Any) -> None:
        save(*what)
        writing.set()
        time.sleep(0.05)

    def click() -> None:
        writing.wait(10)
        with live.writing():
            found.append(Endpoint.objects.count())

    monkeypatch.setattr(readings, "save", save_slowly)
    results = at_once(lambda: sync.sync(shared_lab.workspace.pk, clock=shared_lab.clock), click)

    assert results == [None, None]
    assert Endpoint.objects.count() == 24
    assert found[0] <= 9


# The lease -------------------------------------------------------------------------------------


def test_the_lease_is_given_back_with_the_answer(shown: Lab) -> None:
    workspace = shown.sync()

    assert (workspace.lease_token, workspace.lease_until) == ("", None)
    assert workspace.rest_until is not None
    assert workspace.observed_at == shown.clock.now
    assert shown.sync().observed_at == shown.clock.now, "and the next cycle has it"


def test_a_look_that_is_due_keeps_it(shown: Lab, emulator: Running) -> None:
    shown.workspace.endpoints.filter(name="churn").update(next_look_at=shown.clock.now)
    emulator.calls.clear()

    workspace = shown.sync()

    assert emulator.calls.counts[GET] == 1
    assert (workspace.lease_token, workspace.lease_until) == ("", None)


# Looks -----------------------------------------------------------------------------------------


def due(lab: Lab, number: int) -> list[str]:
    """Make the looks at so many due that are not in transition, and none else."""
    lab.workspace.endpoints.update(next_look_at=None)
    quiet = lab.workspace.endpoints.filter(updating=False).order_by("name")
    names = list(quiet.values_list("name", flat=True)[:number])
    assert len(names) == number
    quiet.filter(name__in=names).update(next_look_at=lab.clock.now)
    lab.workspace.__class__.objects.update(next_list_at=lab.clock.now + timedelta(days=1))
    lab.emulator.calls.clear()
    return names


def test_ten_first_looks_are_as_many_statements_as_one(shown: Lab) -> None:
    said = {}
    for number in (1, 10):
        shown.workspace.endpoints.update(document=None, document_at=None, config_digest="")
        before = live.read_head().revision
        names = due(shown, number)
        said[number] = len(statements(shown))
        assert shown.emulator.calls.counts[GET] == number
        read = shown.workspace.endpoints.filter(document__isnull=False)
        assert set(read.values_list("name", flat=True)) == set(names)
        written = shown.workspace.endpoints.filter(revision__gt=before)
        assert set(written.values_list("name", flat=True)) == set(names)

    assert said[10] <= said[1] + 1 <= 18
    # One finds its config version already kept, of ten some are new.


def test_ten_looks_without_news_are_as_many_statements_as_one(known: Lab) -> None:
    before = live.read_head().revision
    said = []
    for number in (1, 10):
        due(known, number)
        said.append(len(statements(known)))
        assert known.emulator.calls.counts[GET] == number

    assert said == [8, 8], "the lease, the workspace, its endpoints; lock, lease, rows, times; rest"
    assert live.read_head().revision == before
    assert not known.workspace.endpoints.filter(next_look_at__isnull=False).exists()


def test_ten_that_prove_nothing_are_as_many_statements_as_one(shown: Lab) -> None:
    shown.emulator.fault("status", match=ONE, status=403)
    said = []
    for number in (1, 10):
        due(shown, number)
        said.append(len(statements(shown)))

    assert said == [8, 8]


def test_what_a_look_brought_waits_half_a_second_for_others(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.workspace.endpoints.update(document=None, document_at=None)
    due(shown, 10)
    get = sync.WorkspaceClient.get_endpoint
    written: list[int] = []

    def slowly(self: sync.WorkspaceClient, name: str, *, deadline: float) -> Any:
        written.append(shown.workspace.endpoints.filter(document__isnull=False).count())
        assert connection.savepoint_ids == [], "nor does anything wait for the workspace"
        shown.clock.forward(0.2)
        return get(self, name, deadline=deadline)

    with monkeypatch.context() as m:
        m.setattr(sync.WorkspaceClient, "get_endpoint", slowly)
        shown.sync(seconds=1)

    assert written == [0, 0, 0, 0, 4, 4, 4, 4, 8, 8]
    assert shown.workspace.endpoints.filter(document__isnull=False).count() == 10


@pytest.mark.parametrize("trouble", ["throttled", "a mistake of ours"])
def test_what_was_read_before_trouble_is_kept(
    shown: Lab, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    shown.workspace.endpoints.update(document=None, document_at=None)
    names = due(shown, 5)
    get = sync.WorkspaceClient.get_endpoint

    def until_the_fourth(self: sync.WorkspaceClient, name: str, *, deadline: float) -> Any:
        if name == names[3]:
            if trouble == "throttled":
                raise sync.errors.Throttled("Slow down.", status=429, retry_after=30)
            raise ZeroDivisionError
        return get(self, name, deadline=deadline)

    with monkeypatch.context() as m:
        m.setattr(sync.WorkspaceClient, "get_endpoint", until_the_fourth)
        if trouble == "throttled":
            shown.sync(seconds=1)
        else:
            with pytest.raises(ZeroDivisionError):
                shown.sync(seconds=1)

    read = shown.workspace.endpoints.filter(document__isnull=False)
    assert set(read.values_list("name", flat=True)) == set(names[:3])
    left = shown.workspace.endpoints.filter(next_look_at__isnull=False)
    assert {*names[3:]} <= set(left.values_list("name", flat=True))


def test_what_a_dying_worker_took_with_it_is_read_again(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.workspace.endpoints.update(document=None, document_at=None)
    names = due(shown, 3)

    def die(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as m:
        m.setattr(looks, "write", die)
        with pytest.raises(SystemExit):
            shown.sync(seconds=1)
    assert not shown.workspace.endpoints.filter(document__isnull=False).exists()

    shown.sync(seconds=2)
    read = shown.workspace.endpoints.filter(document__isnull=False)
    assert set(read.values_list("name", flat=True)) == set(names)
    assert shown.emulator.calls.counts[GET] == 6


# Memory ----------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_cycles(shown: Lab) -> None:
    for _ in range(5):
        shown.sync()
    tracemalloc.start()
    try:
        shown.sync()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            shown.sync()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 200_000, "a cycle that keeps its documents would have kept megabytes"
