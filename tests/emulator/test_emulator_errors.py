"""What is refused, and that clients can tell from the code why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
ENTITY = {"entity_name": "ml.prod.model", "entity_version": "1"}
EXTERNAL = {"external_model": {"name": "gpt", "provider": "openai", "task": "llm/v1/chat"}}


def config(*entities: dict[str, Any], routes: list[Any] | None = None) -> Any:
    traffic = {"traffic_config": {"routes": routes}} if routes else {}
    return {"served_entities": list(entities)} | traffic


TWO = (ENTITY | {"name": "a"}, ENTITY | {"name": "b"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"{B}/nobody", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("DELETE", f"{B}/nobody", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", f"{B}/nobody/config:stop", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", f"{B}/nobody/config:start", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("PUT", f"{B}/nobody/config", config(ENTITY), 404, "RESOURCE_DOES_NOT_EXIST"),
        ("PATCH", f"{B}/nobody/tags", {}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", B, {"name": "churn"}, 409, "RESOURCE_ALREADY_EXISTS"),
        ("POST", B, {}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", B, {"name": "no blanks"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", B, {"name": "n" * 64}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", B, {"name": "databricks-mine"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", B, {"name": "new", "tags": "team"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", B, ["new"], 400, "INVALID_REQUEST"),
        ("POST", B, None, 400, "INVALID_REQUEST"),
        ("POST", f"{B}/churn/config:restart", None, 404, "ENDPOINT_NOT_FOUND"),
        ("GET", f"{B}/churn/history", None, 404, "ENDPOINT_NOT_FOUND"),
        ("PATCH", f"{B}/churn", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("GET", "/api/2.0/unknown", None, 404, "ENDPOINT_NOT_FOUND"),
        ("POST", "/serving-endpoints/nobody/invocations", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("POST", "/serving-endpoints/churn/invocations", {}, 400, "BAD_REQUEST"),
        ("POST", "/serving-endpoints/card-ocr-v1/invocations", {}, 400, "BAD_REQUEST"),
        ("POST", "/serving-endpoints/customer-ltv/invocations", {}, 400, "BAD_REQUEST"),
        ("POST", f"{B}/kyc-face-match/config:stop", None, 403, "PERMISSION_DENIED"),
        ("DELETE", f"{B}/databricks-gte-large-en", None, 403, "PERMISSION_DENIED"),
        ("PUT", f"{B}/customer-ltv/config", config(EXTERNAL), 400, "BAD_REQUEST"),
    ],
)
def test_a_refusal_has_its_status_and_code(
    api: Api, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"served_entities": []},
        {"served_entities": ["model"]},
        {"served_entities": [ENTITY], "served_models": [ENTITY]},
        config({"entity_version": "1"}),
        config(*[ENTITY | {"name": str(number)} for number in range(11)]),
        config(ENTITY, ENTITY),
        config(*TWO),
        config(ENTITY | {"name": "no blanks"}),
        config(*TWO, routes=[{"served_entity_name": "a", "traffic_percentage": 90}]),
        config(*TWO, routes=[{"served_entity_name": "c", "traffic_percentage": 100}]),
        config(*TWO, routes=[{"traffic_percentage": 100}]),
        config(*TWO, routes=["a"]),
        config(ENTITY) | {"traffic_config": "all"},
        config({"external_model": "gpt"}),
    ],
)
def test_an_impossible_config_is_refused_and_changes_nothing(api: Api, sent: Any) -> None:
    before = api.endpoint("customer-ltv")
    answer = api.put(f"{B}/customer-ltv/config", json=sent)
    assert answer.status_code == 400
    assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "INVALID_REQUEST")
    assert api.endpoint("customer-ltv") == before


def test_an_unknown_endpoint_is_named(api: Api) -> None:
    assert api.get(f"{B}/nobody").json()["message"] == "Endpoint with name 'nobody' does not exist."


def test_a_query_never_starts_a_stopped_endpoint(api: Api, clock: Clock) -> None:
    rows = {"instances": [[1]]}
    answer = api.post("/serving-endpoints/card-ocr-v1/invocations", json=rows)
    assert answer.status_code == 400
    assert "stopped" in answer.json()["message"]
    clock.seconds += 3600
    assert api.state("card-ocr-v1")[2] == "STOPPED"


def test_a_percent_encoded_colon_is_a_colon(api: Api) -> None:
    assert api.post(f"{B}/customer-ltv/config%3Astop").status_code == 200
    assert api.post(f"{B}/card-ocr-v1/config%3Astart").status_code == 200


def test_an_empty_workspace_still_sends_its_list(api: Api) -> None:
    for name in api.listed():
        api.delete(f"{B}/{name}")
    left = set(api.listed())
    assert left == {
        "kyc-face-match",
        "databricks-gte-large-en",
        "databricks-meta-llama-3-3-70b-instruct",
    }
    for name in left:
        api.post(f"/_control/endpoints/{name}", json={"remove": True})
    assert api.get(B).json() == {"endpoints": []}
