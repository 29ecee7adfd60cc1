"""Every config version that a reading shows is kept, once, and without its secrets."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.databricks_api import wire
from endpoints_app.domain.config_version import Stage
from endpoints_app.models import ConfigVersion, Endpoint
from endpoints_app.services import history, live, looks
from tests.conftest import Lab
from tests.services.conftest import GET, Desk, listed

Document = dict[str, Any]
MADE = 1_763_780_000_000


def document(version: int = 7, *, pending: Document | None = None, **entity: Any) -> Document:
    served: Document = {
        "name": "churn-3",
        "entity_name": "ml.prod.churn",
        "entity_version": "3",
        "workload_size": "Small",
        "state": {"deployment": "DEPLOYMENT_READY", "deployment_state_message": ""},
        **entity,
    }
    found: Document = {
        "name": "churn",
        "id": "28d5152d0be2477c8c871f1998585b19",
        "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
        "config": {"config_version": version, "served_entities": [served]},
    }
    if pending is not None:
        found["pending_config"] = pending
        found["state"]["config_update"] = "IN_PROGRESS"
    return found


def config(version: int, *, message: str = "", **entity: Any) -> Document:
    made = document(version, **entity)["config"]
    made["start_time"] = MADE
    state = "DEPLOYMENT_FAILED" if message else "DEPLOYMENT_CREATING"
    made["served_entities"][0]["state"] = {
        "deployment": state,
        "deployment_state_message": message,
    }
    return dict(made)


class Books:
    """One endpoint, read by hand."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        with live.writing():
            self.row = Endpoint.objects.create(
                workspace=lab.workspace,
                name="churn",
                first_seen_at=lab.clock(),
                status="unknown",
                severity=0,
                status_since=lab.clock(),
                observed_at=lab.clock(),
                changed_at=lab.clock(),
                kind="custom",
            )

    def read(self, told: Document, *, seconds: float = 60) -> Endpoint:
        at = self.lab.clock.forward(seconds)
        with live.writing():
            looks.write_look(self.row.pk, wire.Endpoint.parse(copy.deepcopy(told)), at)
        self.row.refresh_from_db()
        return self.row

    def kept(self, version: int) -> ConfigVersion:
        return ConfigVersion.objects.get(endpoint=self.row, version=version)

    def stages(self) -> dict[int, str]:
        return dict(ConfigVersion.objects.values_list("version", "stage").order_by("version"))


@pytest.fixture
def books(lab: Lab) -> Books:
    return Books(lab)


def test_what_is_there_at_first_sight_is_kept_and_nobody_is_said_to_have_done_it(
    books: Books,
) -> None:
    books.read(document(7))
    kept = books.kept(7)
    assert (kept.known_stage, kept.after, kept.operation) == (Stage.ACTIVE, None, None)
    assert kept.first_seen_at == kept.active_at == books.lab.clock()
    assert kept.content["config"]["served_entities"][0]["workload_size"] == "Small"
    assert "state" not in kept.content["config"]["served_entities"][0]


def test_an_update_is_kept_as_it_comes_with_what_it_changes(books: Books) -> None:
    books.read(document(7))
    before = books.lab.clock()
    books.read(document(7, pending=config(8, workload_size="Medium")))
    seen = books.lab.clock()
    kept = books.kept(8)
    assert kept.known_stage is Stage.PENDING
    assert (kept.after, kept.first_seen_at) == (before, seen)
    assert kept.made_at is not None
    assert kept.compared_with == 7
    assert kept.changes == [["entities", "churn-3", "workload_size", "Small", "Medium"]]
    assert kept.changed == 1

    done = books.read(document(8, workload_size="Medium"))
    assert books.stages() == {7: "served", 8: "active"}
    assert books.kept(7).ended_at == books.kept(8).active_at == done.observed_at
    assert books.kept(8).first_seen_at == seen


def test_one_that_fails_says_why_and_the_old_one_stays_active(books: Books) -> None:
    books.read(document(7))
    books.read(document(7, pending=config(8)))
    failed = document(7, pending=config(8, message="no distribution of lightgbm 4.7"))
    failed["state"]["config_update"] = "UPDATE_FAILED"
    books.read(failed)
    assert books.stages() == {7: "active", 8: "failed"}
    assert books.kept(8).message == "no distribution of lightgbm 4.7"
    assert books.kept(8).ended_at == books.lab.clock()


def test_a_version_is_kept_once_however_often_it_is_read(books: Books) -> None:
    update = document(7, pending=config(8))
    for _ in range(3):
        books.read(update)
    assert books.stages() == {7: "active", 8: "pending"}


def test_a_reading_that_tells_nothing_new_costs_no_statement_for_it(books: Books) -> None:
    update = document(7, pending=config(8))
    books.read(update)
    working = copy.deepcopy(update)
    state = working["pending_config"]["served_entities"][0]["state"]
    state["deployment_state_message"] = "Building the container."
    with CaptureQueriesContext(connection) as asked:
        books.read(update)
        books.read(working)
    assert not [q["sql"] for q in asked if "configversion" in q["sql"]]


def test_a_start_that_makes_the_same_once_more_is_known_to_be_the_same(books: Books) -> None:
    books.read(document(7))
    books.read(document(7, pending=config(8)))
    assert books.kept(7).digest == books.kept(8).digest
    assert books.kept(8).changed == 0


