"""The short way to "nothing is new" refuses whom the long way refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from endpoints_app.models import RoleGroup
from endpoints_app.services import live
from tests.conftest import PASSWORD
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


TAKEN: dict[str, tuple[Callable[[User], object], int]] = {
    "a role": (lambda vera: vera.groups.clear(), 404),
    "the role of a group": (lambda vera: RoleGroup.objects.get(group__user=vera).delete(), 404),
    "a group": (lambda vera: vera.groups.get().delete(), 404),
    "the account": (lambda vera: vera.delete(), 401),
    "its use": (lambda vera: set_and_save(vera, is_active=False), 401),
    "its password": (lambda vera: set_and_save(vera, password="!"), 401),
}


def set_and_save(user: User, **fields: object) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()


@pytest.mark.parametrize("url", POLLS)
@pytest.mark.parametrize("what", TAKEN)
def test_what_is_taken_from_a_reader_is_gone_with_the_next_poll(
    what: str,
    url: str,
    fleet: Fleet,
    vera: User,
    as_vera: Client,
    django_capture_on_commit_callbacks: Any,
) -> None:
    take, answered = TAKEN[what]
    for _ in range(2):  # the process knows who asks
        assert as_vera.get(url, {"since": cursor()}).status_code == 204

    with django_capture_on_commit_callbacks(execute=True):
        take(vera)

    assert as_vera.get(url, {"since": cursor()}).status_code == answered


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize("url", POLLS)
def test_what_was_changed_past_the_models_is_gone_within_half_a_minute(
    url: str, fleet: Fleet, vera: User, as_vera: Client
) -> None:
    assert as_vera.get(url, {"since": cursor()}).status_code == 204
    User.objects.filter(pk=vera.pk).update(is_active=False)

    fleet.forward(29)
    assert as_vera.get(url, {"since": cursor()}).status_code == 204
    fleet.forward(2)
    assert as_vera.get(url, {"since": cursor()}).status_code == 401


@pytest.mark.usefixtures("cached")
def test_whatever_is_new_is_told_to_who_may_see_it_now(
    fleet: Fleet, vera: User, as_vera: Client
) -> None:
    """What was remembered of them is for "nothing is new" alone."""
    since = cursor()
    assert as_vera.get("/endpoints/changes/", {"since": since}).status_code == 204
    User.objects.filter(pk=vera.pk).update(is_active=False)

    for old in ("old", since.replace(".", ".9", 1)):
        assert as_vera.get("/endpoints/changes/", {"since": old}).status_code == 401
    fleet.read(fleet.document("churn") | {"description": "another one"})
    assert cursor() != since
    assert as_vera.get("/endpoints/changes/", {"since": since}).status_code == 401


def test_who_signs_in_is_no_news(
    vera: User, fleet: Fleet, django_capture_on_commit_callbacks: Any
) -> None:
    before = cursor()
    with django_capture_on_commit_callbacks(execute=True):
        assert Client().login(username="vera", password=PASSWORD)
    assert cursor() == before


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


# One endpoint ----------------------------------------------------------------------------------

ONE = "/w/lab/e/churn/changes/"


def test_a_poll_of_one_endpoint_is_answered_without_asking_for_it(
    fleet: Fleet, as_vera: Client, django_assert_num_queries: Any
) -> None:
    """Also when others have changed, whom the process hears of by one query."""
    since = {"since": cursor(), "id": fleet.endpoint("churn").uid}
    as_vera.get(ONE, since)

    with django_assert_num_queries(3):  # the head, without a cache
        assert as_vera.get(ONE, since).status_code == 204
    fleet.read(fleet.document("customer-ltv") | {"description": "another one"})
    with django_assert_num_queries(3 + 1 + 1 + 1):  # and who asks: session, account
        answer = as_vera.get(ONE, since)
    assert (answer.status_code, answer["Desk-Cursor"]) == (204, cursor())


def test_it_hears_of_each_change_of_its_own(fleet: Fleet, as_vera: Client) -> None:
    since = {"since": cursor()}
    fleet.read(fleet.document("churn") | {"description": "another one"})

    answer = as_vera.get(ONE, since)

    assert answer.status_code == 200
    assert "another one" in answer.content.decode()


def test_it_turns_unknown_with_its_source(fleet: Fleet, as_vera: Client) -> None:
    since = {"since": cursor()}
    fleet.forward(60)

    answer = as_vera.get(ONE, since)

    assert answer.status_code == 200
    assert "Unknown" in answer.content.decode()


@pytest.mark.parametrize("query", [{}, {"id": "another"}, {"id": "0"}])
@pytest.mark.parametrize("name", ["nobody", "churn"])
def test_what_is_not_there_is_not_found_however_new_the_cursor(
    query: dict[str, str], name: str, fleet: Fleet, as_vera: Client
) -> None:
    found = name == "churn" and not query
    answer = as_vera.get(f"/w/lab/e/{name}/changes/", {"since": cursor(), **query})

    assert answer.status_code == (204 if found else 404)


def test_a_deleted_one_is_followed_to_its_end(fleet: Fleet, as_vera: Client) -> None:
    since, uid = cursor(), fleet.endpoint("churn").uid
    fleet.bury("churn")

    assert as_vera.get(ONE, {"since": since}).status_code == 404
    gone = as_vera.get(ONE, {"since": since, "id": uid})
    assert gone.status_code == 200
    assert 'data-status="gone"' in gone.content.decode()
    assert as_vera.get(ONE, {"since": cursor(), "id": uid}).status_code == 204


def test_who_sees_another_workspace_only_learns_nothing(
    fleet: Fleet, ada: User, browser: Callable[[User], Client]
) -> None:
    fleet.other()

    assert browser(ada).get(ONE, {"since": cursor()}).status_code == 404
    assert Client().get(ONE, {"since": cursor()}).status_code == 401
