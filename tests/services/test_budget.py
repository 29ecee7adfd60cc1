"""Which policies the fleet has: taken in by readings, filtered and counted in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoints_app import sentences
from endpoints_app.databricks_api import wire
from endpoints_app.domain.budget import Standing
from endpoints_app.models import Endpoint, Workspace
from endpoints_app.services import budget, listing, live, readings, roster, workspaces
from endpoints_app.services.readings import Answer
from tests.conftest import Lab

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
MODEL = {"name": "churn-3", "entity_name": "ml.churn", "entity_version": "3", "type": "UC_MODEL"}
PAY_PER_TOKEN = {"name": "llama", "foundation_model": {"name": "llama"}, "type": "FOUNDATION_MODEL"}
EXTERNAL = {"name": "gpt", "external_model": {"provider": "openai"}, "type": "EXTERNAL_MODEL"}


@pytest.fixture
def workspace(db: None) -> Workspace:
    workspaces.ensure(["lab"])
    return Workspace.objects.get(name="lab")


def document(name: str = "churn", entity: Any = MODEL, **more: Any) -> wire.Endpoint:
    state = {"ready": "READY", "config_update": "NOT_UPDATING"}
    config = {"served_entities": [entity]}
    return wire.Endpoint.parse({"name": name, "state": state, "config": config} | more)


def sight(workspace: Workspace, answer: Answer) -> Endpoint:
    row = readings.first_sight(workspace, answer.document.name, answer)
    with live.writing():
        readings.save([], [row], [])
    return Endpoint.objects.select_related("workspace").get(pk=row.pk)


def standing(row: Endpoint) -> tuple[Standing, str]:
    return row.budget_standing, row.policy.id


SET = {"budget_policy_id": "one", "effective_budget_policy_id": "one"}
INHERITED = {"effective_budget_policy_id": "two"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (SET, (Standing.SET, "one")),
        ({"budget_policy_id": "one"}, (Standing.SET, "one")),
        ({"usage_policy_id": "one"}, (Standing.SET, "one")),
        (INHERITED, (Standing.INHERITED, "two")),
        ({}, (Standing.NONE, "")),
        ({"budget_policy_id": 7, "effective_budget_policy_id": {}}, (Standing.SET, "7")),
        ({"budget_policy_id": "x" * 300}, (Standing.SET, "x" * 254 + "…")),
    ],
)
def test_a_get_tells_all(workspace: Workspace, more: Any, expected: Any) -> None:
    assert standing(sight(workspace, Answer(document(**more), NOW))) == expected


def test_a_list_without_an_id_leaves_it_unknown(workspace: Workspace) -> None:
    row = sight(workspace, Answer(document(), NOW, thin=True))
    assert row.budget_standing is Standing.UNKNOWN
    named = sight(workspace, Answer(document("b", usage_policy_id="one"), NOW, thin=True))
    assert standing(named) == (Standing.SET, "one")


@pytest.mark.parametrize("told", [SET, INHERITED, {}])
def test_a_list_without_an_id_takes_nothing_back(workspace: Workspace, told: Any) -> None:
    row = sight(workspace, Answer(document(**told), NOW))
    before = standing(row)
    readings.take_in(row, Answer(document(description="new"), LATER, thin=True))
    assert standing(row) == before


@pytest.mark.parametrize("key", ["budget_policy_id", "usage_policy_id"])
def test_a_list_that_names_what_is_inherited_does_not_make_it_set(
    workspace: Workspace, key: str
) -> None:
    row = sight(workspace, Answer(document(**INHERITED), NOW))
    readings.take_in(row, Answer(document(**{key: "two"}), LATER, thin=True))
    assert standing(row) == (Standing.INHERITED, "two")


def test_another_id_in_the_list_counts_at_once(workspace: Workspace) -> None:
    row = sight(workspace, Answer(document(**SET), NOW))
    readings.take_in(row, Answer(document(usage_policy_id="three"), LATER, thin=True))
    assert standing(row) == (Standing.SET, "three")


def named(workspace: Workspace, asked: str) -> set[str]:
    """What the list shows with this filter."""
    filters = listing.Filters(budget=asked)
    page = listing.page([workspace.pk], filters, live.read_head(), NOW)
    return {member.name for member in page.members}


@pytest.fixture
def mixed(workspace: Workspace) -> Workspace:
    for number, more in enumerate([SET, SET, INHERITED, {}]):
        sight(workspace, Answer(document(f"m{number}", **more), NOW))
    sight(workspace, Answer(document("thin"), NOW, thin=True))
    sight(workspace, Answer(document("llama", PAY_PER_TOKEN), NOW))
    sight(workspace, Answer(document("gpt", EXTERNAL), NOW, thin=True))
    gone = sight(workspace, Answer(document("gone"), NOW))
    with live.writing():
        readings.save([gone], [], [readings.bury(gone, NOW)])
    return workspace


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("one", {"m0", "m1"}),
        ("two", {"m2"}),
        ("none", {"m3"}),
        ("unknown", {"thin"}),
        ("three", set()),
    ],
)
def test_the_filter_tells_without_from_unknown_and_from_impossible(
    mixed: Workspace, asked: str, found: set[str]
) -> None:
    assert named(mixed, asked) == found


def test_the_tally_agrees_with_what_each_row_says(
    mixed: Workspace, django_assert_num_queries: Any
) -> None:
    head = live.read_head()
    roster.at(head)
    with django_assert_num_queries(0):
        tally = budget.tally([mixed.pk], head)

    rows = [row.budget_standing for row in Endpoint.objects.living()]
    in_force = (Standing.SET, Standing.INHERITED)
    for value in (Standing.NONE, Standing.UNKNOWN, Standing.IMPOSSIBLE):
        assert tally.of(value) == rows.count(value) > 0
    assert sum(tally.of(value) for value in in_force) == sum(rows.count(v) for v in in_force) == 3
    assert [(line.id, line.number) for line in tally.policies] == [("one", 2), ("two", 1)]
    assert budget.tally([], head).without == 0


def test_policies_arrive_by_the_sync(lab: Lab) -> None:
    lab.sync()
    assert named(lab.workspace, "unknown"), "lists leave it open"
    lab.settle()
    assert not named(lab.workspace, "unknown")
    assert budget.tally([lab.workspace.pk], live.read_head()).policies


def test_policies_and_owners_are_counted(workspace: Workspace) -> None:
    def add(name: str, owner: str, **more: Any) -> None:
        tags = [{"key": "owner", "value": owner}]
        sight(workspace, Answer(document(name, tags=tags, **more), NOW))

    for name in "abc":
        add(name, "search", **SET)
    add("d", "risk", **SET)
    add("e", "risk")
    add("f", "risk")
    add("g", "search")
    add("h", "growth", **INHERITED)
    add("llama", "risk", entity=PAY_PER_TOKEN)

    tally = budget.tally([workspace.pk], live.read_head())

    assert [(it.id, it.number, list(it.owners)) for it in tally.policies] == [
        ("one", 4, ["search", "risk"]),
        ("two", 1, ["growth"]),
    ]
    assert [(it.name, it.without, it.all) for it in tally.owners] == [
        ("risk", 2, 3),
        ("search", 1, 4),
        ("growth", 0, 1),
    ]
    assert (tally.without, tally.possible, tally.impossible, tally.tagged) == (3, 8, 1, 5)


def test_those_without_are_paged_the_longest_running_first(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(budget, "PAGE_SIZE", 2)
    stopped = {"ready": "NOT_READY", "config_update": "NOT_UPDATING", "suspend": "STOPPED"}
    sight(workspace, Answer(document("a", state=stopped), NOW))
    for name in "bc":
        sight(workspace, Answer(document(name), NOW))
    Workspace.objects.update(observed_at=LATER)
    head = live.read_head()
    budget.tally([workspace.pk], head)

    with django_assert_num_queries(3):
        first = budget.without([workspace.pk], head, LATER, page=1)
    last = budget.without([workspace.pk], head, LATER, page=99)

    assert [line.endpoint.name for line in first.lines] == ["b", "c"]
    assert [line.endpoint.name for line in last.lines] == ["a"]
    assert (first.pages, last.page) == (2, 2)
    assert first.names == {"": ["b", "c", "a"]}
    assert [line.hours_a_day for line in (*first.lines, *last.lines)] == [24, 24, 0]


def test_what_was_never_known_to_run_is_not_called_stopped(workspace: Workspace) -> None:
    sight(workspace, Answer(document(state={"ready": "?", "config_update": "?"}), NOW))
    Workspace.objects.update(observed_at=LATER)

    (line,) = budget.without([workspace.pk], live.read_head(), LATER, page=1).lines

    assert (line.ran, line.hours_a_day) == (None, None)
    assert sentences.budget.hours(line.ran) == "not known"
    assert [sentences.budget.hours(it) for it in (0.0, 0.01, 0.8)] == [
        "stopped",
        "under 1 h a day",
        "19 h a day",
    ]
