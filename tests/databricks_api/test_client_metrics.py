"""Metrics: whatever is sent, numbers or an error of ours, and never much of either."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.wire_metrics import LONGEST_LINE, MOST_LINES, Sample, samples_of
from tests.databricks_api.sockets import raw_server

EXPORTED = """\
# HELP cpu_usage_percentage Average CPU utilization used across all replicas during the last minute
# TYPE cpu_usage_percentage gauge
cpu_usage_percentage{endpoint_name="churn",served_model="churn-3"} 12.5 1788718020000
# TYPE request_count_total gauge
request_count_total{endpoint_name="churn",served_model="churn-3"} 7 1788718020000
# TYPE request_latency_ms histogram
request_latency_ms_bucket{endpoint_name="churn",le="5"} 2 1788718020000
request_latency_ms_bucket{endpoint_name="churn",le="+Inf"} 7 1788718020000
request_latency_ms_sum{endpoint_name="churn"} 90.5 1788718020000
request_latency_ms_count{endpoint_name="churn"} 7 1788718020000
"""

OPENMETRICS = """\
# TYPE request_latency_ms histogram
# UNIT request_latency_ms ms
request_latency_ms_bucket{le="5.0"} 2 # {trace_id="a{b}#"} 4.5
request_latency_ms_bucket{le="+Inf"} 7
request_latency_ms_count 7
request_latency_ms_sum 90.5
# TYPE request_count counter
request_count_total 7.0
# EOF
"""


def values(samples: tuple[Sample, ...]) -> dict[str, float]:
    return {sample.name: sample.value for sample in samples}


def test_metrics_are_asked_for_as_text_and_read_line_by_line(connect):
    with raw_server(lambda request, line: line.answer(200, body=EXPORTED.encode())) as server:
        samples = connect(server.url).export_metrics("a/b")
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", "/api/2.0/serving-endpoints/a%2Fb/metrics")
    assert call.headers["accept"] == "text/plain"
    assert len(samples) == 6
    assert samples[0] == Sample(
        "cpu_usage_percentage", {"endpoint_name": "churn", "served_model": "churn-3"}, 12.5
    )
    assert values(samples)["request_latency_ms_count"] == 7


def test_openmetrics_with_its_exemplars_reads_the_same():
    found = values(samples_of(OPENMETRICS.encode()))
    assert found["request_count_total"] == 7
    assert found["request_latency_ms_sum"] == 90.5


def test_of_a_series_that_comes_twice_the_newest_counts():
    text = 'a{x="1"} 5 2000\na{x="1"} 4 1000\na{x="2"} 1 1000\na{x="2"} 3 1000\n'
    assert [sample.value for sample in samples_of(text.encode())] == [5, 3]


@pytest.mark.parametrize("body", ["", "\n\n", "# EOF\n", "# HELP a b\n# TYPE a gauge\n"])
def test_an_answer_without_numbers_is_an_answer(body):
    assert samples_of(body.encode()) == ()


@pytest.mark.parametrize("text", ["a NaN\n", "a +Inf\n", "a -Inf\n", f"a {'9' * 1000}.0\n"])
def test_a_number_that_is_none_is_handed_on_as_such(text):
    (sample,) = samples_of(text.encode())
    assert not math.isfinite(sample.value)


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>Sign in</body></html>",
        '{"error_code": "NOPE"}',
        "{}",
        "OK",
        "a",
        'a{x="1} 1',
        "a{x=1} 1",
        'a{x="1",x="2"} 1',
        "a{,,} 1",
        "a 1 2 3 x",
        f"a {'9' * 400}\n",
        f"a 1 {'9' * 400}\n",
        "\0\0\0",
    ],
)
def test_what_is_no_metrics_is_nonsense(body):
    with pytest.raises(errors.Nonsense):
        samples_of(body.encode())


@given(
    st.binary(max_size=300)
    | st.text(st.sampled_from('a_1{}=",\\ \n\t#.+-eInfNaN'), max_size=80).map(str.encode)
    | st.lists(st.sampled_from(EXPORTED.splitlines() + OPENMETRICS.splitlines()), max_size=12).map(
        lambda lines: "\n".join(lines).encode()
    )
)
def test_any_bytes_are_numbers_or_nonsense(body):
    try:
        samples = samples_of(body)
    except errors.Nonsense:
        return
    assert all(isinstance(sample.value, float) for sample in samples)


def test_too_much_is_nonsense(connect):
    with (
        raw_server(lambda request, line: line.answer(200, body=b"a 1\n" * 500)) as server,
        pytest.raises(errors.Nonsense),
    ):
        connect(server.url).export_metrics("churn", most=1000)
    with pytest.raises(errors.Nonsense):
        samples_of(b"a 1\n" * (MOST_LINES + 1))
    with pytest.raises(errors.Nonsense):
        samples_of(b'a{x="' + b"x" * LONGEST_LINE + b'"} 1\n')


@pytest.mark.parametrize(
    "line",
    [
        "a{" + ",".join(f'l{n}="{n}"' for n in range(400)) + "} 1",
        "a{" + "\\" * 4000,
        'a{x="' + '\\"' * 2000 + '"} 1',
        "#" + " " * 4000,
    ],
)
def test_the_worst_lines_that_are_read_take_no_age(line):
    """A million bytes of them; what grows with a square would take minutes."""
    started = time.monotonic()
    try:
        samples_of((line + "\n").encode() * (1_000_000 // (len(line) + 1)))
    except errors.Nonsense:
        pass
    assert time.monotonic() - started < 20


def test_an_endpoint_that_is_gone_says_so(connect):
    gone = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}
    with (
        raw_server(lambda request, line: line.answer(404, gone)) as server,
        pytest.raises(errors.DoesNotExist),
    ):
        connect(server.url).export_metrics("churn")


def test_a_workspace_that_wants_to_be_left_alone_is_not_asked_again(connect):
    refusal = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down"}
    answer = {"headers": {"Retry-After": "1"}}
    with (
        raw_server(lambda request, line: line.answer(429, refusal, **answer)) as server,
        pytest.raises(errors.Throttled) as caught,
    ):
        connect(server.url).export_metrics("churn")
    assert caught.value.retry_after == 1
    assert len(server.calls()) == 1
