"""What changed between two schemas is said once, and field by field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from endpoints_app.domain import openapi
from endpoints_app.domain.openapi_diff import Change, Kind, changes

PATH = "/served-models/vanilla_simple_model-2/invocations"
PLATFORM = json.loads((Path(__file__).parents[1] / "fixtures/query-schema.json").read_text())


def records(raw: Any, path: str = PATH) -> Any:
    body = raw["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return body["schema"]["oneOf"][1]["properties"]["dataframe_records"]["items"]


def between(before: Any, after: Any) -> list[Change]:
    found, more = changes(openapi.read(before), openapi.read(after))
    assert not more
    return found


def test_the_same_schema_has_not_changed() -> None:
    assert between(PLATFORM, copy.deepcopy(PLATFORM)) == []


def test_fields_added_removed_and_retyped_are_told() -> None:
    after = copy.deepcopy(PLATFORM)
    properties = records(after)["properties"]
    properties["country"] = {"type": "string"}
    del properties["becx_col"]
    properties["int_col"]["format"] = "int32"
    told = {(c.kind, c.field, c.was, c.now) for c in between(PLATFORM, after)}
    prefix = "dataframe_records."
    assert told == {
        (Kind.ADDED, f"{prefix}country", "", "string optional"),
        (Kind.REMOVED, f"{prefix}becx_col", "object (unknown) optional", ""),
        (
            Kind.RETYPED,
            f"{prefix}int_col",
            "integer (int64) required",
            "integer (int32) required",
        ),
    }


def test_a_field_that_becomes_required_counts_as_retyped() -> None:
    after = copy.deepcopy(PLATFORM)
    records(after)["required"].append("becx_col")
    (change,) = between(PLATFORM, after)
    assert change.kind is Kind.RETYPED
    assert change.now == "object (unknown) required"


def test_a_new_object_is_told_once_and_not_field_by_field() -> None:
    after = copy.deepcopy(PLATFORM)
    inner = {"type": "object", "properties": {"a": {}, "b": {}}}
    records(after)["properties"]["extra"] = inner
    (change,) = between(PLATFORM, after)
    assert change.field == "dataframe_records.extra"


def test_a_new_version_of_the_model_is_the_same_served_entity() -> None:
    after = copy.deepcopy(PLATFORM)
    path = PATH.replace("-2/", "-3/")
    after["paths"] = {path: after["paths"][PATH]}
    del records(after, path)["properties"]["becx_col"]
    (change,) = between(PLATFORM, after)
    assert (change.where, change.field) == ("vanilla_simple_model-3", "dataframe_records.becx_col")


def test_an_input_format_that_goes_is_told_as_one() -> None:
    after = copy.deepcopy(PLATFORM)
    schema = after["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"].append({"properties": {"instances": {"type": "array"}}})
    assert between(PLATFORM, after) == [Change(Kind.ADDED, "vanilla_simple_model-2", "instances")]
    assert between(after, PLATFORM) == [Change(Kind.REMOVED, "vanilla_simple_model-2", "instances")]


def test_a_second_served_entity_is_told() -> None:
    after = copy.deepcopy(PLATFORM)
    after["paths"]["/served-models/other-1/invocations"] = after["paths"][PATH]
    assert between(PLATFORM, after) == [Change(Kind.ADDED, "other-1", "")]
