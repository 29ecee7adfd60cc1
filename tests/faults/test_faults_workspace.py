"""A workspace that lies, is late, throttles, hangs or refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulated import ENDPOINTS
from tests.harness import FLEET, SYNC_SECONDS, Desk
from tests.waiting import eventually, throughout

pytestmark = pytest.mark.faults

EVERYTHING = {"path": "^/api/"}
STOP = f"{ENDPOINTS}/{{name}}/config:stop"


@pytest.fixture
def patient(desk: Desk) -> Iterator[Desk]:
    """A cycle of twenty seconds, so that a list may be under way for many of them; the sync's
    worker is left for the test to start."""
    desk.restart("web", SYNC_SECONDS="20")
    desk.programs["worker-sync"].stop()
    desk.programs["worker-sync"].env["SYNC_SECONDS"] = "20"
    yield desk
    for name in ("worker-sync", "web"):
        desk.restart(name, SYNC_SECONDS=str(SYNC_SECONDS))


def test_a_list_asked_for_before_a_stop_never_brings_ready_back(patient: Desk) -> None:
    endpoint, otto = "lab/price-elasticity", patient.person("otto")
    observed = otto.status_document()["observed_at"]
    patient.lab.fault("latency", seconds=10, after=True, match={"route": ENDPOINTS}, times=1)
    patient.start("worker-sync")
    patient.lab.until_hit("latency")  # its answer is made, and on its way
    lists = patient.lab.lists()
    otto.ask(endpoint, "stop")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")  # status.json is written each second
    assert patient.lab.lists() == lists

    def still_stopped() -> bool:
        document = otto.status_document()
        assert otto.status(endpoint) == "stopped"
        return bool(document["observed_at"] > observed)

    eventually(still_stopped, what="The late list")
    throughout(lambda: otto.status(endpoint) == "stopped", seconds=1)
    assert patient.lab.lists() == lists, "Another list came; this one proves nothing."


def test_half_a_list_makes_unknown_and_never_gone(desk: Desk) -> None:
    vera, grid = desk.person("vera"), desk.workspaces["grid"]

    def of_grid() -> dict[str, str]:
        found = {e: s for e, s in vera.statuses().items() if e.startswith("grid/")}
        assert len(found) == FLEET, "Something vanished."
        return found

    before = list(of_grid().values()).count("unknown")
    grid.fault("half_list", match={"route": ENDPOINTS}, times=1)
    grid.until_hit("half_list")
    eventually(
        lambda: list(of_grid().values()).count("unknown") >= before + FLEET // 3,
        what="Half the fleet Unknown",
    )
    eventually(
        lambda: list(of_grid().values()).count("unknown") == before, what="The whole fleet known"
    )
    assert vera.page("/w/grid/e/intraday-bids/").select_one('[data-status="gone"]') is None


def test_a_throttled_stop_waits_as_told_and_is_sent_once_more(desk: Desk) -> None:
    endpoint, otto = "grid/manuals-embeddings", desk.person("otto")
    grid = desk.workspaces["grid"]
    grid.fault(
        "status",
        status=429,
        retry_after=4,
        match={"route": STOP, "name": "manuals-embeddings"},
        times=1,
    )
    otto.ask(endpoint, "stop")
    grid.until_hit("status")
    throughout(lambda: grid.writes("manuals-embeddings") == [("stop", 429)], seconds=3)
    assert otto.operation(endpoint).state == "queued"

    assert otto.until_settled(endpoint) == "confirmed"
    assert grid.writes("manuals-embeddings") == [("stop", 429), ("stop", 200)]


def test_a_throttling_workspace_is_left_alone_for_as_long_as_it_says(desk: Desk) -> None:
    grid = desk.workspaces["grid"]
    grid.fault("status", status=429, retry_after=5, match={"route": ENDPOINTS}, times=1)
    grid.until_hit("status")
    lists, until = grid.lists(), time.monotonic() + 4
    throughout(lambda: grid.lists() == lists or time.monotonic() > until, seconds=4)
    eventually(lambda: grid.lists() > lists, what="The next list")
    eventually(lambda: desk.knows("grid"))


@pytest.mark.parametrize(
    ("endpoint", "kind", "options"),
    [
        pytest.param("load-forecast-hourly", "latency", {"seconds": 60}, id="hangs"),
        pytest.param("ev-charging-demand", "drip", {"bytes_per_second": 20}, id="drips"),
        pytest.param("winter-2025-backtest", "drop", {}, id="drops"),
        pytest.param("solar-nowcast", "half", {}, id="sends-half"),
        pytest.param("tariff-advisor", "expire_token", {}, id="refuses-the-token"),
        pytest.param("drone-inspection", "status", {"status": 503}, id="is-unavailable"),
        pytest.param(
            "ticket-search-embeddings", "status", {"status": 504}, id="is-behind-a-gateway"
        ),
    ],
)
def test_one_workspace_in_trouble_leaves_the_other_fresh_and_its_clicks_wait(
    desk: Desk, endpoint: str, kind: str, options: dict[str, Any]
) -> None:
    otto, grid = desk.person("otto"), desk.workspaces["grid"]
    action = "start" if otto.status(f"grid/{endpoint}") == "stopped" else "stop"
    goal = {"start": ("ready", "ready_update_failed"), "stop": ("stopped",)}[action]
    before = grid.writes(endpoint)
    grid.fault(kind, match=EVERYTHING, **options)

    took: list[float] = []

    def only_lab_is_known() -> bool:
        assert desk.knows("lab")
        started = time.monotonic()
        assert otto.get("/endpoints/").status_code == 200
        took.append(time.monotonic() - started)
        return not desk.knows("grid")

    eventually(only_lab_is_known, what="Unknown")
    assert sorted(took)[len(took) // 2] < 2  # a page that asked the workspace would take three
    otto.ask(f"grid/{endpoint}", action)
    throughout(lambda: desk.knows("lab"), seconds=2)
    assert otto.operation(f"grid/{endpoint}").state == "queued"
    assert grid.writes(endpoint) == before, "Something was sent without a look."

    grid.clear_faults()
    assert otto.until_settled(f"grid/{endpoint}") == "confirmed"
    eventually(lambda: otto.status(f"grid/{endpoint}") in goal)
    assert grid.writes(endpoint) == [*before, (action, 200)]
    eventually(lambda: desk.knows("grid"))


def test_a_post_whose_answer_is_lost_is_watched_and_not_repeated(desk: Desk) -> None:
    endpoint, otto = "grid/congestion-alert", desk.person("otto")
    grid = desk.workspaces["grid"]
    grid.fault("drop", after=True, match={"route": STOP, "name": "congestion-alert"}, times=1)
    otto.ask(endpoint, "stop")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")
    assert len(grid.writes("congestion-alert")) == 1


def test_what_is_accepted_and_never_happens_is_never_called_done(desk: Desk) -> None:
    endpoint, mika = "grid/substation-features", desk.person("mika")
    grid = desk.workspaces["grid"]
    grid.fault("ignore", match={"name": "substation-features", "method": "DELETE"})
    mika.ask(endpoint, "delete", confirm="substation-features")
    mika.until_state(endpoint, "sent")
    throughout(lambda: mika.operation(endpoint).state == "sent", seconds=5)
    assert mika.status(endpoint) is not None
    assert grid.writes("substation-features") == [("delete", 200)]
