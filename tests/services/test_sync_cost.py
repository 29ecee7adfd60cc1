"""What a cycle asks of the database: little when nothing is new, and batches when much is."""

from __future__ import annotations

import tracemalloc

import pytest
import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.emulator import Running
from endpoints_app.services import live, readings, sync
from tests.conftest import Lab
from tests.services.conftest import listed


@pytest.fixture
def shown(lab: Lab) -> Lab:
    listed(lab)
    return lab


def statements(lab: Lab) -> list[str]:
    """Of one cycle, without the marks of transactions."""
    lab.clock.forward(15)
    with CaptureQueriesContext(connection) as captured:
        sync.sync(lab.workspace.pk, clock=lab.clock)
    marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query["sql"] for query in captured if not query["sql"].startswith(marks)]


def tag(workspace: Running, name: str, value: str) -> None:
    answer = requests.patch(
        f"{workspace.url}/api/2.0/serving-endpoints/{name}/tags",
        json={"add_tags": [{"key": "seen", "value": value}]},
        headers={"Authorization": f"Bearer {workspace.token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text


def test_a_cycle_without_news_is_four_statements(shown: Lab) -> None:
    """Taking the workspace, reading it, what is known of its endpoints, the answer noted."""
    before = live.read_head().revision

    said = statements(shown)

    assert len(said) == 4
    assert [sql for sql in said if sql.startswith(("INSERT", "DELETE"))] == []
    assert live.read_head().revision == before


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

    assert emulator.calls.counts["GET /api/2.0/serving-endpoints/{name}"] == 1
    assert (workspace.lease_token, workspace.lease_until) == ("", None)


def test_many_changes_cost_batches_and_write_what_changed_alone(
    shown: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "LOOKS_PER_CYCLE", 0)
    custom = shown.workspace.endpoints.filter(kind="custom", status="ready", updating=False)
    names = list(custom.values_list("name", flat=True))
    assert len(names) >= 4
    # Their updates end while we look.
    moving = set(shown.workspace.endpoints.filter(updating=True).values_list("name", flat=True))

    def changed(some: list[str]) -> int:
        before = live.read_head().revision
        for name in some:
            tag(shown.emulator, name, f"after {before}")
        said = statements(shown)
        written = shown.workspace.endpoints.filter(revision__gt=before)
        found = set(written.values_list("name", flat=True))
        assert found - moving == set(some)
        return len(said)

    assert changed(names[:1]) == changed(names[:4])

    monkeypatch.setattr(readings, "BATCH", 2)
    assert changed(names[:4]) <= changed(names[:1]) + 6, (
        "a batch more of rows, and of what belongs to them"
    )


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
