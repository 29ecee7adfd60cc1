"""Each workspace signs in with its own credentials, once, and never with another's."""

import logging
import os
import signal
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from endpoints_app.databricks_api import Credentials, background, errors, signing
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.sockets import DISCOVERY, raw_server

CHURN = {"name": "churn"}
OIDC = "/oidc/.well-known/oauth-authorization-server"
ISSUE = "/oidc/v1/token"
SECRET = "dose0123456789abcdef0123456789abcdef"


def churn(request, line):
    line.answer(200, CHURN)


def signs_in_as(server) -> set[str]:
    return {call.headers.get("authorization", "nobody") for call in server.calls()}


class TokenService:
    """A workspace that issues tokens; `life` is how many seconds each is good for."""

    def __init__(self, *, life: int = 3600) -> None:
        self.life = life
        self.issued = 0
        self.hang = threading.Event()
        self.refuse = False

    def __call__(self, request, line):
        base = f"http://{request.headers['host']}/oidc"
        if request.target == DISCOVERY:
            line.answer(200, {"oidc_endpoint": base, "workspace_id": "4711"})
        elif request.target == OIDC:
            line.answer(200, {"token_endpoint": f"{base}/v1/token"})
        elif request.target == ISSUE:
            self.issue(request, line)
        else:
            line.answer(200, CHURN)

    def issue(self, request, line):
        if self.hang.is_set():
            time.sleep(5)
        headers = {"Content-Type": "application/json"}
        if self.refuse:
            refusal = {"error": "invalid_client", "error_description": f"bad secret {SECRET}"}
            line.answer(401, refusal, headers=headers)
            return
        self.issued += 1
        token = {"access_token": f"issued-{self.issued}", "token_type": "Bearer"}
        line.answer(200, {**token, "expires_in": self.life}, headers=headers)


def machine(url: str) -> Credentials:
    return Credentials(host=url, client_id="application", client_secret=SECRET)


# ── whose credentials ───────────────────────────────────────────────────────────────────────────


def test_another_workspaces_variables_do_not_leak_into_explicit_credentials(connect, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "http://other.example")
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "others-application")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "others-secret")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "others-profile")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "azure-cli")
    monkeypatch.setenv("DATABRICKS_WORKSPACE_ID", "9999")
    monkeypatch.setenv("ARM_CLIENT_SECRET", "others-azure")
    with raw_server(churn) as server:
        connect(server.url).get_endpoint("churn")
    assert signs_in_as(server) == {f"Bearer {TOKEN}"}
    assert "x-databricks-workspace-id" not in server.calls()[0].headers


def test_another_workspaces_variables_do_not_leak_into_a_profile(connect, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABRICKS_HOST", "http://other.example")
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", "others-identity")
    with raw_server(churn) as server:
        profiles = tmp_path / "profiles"
        profiles.write_text(
            "[DEFAULT]\nhost = http://default.example\ntoken = default-token\n"
            f"[prod]\nhost = {server.url}\ntoken = prod-token\n"
            f"[bare]\nhost = {server.url}\n"
        )
        prod = Credentials(profile="prod", config_file=str(profiles))
        connect("", prod).get_endpoint("churn")
        bare = connect("", Credentials(profile="bare", config_file=str(profiles)))
        with pytest.raises(errors.NotConfigured):
            bare.get_endpoint("churn")
    assert signs_in_as(server) == {"Bearer prod-token"}


def test_two_workspaces_of_one_process_stay_apart(connect, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "ambient-token")
    with raw_server(churn) as first, raw_server(churn) as second:
        monkeypatch.setenv("DATABRICKS_HOST", first.url)
        ambient = connect("", Credentials(ambient=True))
        other = connect(second.url, Credentials(host=second.url, token="second-token"))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda client: client.get_endpoint("churn"), [ambient, other]))
    assert signs_in_as(first) == {"Bearer ambient-token"}
    assert signs_in_as(second) == {"Bearer second-token"}


