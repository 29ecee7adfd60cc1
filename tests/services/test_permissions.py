"""Permissions are read once for all, and changed with a read before and after, on the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.core.cache import cache

from endpoints_app.domain.permissions import (
    CAN_MANAGE,
    CAN_QUERY,
    CAN_VIEW,
    Danger,
    Method,
    Principal,
    PrincipalKind,
    Wanted,
)
from endpoints_app.models import AuditEntry, Endpoint
from endpoints_app.services import permissions, saving, upstream
from endpoints_app.services.permissions import Seen
from endpoints_app.services.upstream import Busy
from tests.conftest import Lab

NAME = "basket-recommender"
ROUTE = "/api/2.0/permissions/serving-endpoints/{id}"
ME = "/api/2.0/preview/scim/v2/Me"

ANN = Principal(PrincipalKind.USER, "ann@example.com")
TEAM = Principal(PrincipalKind.GROUP, "search")
ADMINS = Principal(PrincipalKind.GROUP, "admins")
CREATOR = Principal(PrincipalKind.USER, "ingrid.dahl@shop.example")


@pytest.fixture(autouse=True)
def _cached(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that answers, as Redis does when it is there; and a busy machine is no failure."""
    monkeypatch.setattr(upstream, "page_call", partial(upstream.page_call, seconds=20))
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def endpoint(lab: Lab) -> Endpoint:
    lab.sync()
    return lab.endpoint(NAME)


Behind = Callable[..., None]