def test_our_start_is_named_as_what_made_it(lab: Lab, desk: Desk, otto: User) -> None:
    listed(lab)
    with live.writing():
        row = lab.endpoint("vision-defects")
        read = wire.Endpoint.parse(document(3) | {"name": row.name, "id": row.uid})
        looks.write_look(row.pk, read, lab.clock())
    operation = desk.look(desk.ask("start", "vision-defects", otto))
    desk.look_until_settled(operation)
    newest = ConfigVersion.objects.filter(endpoint=row).first()
    assert newest is not None
    assert newest.operation == operation
    others = ConfigVersion.objects.filter(endpoint=row).exclude(pk=newest.pk)
    assert {kept.operation for kept in others} == {None}


def test_what_was_done_elsewhere_names_nobody(books: Books) -> None:
    books.read(document(7))
    books.read(document(9))
    assert books.stages() == {7: "served", 9: "active"}  # 8 came and went unseen
    assert books.kept(9).operation is None
    assert books.kept(9).after is not None


def test_no_plain_value_is_kept_and_a_changed_one_is_known(books: Books) -> None:
    def told(version: int, token: str) -> Document:
        return document(version, environment_vars={"API_TOKEN": token, "URL": "{{secrets/ml/url}}"})

    books.read(told(7, "hunter2"))
    books.read(told(8, "hunter2"))
    books.read(told(9, "hunter3"))
    row = books.row
    rows = [row.document, *ConfigVersion.objects.values_list("content", "secrets", "changes")]
    assert "hunter" not in json.dumps(rows)
    assert "{{secrets/ml/url}}" in json.dumps(rows)
    digests = [books.kept(version).secrets["churn-3/API_TOKEN"] for version in (7, 8, 9)]
    assert digests[0] == digests[1] != digests[2]
    assert books.kept(8).changed == 0
    assert books.kept(9).changed == 1


def test_the_digest_of_a_value_is_useless_elsewhere(books: Books, settings: Any) -> None:
    told = document(7, environment_vars={"A": "hunter2", "B": "hunter2"})
    books.read(told)
    here = books.kept(7).secrets
    assert here["churn-3/A"] != here["churn-3/B"]
    ConfigVersion.objects.all().delete()
    Endpoint.objects.update(config_digest="")
    settings.SECRET_KEY = "another installation"
    books.read(told)
    assert books.kept(7).secrets["churn-3/A"] != here["churn-3/A"]


def test_the_settings_around_a_version_are_kept_as_last_seen_with_it(books: Books) -> None:
    books.read(document(7) | {"tags": [{"key": "tier", "value": "1"}]})
    books.read(document(7) | {"tags": [{"key": "tier", "value": "2"}]})
    assert books.kept(7).content["tags"] == [{"key": "tier", "value": "2"}]
    books.read(document(8) | {"tags": [{"key": "tier", "value": "3"}]})
    assert books.kept(7).content["tags"] == [{"key": "tier", "value": "2"}]
    assert books.kept(8).changes == [["tags", "", "tier", "2", "3"]]


def test_what_was_read_before_there_was_a_history_is_kept_at_the_next_look(books: Books) -> None:
    books.read(document(7))
    ConfigVersion.objects.all().delete()
    Endpoint.objects.update(config_digest="")
    books.read(document(7))
    assert books.stages() == {7: "active"}


def test_another_endpoint_under_the_name_has_a_history_of_its_own(books: Books) -> None:
    books.read(document(7))
    books.read(document(1) | {"id": "f" * 32})
    successor = Endpoint.objects.get(name="churn", gone_at=None)
    assert successor.pk != books.row.pk
    assert list(successor.configs.values_list("version", "stage")) == [(1, "active")]
    assert books.stages().keys() == {1, 7}


@pytest.mark.parametrize(
    "config", [{}, {"config_version": "x"}, {"config_version": -1}, {"config_version": 2**70}, []]
)
def test_a_config_without_a_number_is_no_version(books: Books, config: Any) -> None:
    books.read(document() | {"config": config})
    assert not ConfigVersion.objects.exists()


def test_a_huge_one_is_kept_in_part(books: Books) -> None:
    told = document(7)
    told["config"]["served_entities"] *= 3000
    books.read(told)
    assert books.kept(7).cut
    assert len(json.dumps(books.kept(7).content)) < 300_000


def test_the_sync_keeps_what_its_looks_show(lab: Lab) -> None:
    lab.settle()
    numbered = {
        (e.name, version)
        for e in lab.workspace.endpoints.all()
        for version in (e.config_version, e.pending_version)
        if version is not None
    }
    kept = set(ConfigVersion.objects.values_list("endpoint__name", "version"))
    assert len(numbered) > 10
    assert numbered <= kept


def test_a_cycle_without_news_still_asks_for_the_list_alone(lab: Lab) -> None:
    lab.settle()
    lab.workspace.endpoints.update(next_look_at=None)
    lab.sync()
    lab.workspace.endpoints.update(next_look_at=None)
    lab.emulator.calls.clear()
    lab.sync()
    assert not lab.emulator.calls.document()["calls"].get(GET, 0)


def test_old_versions_are_forgotten_and_those_in_force_are_not(books: Books, settings: Any) -> None:
    books.read(document(6))
    books.read(document(7))
    failed = document(7, pending=config(8, message="no"))
    failed["state"]["config_update"] = "UPDATE_FAILED"
    books.read(failed)
    later = books.lab.clock() + timedelta(days=settings.HISTORY_DAYS + 1)
    history.prune(now=later)
    assert books.stages() == {7: "active", 8: "failed"}  # 8 is what Databricks still tells of
    books.read(document(9))
    history.prune(now=later + timedelta(days=settings.HISTORY_DAYS + 1))
    assert books.stages() == {9: "active"}