def test_ambient_credentials_come_from_the_environment_and_the_default_profile(
    connect, monkeypatch, tmp_path
):
    with raw_server(churn) as server:
        monkeypatch.setenv("DATABRICKS_HOST", server.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", "ambient-token")
        connect("", Credentials(ambient=True)).get_endpoint("churn")
        monkeypatch.delenv("DATABRICKS_HOST")
        monkeypatch.delenv("DATABRICKS_TOKEN")
        (tmp_path / ".databrickscfg").write_text(
            f"[DEFAULT]\nhost = {server.url}\ntoken = default-token\n"
        )
        connect("", Credentials(ambient=True)).get_endpoint("churn")
    assert [call.headers["authorization"] for call in server.calls()] == [
        "Bearer ambient-token",
        "Bearer default-token",
    ]


def test_the_environment_is_left_alone(connect, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    before = dict(os.environ)
    with raw_server(churn) as server:
        connect(server.url).get_endpoint("churn")
    assert dict(os.environ) == before


# ── none, or too many ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    [
        Credentials(),
        Credentials(host="https://workspace.example"),
        Credentials(token=TOKEN),
        Credentials(host=" ", token="\n"),
    ],
)
def test_missing_credentials_are_not_configured(given, connect):
    client = connect("", given)
    for call in (client.get_endpoint, client.stop_endpoint):
        with pytest.raises(errors.NotConfigured) as caught:
            call("churn")
        assert caught.value.sent is Sent.NO
        assert not caught.value.retryable


def test_missing_ambient_credentials_name_the_variables(connect):
    with pytest.raises(errors.NotConfigured, match="DATABRICKS_TOKEN"):
        connect("", Credentials(ambient=True)).get_endpoint("churn")


@pytest.mark.parametrize("way", ["explicit", "ambient", "profile"])
def test_two_kinds_of_credentials_are_named_by_variable_and_never_by_value(
    way, connect, monkeypatch, tmp_path
):
    with raw_server(churn) as server:
        given = {
            "host": server.url,
            "token": TOKEN,
            "client_id": "application-id",
            "client_secret": SECRET,
        }
        if way == "explicit":
            ambiguous = Credentials(**given)
        elif way == "ambient":
            for name, value in given.items():
                monkeypatch.setenv(f"DATABRICKS_{name.upper()}", value)
            ambiguous = Credentials(ambient=True)
        else:
            lines = "".join(f"{name} = {value}\n" for name, value in given.items())
            (tmp_path / ".databrickscfg").write_text(f"[prod]\n{lines}")
            ambiguous = Credentials(profile="prod")
        with pytest.raises(errors.NotConfigured) as caught:
            connect("", ambiguous).get_endpoint("churn")
    assert "DATABRICKS_TOKEN" in caught.value.message
    assert "DATABRICKS_CLIENT_SECRET" in caught.value.message
    assert "DATABRICKS_AUTH_TYPE" in caught.value.message
    assert not {value for value in given.values() if value in str(caught.value)}


def test_two_kinds_of_credentials_with_a_choice_are_fine(connect):
    with raw_server(churn) as server:
        both = Credentials(
            host=server.url, token=TOKEN, client_id="a", client_secret=SECRET, auth_type="pat"
        )
        connect("", both).get_endpoint("churn")
    assert signs_in_as(server) == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[other]\nhost = https://workspace.example\n", "'prod'"),
        ("no section\n", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_profile_that_cannot_be_read_is_not_configured(text, words, connect, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.write_bytes(text if isinstance(text, bytes) else text.encode())
    broken = Credentials(profile="prod", config_file=str(profiles))
    with pytest.raises(errors.NotConfigured, match=words):
        connect("", broken).get_endpoint("churn")


def test_a_profiles_file_that_is_not_there_is_not_configured(connect, tmp_path):
    missing = Credentials(profile="prod", config_file=str(tmp_path / "nowhere"))
    with pytest.raises(errors.NotConfigured):
        connect("", missing).get_endpoint("churn")


@pytest.mark.parametrize("token", ["two\nlines", "größe", "tab\tinside", "dapi\x00"])
def test_a_token_that_no_header_can_carry_is_not_quoted(token, connect):
    with raw_server(churn) as server:
        client = connect("", Credentials(host=server.url, token=token))
        with pytest.raises(errors.NotConfigured) as caught:
            client.stop_endpoint("churn")
    assert token not in repr(caught.value)
    assert server.calls() == []


# ── OAuth for machines ──────────────────────────────────────────────────────────────────────────


def test_a_machine_token_is_fetched_once_and_used_by_all_threads(connect):
    service = TokenService()
    with raw_server(service, discovery=True) as server:
        client = connect("", machine(server.url))
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: client.get_endpoint("churn"), range(30)))
        client.stop_endpoint("churn")
    asked = [call for call in server.calls() if "serving-endpoints" in call.target]
    assert service.issued == 1
    assert {call.headers["authorization"] for call in asked} == {"Bearer issued-1"}
    assert {call.headers["x-databricks-workspace-id"] for call in asked} == {"4711"}
    assert len(server.calls(OIDC)) == 1


