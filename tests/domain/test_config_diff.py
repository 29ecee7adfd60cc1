"""Two configurations compared: nothing is missed, nothing is invented."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import config_diff
from endpoints_app.domain.config_diff import Line, Section, compare
from endpoints_app.domain.json_text import pretty

JSON = dict[str, Any]

ENTITY = {
    "name": "credit_limit-41",
    "entity_name": "ml.prod.credit_limit",
    "entity_version": "41",
    "workload_size": "Small",
    "scale_to_zero_enabled": True,
    "environment_vars": {"URL": "{{secrets/ml/fs-url}}", "API_TOKEN": "•••"},
}
CONTENT: JSON = {
    "config": {
        "config_version": 17,
        "served_entities": [ENTITY],
        "traffic_config": {
            "routes": [
                {
                    "served_entity_name": "credit_limit-41",
                    "served_model_name": "credit_limit-41",
                    "traffic_percentage": 100,
                }
            ]
        },
        "auto_capture_config": {"catalog_name": "ml", "enabled": True},
    },
    "tags": [{"key": "tier", "value": "1"}, {"key": "prod"}],
    "ai_gateway": {
        "usage_tracking_config": {"enabled": True},
        "rate_limits": [
            {"calls": 1200, "key": "endpoint", "renewal_period": "minute"},
            {"tokens": 5, "key": "user_group", "principal": "analysts", "renewal_period": "minute"},
        ],
        "guardrails": {"input": {"pii": {"behavior": "BLOCK"}, "invalid_keywords": ["a", "b"]}},
        "inference_table_config": {"enabled": True, "table_name_prefix": "x"},
    },
    "email_notifications": {"on_update_failure": ["ann@example.com"]},
}


def content(**entity: Any) -> JSON:
    """The same with another entity."""
    made = copy.deepcopy(CONTENT)
    made["config"]["served_entities"][0].update(entity)
    return made


def changed(before: JSON, after: JSON, **secrets: Any) -> list[tuple[str, Any, Any]]:
    lines = compare(before, after, **secrets).changed
    return [(line.name, line.before, line.after) for line in lines]


def test_each_setting_is_a_fact_in_its_section() -> None:
    found = {(fact.section, fact.name): fact.value for fact in config_diff.facts(CONTENT)}
    assert found == {
        (Section.ENTITIES, "entity_name"): "ml.prod.credit_limit",
        (Section.ENTITIES, "entity_version"): "41",
        (Section.ENTITIES, "workload_size"): "Small",
        (Section.ENTITIES, "scale_to_zero_enabled"): True,
        (Section.ENVIRONMENT, "URL"): "{{secrets/ml/fs-url}}",
        (Section.ENVIRONMENT, "API_TOKEN"): "•••",
        (Section.TRAFFIC, "credit_limit-41"): 100,
        (Section.TABLES, "auto_capture_config.catalog_name"): "ml",
        (Section.TABLES, "auto_capture_config.enabled"): True,
        (Section.TABLES, "inference_table_config.enabled"): True,
        (Section.TABLES, "inference_table_config.table_name_prefix"): "x",
        (Section.TAGS, "tier"): "1",
        (Section.TAGS, "prod"): True,
        (Section.GATEWAY, "usage_tracking_config.enabled"): True,
        (Section.LIMITS, "calls.endpoint"): "1200 / minute",
        (Section.LIMITS, "tokens.user_group.analysts"): "5 / minute",
        (Section.GUARDRAILS, "guardrails.input.pii.behavior"): "BLOCK",
        (Section.GUARDRAILS, "guardrails.input.invalid_keywords"): ["a", "b"],
        (Section.NOTIFICATIONS, "email_notifications.on_update_failure"): ["ann@example.com"],
    }


def test_a_new_version_of_a_model_is_the_same_entity_under_another_name() -> None:
    after = content(name="credit_limit-42", entity_version="42")
    assert changed(CONTENT, after) == [
        ("entity_version", "41", "42"),
        ("name", "credit_limit-41", "credit_limit-42"),
    ]
    line = compare(CONTENT, after).changed[0]
    assert line.entity == "credit_limit-41 → credit_limit-42"


def test_a_second_entity_and_a_split_are_told_as_such() -> None:
    after = content()
    after["config"]["served_entities"].append(
        ENTITY | {"name": "credit_limit-42", "entity_version": "42", "environment_vars": {}}
    )
    after["config"]["traffic_config"]["routes"] = [
        {"served_model_name": "credit_limit-41", "traffic_percentage": 90},
        {"served_model_name": "credit_limit-42", "traffic_percentage": 10},
    ]
    found = compare(CONTENT, after).changed
    assert ("entity_version", None, "42") in [(x.name, x.before, x.after) for x in found]
    assert [(x.name, x.before, x.after) for x in found if x.section is Section.TRAFFIC] == [
        ("credit_limit-41", 100, 90),
        ("credit_limit-42", None, 10),
    ]


def test_the_order_in_which_entities_come_back_is_no_change() -> None:
    other = ENTITY | {"name": "b", "entity_name": "ml.prod.b"}
    first, second = content(), content()
    first["config"]["served_entities"] = [ENTITY, other]
    second["config"]["served_entities"] = [other, ENTITY]
    assert changed(first, second) == []


def test_numbers_and_times_of_a_version_are_no_settings() -> None:
    after = content(creation_timestamp=5, creator="ann")
    after["config"] |= {"config_version": 18, "start_time": 7}
    assert changed(CONTENT, after) == []


def test_a_mask_hides_a_change_only_from_those_without_its_digest() -> None:
    known = {"credit_limit-41/API_TOKEN": "abc"}
    other = {"credit_limit-41/API_TOKEN": "def"}
    assert changed(CONTENT, CONTENT) == []
    assert changed(CONTENT, CONTENT, secrets_before=known, secrets_after=known) == []
    assert changed(CONTENT, CONTENT, secrets_before=known, secrets_after={}) == []
    lines = compare(CONTENT, CONTENT, secrets_before=known, secrets_after=other).changed
    assert lines == [
        Line(Section.ENVIRONMENT, "credit_limit-41", "API_TOKEN", "•••", "•••", secret=True)
    ]


def test_yes_is_not_one() -> None:
    assert changed({"x": 1}, {"x": True}) == [("x", 1, True)]


def test_what_is_given_twice_is_shown_twice() -> None:
    limits = [{"calls": n, "key": "user", "renewal_period": "minute"} for n in (1, 2)]
    names = [fact.name for fact in config_diff.facts({"ai_gateway": {"rate_limits": limits}})]
    assert names == ["calls.user", "calls.user (2)"]


def test_a_brief_is_brief() -> None:
    after = content(**{f"k{n}": "x" * 500 for n in range(10)})
    brief = config_diff.brief(compare(CONTENT, after))
    assert len(brief) == 3
    assert len(json.dumps(brief)) < 1000


# Whatever a workspace may send ------------------------------------------------------------------

leaves = st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "•••"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "x", "key", "value", "y"]), inner, max_size=3)
    ),
    max_leaves=8,
)
entities = st.fixed_dictionaries(
    {"name": st.sampled_from(["m-1", "m-2", "m-3"])},
    optional={
        "entity_name": st.sampled_from(["ml.a", "ml.b"]),
        "workload_size": leaves,
        "environment_vars": st.dictionaries(st.sampled_from(["A", "B"]), leaves, max_size=2),
        "new": values,
    },
)
contents = st.fixed_dictionaries(
    {},
    optional={
        "config": st.fixed_dictionaries(
            {},
            optional={
                "served_entities": st.lists(entities, max_size=3, unique_by=lambda e: e["name"]),
                "traffic_config": values,
                "new": values,
            },
        ),
        "tags": values,
        "ai_gateway": values,
        "rate_limits": values,
        "new": values,
    },
)


@given(contents)
def test_nothing_differs_from_itself(one: JSON) -> None:
    assert compare(one, copy.deepcopy(one)).changed == []
    assert compare(one, one).lines or not config_diff.facts(one)


@given(contents, contents)
def test_backwards_it_is_the_same_the_other_way_round(one: JSON, other: JSON) -> None:
    there = {(x.section, x.name, str(x.before), str(x.after)) for x in compare(one, other).changed}
    back = {(x.section, x.name, str(x.after), str(x.before)) for x in compare(other, one).changed}
    assert {(s, *rest) for s, *rest in there if s is not Section.ENTITIES} == {
        (s, *rest) for s, *rest in back if s is not Section.ENTITIES
    }
    assert bool(there) == bool(back)


@given(contents, leaves, st.data())
def test_no_changed_value_is_missed(one: JSON, value: Any, data: st.DataObject) -> None:
    """Change any one leaf of what is a setting, and the comparison says so."""
    places = [place for place in _leaves(one) if _is_setting(place)]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    other = copy.deepcopy(one)
    parent = other
    for step in place[:-1]:
        parent = parent[step]
    if json.dumps(parent[place[-1]]) == json.dumps(value):
        return
    parent[place[-1]] = value
    assert compare(one, other).changed


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in _leaves(value[key], (*place, key))]
    if isinstance(value, list) and value:
        return [leaf for n, item in enumerate(value) for leaf in _leaves(item, (*place, n))]
    return [place] if place and not isinstance(value, dict | list) else []


def _is_setting(place: tuple[Any, ...]) -> bool:
    """Names by which entities are matched have tests of their own."""
    return place[-1] not in ("name", "entity_name", "key")


@given(contents, contents)
def test_the_lines_tell_both_texts(one: JSON, other: JSON) -> None:
    raw = config_diff.raw(one, other)
    assert [text for sign, text in raw.lines if sign in " -"] == pretty(one).splitlines()
    assert [text for sign, text in raw.lines if sign in " +"] == pretty(other).splitlines()


@pytest.mark.parametrize("lines", [4_000, 20_000])
def test_a_huge_pair_is_compared_in_part_and_says_so(lines: int) -> None:
    one = {str(n): "x" * 70 for n in range(lines)}
    other = {str(n): "x" * 70 if n % 2 else "y" * 70 for n in range(lines)}
    raw = config_diff.raw(one, other)
    assert raw.left_out > 0
    assert len(raw.lines) < 3 * config_diff.MOST_LINES
