"""Access control lists, as the platform reads, changes and refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Api

RUNNING = "basket-recommender"


def acl(api: Api, name: str = RUNNING) -> str:
    return f"/api/2.0/permissions/serving-endpoints/{api.endpoint(name)['id']}"


def direct(document: dict[str, Any]) -> dict[str, str]:
    return {
        entry.get("user_name") or entry.get("group_name") or entry["service_principal_name"]: level[
            "permission_level"
        ]
        for entry in document["access_control_list"]
        for level in entry["all_permissions"]
        if not level["inherited"]
    }


def grants(*listed: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "access_control_list": [
            {field: name, "permission_level": level} for field, name, level in listed
        ]
    }


def test_a_patch_adds_and_changes_what_it_lists_and_leaves_the_rest(api: Api) -> None:
    before = direct(api.get(acl(api)).json())
    (team,) = [who for who, level in before.items() if level == "CAN_QUERY"]
    body = grants(("user_name", "ann@x.example", "CAN_VIEW"), ("group_name", team, "CAN_MANAGE"))
    after = direct(api.patch(acl(api), json=body).json())
    assert after == before | {"ann@x.example": "CAN_VIEW", team: "CAN_MANAGE"}
    assert direct(api.get(acl(api)).json()) == after


def test_a_put_replaces_what_is_direct_and_leaves_what_is_inherited(api: Api) -> None:
    answer = api.put(acl(api), json=grants(("user_name", "ann@x.example", "CAN_MANAGE"))).json()
    assert direct(answer) == {"ann@x.example": "CAN_MANAGE"}
    admins = next(e for e in answer["access_control_list"] if e.get("group_name") == "admins")
    assert admins["all_permissions"] == [
        {
            "permission_level": "CAN_MANAGE",
            "inherited": True,
            "inherited_from_object": ["/serving-endpoints/"],
        }
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            grants(("group_name", "admins", "CAN_VIEW")),
            "Cannot change permissions for group 'admins' to CAN_VIEW.",
        ),
        (grants(("user_name", "ann@x.example", "IS_OWNER")), "Invalid permission level IS_OWNER"),
        ({"access_control_list": [{"permission_level": "CAN_VIEW"}]}, "names exactly one of"),
        ({}, "access_control_list must be a list."),
    ],
)
def test_what_the_platform_refuses_changes_nothing(
    api: Api, body: dict[str, Any], message: str
) -> None:
    before = api.get(acl(api)).json()
    for send in (api.patch, api.put):
        answer = send(acl(api), json=body)
        assert answer.status_code == 400
        assert message in answer.json()["message"]
    assert api.get(acl(api)).json() == before


@pytest.mark.parametrize(
    ("field", "name", "told"),
    [
        ("user_name", "ann@shop.invalid", "UserName(ann@shop.invalid)"),
        ("user_name", "ann", "UserName(ann)"),
        ("group_name", "nobody", "GroupName(nobody)"),
        ("service_principal_name", "nobody-1", "ServicePrincipalName(nobody-1)"),
    ],
)
def test_nobody_is_granted_anything(api: Api, field: str, name: str, told: str) -> None:
    before = api.get(acl(api)).json()
    answer = api.patch(acl(api), json=grants((field, name, "CAN_VIEW")))
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert answer.json()["message"] == f"Principal: {told} does not exist."
    assert api.get(acl(api)).json() == before


def test_an_endpoint_without_an_id_has_no_list(api: Api) -> None:
    assert "id" not in api.endpoint("databricks-gte-large-en")
    answer = api.get("/api/2.0/permissions/serving-endpoints/databricks-gte-large-en")
    assert answer.status_code == 404


def test_only_who_manages_an_endpoint_may_change_its_list(api: Api) -> None:
    control = f"/_control/endpoints/{RUNNING}"
    assert api.post(control, json={"permission_level": "CAN_QUERY"}).status_code == 200
    answer = api.put(acl(api), json=grants(("user_name", "ann@x.example", "CAN_MANAGE")))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