def test_an_expired_machine_token_is_refreshed_before_it_is_used(connect):
    service = TokenService(life=1)  # the SDK counts one as expired 40 s early
    with raw_server(service, discovery=True) as server:
        client = connect("", machine(server.url))
        client.get_endpoint("churn")
        client.stop_endpoint("churn")
    asked = [call for call in server.calls() if "serving-endpoints" in call.target]
    assert [call.headers["authorization"] for call in asked] == [
        "Bearer issued-1",
        "Bearer issued-2",
    ]
    assert len(server.calls(OIDC)) == 1, "the configuration was kept"


def test_a_refused_machine_is_unauthenticated_and_sent_nothing(connect):
    service = TokenService()
    service.refuse = True
    with raw_server(service, discovery=True) as server:
        client = connect("", machine(server.url))
        with pytest.raises(errors.Unauthenticated) as caught:
            client.stop_endpoint("churn")
    assert caught.value.code == "invalid_client"
    assert caught.value.sent is Sent.NO
    assert SECRET not in str(caught.value)
    assert [call for call in server.calls() if "serving-endpoints" in call.target] == []


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, b"<html>oh no</html>", {"Content-Type": "text/html"}),
        (503, b'{"error": "temporarily_unavailable"}', {"Content-Type": "application/json"}),
        (500, b"", {}),
        (200, b"<html>login</html>", {}),
        (200, b'{"token": "of another shape"}', {}),
    ],
)
def test_a_token_service_in_trouble_is_worth_another_try(status, body, headers, connect):
    class Troubled(TokenService):
        def issue(self, request, line):
            line.answer(status, body=body, headers=headers)

    with raw_server(Troubled(), discovery=True) as server:
        client = connect("", machine(server.url))
        with pytest.raises((errors.Unavailable, errors.Unreachable)) as caught:
            client.stop_endpoint("churn")
    assert caught.value.retryable
    assert caught.value.sent is Sent.NO


def test_a_token_service_that_hangs_ends_at_the_deadline_for_all_who_wait(connect):
    service = TokenService()
    service.hang.set()
    with raw_server(service, discovery=True) as server:
        client = connect("", machine(server.url))

        def stop(_):
            started = time.monotonic()
            with pytest.raises(errors.TimedOut) as caught:
                client.stop_endpoint("churn", deadline=0.6)
            assert caught.value.sent is Sent.NO
            return time.monotonic() - started

        with ThreadPoolExecutor(4) as pool:
            assert max(pool.map(stop, range(4))) < 1.2
        with pytest.raises(errors.TimedOut):
            client.stop_endpoint("churn", deadline=0.1)
        assert len(server.calls(ISSUE)) == 1, "they wait for one and the same request"


def test_a_sign_in_that_hung_for_long_is_left_behind(connect, monkeypatch):
    service = TokenService()
    service.hang.set()
    monkeypatch.setattr(signing, "PATIENCE", 0.0)
    monkeypatch.setattr(signing, "MAX_PATIENCE", 0.0)
    with raw_server(service, discovery=True) as server:
        client = connect("", machine(server.url))
        client._transport._signer._patience = 0.0
        with pytest.raises(errors.TimedOut):
            client.get_endpoint("churn", deadline=0.5)
        service.hang.clear()
        assert client.get_endpoint("churn", deadline=3).name == "churn"


def test_a_machine_without_host_discovery_is_told_so(connect):
    with raw_server(churn) as server, pytest.raises(errors.NeverOpened) as caught:
        connect("", machine(server.url)).stop_endpoint("churn")
    assert "where its tokens are issued" in caught.value.message


def test_a_dead_host_is_unreachable_for_a_machine_too(connect):
    with raw_server(churn) as server:
        pass
    with pytest.raises(errors.Unreachable) as caught:
        connect("", machine(server.url)).stop_endpoint("churn")
    assert caught.value.sent is Sent.NO


# ── forks ───────────────────────────────────────────────────────────────────────────────────────


def in_a_child(work) -> None:
    """Run `work` in a forked process, as a prefork worker does; fails if it fails or hangs."""
    with warnings.catch_warnings():
        # Python 3.12 and later warn about threads, of which a real worker has none yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            work()
        except BaseException:  # noqa: BLE001  # the exit status tells
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0


