"""The status page's writer has the fleet by heart, and knows of every change."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import FieldError

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.models import Fleet as Head
from endpoints_app.services import status_rows
from tests.views.conftest import SHOWN, Fleet

NAME = "basket-recommender"


@pytest.fixture
def told(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[dict[str, Status], int]]:
    """Names and statuses that it tells, and how many rows it read for that."""
    read: list[int] = []
    make = status_rows._row

    def noted(*values: Any) -> status_rows.Row:
        read.append(1)
        return make(*values)

    monkeypatch.setattr(status_rows, "_row", noted)

    def ask(names: dict[int, str] | None = None) -> tuple[dict[str, Status], int]:
        read.clear()
        rows = status_rows.living(names or {fleet.workspace.pk: "lab"})
        return {row.entry.name: row.entry.status for row in rows}, len(read)

    return ask


Told = Callable[..., tuple[dict[str, Status], int]]


def test_what_did_not_change_is_read_once(told: Told, django_assert_num_queries: Any) -> None:
    found, read = told()
    assert sorted(found) == list(found) == sorted(SHOWN)
    assert read == len(SHOWN)
    with django_assert_num_queries(2):
        assert told() == (found, 0)


def test_every_change_is_told(told: Told, fleet: Fleet) -> None:
    before, _ = told()
    document = fleet.document(NAME)
    document["state"]["ready"] = "NOT_READY"
    fleet.read(document)
    assert told() == (before | {NAME: Status.NOT_READY}, 1)
    fleet.bury(NAME)
    gone = {name: status for name, status in before.items() if name != NAME}
    assert told() == (gone, 1)
    fleet.add(fleet.document(NAME) | {"id": uuid.uuid4().hex})
    assert told() == (before, 1)


def test_only_the_workspaces_asked_for_are_told(told: Told, fleet: Fleet) -> None:
    before, _ = told()
    other = fleet.other(fleet.document("churn"))
    assert told()[0] == before
    names = {other.pk: "a", fleet.workspace.pk: "lab"}
    assert status_rows.living(names)[0].entry.workspace == other.pk
    assert told({other.pk: "a"})[0] == {"churn": Status.UPDATING}


@pytest.mark.parametrize("how", ["epoch", "revision", "time"])
def test_all_of_it_is_read_anew_where_it_may_be_another_database(
    how: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    Endpoint.objects.filter(name=NAME).update(status=Status.STOPPED.value)
    assert told()[0][NAME] is not Status.STOPPED
    if how == "epoch":
        Head.objects.update(epoch=uuid.uuid4())
    elif how == "revision":
        Head.objects.update(revision=0)
    else:
        monkeypatch.setattr(status_rows, "ALL_OF_IT", 0.0)
    found, read = told()
    assert read == len(SHOWN)
    assert found[NAME] is Status.STOPPED


def test_what_could_not_be_read_is_read_the_next_time(
    told: Told, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    fleet.bury(NAME)
    with monkeypatch.context() as broken:
        broken.setattr(status_rows, "FIELDS", ("nothing",))
        with pytest.raises(FieldError):
            told()
    assert NAME not in told()[0]