@pytest.fixture
def somebody_else(lab: Lab, endpoint: Endpoint) -> Iterator[Behind]:
    """Grants in the workspace itself: `somebody_else(user_name="bob@x", level="CAN_VIEW")`."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {lab.emulator.token}"

        def grant(*, level: str, method: str = "PATCH", **principal: str) -> None:
            url = lab.emulator.url + ROUTE.replace("{id}", endpoint.uid)
            body = {"access_control_list": [{**principal, "permission_level": level}]}
            answer = session.request(method, url, json=body, timeout=5)
            assert answer.status_code == 200, answer.text

        yield grant


class Editor:
    """A manager in front of the form."""

    def __init__(self, lab: Lab, endpoint: Endpoint, user: User) -> None:
        self.lab = lab
        self.endpoint = endpoint
        self.user = user
        self.seen = self.look()

    def look(self) -> Seen:
        copy = permissions.read(self.endpoint, now=self.lab.clock())
        assert copy.value is not None, copy.problem
        self.seen = Seen(self.endpoint.uid, copy.value.direct)
        return self.seen

    def save(self, wanted: Wanted, *confirmed: Danger, reason: str = "") -> Any:
        return permissions.save(
            self.endpoint,
            wanted,
            seen=self.seen,
            confirmed=confirmed,
            reason=reason,
            by=self.user,
            now=self.lab.clock(),
        )

    def writes(self) -> list[str]:
        return [write.method for write in self.lab.emulator.calls.writes]

    def recorded(self) -> list[str]:
        return [entry.action for entry in AuditEntry.objects.order_by("pk")]


@pytest.fixture
def editor(lab: Lab, endpoint: Endpoint, mika: User) -> Editor:
    return Editor(lab, endpoint, mika)


def held(lab: Lab, endpoint: Endpoint) -> dict[Principal, str]:
    """What the workspace itself says now."""
    lab.clock.forward(60)
    copy = permissions.read(endpoint, now=lab.clock())
    assert copy.value is not None
    return copy.value.direct


# Reading ----------------------------------------------------------------------------------------


def test_fifty_readers_cost_one_call(lab: Lab, endpoint: Endpoint) -> None:
    for _ in range(50):
        copy = permissions.read(endpoint, now=lab.clock())
    assert copy.value is not None
    assert copy.value.direct == {CREATOR: CAN_MANAGE, TEAM: CAN_QUERY}
    assert copy.value.entry(ADMINS).inherited_level == CAN_MANAGE
    assert lab.emulator.calls.counts[f"GET {ROUTE}"] == 1


def test_an_old_copy_stays_with_its_age_while_the_workspace_fails(
    lab: Lab, endpoint: Endpoint
) -> None:
    first = permissions.read(endpoint, now=lab.clock())
    lab.emulator.fault("status", match={"route": ROUTE}, status=500)
    later = permissions.read(endpoint, now=lab.clock.forward(30))
    assert later.value == first.value
    assert later.read_at == first.read_at
    assert later.problem is not None


def test_the_levels_come_with_databricks_own_words(lab: Lab, endpoint: Endpoint) -> None:
    levels = permissions.levels(endpoint, now=lab.clock())
    assert [level.level for level in levels] == [CAN_VIEW, CAN_QUERY, CAN_MANAGE]
    assert all(level.description for level in levels)


def test_levels_and_who_we_are_may_stay_unsaid(lab: Lab, endpoint: Endpoint) -> None:
    lab.emulator.fault("status", match={"route": f"{ROUTE}/permissionLevels"}, status=403)
    lab.emulator.fault("status", match={"route": ME}, status=403)
    assert permissions.levels(endpoint, now=lab.clock()) == ()
    assert permissions.ourselves("lab", now=lab.clock()) is None


# Saving -----------------------------------------------------------------------------------------


def test_adding_and_raising_patches_what_differs_alone(editor: Editor) -> None:
    change = editor.save({ANN: CAN_VIEW, TEAM: CAN_MANAGE}, reason="on call")
    assert change.method is Method.PATCH
    assert editor.writes() == ["PATCH"]
    assert held(editor.lab, editor.endpoint) == {
        CREATOR: CAN_MANAGE,
        TEAM: CAN_MANAGE,
        ANN: CAN_VIEW,
    }


def test_removing_replaces_the_list_and_loses_nobody_else(
    editor: Editor, somebody_else: Behind
) -> None:
    somebody_else(service_principal_name="4f0c", level=CAN_QUERY)
    editor.lab.clock.forward(60)
    editor.look()
    change = editor.save({TEAM: None, ANN: CAN_QUERY})
    assert change.method is Method.PUT
    assert editor.writes() == ["PATCH", "PUT"]
    assert held(editor.lab, editor.endpoint) == {
        CREATOR: CAN_MANAGE,
        Principal(PrincipalKind.SERVICE_PRINCIPAL, "4f0c"): CAN_QUERY,
        ANN: CAN_QUERY,
    }


def test_it_is_on_record_with_the_person_before_and_after(editor: Editor) -> None:
    editor.save({TEAM: CAN_MANAGE}, reason="they take it over")
    asked, saved = AuditEntry.objects.order_by("pk")
    assert [asked.action, saved.action] == ["permissions asked", "permissions saved"]
    assert {asked.actor_name, saved.actor_name} == {"Mika"}
    assert (asked.workspace, asked.endpoint) == ("lab", NAME)
    assert asked.detail["reason"] == "they take it over"
    assert ["group", "search", "CAN_QUERY"] in saved.detail["before"]
    assert ["group", "search", "CAN_MANAGE"] in saved.detail["after"]
    (difference,) = permissions.differences_of(saved)
    assert (difference.principal, difference.before, difference.after) == (
        TEAM,
        CAN_QUERY,
        CAN_MANAGE,
    )


def test_the_person_is_on_record_although_the_call_never_came_back(editor: Editor) -> None:
    editor.lab.emulator.fault("drop", match={"method": "PATCH"})
    with pytest.raises(permissions.NotConfirmed) as raised:
        editor.save({ANN: CAN_VIEW})
    assert raised.value.problem is not None
    assert raised.value.found is not None
    assert ANN not in raised.value.found.direct
    assert editor.recorded() == ["permissions asked", "permissions not confirmed"]


def test_a_lost_answer_is_settled_by_the_read_afterwards(editor: Editor) -> None:
    editor.lab.emulator.fault("drop", match={"method": "PATCH"}, after=True)
    editor.save({ANN: CAN_VIEW})
    assert editor.writes() == ["PATCH"], "sent once, whatever became of the answer"
    assert editor.recorded() == ["permissions asked", "permissions saved"]


def test_what_was_accepted_and_never_happened_is_not_called_saved(editor: Editor) -> None:
    accepted = {"status": 200, "body": {"object_id": "x", "access_control_list": []}}
    editor.lab.emulator.fault("status", match={"method": "PATCH"}, **accepted)
    with pytest.raises(permissions.NotConfirmed) as raised:
        editor.save({ANN: CAN_VIEW})
    assert raised.value.problem is None


def test_a_change_that_is_so_already_sends_nothing(editor: Editor) -> None:
    assert editor.save({TEAM: CAN_QUERY}).differences == ()
    assert editor.writes() == []
    assert editor.recorded() == []


def test_everybody_sees_at_once_what_was_saved(editor: Editor) -> None:
    editor.save({ANN: CAN_VIEW})
    copy = permissions.read(editor.endpoint, now=editor.lab.clock())
    assert copy.value is not None
    assert copy.value.direct[ANN] == CAN_VIEW


# Somebody else at the same time -----------------------------------------------------------------


def test_a_change_by_somebody_else_stops_the_save_and_is_told(
    editor: Editor, somebody_else: Behind
) -> None:
    somebody_else(group_name=TEAM.name, level=CAN_VIEW)
    with pytest.raises(permissions.Moved) as raised:
        editor.save({ANN: CAN_VIEW, TEAM: None})
    (theirs,) = raised.value.differences
    assert (theirs.principal, theirs.before, theirs.after) == (TEAM, CAN_QUERY, CAN_VIEW)
    assert raised.value.access.direct[TEAM] == CAN_VIEW
    assert editor.writes() == ["PATCH"], "theirs alone"
    assert editor.recorded() == []


def test_two_saves_never_run_at_once(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[type[Exception]] = []
    read = permissions._read

    def meanwhile(*args: Any) -> Any:
        if not inner:
            inner.append(Exception)
            with pytest.raises(Busy) as raised:
                editor.save({TEAM: CAN_MANAGE})
            inner.append(raised.type)
        return read(*args)

    monkeypatch.setattr(permissions, "_read", meanwhile)
    editor.save({ANN: CAN_VIEW})
    assert inner == [Exception, Busy]
    assert editor.writes() == ["PATCH"]


def test_a_form_of_an_endpoint_that_was_replaced_is_not_sent(editor: Editor) -> None:
    editor.seen = Seen("f" * 32, editor.seen.direct)
    with pytest.raises(saving.Replaced):
        editor.save({ANN: CAN_VIEW})
    assert editor.writes() == []


# Lock-outs --------------------------------------------------------------------------------------


def test_the_last_direct_manager_goes_only_with_a_confirmation_of_its_own(editor: Editor) -> None:
    with pytest.raises(permissions.NeedsConfirmation) as raised:
        editor.save({CREATOR: None}, Danger.OURSELVES)
    assert raised.value.dangers == {Danger.LAST_MANAGER}
    assert editor.writes() == []
    editor.save({CREATOR: None}, Danger.LAST_MANAGER)
    assert held(editor.lab, editor.endpoint) == {TEAM: CAN_QUERY}
    assert AuditEntry.objects.filter(detail__confirmed=["last_manager"]).exists()


def test_our_own_principal_goes_only_with_a_confirmation_of_its_own(
    editor: Editor, somebody_else: Behind
) -> None:
    us = permissions.ourselves("lab", now=editor.lab.clock())
    assert us is not None
    somebody_else(user_name=us.name, level=CAN_MANAGE)
    editor.lab.clock.forward(60)
    editor.look()
    ourselves = Principal(PrincipalKind.USER, us.name)
    with pytest.raises(permissions.NeedsConfirmation) as raised:
        editor.save({ourselves: CAN_QUERY})
    assert raised.value.dangers == {Danger.OURSELVES}
    editor.save({ourselves: CAN_QUERY}, Danger.OURSELVES)


def test_while_the_workspace_does_not_say_who_we_are_nobody_is_lowered_unconfirmed(
    editor: Editor,
) -> None:
    editor.lab.emulator.fault("status", match={"route": ME}, status=403)
    with pytest.raises(permissions.NeedsConfirmation) as raised:
        editor.save({TEAM: CAN_VIEW})
    assert raised.value.dangers == {Danger.OURSELVES_UNKNOWN}


# What does not work -----------------------------------------------------------------------------


def test_what_databricks_refuses_comes_with_its_words(editor: Editor) -> None:
    with pytest.raises(saving.Refused) as raised:
        editor.save({ADMINS: CAN_VIEW})
    assert "group 'admins'" in raised.value.problem.message
    assert editor.recorded() == ["permissions asked", "permissions refused"]
    assert "group 'admins'" in AuditEntry.objects.latest("pk").detail["answer"]


def test_nothing_is_sent_to_a_workspace_that_cannot_be_read(editor: Editor) -> None:
    editor.lab.emulator.fault("status", match={"method": "GET", "route": ROUTE}, status=500)
    with pytest.raises(saving.NotSent):
        editor.save({ANN: CAN_VIEW})
    assert editor.writes() == []
    assert editor.recorded() == []


def test_a_list_with_something_we_cannot_read_is_never_replaced(editor: Editor, lab: Lab) -> None:
    odd = {"account_name": "new", "all_permissions": [{"permission_level": "CAN_VIEW"}]}
    listed = {"user_name": ANN.name, "all_permissions": [{"permission_level": CAN_QUERY}]}
    lie = {"access_control_list": [odd, listed]}
    lab.emulator.fault("lie", match={"method": "GET", "route": ROUTE}, set=lie)
    lab.clock.forward(60)
    editor.look()
    with pytest.raises(permissions.Unsendable):
        editor.save({ANN: CAN_VIEW}, *Danger)
    assert editor.writes() == []
