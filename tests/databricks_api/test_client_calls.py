"""What leaves, what is asked again, and what is never sent twice."""

import gzip
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from endpoints_app.databricks_api import Credentials, errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.documents import LISTED
from tests.databricks_api.sockets import raw_server, unused_port

B = "/api/2.0/serving-endpoints"
CHURN = {"name": "churn", "state": {"ready": "READY"}}


def answers(*steps):
    """A handler that takes one step per request and then repeats the last."""
    left = list(steps)

    def handle(request, line):
        step = left.pop(0) if len(left) > 1 else left[0]
        step(request, line)

    return handle


def ok(document=CHURN, **options):
    return lambda request, line: line.answer(200, document, **options)


def refuse(status, code="SOMETHING", *, headers=None):
    body = {"error_code": code, "message": "no"}
    return lambda request, line: line.answer(status, body, headers=headers)


def hang_up(request, line):
    line.close()


def reset(request, line):
    line.reset()


# ── what is asked ───────────────────────────────────────────────────────────────────────────────


def test_the_list_is_read_with_every_named_endpoint(connect):
    items = [LISTED, {"id": "nameless"}, "noise", {**LISTED, "name": "fraud"}]
    with raw_server(ok({"endpoints": items})) as server:
        endpoints = connect(server.url).list_endpoints().read()
    assert [endpoint.name for endpoint in endpoints] == ["churn", "fraud"]
    (call,) = server.calls()
    assert (call.method, call.target) == ("GET", B)


@pytest.mark.parametrize("document", [{}, {"endpoints": []}, {"endpoints": None}])
def test_an_empty_workspace_is_an_empty_list(document, connect):
    with raw_server(ok(document)) as server:
        assert connect(server.url).list_endpoints().read() == ()


@pytest.mark.parametrize("document", [{"endpoints": "x"}, {"endpoints": {"a": 1}}])
def test_a_list_that_is_none_never_reads_as_an_empty_workspace(document, connect):
    with raw_server(ok(document)) as server, pytest.raises(errors.Nonsense):
        connect(server.url).list_endpoints().read()


