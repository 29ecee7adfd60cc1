"""Who sees what, who may do what, and to whom there is nothing here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.domain.roles import Action, Role
from endpoints_app.models import Endpoint, Workspace
from endpoints_app.services import access, live, operations, workspaces
from endpoints_app.services.access import Forbidden, NotVisible
from tests.conftest import make_user
from tests.services.conftest import Desk

CHANGES = {Action.STOP, Action.START, Action.DELETE, Action.PERMISSIONS, Action.BUDGET}


def may(user: User, workspace: str = "lab") -> set[Action]:
    pk = Workspace.objects.get(name=workspace).pk
    found = access.of(user)
    return {action for action in Action if found.may(action, pk)}


@pytest.fixture
def two(db: None) -> None:
    workspaces.ensure(["lab", "other"])


# Roles -----------------------------------------------------------------------------------------


def test_a_viewer_sees_and_changes_nothing(two: None, vera: User) -> None:
    assert may(vera) & CHANGES == set()
    assert Action.SEE in may(vera)


def test_an_operator_stops_and_starts(two: None, otto: User) -> None:
    assert may(otto) & CHANGES == {Action.STOP, Action.START}


def test_a_manager_may_all(two: None, mika: User) -> None:
    assert may(mika) == set(Action)


def test_without_a_role_nothing_is_allowed(two: None, oscar: User) -> None:
    assert may(oscar) == set()


def test_nobody_is_nobody(two: None) -> None:
    for user in (None, AnonymousUser()):
        assert access.of(user) is access.NOBODY


def test_a_locked_account_has_no_role(two: None, mika: User) -> None:
    mika.is_active = False

    assert may(mika) == set()


def test_a_superuser_may_all_unless_locked(two: None) -> None:
    root = User.objects.create_superuser("root")
    assert may(root) == set(Action)

    root.is_active = False
    assert may(root) == set()


def test_being_staff_is_no_role(two: None, oscar: User) -> None:
    oscar.is_staff = True

    assert may(oscar) == set()


def test_a_role_in_one_workspace_counts_there_alone(two: None) -> None:
    anna = make_user("anna", "operator in lab", "viewer in other")

    assert may(anna, "lab") & CHANGES == {Action.STOP, Action.START}
    assert may(anna, "other") & CHANGES == set()
    assert Action.SEE in may(anna, "other")


def test_roles_add_up(two: None) -> None:
    anna = make_user("anna", "viewer", "manager in other")

    assert may(anna, "lab") & CHANGES == set()
    assert may(anna, "other") == set(Action)


def test_a_group_that_is_no_role_gives_nothing(two: None, oscar: User) -> None:
    oscar.groups.add(Group.objects.create(name="manager of nothing"))

    assert may(oscar) == set()


def test_the_best_role_is_the_one_that_is_shown(two: None) -> None:
    anna = access.of(make_user("anna", "viewer", "operator in other"))
    lab, other = (Workspace.objects.get(name=name).pk for name in ("lab", "other"))

    assert anna.best_role(lab) is Role.VIEWER
    assert anna.best_role(other) is Role.OPERATOR
    assert anna.best_role() is Role.OPERATOR
    assert access.NOBODY.best_role() is None


def test_asking_costs_one_query(two: None) -> None:
    anna = make_user("anna", "viewer", "operator in lab", "manager in other")

    with CaptureQueriesContext(connection) as captured:
        access.of(anna)

    assert len(captured) == 1


# What one sees ---------------------------------------------------------------------------------


def seen(user: User) -> list[str]:
    return [source.name for source in access.sources_for(access.of(user), live.read_head())]


def test_one_sees_the_workspaces_of_one_s_roles(two: None, vera: User) -> None:
    assert seen(vera) == ["lab", "other"]
    assert seen(make_user("anna", "viewer in other")) == ["other"]


def test_to_somebody_without_a_role_there_is_nothing(two: None, oscar: User) -> None:
    with pytest.raises(NotVisible):
        seen(oscar)


def test_a_workspace_that_the_settings_no_longer_name_is_hidden_until_they_do(
    two: None, vera: User
) -> None:
    anna = make_user("anna", "viewer in other")
    workspaces.ensure(["lab"])

    assert seen(vera) == ["lab"]
    with pytest.raises(NotVisible):
        seen(anna)

    workspaces.ensure(["lab", "other"])
    assert seen(anna) == ["other"]


# One endpoint, one operation -------------------------------------------------------------------


def test_an_outsider_is_told_that_there_is_nothing(desk: Desk, oscar: User) -> None:
    outsider = access.of(oscar)

    with pytest.raises(NotVisible):
        access.endpoint_for(outsider, "lab", "customer-ltv")


def test_one_of_another_workspace_is_an_outsider_here(desk: Desk) -> None:
    workspaces.ensure(["lab", "other"])
    anna = access.of(make_user("anna", "manager in other"))

    with pytest.raises(NotVisible):
        access.endpoint_for(anna, "lab", "customer-ltv")


def test_a_reader_is_told_what_is_missing(desk: Desk, vera: User) -> None:
    reader = access.of(vera)
    assert access.endpoint_for(reader, "lab", "customer-ltv").name == "customer-ltv"

    with pytest.raises(Forbidden) as caught:
        access.endpoint_for(reader, "lab", "customer-ltv", Action.DELETE)

    assert (caught.value.action, caught.value.role) == (Action.DELETE, Role.MANAGER)


@pytest.mark.parametrize(
    ("workspace", "name", "uid"),
    [
        ("lab", "no-such", ""),
        ("no-such", "customer-ltv", ""),
        ("lab", "customer-ltv", "0" * 32),
        ("lab", "customer-ltv", "9" * 40),
        ("lab", "customer-ltv", "²"),
        ("lab", "a\0b", ""),
        ("lab", "customer-ltv", "\0"),
    ],
)
def test_what_does_not_exist_looks_like_what_is_not_theirs(
    desk: Desk, mika: User, workspace: str, name: str, uid: str
) -> None:
    with pytest.raises(NotVisible):
        access.endpoint_for(access.of(mika), workspace, name, uid=uid)


def test_a_former_endpoint_without_an_id_is_found_by_its_row(desk: Desk, vera: User) -> None:
    row = desk.lab.endpoint("databricks-gte-large-en")
    Endpoint.objects.filter(pk=row.pk).update(gone_at=desk.clock.now)
    row.refresh_from_db()

    found = access.endpoint_for(access.of(vera), "lab", row.name, uid=str(row.pk))

    assert found == row
    assert row.get_absolute_url().endswith(f"?id={row.pk}")


def test_the_row_of_one_with_an_id_is_no_address(desk: Desk, vera: User) -> None:
    row = desk.lab.endpoint("customer-ltv")

    with pytest.raises(NotVisible):
        access.endpoint_for(access.of(vera), "lab", row.name, uid=str(row.pk))


def test_an_operation_is_seen_by_readers_and_changed_by_who_may_do_it(
    desk: Desk, vera: User, otto: User, mika: User, oscar: User
) -> None:
    operation = desk.ask("delete", "customer-ltv", mika)

    def found(user: User, *, to_change: bool = False) -> object:
        return access.operation_for(access.of(user), operation.pk, to_change=to_change)

    assert found(vera) == found(otto) == found(mika, to_change=True) == operation
    with pytest.raises(Forbidden):
        found(otto, to_change=True)
    with pytest.raises(NotVisible):
        found(oscar)
    with pytest.raises(NotVisible):
        access.operation_for(access.of(mika), operation.pk + 1)


def test_operations_of_a_hidden_workspace_are_hidden(desk: Desk, otto: User) -> None:
    operation = desk.ask("stop", "customer-ltv", otto)
    workspaces.ensure([])

    with pytest.raises(NotVisible):
        access.operation_for(access.of(otto), operation.pk)


# The rows behind it ----------------------------------------------------------------------------


def test_each_workspace_gets_a_group_per_role(db: None) -> None:
    workspaces.ensure(["lab"])

    assert set(Group.objects.values_list("name", flat=True)) == {
        "viewer",
        "operator",
        "manager",
        "viewer in lab",
        "operator in lab",
        "manager in lab",
    }


def test_when_rows_and_settings_agree_it_is_one_query(two: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        workspaces.ensure(["other", "lab"])

    assert len(captured) == 1


def test_that_a_workspace_came_or_went_is_news(db: None) -> None:
    before = live.read_head().revision
    workspaces.ensure(["lab"])
    came = live.read_head().revision
    workspaces.ensure([])

    assert before < came < live.read_head().revision


def test_a_renamed_group_keeps_its_role(two: None) -> None:
    Group.objects.filter(name="operator in lab").update(name="the night shift")
    workspaces.ensure(["lab"])
    workspaces.ensure(["lab", "other"])

    anna = make_user("anna", "the night shift")
    assert may(anna) & CHANGES == {Action.STOP, Action.START}


def test_what_is_offered_follows_role_state_and_what_is_open(
    desk: Desk, otto: User, behind_our_back: Callable[..., None]
) -> None:
    kind = operations.OperationKind.STOP
    endpoint = desk.lab.endpoint("customer-ltv")
    running = desk.ask("stop", "customer-ltv", otto)
    refusal = operations.refusal_for

    assert refusal(kind, endpoint, may=True) is None
    assert refusal(kind, endpoint, may=False) is operations.Refusal.ROLE
    assert refusal(kind, endpoint, may=True, running=running) is operations.Refusal.OPERATION_OPEN
