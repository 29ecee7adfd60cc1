"""Who may open the status page, in each of its four ways; and what no answer of it ever carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from endpoints_app import status_door
from endpoints_app.domain import status_views
from endpoints_app.models import StatusView, StatusViewMember
from tests.views.conftest import Fleet
from tests.views.pages import soup, text
from tests.views.status_pages import BEHIND_A_LINK, OPEN, TOKEN, addresses, open_with

MODES = ["public", "token", "login", "off"]


def answers(client: Client, urls: list[str]) -> set[int]:
    return {client.get(url).status_code for url in urls}


# Off and public --------------------------------------------------------------------------------


def test_off_shows_nothing_to_anybody(fleet: Fleet, as_mika: Client, settings: Any) -> None:
    open_with("off", settings, fleet)

    for client in (as_mika, Client()):
        assert answers(client, [*OPEN, *BEHIND_A_LINK]) == {404}


def test_public_is_for_everybody_and_its_links_open_nothing(fleet: Fleet, settings: Any) -> None:
    open_with("token", settings, fleet)
    urls = open_with("public", settings, fleet)

    assert answers(Client(), urls) == {200, 503}
    assert answers(Client(), BEHIND_A_LINK) == {404}


# Login -----------------------------------------------------------------------------------------


def test_login_asks_people_to_sign_in_and_tells_programs(fleet: Fleet, settings: Any) -> None:
    for url in open_with("login", settings, fleet):
        response = Client().get(url)
        if url.endswith("/") or "?" in url:
            assert response.status_code == 302
            assert response["Location"].startswith("/account/sign-in/?next=/status/")
        else:
            assert response.status_code == 401
            assert response.json() == {"error": "sign_in_required"}
        assert not response.cookies


def test_login_shows_each_their_own_workspaces(
    fleet: Fleet, oscar: User, browser: Callable[[User], Client], settings: Any
) -> None:
    fleet.other(fleet.document("churn") | {"id": "of-other", "name": "theirs"})
    oscar.groups.add(Group.objects.get(name="viewer in other"))
    open_with("login", settings, fleet)
    theirs = browser(oscar)

    page = theirs.get("/status/").content.decode()

    assert "theirs" in page
    assert ">lab<" not in page
    assert "fraud-scorer" not in page
    assert answers(theirs, addresses("/status/lab/")) == {404}
    assert theirs.get("/status/other/theirs/").status_code == 200


def test_login_does_not_show_a_view_of_a_workspace_they_do_not_see(
    fleet: Fleet, ada: User, browser: Callable[[User], Client], settings: Any
) -> None:
    StatusView.objects.create(slug="team", workspace=fleet.workspace)
    open_with("login", settings, fleet)

    assert browser(ada).get("/status/team/").status_code == 404


def test_login_ends_with_the_account_the_password_and_the_role(
    fleet: Fleet, vera: User, browser: Callable[[User], Client], settings: Any
) -> None:
    open_with("login", settings, fleet)
    client = browser(vera)
    assert client.get("/status/").status_code == 200

    vera.groups.clear()
    assert client.get("/status/").status_code == 404
    vera.groups.add(Group.objects.get(name="viewer"))
    vera.is_active = False
    vera.save()
    assert client.get("/status/").status_code == 302
    vera.is_active = True
    vera.save()
    assert client.get("/status/").status_code == 200
    vera.set_password("another battery staple")
    vera.save()
    assert client.get("/status/").status_code == 302


# Token -----------------------------------------------------------------------------------------


def test_a_link_opens_its_view_and_no_other_page(
    fleet: Fleet, as_mika: Client, settings: Any
) -> None:
    urls = open_with("token", settings, fleet)

    assert answers(Client(), urls) == {200, 503}
    for client in (Client(), as_mika):
        assert answers(client, [*OPEN, "/status/team/"]) == {404}
    assert answers(Client(), addresses("/status/t/another-token/")) == {404}
    assert answers(Client(), addresses("/status/t/%00/")) == {404}


def test_a_link_is_dead_from_the_moment_it_is_withdrawn(fleet: Fleet, settings: Any) -> None:
    urls = open_with("token", settings, fleet)
    assert 404 not in answers(Client(), urls)

    StatusView.objects.update(token_digest="")

    assert answers(Client(), urls) == {404}, "before the writer has come by again"


def test_a_view_without_a_link_is_opened_by_no_token(fleet: Fleet, settings: Any) -> None:
    open_with("token", settings, fleet)
    StatusView.objects.update(token_digest="")

    for token in ("", "x", status_views.digest("")):
        assert Client().get(f"/status/t/{token}/").status_code == 404


def test_the_link_of_the_fleet_shows_it_and_leads_to_pages_behind_itself(
    fleet: Fleet, settings: Any
) -> None:
    fleet.other(fleet.document("churn") | {"id": "of-other"})
    open_with("token", settings, fleet)
    StatusView.objects.create(slug="", token_digest=status_views.digest("fleet-token"))

    page = soup(Client().get("/status/t/fleet-token/"))

    links = {str(a["href"]) for a in page.select("main a[href]")}
    assert "/status/t/fleet-token/fraud-scorer/?in=lab" in links
    assert all(link.startswith(("/status/t/fleet-token/", "?")) for link in links)
    for link in links:
        if link.startswith("/"):
            assert Client().get(link).status_code == 200


def test_nobody_learns_the_link_from_where_a_reader_goes_next(fleet: Fleet, settings: Any) -> None:
    for url in [*open_with("token", settings, fleet), "/status/t/wrong/"]:
        response = Client().get(url)
        assert response["Referrer-Policy"] == "no-referrer"
        assert TOKEN not in response.headers.get("Location", "")
    assert TOKEN not in str(StatusView.objects.values().first())


# What every answer has in common ---------------------------------------------------------------


@pytest.mark.parametrize("mode", ["public", "token", "login"])
def test_no_answer_sets_a_cookie_has_a_form_or_may_be_kept_by_others(
    mode: str, fleet: Fleet, vera: User, browser: Callable[[User], Client], settings: Any
) -> None:
    """Not even for who has a session, and has chosen a language."""
    urls = open_with(mode, settings, fleet)
    client = browser(vera)
    client.cookies["django_language"] = "ja"

    for url in [*urls, "/status/nowhere/", "/status/lab/nowhere/", "/status/a/b/c/"]:
        response = client.get(url)
        assert not response.cookies, url
        assert "Set-Cookie" not in response.headers
        if response.status_code in (200, 404):
            assert b"<form" not in response.content
            assert b"csrf" not in response.content
            assert response.headers.get("X-Frame-Options") == "DENY"
        if response.status_code == 200:
            scope, _, life = response["Cache-Control"].partition(", ")
            assert (scope == "public") == (mode == "public")
            assert life == "max-age=2"
            vary = response["Vary"].replace(",", "").split()
            assert ("Cookie" in vary) == (mode == "login")


@pytest.mark.parametrize("mode", MODES)
def test_nothing_can_be_sent_to_it(mode: str, fleet: Fleet, as_mika: Client, settings: Any) -> None:
    for url in open_with(mode, settings, fleet):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(as_mika, method)(url).status_code == 405


@pytest.mark.parametrize("mode", ["public", "token", "login"])
def test_it_costs_at_most_two_queries_and_no_call(
    mode: str,
    fleet: Fleet,
    vera: User,
    browser: Callable[[User], Client],
    settings: Any,
    cached: None,
    django_assert_max_num_queries: Any,
) -> None:
    """No workspace stands behind these rows: a call would fail the test."""
    urls = open_with(mode, settings, fleet)
    client = browser(vera)
    if mode == "login":
        client.get("/endpoints/")  # the session is in the cache from its first use on
    for url in urls:
        with django_assert_max_num_queries(2):
            assert client.get(url).status_code in (200, 503)
        with django_assert_max_num_queries(1):
            client.get(url)


def test_a_fleet_of_thousands_does_not_fill_the_memory(
    fleet: Fleet, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept for the next reader has a size, not only a number."""
    monkeypatch.setattr(status_door, "KEPT_BYTES", 50_000)
    open_with("public", settings, fleet)

    for i in range(30):
        assert Client().get(f"/status/?n={i}").status_code == 200

    kept = [len(made.body) + len(made.packed) for made in status_door._kept.values()]
    assert sum(kept) <= 50_000
    assert len(kept) > 1


