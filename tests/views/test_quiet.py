"""The short way to "nothing is new" refuses whom the long way refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from endpoints_app.services import live
from tests.views.conftest import Fleet

POLLS = ["/endpoints/changes/", "/operations/changes/"]


def cursor() -> str:
    return live.read_head().cursor(timezone.now())


@pytest.mark.parametrize("url", POLLS)
def test_it_answers_who_may_see_and_nobody_else(
    url: str, fleet: Fleet, as_vera: Client, as_oscar: Client
) -> None:
    since = {"since": cursor()}

    assert as_vera.get(url, since).status_code == 204
    assert as_oscar.get(url, since).status_code == 404
    assert Client().get(url, since).status_code == 401
    assert as_vera.post(url, query_params=since).status_code == 405


@pytest.mark.parametrize("url", POLLS)
def test_a_role_that_is_taken_away_is_gone_with_the_next_poll(
    url: str, fleet: Fleet, vera: User, as_vera: Client
) -> None:
    assert as_vera.get(url, {"since": cursor()}).status_code == 204

    vera.groups.clear()

    assert as_vera.get(url, {"since": cursor()}).status_code == 404


@pytest.mark.parametrize("url", POLLS)
def test_so_is_an_account_that_is_closed(
    url: str, fleet: Fleet, vera: User, as_vera: Client
) -> None:
    assert as_vera.get(url, {"since": cursor()}).status_code == 204

    User.objects.filter(pk=vera.pk).update(is_active=False)

    assert as_vera.get(url, {"since": cursor()}).status_code == 401


@pytest.mark.parametrize("url", POLLS)
def test_each_learns_of_their_own_workspaces_only(
    url: str, fleet: Fleet, ada: User, as_vera: Client, browser: Callable[[User], Client]
) -> None:
    other = fleet.other()
    since = {"since": cursor()}

    assert len(as_vera.get(url, since)["Desk-Observed"].split()) == 2
    assert browser(ada).get(url, since)["Desk-Observed"].startswith(f"{other.pk}=")


@pytest.mark.parametrize("url", POLLS)
def test_a_host_that_is_not_ours_is_refused_here_too(
    url: str, fleet: Fleet, as_vera: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]
    assert as_vera.get(url, {"since": cursor()}, headers={"host": "evil"}).status_code == 400
    ours = as_vera.get(url, {"since": cursor()}, headers={"host": "desk.example"})
    assert ours.status_code == 204


def test_what_is_looked_at_is_not_asked_for_again(
    fleet: Fleet, as_vera: Client, django_assert_num_queries: Any
) -> None:
    """An old cursor goes the long way with the session and the account it was seen with."""
    as_vera.get("/endpoints/changes/")

    with django_assert_num_queries(1 + 1 + 3):  # session, account; the head
        assert as_vera.get("/endpoints/changes/", {"since": "old"}).status_code == 200
