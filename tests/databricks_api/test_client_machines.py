"""Machines sign in once, anew in time, and each process for itself."""

import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from endpoints_app.databricks_api import background, errors, signing
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.sockets import DISCOVERY, raw_server
from tests.databricks_api.token_service import ISSUE, OIDC, SECRET, TokenService, churn, machine

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