def test_two_readers_of_one_moment_cost_one_drawing(
    fleet: Fleet, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_with("public", settings, fleet)
    first = Client().get("/status/").content
    monkeypatch.setattr("endpoints_app.domain.status_build.page", None)

    assert Client().get("/status/").content == first


# A view's own names ----------------------------------------------------------------------------


def test_an_alias_takes_the_place_of_the_name_everywhere(fleet: Fleet, settings: Any) -> None:
    open_with("public", settings, fleet)
    view = StatusView.objects.create(slug="shop", title="Shop")
    for i, name in enumerate(("fraud-scorer", "customer-ltv")):
        StatusViewMember.objects.create(
            view=view, workspace=fleet.workspace, name=name, alias=f"Service {i}", position=i
        )
    fleet.publish()

    for tail in ("", "status.json", "feed.atom", "badge.svg", "Service%200/", "?show=all"):
        response = Client().get(f"/status/shop/{tail}")
        assert response.status_code == 200, tail
        said = response.content.decode()
        for hidden in ("fraud-scorer", "customer-ltv", ">lab<", "lab:", '"lab"', "of lab"):
            assert hidden not in said, (tail, hidden)
    assert text(soup(Client().get("/status/shop/")), ".verdict.now h1") == (
        "1 of 2 endpoints cannot serve"
    )
    assert Client().get("/status/shop/fraud-scorer/").status_code == 404


def test_an_endpoint_that_a_view_lists_is_not_forgotten_when_it_is_gone(
    fleet: Fleet, settings: Any
) -> None:
    open_with("public", settings, fleet)
    view = StatusView.objects.create(slug="shop", title="Shop")
    StatusViewMember.objects.create(
        view=view, workspace=fleet.workspace, name="customer-ltv", position=0
    )
    fleet.bury("customer-ltv")
    fleet.publish()

    found = soup(Client().get("/status/shop/"))

    assert "Databricks shows no endpoint of this name." in text(found, ".abn")
    assert Client().get("/status/shop/health").status_code == 504
