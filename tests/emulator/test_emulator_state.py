"""The state file: the same workspace after a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from endpoints_app.emulator import serving
from endpoints_app.emulator.app import Emulator, Options
from endpoints_app.emulator.state import UnreadableState
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"


def test_a_restarted_workspace_is_the_same(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "world.json"
    with serving(seed=2, clock=clock, state=state) as workspace, Api(workspace) as api:
        api.operate(RUNNING, "stop")
        api.delete(f"{B}/churn")
        api.create("new")
        before = {name: api.endpoint(name) for name in api.listed()}
        identity = workspace.emulator.workspace_id
    with serving(seed=9, clock=clock, state=state) as workspace, Api(workspace) as api:
        assert {name: api.endpoint(name) for name in api.listed()} == before
        assert workspace.emulator.workspace_id == identity


def test_a_query_writes_nothing_and_every_change_does(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "world.json"
    with serving(clock=clock, state=state) as workspace, Api(workspace) as api:
        api.post("/serving-endpoints/customer-ltv/invocations", json={"instances": [1]})
        state.unlink()
        api.post("/serving-endpoints/customer-ltv/invocations", json={"instances": [1]})
        assert not state.exists()
        for change in (
            lambda: api.patch(f"{B}/{RUNNING}/tags", json={"add_tags": [{"key": "a"}]}),
            lambda: api.put(f"{B}/{RUNNING}/ai-gateway", json={}),
            lambda: api.delete(f"{B}/{RUNNING}"),
            lambda: api.post("/_control/clock", json={"advance": 1}),
            lambda: api.post("/_control/reset"),
        ):
            assert change().status_code == 200
            assert state.exists()
            state.unlink()


def test_what_was_under_way_goes_on(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "world.json"
    with serving(clock=clock, state=state) as workspace, Api(workspace) as api:
        api.operate(RUNNING, "stop")
    clock.seconds += 16
    with serving(clock=clock, state=state) as workspace, Api(workspace) as api:
        assert api.state(RUNNING)[2] == "STOPPED"
        assert api.state("price-elasticity")[0] == "READY"
        clock.seconds += 230
        assert api.state("price-elasticity")[0] == "NOT_READY"
        assert api.state("lead-scoring")[1] == "UPDATE_CANCELED"
        update = {"served_entities": [{"entity_name": "ml.m", "entity_version": "1"}]}
        assert api.put(f"{B}/lead-scoring/config", json=update).status_code == 200
        clock.seconds += 361
        assert api.state("lead-scoring")[1] == "UPDATE_FAILED"


def test_an_advanced_clock_does_not_jump_back(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "world.json"
    with serving(clock=clock, state=state) as workspace, Api(workspace) as api:
        api.post("/_control/clock", json={"advance": 3600})
    with serving(clock=clock, state=state) as workspace:
        assert workspace.world.now() == clock.seconds + 3600


def test_every_change_is_on_the_disk_before_its_answer(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "world.json"
    with serving(clock=clock, state=state) as workspace, Api(workspace) as api:
        api.operate(RUNNING, "stop")
        written = json.loads(state.read_text())["endpoints"]
    (stopping,) = [it for it in written if it["name"] == RUNNING]
    assert stopping["change"]["kind"] == "stop"
    assert list(tmp_path.iterdir()) == [state]


@pytest.mark.parametrize("text", ["", "{}", '{"format": 99}', '{"format": 1, "endpoints": 3}'])
def test_a_file_that_is_no_world_stops_the_start(tmp_path: Path, text: str) -> None:
    state = tmp_path / "world.json"
    state.write_text(text)
    with pytest.raises(UnreadableState, match=r"world\.json"):
        Emulator(Options(), state=state)
    assert state.read_text() == text
