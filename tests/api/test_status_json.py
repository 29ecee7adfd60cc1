"""The fleet's state for machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from tests.views.conftest import Fleet

URL = "/status.json"


def asked(fleet: Fleet, client: Client) -> Any:
    """What it answers after the writer came by."""
    fleet.publish()
    return client.get(URL)


def test_it_has_these_fields_and_no_other(fleet: Fleet, as_vera: Client) -> None:
    document = asked(fleet, as_vera).json()

    assert set(document) == {"observed_at", "max_age", "verdict", "counts", "endpoints"}
    assert set(document["counts"]) == {status.value for status in Status}
    fields = {"workspace", "name", "status", "label", "serving", "since"}
    assert [set(endpoint) for endpoint in document["endpoints"]] == [fields] * 15


def test_it_says_what_the_list_says(fleet: Fleet, as_vera: Client) -> None:
    document = asked(fleet, as_vera).json()

    found = {endpoint["name"]: endpoint for endpoint in document["endpoints"]}
    assert found["demand-forecast"] == {
        "workspace": "lab",
        "name": "demand-forecast",
        "status": "ready_update_failed",
        "label": "Ready (Update failed)",
        "serving": True,
        "since": "2026-11-22T03:00:00+00:00",
    }
    assert found["card-ocr-v1"]["serving"] is False
    assert found["kyc-face-match"]["serving"] is None
    assert document["observed_at"] == "2026-11-22T03:00:00+00:00"
    assert document["max_age"] == 45
    assert document["counts"] == {
        "update_failed": 1,
        "not_ready": 1,
        "unknown": 1,
        "updating": 1,
        "ready_update_failed": 1,
        "ready": 8,
        "stopped": 2,
    }


def test_nothing_of_the_workspaces_own_text_is_in_it_but_names(
    fleet: Fleet, as_vera: Client
) -> None:
    secret = "do-not-show"
    document = fleet.document("churn")
    document |= {
        "description": secret,
        "creator": secret,
        "tags": [{"key": secret, "value": secret}],
    }
    fleet.read(document)

    assert secret not in asked(fleet, as_vera).content.decode()


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (["fraud-scorer", "customer-ltv"], "down"),
        (["checkout-ranker"], "down"),
        (["kyc-face-match", "customer-ltv"], "unknown"),
        (["customer-ltv", "card-ocr-v1", "demand-forecast", "churn"], "ok"),
    ],
)
def test_the_verdict_is_the_worst(
    left: list[str], verdict: str, fleet: Fleet, as_vera: Client
) -> None:
    Endpoint.objects.exclude(name__in=left).delete()

    assert asked(fleet, as_vera).json()["verdict"] == verdict


def test_a_silent_workspace_without_endpoints_is_not_ok(fleet: Fleet, as_vera: Client) -> None:
    Endpoint.objects.all().delete()
    assert asked(fleet, as_vera).json()["verdict"] == "ok"

    fleet.forward(60)

    assert asked(fleet, as_vera).json()["verdict"] == "unknown"


def test_the_oldest_answer_counts(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(20)
    fleet.other()

    assert asked(fleet, as_vera).json()["observed_at"] == "2026-11-22T03:00:00+00:00"


def test_what_turned_unknown_by_the_clock_did_so_with_the_last_answer(
    fleet: Fleet, as_vera: Client
) -> None:
    fleet.forward(30)
    fleet.answered()
    fleet.forward(60)

    since = {endpoint["since"] for endpoint in asked(fleet, as_vera).json()["endpoints"]}

    # The one that was Unknown before is so since it was.
    assert since == {"2026-11-22T03:00:30+00:00", "2026-11-22T03:00:00+00:00"}


# Who -------------------------------------------------------------------------------------------


def test_it_is_for_the_signed_in(fleet: Fleet, client: Client) -> None:
    response = asked(fleet, client)

    assert response.status_code == 401
    assert response.json() == {"error": "sign_in_required"}
    assert not response.cookies


def test_who_has_no_role_finds_nothing(fleet: Fleet, as_oscar: Client) -> None:
    response = asked(fleet, as_oscar)

    assert response.status_code == 404


def test_each_sees_their_own_workspaces(
    fleet: Fleet, oscar: User, browser: Callable[[User], Client]
) -> None:
    fleet.other(fleet.document("churn") | {"id": "of-other"})
    oscar.groups.add(Group.objects.get(name="viewer in other"))

    document = asked(fleet, browser(oscar)).json()

    assert [(e["workspace"], e["name"]) for e in document["endpoints"]] == [("other", "churn")]
    assert sum(document["counts"].values()) == 1


@pytest.mark.parametrize("who", ["nobody", "oscar", "vera"])
def test_a_public_one_is_for_all(
    who: str,
    fleet: Fleet,
    oscar: User,
    vera: User,
    browser: Callable[[User], Client],
    settings: Any,
) -> None:
    settings.STATUS_PAGE_ACCESS = "public"
    client = {"nobody": Client, "oscar": lambda: browser(oscar), "vera": lambda: browser(vera)}[
        who
    ]()

    response = asked(fleet, client)

    assert len(response.json()["endpoints"]) == 15
    assert not response.cookies
    assert response["Cache-Control"] == "public, max-age=2"


# Cost ------------------------------------------------------------------------------------------


def test_it_costs_a_fixed_number_of_queries(
    fleet: Fleet, as_vera: Client, django_assert_num_queries: Any
) -> None:
    fleet.publish()
    with django_assert_num_queries(1 + 1):  # the session, which no cache has here; all the rest
        as_vera.get(URL)
