"""What is kept of a configuration: bounded, without states, and without credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import config_content
from endpoints_app.domain.masking import MASK, keepable

JSON = dict[str, Any]

SECRET = "sk-proj-" + "x1" * 20
KEYS = [
    "openai_api_key",
    "aws_access_key_id",
    "aws_secret_access_key",
    "anthropic_api_key",
    "cohere_api_key",
    "databricks_api_token",
    "microsoft_entra_client_secret",
    "private_key",
    "palm_api_key",
    "password",
    "openai_api_key_plaintext",
]


def document(**entity: Any) -> JSON:
    served = {"name": "churn-3", "entity_name": "ml.prod.churn", "entity_version": "3"} | entity
    return {
        "name": "churn",
        "config": {"config_version": 7, "start_time": 1, "served_entities": [served]},
        "tags": [{"key": "tier", "value": "1"}],
    }


def kept(raw: JSON) -> tuple[JSON, bool]:
    safe = keepable(raw)
    return config_content.content(safe, safe["config"])


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_an_external_model_is_a_reference_or_masked(key: str) -> None:
    def external(value: str) -> str:
        raw = document(external_model={"name": "gpt", "openai_config": {key: value}})
        return json.dumps([keepable(raw), *kept(raw)], ensure_ascii=False)

    assert "hunter2" not in external("hunter2")
    assert MASK in external("hunter2")
    if not key.endswith("_plaintext"):
        assert "{{secrets/ml/key}}" in external("{{secrets/ml/key}}")
    assert "hunter2" not in external("{{secrets/ml/key}} hunter2")


def test_the_key_of_a_custom_provider_is_masked_and_its_name_is_not() -> None:
    auth = {"key": "X-Api-Key", "value": "hunter2"}
    raw = document(external_model={"custom_provider_config": {"api_key_auth": auth}})
    text = json.dumps(kept(raw), ensure_ascii=False)
    assert "hunter2" not in text
    assert "X-Api-Key" in text


def test_the_number_of_tokens_and_the_key_of_a_tag_are_no_secrets() -> None:
    raw = document() | {"ai_gateway": {"rate_limits": [{"key": "user", "tokens": 10}]}}
    text = json.dumps(kept(raw)[0])
    assert '"key": "user", "tokens": 10' in text
    assert '"key": "tier"' in text


@given(
    st.recursive(
        st.just(SECRET) | st.just(f"Bearer {SECRET}") | st.just("postgres://u:hunter2hunter2@h/d"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["description", "note", "ai_gateway", "tags", "value", "extra"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_what_looks_like_a_credential_is_masked_wherever_it_stands(planted: Any) -> None:
    raw = document(extra=planted) | {"description": planted, "tags": planted, "ai_gateway": planted}
    safe = keepable(raw)
    text = json.dumps([config_content.content(safe, safe["config"]), config_content.shown(safe)])
    assert SECRET not in text
    assert "hunter2" not in text


def test_a_model_may_be_called_after_what_looks_like_a_token() -> None:
    content, _ = kept(document(name="sk-learn-churn-model-2024-11-22"))
    assert content["config"]["served_entities"][0]["name"] == "sk-learn-churn-model-2024-11-22"


def test_the_state_of_an_entity_is_not_its_configuration() -> None:
    content, _ = kept(document(state={"deployment": "DEPLOYMENT_CREATING"}))
    assert "state" not in content["config"]["served_entities"][0]
    first = config_content.digest(document(state={"a": 1}, creator="ann")["config"])
    assert first == config_content.digest(document()["config"])
    started = document()["config"] | {"config_version": 8, "start_time": 2}
    assert first == config_content.digest(started)
    assert first != config_content.digest(document(workload_size="Large")["config"])


def test_the_old_twins_are_left_out_and_stand_in_where_there_is_nothing_else() -> None:
    raw = document()
    raw["config"]["served_models"] = [{"name": "churn-3"}]
    assert "served_models" not in kept(raw)[0]["config"]
    old = {"config": {"served_models": [{"name": "churn-3", "state": {}}]}}
    assert kept(old)[0]["config"] == {"served_entities": [{"name": "churn-3"}]}


HUGE = {
    "many entities": {"config": {"served_entities": [{"name": str(n)} for n in range(50_000)]}},
    "a long text": {"config": {"served_entities": []}, "description": "x" * 1_000_000},
    "many keys": {"config": {str(n): n for n in range(50_000)}},
    "many tags": {"config": {}, "tags": [{"key": str(n)} for n in range(50_000)]},
    "no list": {"config": {"served_entities": "x" * 100_000}},
}


@pytest.mark.parametrize("what", HUGE)
def test_a_huge_configuration_is_kept_in_part_and_says_so(what: str) -> None:
    content, cut = kept(HUGE[what])
    assert cut
    assert len(json.dumps(content)) < 300_000


def test_one_of_the_usual_size_is_kept_whole() -> None:
    entities = [
        document(name=f"m-{n}", environment_vars={f"V{k}": "x" for k in range(50)})
        for n in range(10)
    ]
    content, cut = kept(document() | {"config": {"served_entities": entities}})
    assert not cut
    assert len(content["config"]["served_entities"]) == 10


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "served_entities", "environment_vars", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=15,
    )
)
def test_whatever_the_workspace_calls_a_configuration_can_be_kept(config: Any) -> None:
    raw = {"config": {"served_entities": config, "traffic_config": config}, "tags": config}
    content, _ = kept(raw)
    json.dumps(content)
    config_content.digest(content["config"])
    assert all(isinstance(value, str) for _, value in config_content.secrets(raw["config"]))
