"""What is made of an answer, and which are none."""

import gzip
import json

import pytest

from endpoints_app.databricks_api import errors
from tests.databricks_api.behaviours import CHURN, B, ok, refuse
from tests.databricks_api.sockets import raw_server

# ── redirects ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", ["get_endpoint", "stop_endpoint"])
def test_a_redirect_is_refused_and_the_token_goes_nowhere(status, verb, connect):
    with raw_server(ok()) as elsewhere:
        away = {"Location": f"http://localhost:{elsewhere.port}/login"}
        with raw_server(refuse(status, headers=away)) as server:
            call = getattr(connect(server.url), verb)
            with pytest.raises(errors.RedirectRefused):
                call("churn")
        assert len(server.calls()) == 1
    assert elsewhere.requests == []


def test_a_redirect_to_the_same_host_is_refused_as_well(connect):
    with raw_server(refuse(302, headers={"Location": f"{B}/other"})) as server:
        client = connect(server.url)
        with pytest.raises(errors.RedirectRefused):
            client.get_endpoint("churn")
    assert len(server.calls()) == 1


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"READY"',
        b"{",
        b"<html>login</html>",
        b"[" * 100_000,
        b'{"a": ' * 5_000 + b"1" + b"}" * 5_000,
        b'{"name": ' + b"9" * 5_000 + b"}",
    ],
    ids=["empty", "null", "list", "text", "cut", "html", "deep", "deep object", "long number"],
)
def test_a_success_that_cannot_be_read_is_nonsense(body, connect):
    with raw_server(ok(body=body)) as server, pytest.raises(errors.Nonsense):
        connect(server.url).get_endpoint("churn")


def test_an_endpoint_without_a_name_is_nonsense(connect):
    with raw_server(ok({})) as server, pytest.raises(errors.Nonsense):
        connect(server.url).get_endpoint("churn")


def test_a_compressed_answer_is_read(connect):
    packed = gzip.compress(json.dumps(CHURN).encode())
    with raw_server(ok(body=packed, headers={"Content-Encoding": "gzip"})) as server:
        assert connect(server.url).get_endpoint("churn").name == "churn"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_an_answer_that_cannot_be_decompressed_is_nonsense(encoding, connect):
    broken = ok(body=b"not compressed at all", headers={"Content-Encoding": encoding})
    with raw_server(broken) as server, pytest.raises(errors.Nonsense):
        connect(server.url).get_endpoint("churn")


def too_long(request, line):
    line.answer(200, {"name": "churn", "filler": "x" * 3000})


def too_long_in_chunks(request, line):
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(300):
        line.send(b"400\r\n" + b" " * 1024 + b"\r\n")


def too_long_compressed(request, line):
    packed = gzip.compress(b" " * 10_000_000)
    line.answer(200, body=packed, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("behaviour", [too_long, too_long_in_chunks, too_long_compressed])
def test_an_oversized_answer_is_nonsense(behaviour, connect):
    with raw_server(behaviour) as server, pytest.raises(errors.Nonsense) as caught:
        connect(server.url, max_body=2000).get_endpoint("churn")
    assert "too large" in caught.value.message


def test_an_oversized_error_is_read_as_far_as_it_matters(connect):
    def shout(request, line):
        line.answer(403, body=b"PERMISSION_DENIED: " + b"no " * 1_000_000)

    with raw_server(shout) as server, pytest.raises(errors.PermissionDenied) as caught:
        connect(server.url).get_endpoint("churn")
    assert caught.value.message.startswith("no no")
    assert len(caught.value.message) <= 500


def test_characters_that_no_database_takes_are_replaced(connect):
    body = (
        rb'{"name": "churn", "description": "a\u0000b\ud800c\ud83d\ude00", "k\u0000": ["\udfff"]}'
    )
    with raw_server(ok(body=body)) as server:
        endpoint = connect(server.url).get_endpoint("churn")
    assert endpoint.description == "a\ufffdb\ufffdc\N{GRINNING FACE}"
    assert endpoint.raw["k\ufffd"] == ["\ufffd"]
