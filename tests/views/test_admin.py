"""The admin's pages: accounts and roles are edited there, history can only be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from endpoints_app.domain.roles import Action
from endpoints_app.models import AuditEntry, Operation, RoleGroup, Workspace
from endpoints_app.services import access
from tests.conftest import PASSWORD
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text


@pytest.fixture
def as_root(fleet: Fleet, root: User, browser: Callable[[User], Client]) -> Client:
    return browser(root)


def fields(found: Any, form: str) -> dict[str, Any]:
    """What a browser would send, unchanged."""
    sent: dict[str, Any] = {}
    for field in one(found, form).select("input[name], select[name], textarea[name]"):
        name, kind = str(field["name"]), field.get("type")
        if kind in ("submit", "file") or (
            kind in ("checkbox", "radio") and not field.has_attr("checked")
        ):
            continue
        if field.name == "select":
            values = [str(option["value"]) for option in field.select("option[selected]")]
            sent[name] = values if field.has_attr("multiple") else (values or [""])[0]
        elif field.name == "textarea":
            sent[name] = field.get_text()
        else:
            sent[name] = field.get("value", "on" if kind == "checkbox" else "")
    return sent


def test_staff_sign_in_with_their_password(fleet: Fleet, root: User, client: Client) -> None:
    response = client.post(
        "/admin/login/?next=/admin/", {"username": "root", "password": PASSWORD}, follow=True
    )

    assert response.redirect_chain[-1][0] == "/admin/"
    assert "Role groups" in text(soup(response), "#content")


def test_a_role_is_given_by_a_group(fleet: Fleet, as_root: Client, oscar: User) -> None:
    url = f"/admin/auth/user/{oscar.pk}/change/"
    sent = fields(soup(as_root.get(url)), "#user_form")
    sent["groups"] = [str(Group.objects.get(name="operator in lab").pk)]

    assert as_root.post(url, sent).status_code == 302

    given = access.of(User.objects.get(pk=oscar.pk))
    assert given.may(Action.STOP, fleet.workspace.pk)
    assert not given.may(Action.DELETE, fleet.workspace.pk)
    assert not given.may(Action.SEE, fleet.workspace.pk + 1)


def test_an_account_is_made_there(fleet: Fleet, as_root: Client) -> None:
    sent = fields(soup(as_root.get("/admin/auth/user/add/")), "#user_form")
    sent |= {"username": "nora", "password1": "a long enough one", "password2": "a long enough one"}

    assert as_root.post("/admin/auth/user/add/", sent).status_code == 302
    assert User.objects.get(username="nora").check_password("a long enough one")


def test_every_role_has_its_group_for_all_and_for_each_workspace(
    fleet: Fleet, as_root: Client
) -> None:
    listed = text(soup(as_root.get("/admin/endpoints_app/rolegroup/")), "#result_list")

    for role in ("viewer", "operator", "manager"):
        assert role in listed
        assert f"{role} in lab" in listed


def test_a_group_of_ones_own_gets_a_role(fleet: Fleet, as_root: Client, oscar: User) -> None:
    RoleGroup.objects.filter(role="manager", workspace=fleet.workspace).delete()
    team = Group.objects.create(name="the team")
    oscar.groups.add(team)
    url = "/admin/endpoints_app/rolegroup/add/"
    sent = fields(soup(as_root.get(url)), "#rolegroup_form")
    sent |= {"group": str(team.pk), "role": "manager", "workspace": str(fleet.workspace.pk)}

    assert as_root.post(url, sent).status_code == 302

    assert access.of(oscar).may(Action.DELETE, fleet.workspace.pk)


@pytest.mark.parametrize("workspace", ["", "lab"])
def test_a_second_group_for_the_same_role_is_refused_in_words(
    workspace: str, fleet: Fleet, as_root: Client
) -> None:
    team = Group.objects.create(name="the team")
    url = "/admin/endpoints_app/rolegroup/add/"
    sent = fields(soup(as_root.get(url)), "#rolegroup_form")
    where = str(fleet.workspace.pk) if workspace else ""
    sent |= {"group": str(team.pk), "role": "viewer", "workspace": where}

    response = as_root.post(url, sent)

    assert response.status_code == 200
    assert soup(response).select(".errorlist")


@pytest.mark.parametrize("model", ["workspace", "operation", "statuschange", "auditentry"])
def test_what_happened_can_only_be_read(
    model: str, fleet: Fleet, as_root: Client, otto: User
) -> None:
    fleet.ask("customer-ltv", "stop", otto)
    found = soup(as_root.get(f"/admin/endpoints_app/{model}/"))
    link = str(found.select("#result_list tbody a")[0]["href"])

    assert as_root.get(f"/admin/endpoints_app/{model}/add/").status_code == 403
    page = soup(as_root.get(link))
    assert not page.select("#content input[type=submit], #content textarea")
    assert as_root.post(link, {"name": "changed"}).status_code == 403
    assert (
        as_root.post(link.removesuffix("change/") + "delete/", {"post": "yes"}).status_code == 403
    )


def test_no_page_of_the_admin_shows_a_lease(fleet: Fleet, as_root: Client, otto: User) -> None:
    operation = fleet.ask("customer-ltv", "stop", otto)
    Workspace.objects.update(lease_token="a-lease-token")
    Operation.objects.update(lease_token="a-lease-token")

    for url in (
        f"/admin/endpoints_app/workspace/{fleet.workspace.pk}/change/",
        f"/admin/endpoints_app/operation/{operation.pk}/change/",
    ):
        assert b"a-lease-token" not in as_root.get(url).content


def test_a_deleted_account_leaves_its_history(fleet: Fleet, as_root: Client, otto: User) -> None:
    operation = fleet.ask("customer-ltv", "stop", otto)
    url = f"/admin/auth/user/{otto.pk}/delete/"

    assert as_root.get(url).status_code == 200
    assert as_root.post(url, {"post": "yes"}).status_code == 302

    operation.refresh_from_db()
    assert (operation.actor, operation.actor_name) == (None, "Otto")
    assert AuditEntry.objects.get().actor_name == "Otto"


def test_staff_may_no_more_than_they_were_given(
    fleet: Fleet, oscar: User, browser: Callable[[User], Client]
) -> None:
    oscar.is_staff = True
    oscar.save()
    oscar.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    client = browser(oscar)

    assert client.get("/admin/endpoints_app/auditentry/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 403
    assert client.get("/admin/endpoints_app/rolegroup/").status_code == 403
    assert client.get("/endpoints/").status_code == 404, "staff without a role sees no fleet"


@pytest.mark.parametrize("model", ["operation", "statuschange", "auditentry"])
def test_more_rows_cost_no_more_queries(
    model: str, fleet: Fleet, as_root: Client, otto: User, django_assert_max_num_queries: Any
) -> None:
    for name in ("customer-ltv", "lead-scoring", "price-elasticity", "basket-recommender"):
        fleet.ask(name, "stop", otto)

    with django_assert_max_num_queries(8):
        assert as_root.get(f"/admin/endpoints_app/{model}/").status_code == 200
