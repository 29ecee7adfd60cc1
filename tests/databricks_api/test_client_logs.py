"""Logs: any text, cut anywhere, of any size."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.databricks_api import client as client_module
from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.wire_logs import parts_of, tail_of
from tests.databricks_api.sockets import raw_server

PATH = "/api/2.0/serving-endpoints/churn/served-models/churn-3"


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


texts = st.text(st.sampled_from('ab\n"\\/é🙂\x1b\t{}u0d'), max_size=60) | st.text(max_size=60)


@given(texts, st.integers(1, 9), st.booleans())
def test_any_text_in_any_pieces_comes_whole(text: str, size: int, ascii_only: bool) -> None:
    document = json.dumps({"more": ["logs"], "logs": text, "rest": 1}, ensure_ascii=ascii_only)
    data = document.encode("utf-8", "replace")
    expected = text.encode("utf-8", "replace").decode()
    if ascii_only:
        expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found = "".join(parts_of(pieces(data, size)))
    assert found.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == expected
    assert tail_of(pieces(data, size), keep=1000).text == found


@given(texts, st.integers(1, 9), st.integers(1, 40))
def test_the_tail_begins_with_a_line_and_counts_what_it_left_out(
    text: str, size: int, keep: int
) -> None:
    data = json.dumps({"logs": text}).encode("utf-8", "replace")
    whole = "".join(parts_of(pieces(data, size)))
    found = tail_of(pieces(data, size), keep=keep)
    assert whole.endswith(found.text)
    assert len(found.text) <= keep
    assert found.size == len(whole)
    before = whole[: len(whole) - len(found.text)]
    assert before.count("\n") == found.skipped
    assert before == "" or before.endswith("\n") or "\n" not in whole[-keep:]


@pytest.mark.parametrize("document", [{}, {"logs": None}, {"logs": ""}])
def test_nothing_logged_is_an_empty_text(document, connect) -> None:
    with raw_server(lambda request, line: line.answer(document=document)) as server:
        assert connect(server.url).logs("churn", "churn-3", "logs", keep=99).text == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"logs"',
        b'{"logs": 1}',
        b'{"logs": ["a"]}',
        b'{"logs": "no end',
        b'{"logs": "\\x"}',
        b'{"logs": "\\u12"}',
        b" " * 70_000,
    ],
)
def test_what_is_not_a_log_is_nonsense(body, connect) -> None:
    answering = raw_server(lambda request, line: line.answer(body=body))
    with answering as server, pytest.raises(errors.Nonsense):
        connect(server.url).logs("churn", "churn-3", "build-logs", keep=99)


def test_each_log_has_its_address_and_the_version_goes_where_the_constant_says(
    connect, monkeypatch
) -> None:
    with raw_server(lambda request, line: line.answer(document={"logs": "x"})) as server:
        client = connect(server.url)
        client.logs("churn", "churn-3", "build-logs", keep=9)
        client.logs("churn", "churn-3", "logs", keep=9, config_version=7)
        monkeypatch.setattr(client_module, "CONFIG_VERSION_IN", "body")
        client.logs("churn", "churn-3", "logs", keep=9, config_version=7)
    asked = [(request.target, request.body) for request in server.calls()]
    assert asked == [
        (f"{PATH}/build-logs", b""),
        (f"{PATH}/logs?config_version=7", b""),
        (f"{PATH}/logs", b'{"config_version": 7}'),
    ]


def test_a_served_name_cannot_leave_its_place(connect) -> None:
    with raw_server(lambda request, line: line.answer(document={"logs": "x"})) as server:
        client = connect(server.url)
        client.logs("a/b", "../c?d", "logs", keep=9)
        with pytest.raises(errors.BadRequest):
            client.logs("churn", "..", "logs", keep=9)
    (asked,) = server.calls()
    assert asked.target == "/api/2.0/serving-endpoints/a%2Fb/served-models/..%2Fc%3Fd/logs"


LINE = b"2026-11-22T02:30:06.020Z INFO ranker.weights shard loaded, 5.1 GiB, device cuda:0\\n"
MEGABYTES_50 = 50 * 1024 * 1024


def fifty_megabytes(request, line) -> None:
    count = MEGABYTES_50 // len(LINE)
    head, block = b'{"logs": "', LINE * 1000
    size = len(head) + len(LINE) * count + 2
    line.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + head)
    for _ in range(count // 1000):
        line.send(block)
    line.send(LINE * (count % 1000) + b'"}')


def test_of_fifty_megabytes_only_the_end_is_held(connect) -> None:
    keep = 1024 * 1024
    with raw_server(fifty_megabytes) as server:
        client = connect(server.url)
        client.sign_in()
        tracemalloc.start()
        started = time.monotonic()
        found = client.logs("churn", "churn-3", "logs", keep=keep, deadline=30)
        seconds = time.monotonic() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    lines = MEGABYTES_50 // len(LINE)
    assert found.skipped + found.text.count("\n") == lines
    assert keep - len(LINE) < len(found.text) <= keep
    assert peak < 6 * keep, f"{peak / 1e6:.1f} MB were held"
    assert seconds < 15


def test_the_whole_is_written_part_by_part_and_from_the_beginning_after_a_break(connect) -> None:
    answers = iter([b"half", b"whole"])

    def handler(request, line) -> None:
        if next(answers) == b"half":
            line.send(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"logs": "one\\n')
            line.reset()
        else:
            line.answer(document={"logs": "one\ntwo\n"})

    with raw_server(handler) as server:
        found = connect(server.url).save_logs("churn", "churn-3", "logs", lambda parts: [*parts])
    assert "".join(found) == "one\ntwo\n"
