"""Query schemas: an OpenAPI document for every kind of model, and none where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from endpoints_app.emulator import Running, serving
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
PLATFORMS = json.loads((Path(__file__).parents[1] / "fixtures/query-schema.json").read_text())


def schema(api: Api, name: str) -> dict[str, Any]:
    answer = api.get(f"{B}/{name}/openapi", headers={"Accept": "text/plain"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def inputs(document: dict[str, Any], place: int = 0) -> list[dict[str, Any]]:
    path = list(document["paths"].values())[place]
    taken = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    return taken.get("oneOf", [taken])


def properties(document: dict[str, Any]) -> set[str]:
    return {name for form in inputs(document) for name in form["properties"]}


def test_it_has_the_shape_of_the_platforms_own_example(workspace: Running, api: Api) -> None:
    document = schema(api, "demand-forecast")
    assert document.keys() == PLATFORMS.keys()
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "demand-forecast", "version": "22"}
    assert document["servers"] == [{"url": f"{workspace.url}/serving-endpoints/demand-forecast"}]
    assert list(document["paths"]) == ["/served-models/demand_forecast-22/invocations"]
    split, records = inputs(document)
    theirs, theirs_too = inputs(PLATFORMS)
    for ours, other in ((split, theirs), (records, theirs_too)):
        ours["properties"].pop("params", None)
        other["properties"].pop("params", None)
        assert ours.keys() == other.keys()
        assert ours["properties"].keys() == other["properties"].keys()
    columns = split["properties"]["dataframe_split"]["properties"]["columns"]
    assert columns["description"].startswith("required fields: ")
    data = split["properties"]["dataframe_split"]["properties"]["data"]
    assert len(data["items"]["prefixItems"]) == len(columns["items"]["enum"])
    row = records["properties"]["dataframe_records"]["items"]
    assert row.keys() == {"required", "type", "properties"}
    assert list(row["properties"]) == columns["items"]["enum"]


def test_parameters_have_their_default_as_a_string_as_the_platform_has_it(clock: Clock) -> None:
    with serving(endpoints=60, clock=clock) as workspace, Api(workspace) as api:
        found = [
            form["properties"]["params"]["properties"]
            for name, item in api.listed().items()
            if (answer := api.get(f"{B}/{name}/openapi")).status_code == 200
            for form in inputs(answer.json())
            if "params" in form["properties"]
        ]
    assert found
    for params in found:
        assert all(isinstance(param["default"], str) for param in params.values())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("lead-scoring", {"dataframe_split", "dataframe_records"}),
        ("sentiment-ja", {"instances", "inputs"}),
        ("price-elasticity", {"instances", "inputs"}),
        ("geo-features", {"dataframe_split", "dataframe_records"}),
        ("embed-multilingual", {"input"}),
        ("databricks-meta-llama-3-3-70b-instruct", {"messages"}),
    ],
)
def test_each_kind_of_model_has_its_input_forms(api: Api, name: str, wanted: set[str]) -> None:
    assert wanted <= properties(schema(api, name))


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        ("llm/v1/chat", "messages"),
        ("llm/v1/completions", "prompt"),
        ("llm/v1/embeddings", "input"),
        ("agent/v1/chat", "messages"),
        ("agent/v1/responses", "input"),
    ],
)
def test_a_task_tells_the_form(api: Api, clock: Clock, task: str, wanted: str) -> None:
    api.create("new", task=task)
    assert api.get(f"{B}/new/openapi").status_code == 400, "it is not ready"
    clock.seconds += 600
    document = schema(api, "new")
    assert wanted in properties(document)
    assert inputs(document)[0]["required"] == [wanted]


def test_tensors_have_a_place_for_each_value(api: Api) -> None:
    rows = json.dumps(schema(api, "sentiment-ja"))
    named = json.dumps(schema(api, "price-elasticity"))
    assert '"prefixItems"' in rows
    assert '"input_ids"' in named
    assert '"prefixItems"' in named


def test_each_served_entity_has_a_path(api: Api) -> None:
    document = schema(api, "basket-recommender")
    assert list(document["paths"]) == [
        "/served-models/basket_recommender-31/invocations",
        "/served-models/basket_recommender-32/invocations",
    ]
    assert inputs(document, 0) != inputs(document, 1), "the challenger takes something else"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fraud-scorer", "not ready"),
        ("card-ocr-v1", "not ready"),
        ("churn", "not ready"),
        ("customer-ltv", "no model signature"),
        ("gpt-4o-proxy", "external"),
        ("claims-triage-agent", "no model of its own"),
    ],
)
def test_where_there_is_none_it_is_refused(api: Api, name: str, says: str) -> None:
    answer = api.get(f"{B}/{name}/openapi")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert says in answer.json()["message"]


def test_every_document_is_valid(clock: Clock) -> None:
    seen: dict[str, Any] = {}
    for company in ("commerce", "energy"):
        fleet = serving(endpoints=80, company=company, clock=clock)
        with fleet as workspace, Api(workspace) as api:
            for name in api.listed():
                answer = api.get(f"{B}/{name}/openapi")
                if answer.status_code == 200:
                    document = answer.json()
                    seen.setdefault(json.dumps(sorted(properties(document))), document)
    assert len(seen) >= 6
    for document in seen.values():
        assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
