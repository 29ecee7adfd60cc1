"""Who asks and what they may, in one query, asked anew each time."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.domain.roles import Role
from endpoints_app.services import access, live, workspaces
from endpoints_app.services.accounts import Backend
from endpoints_app.services.sessions import SessionStore
from tests.conftest import make_user

CAST = [(), ("viewer",), ("operator in other", "viewer"), ("manager", "viewer in lab")]


@pytest.mark.parametrize("groups", CAST)
def test_an_account_comes_with_the_roles_it_has(db: None, groups: tuple[str, ...]) -> None:
    workspaces.ensure(["lab", "other"])
    Group.objects.create(name="without a role").user_set.add(user := make_user("anna", *groups))

    with CaptureQueriesContext(connection) as captured:
        found = Backend().get_user(user.pk)
        held = access.of(found)

    assert len(captured) == 1
    assert held == access.of(user)


@pytest.mark.parametrize("flag", ["is_superuser", "is_staff", "is_active"])
@pytest.mark.parametrize("value", [True, False])
def test_an_account_is_the_one_in_the_database(db: None, flag: str, value: bool) -> None:
    make_user("somebody-else", "manager")
    anna = make_user("anna", "viewer")
    User.objects.filter(pk=anna.pk).update(**{flag: value, "email": "anna@example.com"})
    wanted = User.objects.get(pk=anna.pk)

    found = Backend().get_user(anna.pk)

    if not wanted.is_active:
        assert found is None
        return
    assert found is not None
    for field in User._meta.concrete_fields:
        assert getattr(found, field.name) == getattr(wanted, field.name), field.name
    assert access.of(found) == access.of(wanted)


def test_there_is_nobody_by_a_number_that_nobody_has(db: None) -> None:
    assert Backend().get_user(0) is None


def test_a_role_that_is_withdrawn_is_gone_with_the_next_request(vera: User) -> None:
    assert access.of(Backend().get_user(vera.pk)).best_role() is Role.VIEWER

    vera.groups.clear()

    assert access.of(Backend().get_user(vera.pk)) == access.NOBODY


# Sessions --------------------------------------------------------------------------------------


@pytest.fixture
def memory(settings: object) -> None:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }


def saved() -> SessionStore:
    session = SessionStore()
    session["colour"] = "green"
    session.save()
    return SessionStore(session.session_key)


def test_a_session_brings_the_head_along(db: None, memory: None) -> None:
    session, head = saved(), live.read_head()

    with CaptureQueriesContext(connection) as captured:
        assert session["colour"] == "green"

    assert len(captured) == 0
    assert session.head == head


def test_without_a_cache_it_comes_from_the_database(db: None) -> None:
    session = saved()

    assert session["colour"] == "green"
    assert session.head is None


def test_what_is_no_head_is_not_taken_for_one(db: None, memory: None) -> None:
    from django.core.cache import cache

    session = saved()
    cache.set(live.CACHE_KEY, "garbage")

    assert session["colour"] == "green"
    assert session.head is None


@pytest.mark.parametrize("key", ["", "x", "x" * 41, "x" * 5000])
def test_a_key_that_nobody_was_given_opens_nothing(db: None, memory: None, key: str) -> None:
    assert dict(SessionStore(key).items()) == {}
