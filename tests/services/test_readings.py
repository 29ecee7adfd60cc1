"""An answer becomes a row, whatever it holds; what must not be kept is not."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endpoints_app.databricks_api import wire
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import Reason, Status
from endpoints_app.models import Endpoint, StatusChange, Workspace
from endpoints_app.services import detail, live, looks, readings, workspaces
from endpoints_app.services.readings import Answer
from tests.conftest import Lab
from tests.databricks_api.documents import DOCUMENTED, LISTED, spoiled
from tests.services.conftest import ALL, ONE

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=15)

GOOD: dict[str, Any] = {
    "name": "churn",
    "id": "28d5152d0be2477c8c871f1998585b19",
    "creator": "ann@example.com",
    "creation_timestamp": 1779139587000,
    "last_updated_timestamp": 1780454744000,
    "tags": [{"key": "team", "value": "risk"}, {"key": "pii"}],
    "description": "Who leaves?",
    "state": {"ready": "READY", "config_update": "NOT_UPDATING", "suspend": "NOT_SUSPENDED"},
    "config": {
        "config_version": 7,
        "served_entities": [
            {
                "name": "churn-3",
                "entity_name": "ml.prod.churn",
                "entity_version": "3",
                "type": "UC_MODEL",
                "environment_vars": {"MODE": "fast", "KEY": "{{secrets/scope/key}}"},
                "state": {"deployment": "DEPLOYMENT_READY", "deployment_state_message": ""},
            }
        ],
        "traffic_config": {
            "routes": [{"served_entity_name": "churn-3", "traffic_percentage": 100}]
        },
    },
}


@pytest.fixture
def workspace(db: None) -> Workspace:
    workspaces.ensure(["lab"])
    return Workspace.objects.get(name="lab")


def seen(workspace: Workspace, document: dict[str, Any], *, thin: bool = False) -> Endpoint:
    """A saved row after the first sight of this document."""
    answer = Answer(wire.Endpoint.parse(document), NOW, thin=thin)
    endpoint = readings.first_sight(workspace, document["name"], answer)
    with live.writing():
        readings.save([], [endpoint], [])
    return Endpoint.objects.select_related("workspace").get(pk=endpoint.pk)


def with_(path: str, value: Any) -> dict[str, Any]:
    """The good document with something else at a dotted path."""
    document = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    target: Any = document
    for key in way:
        target = target[int(key) if isinstance(target, list) else key]
    target[int(last) if isinstance(target, list) else last] = value
    return document


# Nonsense --------------------------------------------------------------------------------------


@pytest.mark.hypothesis
@given(st.tuples(spoiled(), st.booleans(), spoiled(), st.booleans()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spoiled_documents_become_rows_all_the_same(workspace: Workspace, drawn: Any) -> None:
    first, first_thin, second, second_thin = drawn
    with transaction.atomic():
        document = wire.Endpoint.parse(first)
        endpoint = readings.first_sight(workspace, "churn", Answer(document, NOW, thin=first_thin))
        with live.writing():
            readings.save([], [endpoint], [])
            row = Endpoint.objects.select_related("workspace").get(pk=endpoint.pk)
            answer = Answer(wire.Endpoint.parse(second), LATER, thin=second_thin)
            readings.save([row], [], [readings.take_in(row, answer)])
            looks.write_look(row.pk, document, LATER + timedelta(seconds=1))
        row = workspace.endpoints.living().get(name="churn")
        assert row.known_status in Status
        assert row.known_kind in Kind
        assert row.known_reason in Reason
        assert detail.configurations(row)
        transaction.set_rollback(True)


DEEP: Any = None
for _ in range(5000):
    DEEP = [DEEP]

POISON = {
    "a NUL": "a\0b",
    "half a character": "a\ud800b",
    "not a number": float("nan"),
    "infinity": float("-inf"),
    "a huge number": 10**400,
    "a negative number": -(2**63),
    "a bottomless list": DEEP,
    "a long text": "x" * 100_000,
    "a list": [1, {"a": 2}],
    "nothing": None,
}
PLACES = [
    "id",
    "creator",
    "description",
    "creation_timestamp",
    "last_updated_timestamp",
    "state",
    "state.ready",
    "state.suspend",
    "tags",
    "tags.0.key",
    "tags.0.value",
    "config.config_version",
    "config.served_entities",
    "config.served_entities.0.name",
    "config.served_entities.0.entity_name",
    "config.served_entities.0.environment_vars",
    "config.served_entities.0.environment_vars.MODE",
    "config.served_entities.0.state.deployment",
    "config.traffic_config.routes.0.traffic_percentage",
    "something_new",
]


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_what_a_database_refuses_is_kept_as_something_it_takes(
    workspace: Workspace, poison: Any
) -> None:
    for number, place in enumerate(PLACES):
        document = with_(place, poison) | {"name": f"churn-{number}"}
        row = seen(workspace, document, thin=number % 2 == 0)
        with live.writing():
            looks.write_look(row.pk, wire.Endpoint.parse(document), LATER)
        row.refresh_from_db()
        assert row.known_status in Status, place
        assert row.document is not None, place


def test_a_list_item_too_deep_to_compare_is_compared_by_what_we_read_of_it() -> None:
    deep = GOOD | {"extra": DEEP}
    same = copy.copy(deep)
    other = deep | {"last_updated_timestamp": 1780454745000}

    assert readings.fingerprint(deep) == readings.fingerprint(same)
    assert readings.fingerprint(deep) != readings.fingerprint(other)


def test_a_very_long_id_is_the_same_id_the_next_time(workspace: Workspace) -> None:
    document = wire.Endpoint.parse(GOOD | {"id": "f" * 300})
    row = seen(workspace, GOOD | {"id": "f" * 300})

    assert not readings.is_another(row, document)
    assert readings.is_another(row, wire.Endpoint.parse(GOOD))


@pytest.mark.parametrize(
    "nonsense",
    [
        {"set": {"state": "fine, thanks"}},
        {"set": {"state": {"ready": 7, "config_update": ["NOT_UPDATING"], "suspend": {}}}},
        {"set": {"config": {"served_entities": {"a": 1}, "config_version": "x" * 5000}}},
        {"set": {"tags": [None, 3, {"key": None}, {"value": "no key"}]}},
        {"set": {"id": "\0\0", "creator": {}, "description": "\0"}},
        {"set": {"last_updated_timestamp": 10**30, "creation_timestamp": "soon"}},
        {"remove": ["state", "config", "id", "tags"]},
    ],
)
def test_a_workspace_that_talks_nonsense_does_not_stop_the_sync(
    lab: Lab, nonsense: dict[str, Any]
) -> None:
    lab.sync()
    lab.emulator.fault("lie", match=ALL, **nonsense)
    lab.emulator.fault("lie", match=ONE, **nonsense)

    lab.sync()
    lab.sync()

    assert lab.workspace.observed_at == lab.clock.now
    assert lab.workspace.error == ""
    assert lab.workspace.endpoints.living().count() == 24


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "a\nb", "x" * 256, None, 7.5, {}])
def test_a_name_that_no_address_can_say_is_left_out(lab: Lab, name: Any) -> None:
    lab.emulator.fault("lie", match=ALL, set={"name": name}, of="customer-ltv")

    lab.sync()

    assert lab.workspace.error == ""
    assert lab.workspace.endpoints.count() in (23, 24)
    assert not lab.workspace.endpoints.filter(name="customer-ltv").exists()


def test_an_unknown_state_is_unknown_and_never_ready(workspace: Workspace) -> None:
    row = seen(workspace, with_("state.ready", "DEGRADED"))

    assert (row.known_status, row.known_reason) == (Status.UNKNOWN, Reason.UNRECOGNISED)


# What is kept ----------------------------------------------------------------------------------


def test_values_of_environment_variables_are_not_kept(workspace: Workspace) -> None:
    row = seen(workspace, with_("config.served_entities.0.environment_vars.MODE", "hunter2"))

    kept = json.dumps(row.document)
    assert "hunter2" not in kept
    assert "{{secrets/scope/key}}" in kept
    assert "MODE" in kept


def test_a_row_says_what_the_list_shows(workspace: Workspace) -> None:
    row = seen(workspace, GOOD)

    assert row.known_status is Status.READY
    assert row.known_kind is Kind.CUSTOM
    assert (row.owner, row.creator) == ("risk", "ann@example.com")
    assert row.tags == {"team": "risk", "pii": ""}
    assert row.config_version == 7
    assert row.entities == [
        {"name": "churn-3", "entity": "ml.prod.churn", "version": "3", "share": 100}
    ]
    assert (row.ready, row.config_update, row.suspend) == (
        "READY",
        "NOT_UPDATING",
        "NOT_SUSPENDED",
    )
    for word in ("churn", "ann@example.com", "team=risk", "ml.prod.churn"):
        assert word in row.search


def test_a_list_item_does_not_blank_what_only_a_get_knows(workspace: Workspace) -> None:
    row = seen(workspace, GOOD)
    thin = wire.Endpoint.parse(LISTED | {"name": "churn"})

    readings.take_in(row, Answer(thin, LATER, thin=True))

    assert row.config_version == 7
    assert row.document is not None
    assert row.entities[0]["share"] == 100


def test_what_all_entities_say_when_scaled_to_zero_is_idle(workspace: Workspace) -> None:
    state = {"deployment": "DEPLOYMENT_READY", "deployment_state_message": "Scaled to zero"}

    assert seen(workspace, with_("config.served_entities.0.state", state)).idle


def test_the_failing_entity_s_message_is_the_row_s(workspace: Workspace) -> None:
    failed = {"deployment": "DEPLOYMENT_FAILED", "deployment_state_message": "No wheel for that."}
    document = with_("state.config_update", "UPDATE_FAILED")
    document["pending_config"] = {"config_version": 8, "served_entities": [{"state": failed}]}

    row = seen(workspace, document)

    assert row.message == "No wheel for that."
    change = StatusChange.objects.get(endpoint=row)
    assert (change.was, change.now) == ("", "ready_update_failed")
    assert change.message == "No wheel for that."


def test_a_change_in_the_future_does_not_stay_on_top_of_the_list(workspace: Workspace) -> None:
    row = seen(workspace, GOOD | {"last_updated_timestamp": 4_000_000_000_000})

    assert row.changed_at == NOW


def test_the_documented_sample_is_read(workspace: Workspace) -> None:
    row = seen(workspace, DOCUMENTED)

    assert (row.known_status, row.known_kind) == (Status.READY, Kind.CUSTOM)


# Revisions -------------------------------------------------------------------------------------


def test_all_rows_of_one_save_carry_its_one_revision(workspace: Workspace) -> None:
    before = live.read_head().revision
    rows = [seen(workspace, GOOD | {"name": name, "id": ""}) for name in ("a", "b")]
    with live.writing():
        readings.save(rows, [], [])

    assert live.read_head().revision == before + 3
    assert set(Endpoint.objects.values_list("revision", flat=True)) == {before + 3}


def test_a_row_taken_in_twice_is_changed_once(workspace: Workspace) -> None:
    row = seen(workspace, GOOD)
    down = wire.Endpoint.parse(with_("state.ready", "NOT_READY"))

    first = readings.take_in(row, Answer(down, LATER))
    again = readings.take_in(row, Answer(down, LATER))

    assert first is not None
    assert again is None
