"""What is asked again, and what is never sent twice."""

import socket
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.behaviours import CHURN, answers, hang_up, ok, refuse, reset
from tests.databricks_api.sockets import raw_server

# ── reads are asked again ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "trouble",
    [refuse(429), refuse(503), hang_up, reset],
    ids=["429", "503", "hang-up", "reset"],
)
def test_a_read_is_asked_again_after_a_passing_trouble(trouble, connect, fake_time):
    with raw_server(answers(trouble, trouble, ok())) as server:
        client = connect(server.url, clock=fake_time.clock())
        assert client.get_endpoint("churn").name == "churn"
    assert len(server.calls()) == 3
    assert fake_time.slept == [0.25, 0.5]


def test_a_half_sent_answer_is_asked_for_again(connect, fake_time):
    def half(request, line):
        line.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"name": "ch')
        line.close()

    with raw_server(answers(half, ok())) as server:
        assert connect(server.url, clock=fake_time.clock()).get_endpoint("churn").name == "churn"
    assert len(server.calls()) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 501, 502, 504])
def test_other_answers_are_taken_as_they_are(status, connect, fake_time):
    with raw_server(refuse(status)) as server, pytest.raises(errors.DatabricksError) as caught:
        connect(server.url, clock=fake_time.clock()).get_endpoint("churn")
    assert caught.value.status == status
    assert len(server.calls()) == 1
    assert fake_time.slept == []


def test_a_lasting_trouble_is_given_up_after_four_attempts(connect, fake_time):
    with raw_server(refuse(503)) as server, pytest.raises(errors.Unavailable):
        connect(server.url, clock=fake_time.clock()).get_endpoint("churn")
    assert len(server.calls()) == 4
    assert fake_time.slept == [0.25, 0.5, 1.0]


def test_retry_after_is_obeyed_as_seconds(connect, fake_time):
    with raw_server(answers(refuse(429, headers={"Retry-After": "3"}), ok())) as server:
        connect(server.url, clock=fake_time.clock()).get_endpoint("churn")
    assert fake_time.slept == [3.0]


def test_retry_after_is_obeyed_as_a_date(connect, fake_time):
    wall = 1_800_000_000.0
    date = format_datetime(datetime.fromtimestamp(wall + 4, tz=UTC), usegmt=True)
    with raw_server(answers(refuse(503, headers={"Retry-After": date}), ok())) as server:
        connect(server.url, clock=fake_time.clock(wall=wall)).get_endpoint("churn")
    assert fake_time.slept == [4.0]


@pytest.mark.parametrize(
    ("seconds", "options", "deadline"),
    [(60, {}, 100.0), (3, {"retry_budget": 2.0}, 100.0), (3, {}, 2.0)],
    ids=["beyond the budget", "beyond a smaller budget", "beyond the deadline"],
)
def test_a_wait_that_is_too_long_is_left_to_the_caller(
    seconds, options, deadline, connect, fake_time
):
    with raw_server(refuse(429, headers={"Retry-After": str(seconds)})) as server:
        client = connect(server.url, clock=fake_time.clock(), **options)
        with pytest.raises(errors.Throttled) as caught:
            client.get_endpoint("churn", deadline=deadline)
    assert caught.value.retry_after == seconds
    assert len(server.calls()) == 1
    assert fake_time.slept == []


def test_waits_add_up_to_the_budget_at_most(connect, fake_time):
    with raw_server(refuse(429, headers={"Retry-After": "3"})) as server:
        client = connect(server.url, clock=fake_time.clock())
        with pytest.raises(errors.Throttled):
            client.get_endpoint("churn", deadline=100)
    assert fake_time.slept == [3.0, 3.0]
    assert len(server.calls()) == 3


# ── writes are sent once ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trouble", "kind", "sent"),
    [
        (refuse(429, headers={"Retry-After": "1"}), errors.Throttled, Sent.NO),
        (refuse(400, "INVALID_STATE"), errors.InvalidState, Sent.YES),
        (refuse(401, 401), errors.Unauthenticated, Sent.YES),
        (refuse(409, "RESOURCE_CONFLICT"), errors.Conflict, Sent.YES),
        (refuse(500), errors.Internal, Sent.MAYBE),
        (refuse(503), errors.Unavailable, Sent.MAYBE),
        (refuse(504), errors.Gateway, Sent.MAYBE),
        (hang_up, errors.Lost, Sent.MAYBE),
        (reset, errors.Lost, Sent.MAYBE),
    ],
)
@pytest.mark.parametrize("verb", ["stop_endpoint", "start_endpoint", "delete_endpoint"])
def test_a_write_is_sent_once_whatever_comes_back(verb, trouble, kind, sent, connect, fake_time):
    with raw_server(trouble) as server:
        client = connect(server.url, clock=fake_time.clock())
        with pytest.raises(kind) as caught:
            getattr(client, verb)("churn")
    assert caught.value.sent is sent
    assert len(server.calls()) == 1
    assert fake_time.slept == []


def test_a_write_to_a_closed_port_was_not_sent(connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
    with pytest.raises(errors.NeverOpened) as caught:
        client.stop_endpoint("churn")
    assert caught.value.sent is Sent.NO
    assert "connection refused" in caught.value.message


def test_a_write_after_a_kept_connection_died_arrives(connect):
    """An idle connection that the other side has closed would leave us in doubt."""

    def once(request, line):
        line.answer(200, CHURN)
        line.close()

    with raw_server(once) as server:
        client = connect(server.url)
        for _ in range(10):
            client.get_endpoint("churn")
            client.stop_endpoint("churn")
    assert len([call for call in server.calls() if call.method == "POST"]) == 10


def test_an_unknown_host_was_never_reached(connect, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    with raw_server(ok()) as server:
        client = connect(server.url, retry_budget=0.0)
        client._transport._signer.sign(seconds=30)
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        for call in (client.stop_endpoint, client.get_endpoint):
            with pytest.raises(errors.NeverOpened) as caught:
                call("churn")
            assert caught.value.sent is Sent.NO
            assert "host name is unknown" in caught.value.message


@pytest.mark.parametrize(
    "host", ["http://a..b", "http://" + "x" * 70 + ".example", "http://host:99999", "ftp://x"]
)
def test_a_host_that_is_none_is_refused_without_a_traceback_of_libraries(host, connect):
    with pytest.raises(errors.DatabricksError) as caught:
        connect(host).stop_endpoint("churn", deadline=10)
    assert caught.value.sent is Sent.NO
