"""No credential shows: not in a log, nor in a traceback."""

import logging
import traceback

import pytest

from endpoints_app.databricks_api import Credentials, errors
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.sockets import raw_server
from tests.databricks_api.token_service import (
    SECRET,
    TokenService,
    churn,
    machine,
)

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
