"""What leaves, over which connection, and signed by whom."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from endpoints_app.databricks_api import Credentials, errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.behaviours import B, answers, ok, refuse
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.documents import LISTED
from tests.databricks_api.sockets import raw_server, unused_port

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
