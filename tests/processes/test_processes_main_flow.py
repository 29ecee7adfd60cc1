"""Stop, start and delete through web, Redis, workers, beat and a workspace, as real processes."""

from __future__ import annotations

import pytest

from tests.harness import Desk

pytestmark = pytest.mark.processes


def test_stop_start_and_delete_go_through_to_the_workspace(desk: Desk) -> None:
    endpoint = "lab/customer-ltv"
    otto, mika = desk.person("otto"), desk.person("mika")
    assert otto.status(endpoint) == "ready"

    otto.ask(endpoint, "stop", reason="quiet night")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "stopped")

    otto.ask(endpoint, "start")
    assert otto.until_settled(endpoint) == "confirmed"
    otto.until_status(endpoint, "ready")

    mika.ask(endpoint, "delete", confirm="customer-ltv")
    assert mika.until_settled(endpoint) == "confirmed"
    mika.until_status(endpoint, None)

    assert desk.lab.writes("customer-ltv") == [("stop", 200), ("start", 200), ("delete", 200)]


def test_a_click_with_a_lost_message_is_carried_out_all_the_same(desk: Desk) -> None:
    """Web publishes where nobody listens: only the look-up, which needs no message, finds it."""
    endpoint = "lab/basket-recommender"
    otto = desk.person("otto")
    desk.restart("web", REDIS_URL="redis://127.0.0.1:1/0", CACHE_URL=desk.redis_url)
    try:
        otto.ask(endpoint, "stop")
        assert otto.until_settled(endpoint) == "confirmed"
        assert desk.lab.writes("basket-recommender") == [("stop", 200)]
    finally:
        desk.restart("web", REDIS_URL=desk.redis_url)


def test_what_a_role_may_not_do_never_reaches_the_workspace(desk: Desk) -> None:
    refused = {
        "vera": desk.person("vera").post_operation("lab/geo-features", "stop"),
        "otto": desk.person("otto").post_operation(
            "lab/geo-features", "delete", confirm="geo-features"
        ),
        "oscar": desk.person("oscar").post_operation("lab/geo-features", "stop"),
    }
    assert {who: answer.status_code for who, answer in refused.items()} == {
        "vera": 403,
        "otto": 403,
        "oscar": 404,
    }
    assert desk.lab.writes("geo-features") == []
