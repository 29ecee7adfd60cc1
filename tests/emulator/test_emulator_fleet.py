"""The seeded fleet: believable, the same for the same seed, and quick at any size."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from endpoints_app.emulator import Running, calls, serving
from endpoints_app.emulator.app import Emulator, Options
from endpoints_app.emulator.companies import NAMES, load
from endpoints_app.emulator.documents import detailed
from endpoints_app.emulator.roles import ROLES
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
NOW = 1_780_000_000.0


def fleet(count: int = 24, *, seed: int = 0, company: str | None = None) -> list[dict[str, Any]]:
    made = Options(endpoints=count, seed=seed, company=company).fleet(NOW)
    return [detailed(endpoint) for endpoint in made]


def names(documents: list[dict[str, Any]]) -> list[str]:
    return [document["name"] for document in documents]


def test_the_same_seed_makes_the_same_fleet() -> None:
    assert fleet(100, seed=7) == fleet(100, seed=7)


def test_another_seed_makes_another_fleet() -> None:
    assert fleet(100, seed=0) != fleet(100, seed=2)


def test_neighbouring_seeds_share_no_name() -> None:
    assert not set(names(fleet(seed=0))) & set(names(fleet(seed=1)))


def test_a_company_can_be_chosen_for_any_seed() -> None:
    assert names(fleet(seed=0, company="energy")) == names(fleet(seed=1))


def test_an_endpoint_is_the_same_in_a_small_and_in_a_large_fleet() -> None:
    assert fleet(300)[:30] == fleet(30)


@pytest.mark.parametrize("count", [0, 1, 12, 24, 25, 500])
def test_a_fleet_has_as_many_endpoints_as_asked(count: int) -> None:
    assert len(set(names(fleet(count)))) == count


@pytest.mark.parametrize("company", NAMES)
def test_the_largest_fleet_has_ten_thousand_names_that_are_allowed(company: str) -> None:
    made = Options(endpoints=10_000, company=company).fleet(NOW)
    assert len({endpoint.name for endpoint in made}) == 10_000
    assert max(len(endpoint.name) for endpoint in made) <= 63


@pytest.mark.parametrize("count", [-1, 10_001])
def test_an_impossible_fleet_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="0 to 10000"):
        Emulator(Options(endpoints=count))


@pytest.mark.parametrize("company", NAMES)
@pytest.mark.parametrize("count", [12, 24])
def test_a_small_fleet_holds_every_state(company: str, count: int) -> None:
    states = {
        (it["state"]["ready"], it["state"]["config_update"], it["state"].get("suspend"))
        for it in fleet(count, company=company)
    }
    assert states >= {
        ("READY", "NOT_UPDATING", "NOT_SUSPENDED"),
        ("READY", "NOT_UPDATING", None),
        ("READY", "UPDATE_FAILED", "NOT_SUSPENDED"),
        ("READY", "IN_PROGRESS", "NOT_SUSPENDED"),
        ("NOT_READY", "IN_PROGRESS", "NOT_SUSPENDED"),
        ("NOT_READY", "UPDATE_FAILED", "NOT_SUSPENDED"),
        ("NOT_READY", "NOT_UPDATING", "STOPPED"),
        ("NOT_READY", "NOT_UPDATING", "NOT_SUSPENDED"),
        ("DEGRADED", "NOT_UPDATING", "NOT_SUSPENDED"),
    }


@pytest.mark.parametrize("company", NAMES)
def test_the_companies_play_the_same_roles_in_the_same_order(company: str) -> None:
    roles = [part.role for part in load(company).parts]
    assert roles == [part.role for part in load(NAMES[0]).parts]
    assert set(roles) <= set(ROLES)


def test_an_operations_team_finds_owners_teams_and_tiers() -> None:
    for document in fleet(200):
        if document.get("endpoint_type") != "FOUNDATION_MODEL_API":
            tags = {tag["key"]: tag.get("value") for tag in document["tags"]}
            assert {"team", "tier", "env"} <= tags.keys()
            assert document["creator"]
            assert document["description"]


def test_some_endpoints_have_no_budget_policy_and_some_were_made_by_a_pipeline() -> None:
    documents = fleet(100)
    without = [it for it in documents if "budget_policy_id" not in it]
    assert 10 < len(without) < 50
    assert 5 < sum(it.get("creator_kind") == "ServicePrincipal" for it in documents) < 30


def test_most_of_a_large_fleet_is_well() -> None:
    ready = sum(it["state"]["ready"] == "READY" for it in fleet(1000))
    assert 750 < ready < 900


def test_failures_say_why_in_words_that_help() -> None:
    for document in fleet(300):
        for entity in document.get("pending_config", {}).get("served_entities", []):
            if entity["state"]["deployment"] in ("DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED"):
                assert len(entity["state"]["deployment_state_message"]) > 40


def listing_seconds(workspace: Running) -> float:
    headers = {"Authorization": f"Bearer {workspace.token}"}
    began = time.perf_counter()
    answer = requests.get(workspace.url + B, headers=headers)
    took = time.perf_counter() - began
    assert len(json.loads(answer.content)["endpoints"]) == 1000
    return took


def test_a_thousand_endpoints_are_listed_in_well_under_a_tenth_of_a_second(clock: Clock) -> None:
    with serving(endpoints=1000, clock=clock) as workspace:
        listing_seconds(workspace)
        best = min(listing_seconds(workspace) for _ in range(3))
    assert best < 0.1


def test_endpoints_that_come_and_go_and_queries_leave_nothing_behind(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "WRITES_KEPT", 20)
    with serving(endpoints=3, clock=clock, time_scale=0) as workspace, Api(workspace) as api:
        emulator = workspace.emulator
        for number in range(40):
            api.create(f"new-{number}")
            api.get(B)
            api.delete(f"{B}/new-{number}")
        api.get(B)
        assert len(emulator.list_items._kept) <= 8
        assert len(emulator.world._agenda) <= 50
        assert len(emulator.calls.writes) == 20
