"""Databricks' own SDK and MLflow's deployments client drive everything the emulator serves.

They are held against real sockets, with both kinds of credential: what they cannot read, we do not
answer as the platform does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from endpoints_app.emulator import Running, serving
from endpoints_app.emulator.auth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_TOKEN
from tests.emulator.conftest import command
from tests.emulator.official import mlflow, sdk

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("nothing_of_this_machine")]

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"
PAT = {"token": DEMO_TOKEN}
M2M = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
ENTITY = {"entity_name": "ml.prod.model", "entity_version": "2", "workload_size": "Small"}
ROW = {"country": "DE", "age_days": 41, "sessions_30d": 3, "category": "shoes"}
ROWS = {"dataframe_records": [ROW, ROW]}


@pytest.fixture
def instant() -> Iterator[Running]:
    """A workspace in which every change is over at once."""
    with serving(time_scale=0) as workspace:
        yield workspace


@pytest.mark.parametrize("credential", [PAT, M2M], ids=["pat", "oauth-m2m"])
def test_the_sdk_drives_a_whole_life(instant: Running, credential: dict[str, str]) -> None:
    from databricks.sdk.errors import NotFound
    from databricks.sdk.service.serving import (
        EndpointCoreConfigInput,
        EndpointTag,
        ServedEntityInput,
    )

    client = sdk(instant.url, credential)
    endpoints = client.serving_endpoints
    assert len(list(endpoints.list())) == 24
    for listed in endpoints.list():
        assert endpoints.get(listed.name).name == listed.name

    entity = ServedEntityInput(entity_name="ml.prod.model", entity_version="2")
    config = EndpointCoreConfigInput("new", served_entities=[entity])
    created = endpoints.create_and_wait("new", config=config)
    assert created.config.config_version == 1
    updated = endpoints.update_config_and_wait("new", served_entities=[entity])
    assert updated.config.config_version == 2
    tags = endpoints.patch("new", add_tags=[EndpointTag("team", "growth")])
    assert tags.tags[0].value == "growth"
    assert len(endpoints.query("new", **ROWS).predictions) == 2

    permissions = endpoints.get_permissions(created.id)
    assert permissions.access_control_list
    assert endpoints.get_permission_levels(created.id).permission_levels

    endpoints.delete("new")
    with pytest.raises(NotFound):
        endpoints.get("new")


@pytest.mark.parametrize("credential", [PAT, M2M], ids=["pat", "oauth-m2m"])
def test_stop_and_start_are_called_raw(instant: Running, credential: dict[str, str]) -> None:
    client = sdk(instant.url, credential)

    def suspend() -> Any:
        return client.api_client.do("GET", f"{B}/{RUNNING}")["state"]["suspend"]

    client.api_client.do("POST", f"{B}/{RUNNING}/config:stop")
    assert suspend() == "STOPPED"
    client.api_client.do("POST", f"{B}/{RUNNING}/config:start")
    assert suspend() == "NOT_SUSPENDED"


def test_the_sdk_knows_every_refusal(instant: Running) -> None:
    from databricks.sdk import errors

    client = sdk(instant.url, PAT)
    do = client.api_client.do
    for expected, method, path in (
        (errors.NotFound, "GET", f"{B}/nobody"),
        (errors.BadRequest, "POST", f"{B}/{RUNNING}/config:start"),
        (errors.BadRequest, "POST", "/serving-endpoints/card-ocr-v1/invocations"),
        (errors.ResourceConflict, "POST", f"{B}/sentiment-ja/config:stop"),
        (errors.PermissionDenied, "DELETE", f"{B}/kyc-face-match"),
    ):
        with pytest.raises(expected):
            do(method, path, body=ROWS)
    with pytest.raises(errors.ResourceConflict):
        client.serving_endpoints.create("churn")
    with pytest.raises(errors.Unauthenticated):
        sdk(instant.url, {"token": "dapi-wrong"}).serving_endpoints.get("churn")


def test_the_sdk_knows_who_it_is(instant: Running) -> None:
    client = sdk(instant.url, M2M)
    assert client.current_user.me().user_name == DEMO_CLIENT_ID
    assert str(client.get_workspace_id()) == instant.emulator.workspace_id


@pytest.mark.parametrize("credential", [PAT, M2M], ids=["pat", "oauth-m2m"])
def test_mlflow_drives_a_whole_life(
    instant: Running, credential: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow(instant.url, credential, monkeypatch)
    assert len(client.list_endpoints()) == 24
    config = {"served_entities": [ENTITY]}
    created = client.create_endpoint(config={"name": "new", "config": config})
    assert created["state"]["config_update"] == "IN_PROGRESS"
    assert client.get_endpoint("new").config["config_version"] == 1
    client.update_endpoint_config("new", config=config)
    assert client.get_endpoint("new")["config"]["config_version"] == 2
    tags = client.update_endpoint_tags("new", {"add_tags": [{"key": "team", "value": "growth"}]})
    assert tags["tags"] == [{"key": "team", "value": "growth"}]
    assert len(client.predict(endpoint="new", inputs=ROWS)["predictions"]) == 2
    assert client.delete_endpoint("new") == {}
    with pytest.raises(Exception, match="RESOURCE_DOES_NOT_EXIST"):
        client.get_endpoint("new")


def test_mlflow_reads_an_empty_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(endpoints=0) as workspace:
        assert mlflow(workspace.url, PAT, monkeypatch).list_endpoints() == []


def test_both_work_on_the_command_as_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("--time-scale", "0", "--token", "dapi-mine")
    with command(*arguments, EMULATOR_CLIENT_SECRET="mine") as (_, url):
        principal = sdk(url, M2M | {"client_secret": "mine"})
        assert len(list(principal.serving_endpoints.list())) == 24
        client = mlflow(url, {"token": "dapi-mine"}, monkeypatch)
        assert len(client.list_endpoints()) == 24
        principal.api_client.do("POST", f"{B}/{RUNNING}/config:stop")
        assert client.get_endpoint(RUNNING)["state"]["suspend"] == "STOPPED"