def test_a_fork_signs_in_for_itself_and_opens_its_own_connection(connect):
    with raw_server(churn) as server:
        client = connect(server.url)
        client.get_endpoint("churn")
        in_a_child(lambda: client.get_endpoint("churn"))
        client.get_endpoint("churn")
    parent, child, again = (call.connection for call in server.calls())
    assert parent == again
    assert child != parent
    built = [call for call in server.requests if call.target == DISCOVERY]
    assert len(built) == 2


def test_a_fork_in_the_middle_of_a_sign_in_does_not_wait_for_it_for_ever(connect):
    entered, leave = threading.Event(), threading.Event()
    with raw_server(churn) as server:
        client = connect(server.url)

        def hold() -> None:
            with client._transport._lock, client._transport._signer._lock:
                entered.set()
                leave.wait(10)

        holder = background.start(hold, name="holder")
        entered.wait(5)
        in_a_child(lambda: client.get_endpoint("churn"))
        leave.set()
        holder.result(5)
    assert len(server.calls()) == 1


def test_the_sdk_is_not_imported_before_it_is_needed():
    """In a process of its own, as this one has long imported everything."""
    import subprocess
    import sys

    program = (
        "import sys; from endpoints_app.databricks_api import *;"
        "client = WorkspaceClient(Transport(Credentials(host='http://x', token='y'), version='1'));"
        "assert not [name for name in sys.modules if name.startswith('databricks')];"
        "assert 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


# ── nothing shows ───────────────────────────────────────────────────────────────────────────────


def test_credentials_do_not_show_their_secrets():
    shown = repr(
        Credentials(
            host="h", token=TOKEN, client_id="a", client_secret=SECRET, azure_client_secret="az-s"
        )
    )
    assert TOKEN not in shown
    assert SECRET not in shown
    assert "az-s" not in shown


def test_signed_headers_do_not_show(connect):
    with raw_server(churn) as server:
        signed = connect(server.url)._transport._signer.sign(seconds=30)
    assert TOKEN not in repr(signed)


def test_no_credential_and_no_host_reaches_a_log(connect, caplog):
    """At DEBUG level, through success, refusal, an echoing answer and a failing token service."""

    def echo(request, line):
        words = f"got {request.headers.get('authorization')} at {request.headers['host']}"
        line.answer(400, {"error_code": "BAD_REQUEST", "message": words})

    def echo_secret(request, line):
        line.answer(500, body=request.headers.get("authorization", "").encode() + SECRET.encode())

    caplog.set_level(logging.DEBUG)
    for name in ("databricks", "databricks.sdk", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    service = TokenService()
    failing = TokenService()
    failing.issue = echo_secret
    failures = []
    with (
        raw_server(echo) as first,
        raw_server(service, discovery=True) as second,
        raw_server(failing, discovery=True) as third,
    ):
        ports = [str(server.port) for server in (first, second, third)]
        for client in (
            connect(first.url),
            connect("", machine(second.url)),
            connect("", machine(third.url)),
        ):
            try:
                client.stop_endpoint("churn")
            except errors.DatabricksError as failure:
                failures.append(failure)
    assert len(failures) == 2
    assert caplog.records, "the libraries do log at this level"
    for secret in (TOKEN, SECRET, "issued-1"):
        assert secret not in caplog.text
        assert secret not in f"{failures} {failures[0]} {failures[1]}"
    for port in ports:
        assert port not in caplog.text


def failure_of(call) -> errors.DatabricksError:
    with pytest.raises(errors.DatabricksError) as caught:
        call("churn")
    return caught.value


def test_no_credential_is_in_a_traceback_or_in_the_variables_it_shows(connect):
    def echo(request, line):
        line.answer(401, {"error_code": 401, "message": request.headers["authorization"]})

    with raw_server(echo) as server:
        client = connect(server.url)
        failures = [failure_of(client.get_endpoint), failure_of(client.stop_endpoint)]
    failures.append(failure_of(client.stop_endpoint))
    ambiguous = Credentials(host=server.url, token=TOKEN, client_id="a", client_secret=SECRET)
    failures.append(failure_of(connect("", ambiguous).get_endpoint))
    failures.append(failure_of(connect("", machine(server.url)).get_endpoint))
    for failure in failures:
        told = traceback.TracebackException.from_exception(failure, capture_locals=True)
        text = "".join(told.format())
        assert "in failure_of" in text
        assert TOKEN not in text
        assert SECRET not in text
        assert failure.__context__ is None
        assert failure.__cause__ is None