def test_the_verbs_and_addresses_are_those_of_the_platform(connect):
    with raw_server(ok({})) as server:
        client = connect(server.url)
        client.stop_endpoint("churn")
        client.start_endpoint("churn")
        client.delete_endpoint("churn")
    assert [(call.method, call.target) for call in server.calls()] == [
        ("POST", f"{B}/churn/config:stop"),
        ("POST", f"{B}/churn/config:start"),
        ("DELETE", f"{B}/churn"),
    ]
    assert all(call.body == b"" for call in server.calls())


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a/../b", "a%2F..%2Fb"),
        ("../admin", "..%2Fadmin"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a%2Fb", "a%252Fb"),
        ("%2e%2e", "%252e%252e"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("a b\r\nHost: evil", "a%20b%0D%0AHost%3A%20evil"),
        ("config:stop", "config%3Astop"),
        ("...", "..."),
    ],
)
def test_a_name_stays_one_segment_of_the_address(name, segment, connect):
    with raw_server(ok({"name": name})) as server:
        client = connect(server.url)
        client.get_endpoint(name)
        client.stop_endpoint(name)
    assert [call.target for call in server.calls()] == [
        f"{B}/{segment}",
        f"{B}/{segment}/config:stop",
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
def test_a_name_that_would_become_another_address_is_not_sent(name, connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        for call in (client.get_endpoint, client.stop_endpoint, client.delete_endpoint):
            with pytest.raises(errors.BadRequest) as caught:
                call(name)
            assert caught.value.sent is Sent.NO
    assert server.calls() == []


def test_requests_carry_who_we_are_and_whom_we_are_for(connect):
    with raw_server(ok()) as server:
        connect(server.url).get_endpoint("churn")
    headers = server.calls()[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/json"
    product, sdk, python, system, auth, *_ = headers["user-agent"].split(" ")
    assert product == "serving-desk/1.2.3"
    assert sdk.startswith("databricks-sdk-py/")
    assert python.startswith("python/3.")
    assert system.startswith("os/")
    assert auth == "auth/pat"


def test_a_netrc_file_does_not_replace_our_credential(connect, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with raw_server(ok()) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        client.stop_endpoint("churn")
    assert {call.headers["authorization"] for call in server.calls()} == {f"Bearer {TOKEN}"}


def test_cookies_are_not_kept(connect):
    with raw_server(ok(headers={"Set-Cookie": "session=abc; Path=/"})) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        client.get_endpoint("churn")
    assert "cookie" not in server.calls()[1].headers


def test_a_host_as_a_browser_shows_it_is_understood(connect):
    with raw_server(ok()) as server:
        pasted = Credentials(host=f"  {server.url}/?o=123#job/1\n", token=f"{TOKEN}\n")
        connect(server.url, pasted).get_endpoint("churn")
    assert server.calls()[0].target == f"{B}/churn"


# ── connections ─────────────────────────────────────────────────────────────────────────────────


def test_reads_share_a_connection(connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        for _ in range(5):
            client.get_endpoint("churn")
    assert len({call.connection for call in server.calls()}) == 1


def test_a_refused_read_leaves_the_connection_usable(connect):
    with raw_server(answers(refuse(404), ok())) as server:
        client = connect(server.url)
        with pytest.raises(errors.NotKnown):
            client.get_endpoint("churn")
        client.get_endpoint("churn")
    assert len({call.connection for call in server.calls()}) == 1


def test_each_write_opens_a_connection_of_its_own(connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        client.stop_endpoint("churn")
        client.start_endpoint("churn")
    assert len({call.connection for call in server.calls()}) == 3


def test_a_connection_that_idled_for_long_is_not_trusted(connect, monkeypatch):
    with raw_server(ok()) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        monkeypatch.setattr("endpoints_app.databricks_api.connections.MAX_IDLE", 0.0)
        client.get_endpoint("churn")
    assert len({call.connection for call in server.calls()}) == 2


def test_many_threads_share_one_client(connect):
    def by_name(request, line):
        time.sleep(0.005)
        line.answer(200, {"name": request.target.rpartition("/")[2]})

    names = [f"endpoint-{number}" for number in range(60)]
    with raw_server(by_name) as server:
        client = connect(server.url)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda name: client.get_endpoint(name).name, names))
    assert found == names
    assert len([call for call in server.requests if "well-known" in call.target]) == 1
    assert len({call.connection for call in server.calls()}) <= 8


def test_a_closed_client_opens_again(connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        client.close()
        client.get_endpoint("churn")
    assert len({call.connection for call in server.calls()}) == 2


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


# ── signing in anew ─────────────────────────────────────────────────────────────────────────────


def test_a_refused_sign_in_is_renewed_once_for_a_read(connect):
    with raw_server(answers(refuse(401, 401), ok())) as server:
        assert connect(server.url).get_endpoint("churn").name == "churn"
    assert len(server.calls()) == 2
    assert len(server.requests) - len(server.calls()) == 2, "the configuration was built anew"


def test_a_workspace_that_refuses_us_for_good_is_not_asked_for_ever(connect):
    with raw_server(refuse(401, 401)) as server:
        client = connect(server.url)
        for _ in range(3):
            with pytest.raises(errors.Unauthenticated):
                client.get_endpoint("churn")
    assert len(server.calls()) == 4, "renewed for the first of them alone"


def test_a_write_is_not_sent_again_after_a_new_sign_in_but_the_next_has_it(connect, tmp_path):
    profiles = tmp_path / "profiles"

    def by_token(request, line):
        fresh = request.headers["authorization"] == "Bearer fresh-token"
        line.answer(200 if fresh else 401, {"error_code": 401, "message": "who?"})

    with raw_server(by_token) as server:
        profiles.write_text(f"[prod]\nhost = {server.url}\ntoken = stale-token\n")
        client = connect(server.url, Credentials(profile="prod", config_file=str(profiles)))
        with pytest.raises(errors.Unauthenticated):
            client.stop_endpoint("churn")
        profiles.write_text(f"[prod]\nhost = {server.url}\ntoken = fresh-token\n")
        client.stop_endpoint("churn")
    assert len(server.calls()) == 2


def test_nothing_is_asked_before_the_first_call(connect):
    with raw_server(ok()) as server:
        connect(server.url)
        assert server.requests == []


def test_a_dead_workspace_fails_within_its_deadline(connect):
    client = connect(f"http://127.0.0.1:{unused_port()}")
    started = time.monotonic()
    with pytest.raises(errors.NeverOpened):
        client.list_endpoints(deadline=20).read()
    assert time.monotonic() - started < 20


def test_no_thread_is_left_behind(connect):
    with raw_server(ok()) as server:
        client = connect(server.url)
        for _ in range(3):
            client.get_endpoint("churn")
            client.stop_endpoint("churn")
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("databricks")]
    assert [thread for thread in ours if thread.join(1) or thread.is_alive()] == []
