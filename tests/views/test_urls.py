"""What every address answers to whom. An address without a row in addresses.py is a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from endpoints_app.models import (
    LogSnapshot,
    Maintenance,
    Operation,
    SchemaCopy,
    StatusLink,
    StatusView,
)
from tests.views.addresses import ADDRESSES, WHO
from tests.views.conftest import Fleet
from tests.views.pages import soup, text


@pytest.fixture
def people(
    fleet: Fleet,
    oscar: User,
    ada: User,
    vera: User,
    otto: User,
    mika: User,
    browser: Callable[[User], Client],
) -> dict[str, Client]:
    fleet.other()
    users = (oscar, ada, vera, otto, mika)
    return {"nobody": Client()} | {user.username: browser(user) for user in users}


@pytest.fixture
def queued(fleet: Fleet, otto: User) -> Operation:
    return fleet.ask("lead-scoring", "stop", otto)


def answer(response: Any) -> str:
    if response.status_code != 302:
        return str(response.status_code)
    return "in" if response["Location"].startswith("/account/sign-in/?next=") else "to"


def named(patterns: list[Any], space: str = "") -> Iterator[tuple[str, str]]:
    """Name and route of every address."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from named(pattern.url_patterns, inner)
        else:
            assert isinstance(pattern, URLPattern)
            yield f"{space}{pattern.name}", str(pattern.pattern)


def test_every_address_has_its_row() -> None:
    ours = {name for name, _ in named(get_resolver().url_patterns) if not name.startswith("admin:")}

    assert ours == set(ADDRESSES)


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_answers_each_as_they_may(
    name: str, people: dict[str, Client], fleet: Fleet, otto: User
) -> None:
    address, get, post = ADDRESSES[name]
    SchemaCopy.objects.create(
        endpoint=fleet.endpoint("churn"),
        config_version=1,
        first_read_at=fleet.clock.now,
        read_at=fleet.clock.now,
        document='{"openapi": "3.1.0", "paths": {}}',
        findings=[],
    )

    fleet.publish()
    churn = fleet.endpoint("churn")
    kept = LogSnapshot.objects.create(
        endpoint=churn, log="server", entity="churn", text="x", taken_at=fleet.clock.now
    )
    planned = Maintenance.objects.create(
        title="x",
        start=fleet.clock.now,
        end=fleet.clock.now + timedelta(hours=1),
        zone="UTC",
        workspace=fleet.workspace,
        made_at=fleet.clock.now,
    )
    StatusView.objects.create(slug="whole", title="Whole", workspace=fleet.workspace)
    places = {
        "kept": kept.pk,
        "entity": churn.entities[0]["name"],
        "planned": planned.pk,
        "linked": StatusLink.objects.create(runbook_url="https://x").pk,
    }

    for who, asked, sent in zip(WHO, get.split(), post.split(), strict=True):
        Operation.objects.all().delete()
        url = address.format(pk=fleet.ask("lead-scoring", "stop", otto).pk, **places)
        assert answer(people[who].get(url)) == asked, f"GET {url} by {who}"
        assert answer(people[who].post(url, {"kind": "stop"})) == sent, f"POST {url} by {who}"


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.django_db
def test_a_script_that_is_not_signed_in_is_told_so_and_not_sent_elsewhere(
    name: str, client: Client
) -> None:
    address, get, _ = ADDRESSES[name]
    if get.split()[0] not in ("in", "401"):
        return

    response = client.get(
        address.format(pk=1, kept=1, entity="x", planned=1, linked=1),
        headers={"HX-Request": "true"},
    )

    assert response.status_code == 401
    assert response.json() == {"error": "sign_in_required"}


@pytest.mark.parametrize(
    "url",
    [
        "/w/lab/e/no-such-endpoint/",
        "/w/no-such-workspace/e/churn/",
        "/w/lab/e/no-such-endpoint/changes/",
        "/w/lab/e/no-such-endpoint/stop/",
        "/w/lab/e/no-such-endpoint/stop/dialog/",
        "/w/lab/e/churn/?id=no-such-id",
        "/w/lab/e/churn/?id=1",
        "/w/lab/e/churn/?id=%00",
        "/w/lab/e/%00/",
        "/w/%00/e/churn/",
        "/w/lab/e/%FF/",
        "/w/lab/e/churn/explode/",
        "/operations/999999/",
        "/operations/99999999999999999999999999/",
        "/operations/999999/changes/",
        "/nowhere/",
    ],
)
def test_what_does_not_exist_is_not_found(url: str, as_mika: Client) -> None:
    assert as_mika.get(url).status_code == 404


def test_nothing_can_be_done_to_what_does_not_exist(as_mika: Client) -> None:
    sent = {"kind": "delete", "confirm": "no-such-endpoint"}

    assert as_mika.post("/w/lab/e/no-such-endpoint/operations/", sent).status_code == 404
    assert as_mika.post("/operations/999999/withdraw/").status_code == 404
    assert not Operation.objects.exists()


def test_an_outsider_cannot_tell_what_exists_from_what_does_not(
    people: dict[str, Client], queued: Operation
) -> None:
    pairs = [
        ("/w/lab/e/churn/", "/w/lab/e/nobody/"),
        ("/w/lab/e/churn/", "/w/none/e/churn/"),
        ("/w/lab/e/churn/stop/", "/w/lab/e/nobody/stop/"),
        (f"/operations/{queued.pk}/", f"/operations/{queued.pk + 1}/"),
    ]
    for who in ("oscar", "ada"):
        for there, not_there in pairs:
            pages = [people[who].get(url) for url in (there, not_there)]
            bodies = [
                _without_address(page, url)
                for page, url in zip(pages, (there, not_there), strict=True)
            ]
            assert [page.status_code for page in pages] == [404, 404]
            assert bodies[0] == bodies[1]


