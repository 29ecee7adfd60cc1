"""A snippet runs as it is pasted, whatever stands in the names and bodies."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.snippets import Language, snippet

BODY = {"dataframe_records": [{"it's": 'a "quote"', "n": None, "on": True}], "params": {}}
PYTHON = [Language.PYTHON, Language.MLFLOW, Language.SDK]

numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def made(language: Language, body: Any = BODY, **options: str) -> str:
    given = {"host": "https://w.example.com", "endpoint": "ranker", "entity": ""} | options
    return snippet(language, body=body, **given)


@pytest.mark.parametrize("language", Language)
def test_a_snippet_holds_no_token_and_names_the_endpoint(language: Language) -> None:
    text = made(language)
    assert "dapi" not in text
    assert "ranker" in text


@given(body=json_values)
def test_curl_sends_the_body_as_it_is(body: Any) -> None:
    words = shlex.split(made(Language.CURL, body).replace("\\\n", " "))
    assert words[:3] == [
        "curl",
        "-sS",
        "https://w.example.com/serving-endpoints/ranker/invocations",
    ]
    assert "Authorization: Bearer $DATABRICKS_TOKEN" in words
    assert json.loads(words[-1]) == body


@pytest.mark.parametrize("language", PYTHON)
@given(body=json_values)
def test_python_holds_the_body_as_it_is(language: Language, body: Any) -> None:
    tree = ast.parse(made(language, body))
    (assigned,) = [
        n for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "body"
    ]
    assert ast.literal_eval(assigned.value) == body


@pytest.mark.parametrize("language", Language)
def test_names_are_quoted(language: Language) -> None:
    text = made(language, endpoint="a'; rm -rf ~ #")
    assert "'; rm" not in text.replace('"a\'; rm -rf ~ #"', "")


def test_one_entity_of_several_is_asked_by_its_path() -> None:
    text = made(Language.CURL, entity="ranker-3")
    assert "/serving-endpoints/ranker/served-models/ranker-3/invocations" in text


def test_the_host_is_a_placeholder_where_nobody_knows_it() -> None:
    assert "https://<workspace host>/serving-endpoints/" in made(Language.CURL, host="")


def test_the_sdk_is_asked_by_its_method_where_it_takes_the_body() -> None:
    assert "serving_endpoints.query(" in made(Language.SDK, {"instances": [[1]]})
    split = {"dataframe_split": {"columns": ["a"], "data": [[1]]}}
    assert "DataframeSplitInput.from_dict" in made(Language.SDK, split)
    assert "api_client.do(" in made(Language.SDK, {"instances": [], "params": {}})
