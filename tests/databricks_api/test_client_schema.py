"""The query schema comes as it is, and a request to a model leaves once."""

import json

import pytest

from endpoints_app.databricks_api import errors
from tests.databricks_api.sockets import raw_server

BODY = {"dataframe_records": [{"a": 1}]}


def test_the_schema_is_asked_for_as_text_and_not_touched(connect):
    raw = b'\xef\xbb\xbf{"openapi": "3.1.0",\n "paths": {}}'
    with raw_server(lambda request, line: line.answer(200, body=raw)) as server:
        assert connect(server.url).get_openapi("a/b") == raw
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", "/api/2.0/serving-endpoints/a%2Fb/openapi")
    assert call.headers["accept"] == "text/plain"


def test_a_schema_beyond_what_is_kept_is_nonsense(connect):
    with (
        raw_server(lambda request, line: line.answer(200, "x" * 2000)) as server,
        pytest.raises(errors.Nonsense),
    ):
        connect(server.url).get_openapi("churn", most=1000)


def test_a_request_brings_answer_status_and_who_answered(connect):
    headers = {"served-model-name": "churn-3"}
    answer = {"predictions": [1]}
    with raw_server(lambda request, line: line.answer(200, answer, headers=headers)) as server:
        reply = connect(server.url).query("churn", BODY)
    assert json.loads(reply.body) == answer
    assert (reply.status, reply.headers["served-model-name"]) == (200, "churn-3")
    (call,) = server.calls()
    assert (call.method, call.target) == ("POST", "/serving-endpoints/churn/invocations")
    assert json.loads(call.body) == BODY


def test_one_served_entity_is_asked_by_its_path(connect):
    with raw_server(lambda request, line: line.answer(200, {})) as server:
        connect(server.url).query("churn", BODY, served="churn-3")
    (call,) = server.calls()
    assert call.target == "/serving-endpoints/churn/served-models/churn-3/invocations"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_request_is_never_sent_again(status, connect):
    refusal = {"error_code": "SOMETHING", "message": "no"}
    with (
        raw_server(lambda request, line: line.answer(status, refusal)) as server,
        pytest.raises(errors.DatabricksError),
    ):
        connect(server.url).query("churn", BODY)
    assert len(server.calls()) == 1


def test_an_answer_beyond_what_is_taken_is_nonsense(connect):
    with (
        raw_server(lambda request, line: line.answer(200, "x" * 2000)) as server,
        pytest.raises(errors.Nonsense),
    ):
        connect(server.url).query("churn", BODY, most=1000)
