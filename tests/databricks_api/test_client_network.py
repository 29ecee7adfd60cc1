"""TLS, proxies and CA bundles, by the usual variables."""

import socket
import time

import pytest

from endpoints_app.databricks_api import Credentials, errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.certificates import Authority
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.sockets import DISCOVERY, raw_server, read_request

CHURN = {"name": "churn"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(authority, monkeypatch) -> Authority:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    return authority


def signed_in(url: str):
    """What the SDK gives, without asking the host anything."""
    from databricks.sdk.config import Config

    class Offline(Config):
        def _resolve_host_metadata(self) -> None:
            pass

    Config.attributes()
    return Offline(host=url, token=TOKEN)


def churn(request, line):
    line.answer(200, CHURN)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_is_taken_from_the_environment(variable, authority, monkeypatch, connect):
    monkeypatch.setenv(variable, str(authority.bundle))
    with raw_server(churn, tls=authority.server_context("127.0.0.1")) as server:
        client = connect(server.url)
        assert client.get_endpoint("churn").name == "churn"
        client.stop_endpoint("churn")
    assert [call.method for call in server.calls()] == ["GET", "POST"]


def test_a_certificate_that_nobody_trusts_gets_no_token(authority, connect):
    with raw_server(churn, tls=authority.server_context("127.0.0.1")) as server:
        client = connect(server.url)
        with pytest.raises(errors.NeverOpened) as caught:
            client.stop_endpoint("churn")
    assert caught.value.sent is Sent.NO
    assert "not trusted" in caught.value.message
    assert server.requests == []


def test_a_certificate_for_another_name_gets_no_token(trusted, connect):
    with raw_server(churn, tls=trusted.server_context("other.example")) as server:
        client = connect(server.url)
        with pytest.raises(errors.NeverOpened) as caught:
            client.stop_endpoint("churn")
    assert caught.value.sent is Sent.NO
    assert server.requests == []


def test_a_ca_bundle_that_is_not_there_is_named(monkeypatch, connect):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(errors.NotConfigured) as caught:
        connect("https://127.0.0.1:1").stop_endpoint("churn")
    assert "REQUESTS_CA_BUNDLE" in caught.value.message


def test_a_tls_handshake_that_hangs_never_opened_anything(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        client = connect(url, connect_timeout=0.3)
        client._transport._signer._config = signed_in(url)
        started = time.monotonic()
        with pytest.raises(errors.NeverOpened) as caught:
            client.stop_endpoint("churn", deadline=10)
    assert time.monotonic() - started < 1
    assert caught.value.sent is Sent.NO


def test_an_encrypted_answer_that_drips_ends_at_the_deadline(trusted, connect):
    def drip(request, line):
        line.drip(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 1000)

    with raw_server(drip, tls=trusted.server_context("127.0.0.1")) as server:
        client = connect(server.url)
        client._transport._signer.sign(seconds=30)
        started = time.monotonic()
        with pytest.raises(errors.TimedOut) as caught:
            client.get_endpoint("churn", deadline=0.5)
    assert time.monotonic() - started < 0.9
    assert caught.value.sent is Sent.MAYBE


def test_a_plain_proxy_is_taken_from_the_environment(monkeypatch, connect):
    with raw_server(churn) as proxy:
        monkeypatch.setenv("HTTP_PROXY", "http://user:pass@" + proxy.url.removeprefix("http://"))
        assert connect("http://workspace.example").get_endpoint("churn").name == "churn"
        monkeypatch.setenv("NO_PROXY", "workspace.example")
        with pytest.raises(errors.NeverOpened):
            connect("http://workspace.example").get_endpoint("churn", deadline=3)
    targets = {call.target for call in proxy.requests}
    assert targets == {
        "http://workspace.example/.well-known/databricks-config",
        "http://workspace.example/api/2.0/serving-endpoints/churn",
    }
    assert proxy.requests[-1].headers["proxy-authorization"].startswith("Basic ")


def tunnel(context, handler):
    """A proxy that answers CONNECT and then is the host at the other end itself."""

    def connected(request, line):
        if request.method != "CONNECT":
            line.answer(405)
            return
        line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        line.sock = context.wrap_socket(line.sock, server_side=True)
        with line.sock.makefile("rb") as reader:
            handler(reader, line, request.target)
        line.close()

    return connected


def test_an_encrypted_proxy_tunnel_carries_reads_and_writes(trusted, monkeypatch, connect):
    seen = []

    def workspace(reader, line, target):
        while request := read_request(reader, line.number):
            seen.append((target, request.method, request.target))
            if request.target == DISCOVERY:
                line.answer(404, {})
            else:
                line.answer(200, CHURN)

    context = trusted.server_context("workspace.example")
    with raw_server(tunnel(context, workspace)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = connect("https://workspace.example")
        client.get_endpoint("churn")
        monkeypatch.setattr("endpoints_app.databricks_api.connections.MAX_IDLE", 0.0)
        client.get_endpoint("churn")
        client.stop_endpoint("churn")
    path = "/api/2.0/serving-endpoints/churn"
    assert seen[1:] == [
        ("workspace.example:443", "GET", path),
        ("workspace.example:443", "GET", path),
        ("workspace.example:443", "POST", path + "/config:stop"),
    ]
    assert all("authorization" not in call.headers for call in proxy.requests)


def test_a_proxy_that_refuses_the_tunnel_proves_that_nothing_was_sent(monkeypatch, connect):
    def refuse(request, line):
        line.answer(407, {})

    with raw_server(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(errors.NeverOpened) as caught:
            connect("https://workspace.example").stop_endpoint("churn")
    assert caught.value.sent is Sent.NO
    assert "the proxy answered 407" in caught.value.message


def test_a_proxy_that_drips_its_consent_is_cut_at_the_connect_timeout(monkeypatch, connect):
    def drip(request, line):
        line.drip(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 1000)

    with raw_server(drip) as proxy:
        client = connect("https://workspace.example", connect_timeout=0.4)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client._transport._signer._config = signed_in("https://workspace.example")
        started = time.monotonic()
        with pytest.raises(errors.NeverOpened) as caught:
            client.stop_endpoint("churn", deadline=10)
    assert time.monotonic() - started < 1
    assert caught.value.sent is Sent.NO


def test_an_azure_service_principal_sends_all_its_headers(trusted, monkeypatch, connect):
    """Through a proxy that plays Entra ID and the workspace, as the SDK knows no other address."""
    seen = []

    def cloud(reader, line, target):
        while request := read_request(reader, line.number):
            seen.append((target, request))
            if request.target == DISCOVERY:
                line.answer(404, {})
            elif target.startswith("login.microsoftonline.com"):
                which = "management" if b"management" in request.body else "workspace"
                token = {"access_token": f"aad-{which}", "token_type": "Bearer"}
                line.answer(
                    200,
                    {**token, "expires_in": "3600"},
                    headers={"Content-Type": "application/json"},
                )
            else:
                line.answer(200, CHURN)

    context = trusted.server_context("adb-1.2.azuredatabricks.net", "login.microsoftonline.com")
    credentials = Credentials(
        host="https://adb-1.2.azuredatabricks.net",
        azure_tenant_id="tenant",
        azure_client_id="application",
        azure_client_secret="azure-secret",
        azure_workspace_resource_id="/subscriptions/s/workspaces/w",
    )
    with raw_server(tunnel(context, cloud)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        connect("", credentials).get_endpoint("churn")
    (request,) = [request for _, request in seen if "serving-endpoints" in request.target]
    assert request.headers["authorization"] == "Bearer aad-workspace"
    assert request.headers["x-databricks-azure-sp-management-token"] == "aad-management"
    assert (
        request.headers["x-databricks-azure-workspace-resource-id"]
        == "/subscriptions/s/workspaces/w"
    )
    assert "auth/azure-client-secret" in request.headers["user-agent"]
