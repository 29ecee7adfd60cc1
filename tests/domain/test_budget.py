"""Which policy is in force, where it comes from, and when there can be none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import budget
from endpoints_app.domain.budget import Call, Policy, Standing
from endpoints_app.domain.kind import Kind

IDS = st.sampled_from(["", "one", "two"])


@pytest.mark.parametrize(
    ("policy", "standing"),
    [
        (Policy("one", "one"), Standing.SET),
        (Policy("one", ""), Standing.SET),
        (Policy("", "one"), Standing.INHERITED),
        (Policy("one", "two"), Standing.INHERITED),
        (Policy(), Standing.NONE),
        (Policy(known=False), Standing.UNKNOWN),
        (Policy("one", "one", known=False), Standing.SET),
    ],
)
def test_the_effective_policy_decides(policy: Policy, standing: Standing) -> None:
    assert policy.standing(Kind.CUSTOM) is standing


@pytest.mark.parametrize("kind", Kind)
def test_only_external_models_and_pay_per_token_endpoints_cannot_have_one(kind: Kind) -> None:
    cannot = kind in {Kind.EXTERNAL, Kind.FOUNDATION}
    for known in (True, False):
        assert (Policy(known=known).standing(kind) is Standing.IMPOSSIBLE) == cannot
    assert Policy("one").standing(kind) is Standing.SET, "what Databricks reports is believed"


@pytest.mark.hypothesis
@given(IDS, IDS, st.booleans(), st.sampled_from(Kind))
def test_there_is_an_id_exactly_where_a_policy_is_in_force(
    own: str, effective: str, known: bool, kind: Kind
) -> None:
    policy = Policy(own, effective, known)
    assert bool(policy.id) == (policy.standing(kind) in {Standing.SET, Standing.INHERITED})
    assert policy.id in (own, effective)


@pytest.mark.parametrize("text", ["a", "6f1c2b0e-3f1d-4a6b-9c57-0a1b2c3d4e5f", "shop_search.v2"])
def test_ids(text: str) -> None:
    assert budget.is_id(text)


@pytest.mark.parametrize(
    "text", ["", "none", "unknown", "a b", "-a", "a/..", "=1+1", "ä", "a" * 101]
)
def test_what_is_no_id(text: str) -> None:
    assert not budget.is_id(text)


@pytest.mark.hypothesis
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        for policy, name in budget.names(text).items():
            assert budget.is_id(policy)
            assert name.strip() == name != ""
    with suppress(ValueError):
        Call.parse(text)


@pytest.mark.hypothesis
@given(
    st.sampled_from(["PATCH", "POST", "PUT"]),
    st.lists(st.text("abc019:._-%/?#{}", max_size=8), max_size=3),
)
def test_a_call_stays_within_the_api_whatever_its_path(method: str, parts: list[str]) -> None:
    text = f"{method} /api/2.0/{'/'.join(parts)}/{{name}}"
    with suppress(ValueError):
        path = Call.parse(text).path
        assert path.count("{") == path.count("{name}") == 1
        assert not set(path) & set("?#% ")
        assert ".." not in path.split("/")
        assert "//" not in path