def _without_address(response: Any, url: str) -> str:
    page = soup(response)
    for field in page.select("input[name=csrfmiddlewaretoken], input[name=next]"):
        field.decompose()
    return str(page).replace(url, "")


def test_an_operation_of_another_workspace_is_in_no_list_of_theirs(
    people: dict[str, Client], queued: Operation
) -> None:
    for url in ("/operations/?period=all", "/operations/changes/"):
        assert not soup(people["ada"].get(url)).select("[data-operation]")
        assert soup(people["vera"].get(url)).select("[data-operation]")


def test_an_endpoint_of_another_workspace_is_in_no_list_of_theirs(
    people: dict[str, Client], fleet: Fleet
) -> None:
    fleet.publish()
    for url in (
        "/endpoints/",
        "/endpoints/changes/",
        "/endpoints/?workspace=lab",
        "/endpoints/?q=churn",
    ):
        assert not soup(people["ada"].get(url)).select("[data-endpoint]")
    assert people["ada"].get("/status.json").json()["endpoints"] == []


def test_when_another_workspace_answered_is_not_theirs_to_know(
    people: dict[str, Client], fleet: Fleet
) -> None:
    since = people["ada"].get("/endpoints/changes/")["Desk-Cursor"]
    poll = people["ada"].get("/endpoints/changes/", {"since": since})

    assert poll.status_code == 204
    assert f"{fleet.workspace.pk}=" not in poll["Desk-Observed"].split()
    assert len(poll["Desk-Observed"].split()) == 1


@pytest.mark.parametrize(
    ("who", "kind", "role"), [("vera", "stop", "operator"), ("otto", "delete", "manager")]
)
def test_a_refusal_is_a_sentence_that_names_the_role_needed(
    people: dict[str, Client], who: str, kind: str, role: str
) -> None:
    url = "/w/lab/e/customer-ltv/operations/"
    sent = {"kind": kind, "confirm": "customer-ltv"}

    page = people[who].post(url, sent)
    fragment = people[who].post(url, sent, headers={"HX-Request": "true"})

    assert (page.status_code, fragment.status_code) == (403, 403)
    assert role in text(soup(page), "main")
    assert role in text(soup(fragment), "#ask [role=alert]")
    assert not soup(fragment).select("html, header"), "a whole page inside the dialog"
    assert not Operation.objects.exists()


def test_a_script_gets_a_fragment_for_what_is_not_there_too(as_mika: Client) -> None:
    response = as_mika.get("/w/lab/e/nobody/stop/dialog/", headers={"HX-Request": "true"})

    assert response.status_code == 404
    assert soup(response).select("#ask [role=alert]")
    assert not soup(response).select("html")


def test_whose_account_is_closed_is_signed_out(as_vera: Client, vera: User) -> None:
    vera.is_active = False
    vera.save()

    assert answer(as_vera.get("/endpoints/")) == "in"


def test_a_role_that_is_taken_away_is_gone_with_the_next_click(as_otto: Client, otto: User) -> None:
    assert as_otto.get("/endpoints/").status_code == 200

    otto.groups.clear()

    assert as_otto.get("/endpoints/").status_code == 404
    assert as_otto.post("/w/lab/e/churn/operations/", {"kind": "stop"}).status_code == 404


# The way back after the sign-in ----------------------------------------------------------------


def test_the_way_back_after_the_sign_in_keeps_the_filters(db: None, client: Client) -> None:
    response = client.get("/endpoints/?status=stopped&q=card")

    assert (
        response["Location"] == "/account/sign-in/?next=/endpoints/%3Fstatus%3Dstopped%26q%3Dcard"
    )


def test_a_form_sent_without_a_session_leads_back_to_its_page(db: None, client: Client) -> None:
    url = "/w/lab/e/churn/operations/"
    form = "http://testserver/w/lab/e/churn/stop/?id=1"

    response = client.post(url, {"kind": "stop"}, headers={"Referer": form})

    assert response["Location"] == "/account/sign-in/?next=/w/lab/e/churn/stop/%3Fid%3D1"


@pytest.mark.parametrize(
    "referer", ["", "https://evil.example/w/lab/e/churn/stop/", "http://[", "//"]
)
def test_a_form_from_elsewhere_leads_to_the_list(db: None, client: Client, referer: str) -> None:
    headers = {"Referer": referer} if referer else {}

    response = client.post("/w/lab/e/churn/operations/", {"kind": "stop"}, headers=headers)

    assert response["Location"] == "/account/sign-in/?next=/endpoints/"


# The admin's pages -----------------------------------------------------------------------------


def test_the_admin_shows_nothing_to_those_who_are_not_its_staff(people: dict[str, Client]) -> None:
    names = [name for name, _ in named(get_resolver().url_patterns) if name.startswith("admin:")]
    for name in names:
        if name in ("admin:login", "admin:None"):
            continue
        for arguments in ([], [1], [1, 1], ["auth"]):
            with suppress(NoReverseMatch):
                url = reverse(name, args=arguments)
                break
        else:
            raise AssertionError(f"no address for {name}")
        for who in ("nobody", "oscar", "mika"):
            response = people[who].get(url)
            assert response.status_code == 302, f"{url} by {who}"
            assert "/account/sign-in/" in response["Location"] or "/admin/" in response["Location"]
    assert len(names) > 30
