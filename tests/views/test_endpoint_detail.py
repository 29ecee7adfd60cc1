"""The page of one endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import status_payload
from endpoints_app.views import endpoint_detail
from tests.conftest import Lab
from tests.views.conftest import SHOWN, START, Fleet, recorded
from tests.views.pages import inline, one, soup, text


def page(client: Client, name: str, query: str = "") -> BeautifulSoup:
    response = client.get(f"/w/lab/e/{name}/{query}")
    assert response.status_code == 200
    return soup(response)


def test_every_endpoint_of_the_fleet_has_its_page(fleet: Fleet, as_vera: Client) -> None:
    fleet.add(*(d for d in recorded(START) if d["name"] not in SHOWN))
    for document in recorded(START):
        name = document["name"]
        found = page(as_vera, name)
        status = Status(fleet.endpoint(name).status)
        assert text(found, "h1") == name
        assert one(found, "#title [data-status]")["data-status"] == status.value
        assert status.label in text(found, "title")
        assert not inline(found)


def test_two_questions_are_answered_apart_and_the_raw_triple_is_shown(as_vera: Client) -> None:
    found = page(as_vera, "demand-forecast")

    serves, changed = found.select(".vitals > div")
    assert "Yes" in serves.get_text(" ")
    assert "Failed" in changed.get_text(" ")
    overview = text(found, "#overview")
    for word in ("READY", "UPDATE_FAILED"):
        assert word in overview


def test_why_it_failed_is_said_once_before_everything_else(fleet: Fleet, as_vera: Client) -> None:
    message = "No matching distribution found for lightgbm==4.7.0"

    found = page(as_vera, "fraud-scorer")
    assert "Build logs" in text(found, "#failing")
    one(found, "#failing .above").extract()  # shown where the title turns Unknown by itself
    assert text(found, "main").count(message) == 1
    assert message in text(found, "[data-why]")

    fleet.forward(46)  # the title tells of the age now
    found = page(as_vera, "fraud-scorer")
    assert text(found, "main").count(message) == 1
    assert message in text(found, "#failing")
    assert not found.select(".above")

    assert message in text(soup(as_vera.get("/w/lab/e/fraud-scorer/activity/")), "#timeline")


def test_where_the_title_says_something_else_the_reason_stands_with_the_failing_entity(
    as_vera: Client,
) -> None:
    message = "No module named 'holidays'"

    found = page(as_vera, "demand-forecast")

    assert "still serves" in text(found, "[data-why]")
    assert text(found, "main").count(message) == 1
    overview = text(found, "#overview")
    assert overview.index(message) < overview.index("Served entities")


def test_a_deleted_endpoint_keeps_the_reason_of_its_failure(fleet: Fleet, as_vera: Client) -> None:
    endpoint = fleet.bury("fraud-scorer")

    found = page(as_vera, "fraud-scorer", f"?id={endpoint.uid}")

    assert text(found, "main").count("No matching distribution found for lightgbm==4.7.0") == 1
    assert not found.select(".above")


def test_active_and_pending_stand_side_by_side_with_what_differs(as_vera: Client) -> None:
    found = page(as_vera, "credit-limit")

    head = [th.get_text(" ", strip=True) for th in found.select("table.diff thead th")]
    assert "17" in head[1]
    assert "18" in head[2]
    assert found.select("table.diff td.new"), "what differs is marked"


def test_entities_traffic_and_facts_are_on_it(fleet: Fleet, as_vera: Client) -> None:
    document = fleet.document("basket-recommender") | {"budget_policy_id": "a-budget-policy"}
    fleet.read(document)

    overview = text(page(as_vera, "basket-recommender"), "#overview")

    entities = document["config"]["served_entities"]
    routes = document["config"]["traffic_config"]["routes"]
    facts = [document["description"], document["budget_policy_id"]]
    facts += [tag["value"] for tag in document["tags"]]
    for entity in entities:
        keys = ("name", "entity_name", "entity_version", "workload_size")
        facts += [str(entity[key]) for key in keys]
    facts += [f"{route['traffic_percentage']} %" for route in routes]
    assert len(entities) == 2
    assert not [fact for fact in facts if fact not in overview]


def test_status_changes_and_operations_are_one_timeline(
    fleet: Fleet, as_vera: Client, otto: User
) -> None:
    fleet.forward(60)
    fleet.ask("customer-ltv", "stop", otto, reason="idle at night")
    fleet.forward(60)
    fleet.read(
        fleet.document("customer-ltv")
        | {"state": {"ready": "NOT_READY", "config_update": "NOT_UPDATING"}}
    )

    moments = [
        li.get_text(" ", strip=True) for li in page(as_vera, "customer-ltv").select("ol.tl li")
    ]
    moments = [moment for moment in moments if moment.startswith("03:")]

    assert len(moments) == 4
    assert moments[0].startswith("03:02:00")
    assert "Not ready (Stopped)" in moments[0]
    assert "Otto" in moments[1]
    assert "idle at night" in moments[1]
    assert moments[2] == "03:00:00 Ready when first seen"
    assert moments[3].startswith("03:00:00 Config")


# Who may do what -------------------------------------------------------------------------------


def offered(found: BeautifulSoup) -> set[str]:
    return {
        str(link["href"]).rstrip("/").rpartition("/")[2]
        for link in found.select("#title a[data-dialog]")
    }


@pytest.mark.parametrize(
    ("who", "name", "actions"),
    [
        ("vera", "customer-ltv", set()),
        ("otto", "customer-ltv", {"stop"}),
        ("mika", "customer-ltv", {"stop", "delete"}),
        ("otto", "card-ocr-v1", {"start"}),
        ("mika", "churn", {"delete"}),
        ("mika", "gpt-4o-proxy", {"delete"}),
        ("mika", "databricks-gte-large-en", set()),
    ],
)
def test_what_may_be_done_is_offered_and_what_may_not_says_why(
    who: str, name: str, actions: set[str], fleet: Fleet, request: Any
) -> None:
    client = request.getfixturevalue(f"as_{who}")

    found = page(client, name)

    assert offered(found) == actions
    disabled = found.select('#title [aria-disabled="true"]')
    assert len(disabled) + len(actions) == 2
    if disabled:
        assert "." in text(found, "#title"), "a sentence says why"


def test_a_viewer_is_told_which_role_would_be_needed(as_vera: Client) -> None:
    title = text(page(as_vera, "customer-ltv"), "#title")

    assert "operator" in title
    assert "viewer" in title


def test_while_an_operation_runs_nothing_else_is_offered(
    fleet: Fleet, as_mika: Client, mika: User
) -> None:
    fleet.ask("customer-ltv", "stop", mika)

    found = page(as_mika, "customer-ltv")

    assert offered(found) == set()
    steps = one(found, "#strip [data-operation]")
    assert (steps["data-operation"], steps["data-state"]) == ("stop", "queued")


# Gone ones -------------------------------------------------------------------------------------


def test_a_deleted_endpoint_is_found_by_its_id_alone(fleet: Fleet, as_mika: Client) -> None:
    row = fleet.bury("churn")

    assert as_mika.get("/w/lab/e/churn/").status_code == 404
    found = page(as_mika, "churn", f"?id={row.uid}")
    assert one(found, "#title [data-status]")["data-status"] == "gone"
    assert offered(found) == set()


def test_all_its_pages_are_led_to_also_once_it_is_gone(fleet: Fleet, as_mika: Client) -> None:
    former = fleet.bury("churn")
    for found in (page(as_mika, "customer-ltv"), page(as_mika, "churn", f"?id={former.uid}")):
        tabs = [str(link["href"]) for link in found.select(".tabs a")]
        assert len(tabs) == 7
        assert {as_mika.get(url, follow=True).status_code for url in tabs} == {200}


def test_a_successor_has_the_name_and_the_former_its_id(fleet: Fleet, as_vera: Client) -> None:
    former = fleet.bury("churn")
    fleet.add(fleet.document("churn") | {"id": "the-successor"})

    assert one(page(as_vera, "churn"), "#title [data-status]")["data-status"] == "updating"
    gone = page(as_vera, "churn", f"?id={former.uid}")
    assert one(gone, "#title [data-status]")["data-status"] == "gone"
    assert as_vera.get("/w/lab/e/customer-ltv/", {"id": former.uid}).status_code == 404


def test_one_without_an_id_at_databricks_is_found_by_our_number(
    fleet: Fleet, as_vera: Client
) -> None:
    row = fleet.bury("databricks-gte-large-en")
    assert row.uid == ""

    assert as_vera.get(row.get_absolute_url()).status_code == 200
    assert f"id={row.pk}" in row.get_absolute_url()


@pytest.mark.parametrize("uid", ["9" * 30, "-1", "٣", "' or 1=1 --", "x" * 5000])
def test_an_id_that_nobody_has_is_not_found(uid: str, fleet: Fleet, as_vera: Client) -> None:
    assert as_vera.get("/w/lab/e/churn/", {"id": uid}).status_code == 404


# What a workspace may contain ------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    "{{ 7*7 }}{% debug %}",
    "\u202egnp.exe",
    "مرحبا بالعالم",
    "日本語の説明",
    "x" * 500,
    "a\0b\ud800",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("string", HOSTILE)
def test_a_string_of_the_workspace_is_text_and_nothing_else(
    string: str, fleet: Fleet, as_mika: Client
) -> None:
    document = fleet.document("basket-recommender")
    document |= {
        "description": string,
        "creator": string,
        "creator_display_name": string,
        "task": string,
        "budget_policy_id": string,
        "permission_level": string,
        "tags": [{"key": string, "value": string}, {"key": "team", "value": string}],
        "state": {"ready": string, "config_update": string, "suspend": string},
    }
    for entity in document["config"]["served_entities"]:
        entity |= {
            "name": string,
            "entity_name": string,
            "entity_version": string,
            "workload_size": string,
            "workload_type": string,
            "environment_vars": {string: string},
            "state": {"deployment": "DEPLOYMENT_FAILED", "deployment_state_message": string},
        }
    document["config"]["traffic_config"] = {
        "routes": [{"served_entity_name": string, "traffic_percentage": 100}]
    }
    fleet.read(document)

    for url in ("/endpoints/", "/w/lab/e/basket-recommender/", "/w/lab/e/basket-recommender/stop/"):
        response = as_mika.get(url)
        assert response.status_code == 200
        found = soup(response)
        assert not [script for script in found.select("script") if not script.get("src")]
        assert not found.select("img, [onerror], a[href^=javascript]")
        assert "49" not in text(found, "h1, h2#ask-title")
        assert "\0" not in response.content.decode()


@pytest.mark.parametrize(
    "name", ["a b", "a?b#c", "a%2Fb", "a&b=c", "ä-é-日本", "a'b\"c", "<b>", "a\\b", "..."]
)
def test_an_odd_name_leads_to_its_own_page(name: str, fleet: Fleet, as_mika: Client) -> None:
    fleet.add(fleet.document("customer-ltv") | {"name": name, "id": "odd"})
    found = soup(as_mika.get("/endpoints/"))
    link = next(a for a in found.select("tr th a") if a.get_text() == name)

    there = soup(as_mika.get(str(link["href"])))

    assert one(there, "h1").get_text() == name
    for action in there.select("#title a[data-dialog]"):
        assert as_mika.get(str(action["href"])).status_code == 200
    fragment = str(one(there, "#poll")["hx-get"])
    assert as_mika.get(fragment).status_code == 200


# Calls to Databricks ---------------------------------------------------------------------------


@pytest.fixture
def near(lab: Lab, vera: User, browser: Callable[[User], Client]) -> Any:
    """vera's browser, at the moment of the workspace's last reading."""
    lab.sync()
    with time_machine.travel(lab.clock.now, tick=False):
        yield browser(vera)


def calls(lab: Lab) -> int:
    return sum(lab.emulator.calls.document()["calls"].values())


def test_what_was_read_costs_no_call(lab: Lab, near: Client) -> None:
    status_payload.publish(now=lab.clock.now)
    lab.emulator.calls.clear()
    name = Endpoint.objects.filter(document__isnull=False)[0].name

    for url in (f"/w/lab/e/{name}/", f"/w/lab/e/{name}/changes/", "/endpoints/", "/status.json"):
        assert near.get(url).status_code == 200

    assert calls(lab) == 0


def test_what_was_not_read_yet_costs_one(lab: Lab, near: Client) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.calls.clear()

    found = page(near, name)
    page(near, name)

    assert lab.emulator.calls.document()["calls"] == {"GET /api/2.0/serving-endpoints/{name}": 1}
    assert "has not been read yet" not in text(found, "#overview")


def test_a_poll_never_asks_databricks(lab: Lab, near: Client) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.calls.clear()

    assert near.get(f"/w/lab/e/{name}/changes/").status_code == 200

    assert calls(lab) == 0


def test_a_workspace_that_hangs_costs_the_page_its_deadline_once(lab: Lab, near: Client) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.fault("latency", seconds=30)

    started = time.perf_counter()
    found = page(near, name)
    assert time.perf_counter() - started < 4.5
    assert "has not been read yet" in text(found, "#overview")

    started = time.perf_counter()
    page(near, name)
    assert time.perf_counter() - started < 1, "what just hung is left alone"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_answer_that_is_none_leaves_the_page_without_details(
    status: int, lab: Lab, near: Client
) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.fault("status", status=status, body="<html>no</html>", content_type="text/html")

    found = page(near, name)

    assert "has not been read yet" in text(found, "#overview")
    assert Endpoint.objects.get(name=name).gone_at is None


def test_details_that_did_not_come_are_asked_for_again_before_long(lab: Lab, near: Client) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.fault("status", status=403)
    assert "has not been read yet" in text(page(near, name), "#overview")

    lab.emulator.clear_faults()
    with time_machine.travel(lab.clock.forward(11), tick=False):
        assert "has not been read yet" not in text(page(near, name), "#overview")


def test_one_that_is_gone_meanwhile_is_not_found(lab: Lab, near: Client) -> None:
    name = Endpoint.objects.filter(document__isnull=True)[0].name
    lab.emulator.world.remove(name)

    assert near.get(f"/w/lab/e/{name}/").status_code == 404
    assert Endpoint.objects.get(name=name).gone_at is not None


# Cost ------------------------------------------------------------------------------------------


def test_the_page_costs_a_fixed_number_of_queries(
    fleet: Fleet, as_vera: Client, otto: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Session, account and head. Who comes first has it drawn: the endpoint with what is under way,
    the changes of its day, the latest operation, the timeline."""
    page(as_vera, "churn")
    page(as_vera, "basket-recommender")  # Django tries once whether the database knows JSON
    everybody, first = 2 + 3, 1 + 1 + 1 + 1
    with django_assert_num_queries(everybody):
        page(as_vera, "churn")
    endpoint_detail.forget()
    with django_assert_num_queries(everybody + first):
        page(as_vera, "churn")

    fleet.ask("customer-ltv", "stop", otto)
    changed = 1  # what this process has not heard of
    with django_assert_num_queries(everybody + changed + first + 1):  # how long it usually takes
        page(as_vera, "customer-ltv")
