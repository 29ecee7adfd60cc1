"""No text from outside becomes a formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.spreadsheet import cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "|calc", "%0a"]
)
def test_what_could_be_a_formula_is_marked_as_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "churn", "a=b", "6f1c-09", "é", "1"])
def test_what_is_plain_stays(text: str) -> None:
    assert cell(text) == text


@pytest.mark.hypothesis
@given(st.text())
def test_nothing_is_lost_and_nothing_dangerous_comes_first(text: str) -> None:
    safe = cell(text)
    assert safe.removeprefix("'") == text.removeprefix("'")
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
