"""One deadline covers the whole call, whatever the other side does with its time."""

import socket
import threading
import time
from dataclasses import replace

import pytest

from endpoints_app.databricks_api import connections, errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.sockets import raw_server

DEADLINE = 0.5
SLACK = 0.4


@pytest.fixture
def took():
    """Signs in beforehand, so that only the call under test is on the clock."""

    def measure(client, call) -> tuple[float, errors.DatabricksError]:
        client._transport._signer.sign(seconds=30)
        started = time.monotonic()
        with pytest.raises(errors.DatabricksError) as caught:
            call()
        return time.monotonic() - started, caught.value

    return measure


def silence(request, line):
    time.sleep(5)


def drip_the_head(request, line):
    line.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"a" * 1000)


def drip_the_body(request, line):
    line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    line.drip(b"{" + b" " * 999)


def drip_a_chunked_body(request, line):
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(200):
        line.send(b"1\r\n \r\n")
        time.sleep(0.02)


def drip_until_closed(request, line):
    line.send(b"HTTP/1.1 200 OK\r\n\r\n")
    line.drip(b"{" + b" " * 999)


def continue_for_ever(request, line):
    for _ in range(200):
        line.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "behaviour",
    [
        silence,
        drip_the_head,
        drip_the_body,
        drip_a_chunked_body,
        drip_until_closed,
        continue_for_ever,
    ],
)
def test_a_read_ends_at_its_deadline(behaviour, connect, took):
    with raw_server(behaviour) as server:
        client = connect(server.url)
        seconds, error = took(client, lambda: client.get_endpoint("churn", deadline=DEADLINE))
    assert isinstance(error, errors.TimedOut)
    assert error.sent is Sent.MAYBE
    assert DEADLINE - 0.05 <= seconds < DEADLINE + SLACK
    assert len(server.calls()) == 1


def test_a_late_byte_does_not_start_the_time_anew(connect, took):
    def one_byte(request, line):
        time.sleep(0.4)
        line.send(b"H")
        time.sleep(5)

    with raw_server(one_byte) as server:
        client = connect(server.url)
        seconds, error = took(client, lambda: client.get_endpoint("churn", deadline=DEADLINE))
    assert isinstance(error, errors.TimedOut)
    assert seconds < 0.8


@pytest.mark.parametrize("behaviour", [silence, drip_the_head, continue_for_ever])
def test_a_write_ends_at_its_deadline_and_may_have_been_sent(behaviour, connect, took):
    with raw_server(behaviour) as server:
        client = connect(server.url)
        seconds, error = took(client, lambda: client.stop_endpoint("churn", deadline=DEADLINE))
    assert isinstance(error, errors.TimedOut)
    assert error.sent is Sent.MAYBE
    assert seconds < DEADLINE + SLACK
    assert len(server.calls()) == 1


def test_a_write_is_done_when_its_status_came_whatever_the_body_does(connect):
    with raw_server(drip_the_body) as server:
        client = connect(server.url)
        client._transport._signer.sign(seconds=30)
        started = time.monotonic()
        client.stop_endpoint("churn", deadline=5)
        assert time.monotonic() - started < 1


def test_an_error_whose_body_drips_is_named_by_its_status(connect, took):
    def refuse_slowly(request, line):
        line.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n")
        line.drip(b" " * 1000)

    with raw_server(refuse_slowly) as server:
        client = connect(server.url)
        seconds, error = took(client, lambda: client.stop_endpoint("churn", deadline=DEADLINE))
    assert isinstance(error, errors.PermissionDenied)
    assert error.sent is Sent.YES
    assert seconds < DEADLINE + SLACK


def test_an_answer_that_drips_but_arrives_in_time_is_read(connect):
    def drip(request, line):
        body = b'{"name": "churn"}'
        line.drip(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), pause=0.001)
        line.drip(body, pause=0.001)

    with raw_server(drip) as server:
        assert connect(server.url).get_endpoint("churn").name == "churn"


def test_a_kept_connection_is_not_cut_by_the_deadline_of_an_earlier_call(connect):
    def slowly(request, line):
        time.sleep(0.3)
        line.answer(200, {"name": "churn"})

    with raw_server(slowly) as server:
        client = connect(server.url)
        client._transport._signer.sign(seconds=30)
        client.get_endpoint("churn", deadline=0.5)
        client.get_endpoint("churn", deadline=5)
        client.get_endpoint("churn", deadline=5)
        assert server.calls()[0].connection == server.calls()[-1].connection


def test_connections_that_nobody_accepts_end_at_the_connect_timeout(connect, took):
    # A full backlog swallows further attempts, as a firewall does.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
            fillers.append(filler)
        with raw_server(silence) as server:
            client = connect(server.url, connect_timeout=0.3)
            signed = client._transport._signer.sign(seconds=30)
            signed = replace(signed, base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}")
            client._transport._signer.sign = lambda seconds: signed
            started = time.monotonic()
            with pytest.raises(errors.NeverOpened) as caught:
                client.stop_endpoint("churn", deadline=5)
        for filler in fillers:
            filler.close()
    assert time.monotonic() - started < 0.3 + SLACK
    assert caught.value.sent is Sent.NO


def test_a_name_server_that_hangs_counts_against_the_connect_timeout(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(5))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        connections.open_socket("slow.example", 443, 0.2, ())
    assert time.monotonic() - started < 0.2 + SLACK
    released.set()


def test_every_address_of_a_host_gets_its_share_of_the_time(monkeypatch):
    with raw_server(silence) as server, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filler = socket.create_connection(deaf.getsockname())
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", deaf.getsockname()),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        started = time.monotonic()
        with connections.open_socket("two.example", 443, 0.6, ()) as sock:
            assert sock.getpeername()[1] == server.port
            assert 0 < sock.gettimeout() < 0.4
        filler.close()
    assert time.monotonic() - started < 0.6


def test_a_sign_in_that_hangs_ends_at_the_deadline_and_sent_nothing(connect):
    with raw_server(silence, discovery=True) as server:
        client = connect(server.url)
        started = time.monotonic()
        with pytest.raises(errors.TimedOut) as caught:
            client.stop_endpoint("churn", deadline=DEADLINE)
    assert time.monotonic() - started < DEADLINE + SLACK
    assert caught.value.sent is Sent.NO
