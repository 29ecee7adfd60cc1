"""Access control lists are read whatever becomes of them, and written as they were meant."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.wire_permissions import Me, PermissionLevel, Permissions
from tests.databricks_api.documents import json_values, spoiled, unhurried
from tests.databricks_api.sockets import raw_server

ID = "2938319d953c40f5919f2f3bf944a68a"
P = f"/api/2.0/permissions/serving-endpoints/{ID}"

ACL = {
    "object_id": f"/serving-endpoints/{ID}",
    "object_type": "serving-endpoint",
    "access_control_list": [
        {
            "user_name": "ann@example.com",
            "display_name": "Ann",
            "all_permissions": [{"permission_level": "CAN_MANAGE", "inherited": False}],
        },
        {
            "group_name": "admins",
            "all_permissions": [
                {
                    "permission_level": "CAN_MANAGE",
                    "inherited": True,
                    "inherited_from_object": ["/serving-endpoints/"],
                }
            ],
        },
        {
            "service_principal_name": "2f6c3b0e-1111-4222-8333-444455556666",
            "all_permissions": [{"permission_level": "CAN_QUERY"}],
        },
    ],
}
LEVELS = {
    "permission_levels": [
        {"permission_level": "CAN_VIEW", "description": "Can view"},
        {"permission_level": "CAN_DANCE"},
        {"description": "of nothing"},
    ]
}
ME = {
    "userName": "2f6c3b0e-1111-4222-8333-444455556666",
    "displayName": "serving-desk",
    "groups": [{"display": "users", "value": "1"}, {"value": "nameless"}],
}


def ok(document):
    return lambda request, line: line.answer(200, document)


# ── documents ───────────────────────────────────────────────────────────────────────────────────


def test_direct_and_inherited_are_told_apart_and_from_where():
    ann, admins, robot = Permissions.parse(ACL).access
    assert (ann.user_name, ann.display_name) == ("ann@example.com", "Ann")
    assert [(p.level, p.inherited) for p in ann.permissions] == [("CAN_MANAGE", False)]
    assert admins.group_name == "admins"
    assert [(p.inherited, p.inherited_from) for p in admins.permissions] == [
        (True, ("/serving-endpoints/",))
    ]
    assert robot.service_principal_name == "2f6c3b0e-1111-4222-8333-444455556666"
    assert robot.permissions[0].inherited is False, "what does not say so is direct"


@pytest.mark.parametrize(
    ("document", "inherited"),
    [
        ({"permission_level": "CAN_VIEW", "inherited_from_object": ["/"]}, True),
        ({"permission_level": "CAN_VIEW", "inherited_from_object": "/"}, True),
        ({"permission_level": "CAN_VIEW", "inherited": "true"}, True),
        ({"permission_level": "CAN_VIEW", "inherited": None}, False),
    ],
)
def test_where_a_permission_comes_from_tells_that_it_is_inherited(document, inherited):
    acl = {"access_control_list": [{"group_name": "g", "all_permissions": [document]}]}
    (entry,) = Permissions.parse(acl).access
    assert entry.permissions[0].inherited is inherited


def test_an_entry_that_cannot_be_read_is_kept_as_one():
    odd = {"account_group_name": "new", "all_permissions": [{"permission_level": "CAN_VIEW"}]}
    (first, second) = Permissions.parse({"access_control_list": [odd, 7]}).access
    assert (first.user_name, first.group_name, first.service_principal_name) == (None, None, None)
    assert first.raw == odd
    assert second.permissions == ()


def test_levels_are_read_with_their_descriptions():
    assert PermissionLevel.parse_all(LEVELS) == (
        PermissionLevel("CAN_VIEW", "Can view"),
        PermissionLevel("CAN_DANCE", None),
    )


@given(json_values)
@unhurried
def test_any_value_is_read(value):
    Permissions.parse(value)
    PermissionLevel.parse_all(value)
    Me.parse(value)


@given(spoiled([ACL]))
@unhurried
def test_a_spoiled_list_is_read_and_no_entry_of_it_gets_lost(document):
    permissions = Permissions.parse(document)
    listed = document.get("access_control_list")
    if isinstance(listed, list):
        assert len(permissions.access) == len(listed)


@given(spoiled([ME, LEVELS]))
@unhurried
def test_who_we_are_and_which_levels_there_are_is_read_from_anything(document):
    Me.parse(document)
    PermissionLevel.parse_all(document)


# ── calls ───────────────────────────────────────────────────────────────────────────────────────


def test_the_list_is_asked_for_by_endpoint_id(connect):
    with raw_server(ok(ACL)) as server:
        permissions = connect(server.url).get_permissions(ID)
    assert len(permissions.access) == 3
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", P)


@pytest.mark.parametrize("document", [{}, {"access_control_list": "all"}, {"message": "hello"}])
def test_what_is_no_access_control_list_is_not_read_as_an_empty_one(document, connect):
    with raw_server(ok(document)) as server, pytest.raises(errors.Nonsense):
        connect(server.url).get_permissions(ID)


def test_an_endpoint_on_which_nobody_holds_anything_has_an_empty_list(connect):
    with raw_server(ok({"object_id": f"/serving-endpoints/{ID}"})) as server:
        assert connect(server.url).get_permissions(ID).access == ()


@pytest.mark.parametrize(("method", "call"), [("PATCH", "patch"), ("PUT", "put")])
def test_grants_leave_in_one_request_with_what_they_say(method, call, connect):
    grants = [{"user_name": "ann@example.com", "permission_level": "CAN_QUERY"}]
    with raw_server(ok(ACL)) as server:
        getattr(connect(server.url), f"{call}_permissions")(ID, grants)
    (sent,) = server.calls()
    assert (sent.method, sent.target) == (method, P)
    assert json.loads(sent.body) == {"access_control_list": grants}


@pytest.mark.parametrize("call", ["patch_permissions", "put_permissions"])
def test_a_write_that_fails_is_not_sent_again(call, connect):
    def unavailable(request, line):
        line.answer(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"})

    with raw_server(unavailable) as server, pytest.raises(errors.Unavailable):
        getattr(connect(server.url), call)(ID, [])
    assert len(server.calls()) == 1


def test_the_levels_are_asked_for(connect):
    with raw_server(ok(LEVELS)) as server:
        levels = connect(server.url).get_permission_levels(ID)
    assert [level.level for level in levels] == ["CAN_VIEW", "CAN_DANCE"]
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", f"{P}/permissionLevels")


def test_the_workspace_says_who_we_are(connect):
    with raw_server(ok(ME)) as server:
        me = connect(server.url).get_me()
    assert (me.user_name, me.groups) == (ME["userName"], ("users",))
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", "/api/2.0/preview/scim/v2/Me")


def test_an_answer_without_a_name_does_not_make_us_nobody(connect):
    with raw_server(ok({"id": "7"})) as server, pytest.raises(errors.Nonsense):
        connect(server.url).get_me()
