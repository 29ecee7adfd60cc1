"""kill -9 at every moment that matters. One click is at most one POST, and what was asked is done
or said not to be known; nothing is called done that was not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulated import ENDPOINTS
from tests.harness import STALE_SECONDS, Desk
from tests.waiting import eventually, throughout

pytestmark = pytest.mark.faults

STOP = f"{ENDPOINTS}/{{name}}/config:stop"
READ = f"{ENDPOINTS}/{{name}}"
AFTER_THE_LEASE = 120  # seconds: what a dead worker had claimed is free again after 45


def test_killed_before_the_claim_with_the_message_in_its_hands(desk: Desk) -> None:
    """A frozen worker still receives: the message is gone from Redis, and then with the worker."""
    endpoint, otto = "lab/demand-forecast", desk.person("otto")
    desk.freeze("worker-operations")
    otto.ask(endpoint, "stop")
    assert otto.operation(endpoint).state == "queued"

    desk.kill("worker-operations")
    desk.start("worker-operations")

    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.lab.writes("demand-forecast") == [("stop", 200)]


CLAIMED, PERFORMED, LOST = (
    "lab/customer-ltv",
    "lab/basket-recommender",
    "lab/product-search-embeddings",
)


@pytest.fixture(scope="module")
def killed(shared_desk: Desk) -> Iterator[Desk]:
    """Three operations at their worst moment, when the worker that holds them all is killed."""
    desk, otto = shared_desk, shared_desk.person("otto")
    lab = desk.lab
    lab.fault("latency", seconds=30, match={"route": READ, "name": "customer-ltv"}, times=1)
    otto.ask(CLAIMED, "stop")
    lab.until_hit("latency")
    lab.fault(
        "latency",
        seconds=30,
        after=True,
        match={"route": STOP, "name": "basket-recommender"},
        times=1,
    )
    otto.ask(PERFORMED, "stop")
    lab.until_hit("latency")
    match = {"route": STOP, "name": "product-search-embeddings"}
    lab.fault("drop", match=match, times=1)
    lab.fault("latency", seconds=2, match=match, times=1)
    otto.ask(LOST, "stop")
    lab.until_hit("latency")
    desk.kill("worker-operations")
    yield desk
    desk.mend()


def test_killed_in_the_middle_nothing_is_called_done(killed: Desk) -> None:
    otto = killed.person("otto")
    assert otto.operation(CLAIMED).state == "queued"
    assert otto.operation(PERFORMED).state == "sending"
    assert otto.operation(LOST).state == "sending"
    killed.start("worker-operations")


def test_killed_after_the_claim_it_is_sent_once_by_another_worker(killed: Desk) -> None:
    otto = killed.person("otto")
    assert otto.until_settled(CLAIMED, within=AFTER_THE_LEASE) == "confirmed"
    assert killed.lab.writes("customer-ltv") == [("stop", 200)]


def test_killed_after_the_post_and_before_the_write_it_is_watched_and_never_sent_again(
    killed: Desk,
) -> None:
    otto = killed.person("otto")
    assert otto.until_settled(PERFORMED, within=AFTER_THE_LEASE) == "confirmed"
    assert [what for what, _ in killed.lab.writes("basket-recommender")] == ["stop"]


def test_killed_with_a_post_that_never_arrived_it_is_not_sent_again_and_not_called_done(
    killed: Desk,
) -> None:
    """Nobody can know that it was lost; until its deadline it stays open, and watched."""
    otto = killed.person("otto")
    otto.until_settled(CLAIMED, within=AFTER_THE_LEASE)
    throughout(lambda: otto.operation(LOST).state == "sending", seconds=4)
    assert len(killed.lab.writes("product-search-embeddings")) == 1
    assert otto.status(LOST) == "ready"


def test_with_beat_killed_a_click_is_sent_and_settled_once_beat_is_back(desk: Desk) -> None:
    endpoint, otto = "lab/embed-multilingual", desk.person("otto")
    desk.kill("beat")
    otto.ask(endpoint, "stop")
    otto.until_state(endpoint, "sent")
    throughout(lambda: otto.operation(endpoint).state == "sent", seconds=2)

    desk.start("beat")
    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.lab.writes("embed-multilingual") == [("stop", 200)]


def test_with_workers_and_beat_killed_everything_is_unknown_within_the_limit(desk: Desk) -> None:
    endpoint, otto = "grid/load-forecast-hourly", desk.person("otto")
    desk.kill("worker-operations", "worker-sync", "beat")
    otto.ask(endpoint, "stop")

    def all_unknown() -> bool:
        badges = otto.page("/endpoints/").select("tr[data-endpoint] [data-status]")
        shown = {str(badge["data-status"]) for badge in badges}
        return shown | set(otto.statuses().values()) == {"unknown"}

    # status.json may be a second older than the list, and turn Unknown that much earlier.
    eventually(all_unknown, within=STALE_SECONDS + 4, what="Unknown everywhere")
    assert otto.status_document()["verdict"] == "unknown"
    assert otto.operation(endpoint).state == "queued"

    desk.start("worker-operations", "worker-sync", "beat")
    eventually(lambda: desk.knows("lab") and desk.knows("grid"), what="The return")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")
    assert desk.workspaces["grid"].writes("load-forecast-hourly") == [("stop", 200)]


def test_a_sync_killed_in_the_middle_of_a_list_is_followed_by_another(desk: Desk) -> None:
    grid = desk.workspaces["grid"]
    grid.fault("latency", seconds=30, match={"route": ENDPOINTS}, times=1)
    grid.until_hit("latency")
    desk.kill("worker-sync")
    before = grid.lists()
    desk.start("worker-sync")
    eventually(lambda: grid.lists() > before, what="Another list")
    eventually(lambda: desk.knows("grid"))


def test_web_killed_at_the_click_loses_nothing_that_was_answered(desk: Desk) -> None:
    endpoint, otto = "grid/ticket-search-embeddings", desk.person("otto")
    desk.kill("worker-operations")
    otto.ask(endpoint, "stop")
    desk.kill("web")
    desk.start("worker-operations", "web")
    assert otto.until_settled(endpoint) == "confirmed"
    assert desk.workspaces["grid"].writes("ticket-search-embeddings") == [("stop", 200)]
