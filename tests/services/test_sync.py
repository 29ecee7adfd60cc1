"""The sync keeps rows what the workspace says they are, and writes no more than changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint, Fleet, StatusChange, Workspace
from tests.conftest import Lab
from tests.services.conftest import ALL, GET, LIST, Tell


def revision() -> int:
    return Fleet.objects.get().revision


def calls(lab: Lab) -> dict[str, int]:
    """What the workspace's API was asked, and how often."""
    return {route: n for route, n in lab.emulator.calls.counts.items() if "/api/" in route}


def looked_at(lab: Lab, name: str) -> bool:
    return lab.endpoint(name).document_at == lab.clock.now


# What is read ----------------------------------------------------------------------------------


def test_the_first_cycle_brings_every_endpoint_of_the_list(lab: Lab) -> None:
    lab.sync()

    names = set(lab.workspace.endpoints.values_list("name", flat=True))
    assert len(names) == 24
    assert lab.endpoint("churn").known_status is Status.UPDATING
    assert lab.workspace.observed_at == lab.clock.now


def test_details_follow_on_first_sight_ten_per_cycle_until_none_is_missing(lab: Lab) -> None:
    lab.sync()
    assert calls(lab) == {LIST: 1, GET: 10}

    lab.sync(seconds=2)
    assert calls(lab) == {LIST: 1, GET: 20}

    lab.sync(seconds=2)
    assert not lab.workspace.endpoints.filter(document__isnull=True).exists()
    assert lab.endpoint("basket-recommender").config_version == 35


def test_a_cycle_without_news_asks_for_the_list_alone(lab: Lab, behind_our_back: Tell) -> None:
    lab.settle()
    for name in ("churn", "credit-limit", "invoice-extract", "sentiment-ja"):
        behind_our_back(name, state={"ready": "READY", "config_update": "NOT_UPDATING"})
    lab.sync()
    lab.sync()
    lab.emulator.calls.clear()

    lab.sync()

    assert calls(lab) == {LIST: 1}


def test_what_is_in_transition_is_looked_at_between_the_lists(lab: Lab) -> None:
    lab.settle()
    lab.emulator.calls.clear()

    lab.sync(seconds=2)

    assert lab.endpoint("credit-limit").updating
    assert looked_at(lab, "credit-limit")
    assert calls(lab) == {GET: 4}, "the four that are updating, and no list"


@pytest.mark.parametrize(
    "change",
    [
        {"last_updated_timestamp": 1_795_000_000_000},
        {"state.ready": "NOT_READY"},
        {"state.suspend": "STOPPED"},
        {"config.served_entities.0.entity_version": "99"},
    ],
    ids=["last_updated", "ready", "suspend", "entities"],
)
def test_details_follow_when_the_list_shows_a_change(lab: Lab, change: dict[str, Any]) -> None:
    lab.settle()
    lab.sync()
    assert not looked_at(lab, "customer-ltv")
    lab.emulator.fault("lie", match=ALL, set=change, of="customer-ltv")

    lab.sync()

    assert looked_at(lab, "customer-ltv")


def test_more_changes_than_one_cycle_may_look_at_are_kept_for_the_next(lab: Lab) -> None:
    lab.settle()
    lab.emulator.fault("lie", match=ALL, set={"description": "new words"})
    lab.emulator.calls.clear()
    waiting = lab.workspace.endpoints.filter(next_look_at__lte=lab.clock.now)

    lab.sync()
    assert calls(lab)[GET] == 10

    lab.sync(seconds=2)
    lab.sync(seconds=2)
    lab.sync(seconds=2)
    assert calls(lab)[GET] >= 24
    assert not waiting.exists()


def test_one_that_is_never_answered_does_not_keep_the_others_waiting(lab: Lab) -> None:
    lab.emulator.fault("status", match={"name": "basket-recommender"}, status=500)

    for _ in range(5):
        lab.sync()

    unread = lab.workspace.endpoints.filter(document__isnull=True).values_list("name", flat=True)
    assert list(unread) == ["basket-recommender"]
    assert lab.workspace.error == "", "the list answers: the workspace is well"
    assert lab.endpoint("basket-recommender").known_status is Status.READY


def test_the_workspace_is_left_alone_between_rounds(lab: Lab) -> None:
    lab.sync()

    rest = timedelta(seconds=2)
    assert lab.workspace.rest_until == lab.clock.now + rest
    assert not Workspace.objects.due(lab.clock.now + rest - timedelta(seconds=0.1)).exists()
    assert Workspace.objects.due(lab.clock.now + rest).exists()


def test_with_nothing_in_transition_the_next_round_is_a_cycle_away(lab: Lab) -> None:
    lab.settle()
    lab.workspace.endpoints.update(next_look_at=None)

    assert not Workspace.objects.due(lab.clock.now + timedelta(seconds=14.9)).exists()
    assert Workspace.objects.due(lab.clock.now + timedelta(seconds=15)).exists()


# What is written -------------------------------------------------------------------------------


def test_only_rows_that_changed_are_written(lab: Lab, behind_our_back: Tell) -> None:
    lab.settle()
    lab.sync()
    before = dict(lab.workspace.endpoints.values_list("name", "revision"))
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})

    lab.sync()

    after = dict(lab.workspace.endpoints.values_list("name", "revision"))
    assert {name for name in after if after[name] != before[name]} == {"customer-ltv"}
    assert lab.endpoint("customer-ltv").known_status is Status.NOT_READY


def test_a_status_change_names_both_statuses_and_the_span_in_which_it_happened(
    lab: Lab, behind_our_back: Tell
) -> None:
    lab.settle()
    last_read = lab.clock.now
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})

    lab.sync()

    change = StatusChange.objects.filter(endpoint__name="customer-ltv").get(was="ready")
    assert (change.now, change.after, change.at) == ("not_ready", last_read, lab.clock.now)
    assert change.reason == "not_serving"


def test_a_status_that_comes_back_before_the_list_saw_it_go_is_read_again(
    lab: Lab, behind_our_back: Tell
) -> None:
    """Only a GET saw it: the list says after it what it said before it."""
    lab.settle()
    row = lab.endpoint("customer-ltv")
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})
    Endpoint.objects.filter(pk=row.pk).update(next_look_at=lab.clock.now)
    lab.sync(seconds=2)
    assert lab.endpoint("customer-ltv").known_status is Status.NOT_READY
    behind_our_back("customer-ltv", state={"ready": "READY"})

    lab.sync()

    assert lab.endpoint("customer-ltv").known_status is Status.READY


def test_looks_that_show_nothing_new_take_no_revision(lab: Lab) -> None:
    lab.settle()
    lab.sync()
    before = revision()

    for _ in range(5):
        lab.sync(seconds=2)

    assert lab.endpoint("credit-limit").updating
    assert revision() == before
