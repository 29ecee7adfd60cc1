"""A request can be made in a form, and what is typed becomes a value of its type or a fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import openapi, tryit
from endpoints_app.domain.openapi_example import example
from endpoints_app.domain.openapi_fields import Field
from endpoints_app.domain.tryit import Fault, NotJson

PLATFORM = json.loads((Path(__file__).parents[1] / "fixtures/query-schema.json").read_text())
DOCUMENT = openapi.read(PLATFORM)
SPLIT, RECORDS = openapi.card(DOCUMENT, DOCUMENT.operations[0]).formats


def form(body: Any, fields: tuple[Field, ...] = ()) -> dict[str, tryit.Input]:
    return {control.label: control for control in tryit.inputs(body, fields)}


def typed(body: Any, fields: tuple[Field, ...] = (), **values: str) -> Any:
    controls = tryit.inputs(body, fields)
    given = {c.name: values.get(c.label.rpartition(".")[2], c.value) for c in controls}
    return tryit.filled(body, controls, given)


def test_a_record_has_a_control_for_each_of_its_columns() -> None:
    controls = form(example(PLATFORM, RECORDS.schema), RECORDS.fields)
    assert list(controls) == [
        "int_col",
        "float_col",
        "string_col",
        "becx_col",
        "params.sentiment",
    ]
    assert controls["int_col"].type == "integer"
    assert controls["int_col"].required
    assert not controls["params.sentiment"].required
    assert controls["becx_col"].type == "json"


def test_a_row_of_a_split_has_a_control_for_each_column() -> None:
    body = {"dataframe_split": {"columns": ["int_col", "float_col"], "data": [[3, 10.4]]}}
    assert list(form(body, SPLIT.fields)) == ["int_col", "float_col"]
    made, faults = typed(body, SPLIT.fields, int_col="7")
    assert made["dataframe_split"]["data"] == [[7, 10.4]]
    assert not faults


def test_what_is_typed_takes_its_type() -> None:
    body = example(PLATFORM, RECORDS.schema)
    made, faults = typed(body, RECORDS.fields, int_col="12", float_col="1e3", string_col=" x ")
    assert not faults
    assert made["dataframe_records"] == [
        {"int_col": 12, "float_col": 1000.0, "string_col": " x ", "becx_col": {}}
    ]


def test_what_is_no_value_is_a_fault_of_its_control() -> None:
    body = example(PLATFORM, RECORDS.schema)
    faults = typed(body, RECORDS.fields, int_col="1.5", float_col="", becx_col="{")[1]
    assert set(faults.values()) == {Fault.NOT_WHOLE, Fault.NEEDED, Fault.NOT_JSON}


def test_an_empty_optional_field_is_left_out() -> None:
    made, faults = typed(example(PLATFORM, RECORDS.schema), RECORDS.fields, sentiment=" ")
    assert made["params"] == {}
    assert not faults


def test_a_chat_is_a_message_and_its_options() -> None:
    body = {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 10}
    controls = form(body)
    assert controls["messages.content"].long
    made, faults = typed(body, content="line\r\nline", max_tokens="20")
    assert made == {"messages": [{"role": "user", "content": "line\nline"}], "max_tokens": 20}
    assert not faults


@pytest.mark.parametrize("text", ["NaN", "[1, Infinity]", "{", "", "[" * 100_000])
def test_json_is_taken_in_the_narrow_sense(text: str) -> None:
    assert isinstance(tryit.from_json(text), NotJson)


def test_where_json_breaks_is_told() -> None:
    assert tryit.from_json('{\n  "a": }') == NotJson(2, 8)


bodies = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=15,
)


@given(body=st.dictionaries(st.text(max_size=6), bodies, min_size=1))
def test_what_is_left_as_it_was_gives_the_same_body(body: Any) -> None:
    controls = tryit.inputs(body, ())
    shown = {control.name: control.value for control in controls}
    if any(not text.strip() for text in shown.values()):
        return  # an empty text is left out, which the form says
    made, faults = tryit.filled(body, controls, shown)
    assert not faults
    assert made == json.loads(json.dumps(body).replace("\\r\\n", "\\n"))


@given(text=st.text(max_size=30), kind=st.sampled_from([*tryit.SIMPLE, "json"]))
def test_anything_may_be_typed(text: str, kind: str) -> None:
    value = tryit.value_of(text, kind)
    if not isinstance(value, Fault):
        json.dumps(value, allow_nan=False)
