"""Who gets in: a personal access token, OAuth tokens until they expire, nobody else."""

from __future__ import annotations

import pytest
import requests

from endpoints_app.emulator import Running
from endpoints_app.emulator.auth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
GRANT = {"grant_type": "client_credentials", "scope": "all-apis"}
REFUSED = {
    "error_code": 401,
    "message": "Credential was not sent or was of an unsupported type for this API.",
}


def issued(workspace: Running) -> str:
    discovered = requests.get(f"{workspace.url}/.well-known/databricks-config").json()
    oidc = f"{discovered['oidc_endpoint']}/.well-known/oauth-authorization-server"
    answer = requests.post(
        requests.get(oidc).json()["token_endpoint"],
        data=GRANT,
        auth=(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET),
    ).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    return str(answer["access_token"])


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer dapi-wrong", "Basic ZGFwaS1kZW1v", "Bearer oauth-9-x"],
)
@pytest.mark.parametrize("path", [B, f"{B}/churn", "/api/2.0/unknown"])
def test_without_a_usable_credential_nothing_is_told(
    workspace: Running, header: str | None, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(workspace.url + path, headers=headers)
    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_service_principal_gets_in_until_its_token_expires(
    workspace: Running, clock: Clock
) -> None:
    headers = {"Authorization": f"Bearer {issued(workspace)}"}
    assert requests.get(workspace.url + B, headers=headers).status_code == 200
    clock.seconds += 3599
    assert requests.get(workspace.url + B, headers=headers).status_code == 200
    clock.seconds += 2
    expired = requests.get(workspace.url + B, headers=headers)
    assert (expired.status_code, expired.json()) == (401, REFUSED)


def test_nobody_extends_a_token_by_hand(workspace: Running, clock: Clock) -> None:
    kind, expiry, signature = issued(workspace).split("-")
    forged = f"{kind}-{int(expiry) + 3600}-{signature}"
    headers = {"Authorization": f"Bearer {forged}"}
    assert requests.get(workspace.url + B, headers=headers).status_code == 401


def test_the_secret_may_travel_in_the_form(workspace: Running) -> None:
    form = GRANT | {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
    answer = requests.post(f"{workspace.url}/oidc/v1/token", data=form)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "secret", "status", "error"),
    [
        (GRANT, "wrong", 401, "invalid_client"),
        (GRANT, None, 401, "invalid_client"),
        ({"grant_type": "password"}, DEMO_CLIENT_SECRET, 400, "unsupported_grant_type"),
    ],
)
def test_the_token_endpoint_refuses_strangers(
    workspace: Running, form: dict[str, str], secret: str | None, status: int, error: str
) -> None:
    auth = (DEMO_CLIENT_ID, secret) if secret else None
    answer = requests.post(f"{workspace.url}/oidc/v1/token", data=form, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_me_is_the_caller_and_names_the_workspace(workspace: Running, api: Api) -> None:
    answer = api.get("/api/2.0/preview/scim/v2/Me")
    assert answer.json()["userName"] == "ops@example.com"
    assert answer.headers["X-Databricks-Org-Id"] == workspace.emulator.workspace_id
    assert len(workspace.emulator.workspace_id) == 16
    headers = {"Authorization": f"Bearer {issued(workspace)}"}
    principal = requests.get(f"{workspace.url}/api/2.0/preview/scim/v2/Me", headers=headers)
    assert principal.json()["userName"] == DEMO_CLIENT_ID


def test_whoever_creates_an_endpoint_is_its_creator(workspace: Running) -> None:
    headers = {"Authorization": f"Bearer {issued(workspace)}"}
    created = requests.post(workspace.url + B, json={"name": "new"}, headers=headers).json()
    assert (created["creator"], created["creator_kind"]) == (DEMO_CLIENT_ID, "ServicePrincipal")
