"""Queries: every form a model takes, what it answers, what does not fit, who may not."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from endpoints_app.emulator import Running, serving
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
SPLIT = "basket-recommender"
FRAME = "credit-limit"
TENSOR = "sentiment-ja"
TENSORS = "price-elasticity"
FEATURES = "geo-features"
CHAT = "databricks-meta-llama-3-3-70b-instruct"
EMBEDDINGS = "embed-multilingual"
ANYTHING = "customer-ltv"
MESSAGES = [{"role": "user", "content": "Which shops are open?"}]


def ask(api: Api, name: str, path: str = "", **body: Any) -> Any:
    return api.post(f"/serving-endpoints/{name}{path}/invocations", json=body)


def schema_row(api: Api, name: str) -> dict[str, Any]:
    """A row that fits, from the example of the schema."""
    document = api.get(f"{B}/{name}/openapi").json()
    path = next(iter(document["paths"].values()))
    taken = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    split = taken["oneOf"][0]["examples"][0]
    return dict(zip(split["columns"], split["data"][0], strict=True))


def refused(answer: Any, status: int, says: str, code: str = "BAD_REQUEST") -> None:
    document = answer.json()
    assert (answer.status_code, document["error_code"]) == (status, code), answer.text
    assert says in document["message"]


# Custom models ---------------------------------------------------------------------------------


def test_a_frame_is_taken_in_each_form_and_scored_alike(api: Api) -> None:
    row = schema_row(api, FRAME)
    columns, values = list(row), list(row.values())
    answers = [
        ask(api, FRAME, **body).json()
        for body in (
            {"dataframe_split": {"columns": columns, "data": [values], "index": [0]}},
            {"dataframe_records": [row]},
            {"dataframe_records": [row | {"further": 1}]},
            {"instances": [row]},
            {"inputs": {name: [value] for name, value in row.items()}},
        )
    ]
    assert len(answers[0]["predictions"]) == 1
    assert answers.count(answers[0]) == 5


def test_parameters_count_and_must_be_numbers(clock: Clock) -> None:
    with serving(endpoints=80, clock=clock) as workspace, Api(workspace) as api:
        name = next(
            name
            for name, item in api.listed().items()
            if item["state"]["ready"] == "READY"
            and '"threshold"' in (text := api.get(f"{B}/{name}/openapi").text)
            and "dataframe_split" in text
        )
        row = {"dataframe_records": [schema_row(api, name)]}
        assert ask(api, name, params={"threshold": 0.9}, **row).status_code == 200
        refused(ask(api, name, params={"threshold": "high"}, **row), 400, "threshold")
        refused(ask(api, name, params=[], **row), 400, "params")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_new": ...}, "Model is missing inputs ['is_new']"),
        ({"is_new": "yes"}, "Incompatible input types for column is_new"),
        ({"sessions_30d": True}, "sessions_30d"),
        ({"discount": "10"}, "Can not safely convert str to double"),
        ({"customer_id": 7}, "customer_id"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_in_the_words_of_the_server(
    api: Api, change: dict[str, Any], says: str
) -> None:
    row = schema_row(api, FRAME) | change
    row = {name: value for name, value in row.items() if value is not ...}
    refused(ask(api, FRAME, dataframe_records=[row]), 400, says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "exactly one of the input fields"),
        ({"rows": []}, "['rows']"),
        ({"dataframe_records": [], "instances": []}, "exactly one"),
        ({"dataframe_records": [1]}, "list of objects"),
        ({"dataframe_records": {}}, "must be a list"),
        ({"dataframe_split": []}, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "1 columns passed"),
        ({"dataframe_split": {"columns": ["a"], "data": [1]}}, "list of rows"),
        ({"inputs": {"a": [1], "b": [1, 2]}}, "the same length"),
        ({"instances": [1]}, "DataFrame"),
    ],
)
def test_a_body_that_is_no_request_is_refused(api: Api, body: dict[str, Any], says: str) -> None:
    refused(ask(api, FRAME, **body), 400, says)


def test_tensors(api: Api) -> None:
    document = api.get(f"{B}/{TENSOR}/openapi").json()
    path = next(iter(document["paths"].values()))
    forms = path["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    (example,) = forms[0]["examples"]
    assert len(ask(api, TENSOR, **example).json()["predictions"]) == 1
    assert ask(api, TENSOR, inputs=example["instances"] * 3).status_code == 200
    refused(ask(api, TENSOR, instances=[[1]]), 400, "does not match expected shape")
    refused(ask(api, TENSOR, instances=["a"]), 400, "does not match expected shape")
    ids = list(range(8))
    row = {"input_ids": ids, "attention_mask": ids}
    assert ask(api, TENSORS, instances=[row]).status_code == 200
    columns = {name: [value] * 2 for name, value in row.items()}
    assert len(ask(api, TENSORS, inputs=columns).json()["predictions"]) == 2
    refused(ask(api, TENSORS, instances=[{"input_ids": ids}]), 400, "attention_mask")
    refused(ask(api, TENSORS, instances=[ids]), 400, "named inputs")


def test_features_are_looked_up(api: Api) -> None:
    (found,) = ask(api, FEATURES, dataframe_records=[{"geo_features_id": "a"}]).json()["outputs"]
    assert found["geo_features_id"] == "a"
    assert len(found) > 2


def test_a_model_without_a_signature_takes_what_comes(api: Api) -> None:
    assert len(ask(api, ANYTHING, dataframe_records=[{"x": 1}]).json()["predictions"]) == 1


def test_the_client_may_send_its_own_marks(api: Api) -> None:
    row = schema_row(api, FRAME)
    marks = {"client_request_id": "7", "usage_context": {"job": "nightly"}}
    assert ask(api, FRAME, dataframe_records=[row], **marks).status_code == 200


# Models that write -----------------------------------------------------------------------------


def test_chat(api: Api, clock: Clock) -> None:
    answer = ask(api, CHAT, messages=MESSAGES, temperature=0.2, n=2).json()
    assert answer["object"] == "chat.completion"
    assert answer["created"] == int(clock.seconds)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    (first, _second) = answer["choices"]
    assert first["message"]["role"] == "assistant"
    assert "Which shops are open?" in first["message"]["content"]
    assert first["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]
    short = ask(api, CHAT, messages=MESSAGES, max_tokens=3).json()["choices"][0]
    assert len(short["message"]["content"].split()) == 3
    assert short["finish_reason"] == "length"


def test_embeddings(api: Api) -> None:
    answer = ask(api, EMBEDDINGS, input=["a", "b"]).json()
    assert (answer["object"], [it["index"] for it in answer["data"]]) == ("list", [0, 1])
    first, second = (it["embedding"] for it in answer["data"])
    assert len(first) == len(second)
    assert first != second
    assert ask(api, EMBEDDINGS, input="a").json()["data"][0]["embedding"] == first


@pytest.mark.parametrize(
    ("task", "body", "object_"),
    [
        ("llm/v1/completions", {"prompt": "Once"}, "text_completion"),
        ("llm/v1/completions", {"prompt": ["Once", "Twice"]}, "text_completion"),
        ("agent/v1/chat", {"messages": MESSAGES}, "chat.completion"),
        ("agent/v1/responses", {"input": MESSAGES}, "response"),
        ("agent/v1/responses", {"input": "Hello"}, "response"),
    ],
)
def test_each_task_answers_in_its_form(
    api: Api, clock: Clock, task: str, body: dict[str, Any], object_: str
) -> None:
    api.create("new", task=task)
    clock.seconds += 600
    answer = ask(api, "new", **body).json()
    assert answer["object"] == object_
    if object_ == "response":
        assert "emulator" in answer["output"][0]["content"][0]["text"]
    elif object_ == "text_completion":
        assert "Once" in answer["choices"][0]["text"]


def test_an_agent_of_the_platform_answers(api: Api) -> None:
    answer = ask(api, "claims-triage-agent", input=MESSAGES)
    assert answer.json()["object"] == "response"
    assert answer.headers["served-model-name"] == "claims-triage-agent"


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        (CHAT, {}, "'messages' is required"),
        (CHAT, {"messages": []}, "non-empty"),
        (CHAT, {"messages": ["hi"]}, "must be an object"),
        (CHAT, {"messages": [{"role": "boss", "content": "x"}]}, "role"),
        (CHAT, {"messages": [{"role": "user"}]}, "content"),
        (CHAT, {"messages": MESSAGES, "max_tokens": 0}, "max_tokens"),
        (CHAT, {"messages": MESSAGES, "temperature": 9}, "temperature"),
        (EMBEDDINGS, {"input": []}, "'input' is required"),
        (EMBEDDINGS, {"input": [1]}, "'input' is required"),
    ],
)
def test_what_a_model_that_writes_refuses(
    api: Api, name: str, body: dict[str, Any], says: str
) -> None:
    refused(ask(api, name, **body), 400, says)


def streamed(answer: Any) -> list[Any]:
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    lines = [line for line in answer.text.split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line[6:]) for line in lines[:-1]]


def test_a_streamed_answer_says_the_same_word_by_word(api: Api) -> None:
    whole = ask(api, CHAT, messages=MESSAGES).json()["choices"][0]["message"]["content"]
    events = streamed(ask(api, CHAT, messages=MESSAGES, stream=True))
    assert len(events) > 10
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    said = [event["choices"][0]["delta"].get("content", "") for event in events]
    assert "".join(said) == whole
    assert events[-1]["choices"][0]["finish_reason"] == "stop"


def test_completions_and_agents_stream_too(api: Api, clock: Clock) -> None:
    api.create("writes", task="llm/v1/completions")
    api.create("agent", task="agent/v1/responses")
    clock.seconds += 600
    events = streamed(ask(api, "writes", prompt="Once", stream=True))
    assert "Once" in "".join(event["choices"][0]["text"] for event in events)
    *deltas, last = streamed(ask(api, "agent", input="Once", stream=True))
    text = "".join(event["delta"] for event in deltas)
    assert last["type"] == "response.output_item.done"
    assert last["item"]["content"][0]["text"] == text


@pytest.mark.parametrize(
    ("path", "name", "body"),
    [
        ("chat/completions", CHAT, {"messages": MESSAGES}),
        ("embeddings", EMBEDDINGS, {"input": "a"}),
        ("responses", "claims-triage-agent", {"input": "a"}),
    ],
)
def test_the_paths_of_the_openai_api(
    workspace: Running, api: Api, path: str, name: str, body: dict[str, Any]
) -> None:
    url = f"/serving-endpoints/{path}"
    assert api.post(url, json=body | {"model": name}).status_code == 200
    refused(api.post(url, json=body), 400, "'model'")
    refused(api.post(url, json=body | {"model": FRAME}), 400, "another")
    gone = api.post(url, json=body | {"model": "nobody"})
    refused(gone, 404, "does not exist", "ENDPOINT_NOT_FOUND")
    workspace.fault("status", status=503, match={"name": name})
    assert api.post(url, json=body | {"model": name}).status_code == 503


# Who answers -----------------------------------------------------------------------------------


def test_the_split_of_the_traffic_is_kept_and_named(api: Api) -> None:
    body = {"dataframe_records": [schema_row(api, SPLIT) | {"channel": "app"}]}
    served = Counter(ask(api, SPLIT, **body).headers["served-model-name"] for _ in range(100))
    assert served == {"basket_recommender-31": 90, "basket_recommender-32": 10}


def test_one_entity_can_be_asked_by_name(api: Api) -> None:
    body = {"dataframe_records": [schema_row(api, SPLIT)]}
    path = "/served-models/basket_recommender-32"
    answer = ask(api, SPLIT, path, **body)
    assert answer.headers["served-model-name"] == "basket_recommender-32"
    refused(ask(api, SPLIT, "/served-models/nobody", **body), 404, "nobody", "ENDPOINT_NOT_FOUND")


def test_a_query_wakes_what_has_scaled_to_zero_for_half_an_hour(api: Api, clock: Clock) -> None:
    def message() -> str:
        (entity,) = api.endpoint(ANYTHING)["config"]["served_entities"]
        return str(entity["state"]["deployment_state_message"])

    assert message() == "Scaled to zero"
    for _ in range(3):
        assert ask(api, ANYTHING, instances=[1]).status_code == 200
        assert message() == ""
        clock.seconds += 1500
    clock.seconds += 301
    assert message() == "Scaled to zero"


def test_who_may_not_query_is_told_so(workspace: Running, api: Api) -> None:
    with workspace.world.lock:
        endpoint = workspace.world.get(FRAME)
        endpoint.permission_level = "CAN_VIEW"
        workspace.world.put(endpoint)
    refused(ask(api, FRAME, instances=[1]), 403, "'Query'", "PERMISSION_DENIED")


@pytest.mark.parametrize("name", ["card-ocr-v1", "ab-test-2025-q4"])
def test_a_stopped_endpoint_says_so(api: Api, name: str) -> None:
    refused(ask(api, name, instances=[1]), 400, "stopped")


def test_a_rate_limit_of_its_own_is_kept_for_a_minute(api: Api, clock: Clock) -> None:
    limit = {"calls": 2, "key": "endpoint", "renewal_period": "minute"}
    api.put(f"{B}/{CHAT}/ai-gateway", json={"rate_limits": [limit]})
    clock.seconds += 60 - clock.seconds % 60
    for _ in range(2):
        assert ask(api, CHAT, messages=MESSAGES).status_code == 200
    refused(ask(api, CHAT, messages=MESSAGES), 429, "rate limit", "REQUEST_LIMIT_EXCEEDED")
    clock.seconds += 60
    assert ask(api, CHAT, messages=MESSAGES).status_code == 200


def test_a_route_optimized_endpoint_has_an_address_of_its_own(api: Api, clock: Clock) -> None:
    api.create("fast", route_optimized=True)
    assert "endpoint_url" not in api.endpoint("fast")
    clock.seconds += 600
    url = api.endpoint("fast")["endpoint_url"]
    refused(ask(api, "fast", instances=[1]), 400, "endpoint_url")
    answer = api.post(url.removeprefix(api.url), json={"instances": [1]})
    refused(answer, 403, "OAuth", "PERMISSION_DENIED")


def test_a_body_that_is_not_json(api: Api) -> None:
    answer = api.post(f"/serving-endpoints/{FRAME}/invocations", data=b"{")
    refused(answer, 400, "JSON", "INVALID_REQUEST")
