"""Every shape of error body becomes the right error, with nothing in it that should stay inside."""

import copy
import inspect
import json
import pickle
import re
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.databricks_api import errors
from endpoints_app.databricks_api.errors import Sent
from endpoints_app.databricks_api.failures import from_answer
from endpoints_app.databricks_api.masking import mask, one_line
from tests.databricks_api.documents import unhurried

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()


def named(status, body=b"", **options):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_answer(status, body=body, now=NOW, **options)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "INVALID_PARAMETER_VALUE", errors.BadRequest),
        (400, "BAD_REQUEST", errors.BadRequest),
        (400, "INVALID_REQUEST", errors.BadRequest),
        (400, "INVALID_STATE", errors.InvalidState),
        (401, 401, errors.Unauthenticated),
        (403, 403, errors.Unauthenticated),
        (403, "403", errors.Unauthenticated),
        (403, "PERMISSION_DENIED", errors.PermissionDenied),
        (404, "RESOURCE_DOES_NOT_EXIST", errors.DoesNotExist),
        (404, "ENDPOINT_NOT_FOUND", errors.NotKnown),
        (404, "FEATURE_DISABLED", errors.NotKnown),
        (404, 404, errors.NotKnown),
        (409, "RESOURCE_ALREADY_EXISTS", errors.Conflict),
        (409, "RESOURCE_CONFLICT", errors.Conflict),
        (409, "ABORTED", errors.Conflict),
        (429, "REQUEST_LIMIT_EXCEEDED", errors.Throttled),
        (429, "RESOURCE_EXHAUSTED", errors.Throttled),
        (499, "CANCELLED", errors.ServerError),
        (500, "INTERNAL_ERROR", errors.Internal),
        (500, "UNKNOWN", errors.Internal),
        (501, "NOT_IMPLEMENTED", errors.ServerError),
        (503, "TEMPORARILY_UNAVAILABLE", errors.Unavailable),
        (504, "DEADLINE_EXCEEDED", errors.Gateway),
        # The code decides where the two disagree.
        (400, "RESOURCE_DOES_NOT_EXIST", errors.DoesNotExist),
        (500, "PERMISSION_DENIED", errors.PermissionDenied),
        (400, "REQUEST_LIMIT_EXCEEDED", errors.Throttled),
        # A code that nobody knows leaves it to the status.
        (400, "NEW_IN_2027", errors.BadRequest),
        (409, "NEW_IN_2027", errors.Conflict),
        (418, "NEW_IN_2027", errors.Refused),
        (503, "NEW_IN_2027", errors.Unavailable),
        (520, "NEW_IN_2027", errors.ServerError),
    ],
)
def test_the_code_decides_before_the_status(status, code, kind):
    error = named(status, {"error_code": code, "message": "as it is"})
    assert type(error) is kind
    assert error.status == status
    assert error.code == str(code)
    assert error.message == "as it is"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.RedirectRefused),
        (400, errors.BadRequest),
        (401, errors.Unauthenticated),
        (403, errors.PermissionDenied),
        (404, errors.NotKnown),
        (405, errors.Refused),
        (408, errors.Gateway),
        (409, errors.Conflict),
        (413, errors.Refused),
        (429, errors.Throttled),
        (500, errors.Internal),
        (502, errors.Gateway),
        (503, errors.Unavailable),
        (504, errors.Gateway),
        (507, errors.ServerError),
    ],
)
def test_the_status_decides_where_there_is_no_body(status, kind):
    error = named(status, reason="As The Server Says")
    assert type(error) is kind
    assert error.message == "As The Server Says"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": "no such session"}, "", "no such session"),
        ({"error": "invalid_client", "error_description": "wrong"}, "invalid_client", "wrong"),
        ({"error": {"code": "QUOTA", "message": "all used"}}, "QUOTA", "all used"),
        (
            {"detail": "User not found", "status": "404", "scimType": "noTarget"},
            "",
            "noTarget User not found",
        ),
        ({"detail": "User not found", "status": "404"}, "", "User not found"),
        ({"code": "SOMETHING", "message": "else"}, "SOMETHING", "else"),
        (b"INVALID_STATE: the endpoint\nis stopped", "INVALID_STATE", "the endpoint is stopped"),
        (b"just words", "", "just words"),
        (json.dumps("INVALID_STATE: quoted").encode(), "INVALID_STATE", "quoted"),
        (b"<html><title>504</title><pre>upstream\n timed&nbsp;out</pre>", "", "upstream timed out"),
        (b"<HTML><TITLE>504 Gateway <b>Time-out</b></TITLE>", "", "504 Gateway Time-out"),
        (b"<html><body>nothing to quote</body></html>", "", "I am a teapot"),
        (b"a < b", "", "a < b"),
        (b"\xff\xfe not utf-8", "", "\ufffd\ufffd not utf-8"),
        (b"", "", "I am a teapot"),
        ([1, 2], "", "[1, 2]"),
        (None, "", "null"),
        ({}, "", "I am a teapot"),
        ({"error_code": None, "message": None}, "", "I am a teapot"),
        ({"error_code": True, "message": ["x"]}, "", "I am a teapot"),
        ({"error_code": {"a": 1}, "message": {"b": 2}}, "", "I am a teapot"),
        ({"error_code": 10**30, "message": "big"}, "", "big"),
        (b'{"error_code": ' + b"[" * 100_000, "", None),
    ],
)
def test_every_shape_of_body_is_survived(body, code, message):
    error = named(418, body, reason="I am a teapot")
    assert error.code == code
    if message is not None:
        assert error.message == message


def test_the_request_id_is_found_in_the_details():
    found = "f3f9e0b6-0000-4c3a-9c5a-9f2d7ad53d5a"
    body = {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": "Endpoint with name 'churn' does not exist.",
        "details": [
            "noise",
            {"@type": "type.googleapis.com/google.rpc.Help"},
            {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": found},
        ],
    }
    assert named(404, body).request_id == found
    assert named(404, {**body, "details": {"request_id": found}}).request_id is None
    assert named(404, headers={"x-request-id": found}).request_id == found
    assert named(404, headers={"x-request-id": "<script>alert(1)</script>"}).request_id is None


# ── Retry-After ─────────────────────────────────────────────────────────────────────────────────


def http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOW + seconds, tz=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": http_date(30)}, 30.0),
        ({"retry-after": http_date(-30)}, 0.0),
        # The server's own clock counts, however wrong ours is.
        ({"retry-after": http_date(1030), "date": http_date(1000)}, 30.0),
        ({"retry-after": "99999999999"}, 86_400.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 99 Nov 2026 12:00:00 GMT"}, None),
        ({"retry-after": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(headers, seconds):
    assert named(429, headers=headers).retry_after == seconds


# ── what may have happened, and what may help ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (named(429), Sent.NO),
        (named(400), Sent.YES),
        (named(404), Sent.YES),
        (named(409), Sent.YES),
        (named(302), Sent.MAYBE),
        (named(408), Sent.MAYBE),
        (named(500), Sent.MAYBE),
        (named(503), Sent.MAYBE),
        # Nobody but the door itself can say that it turned the request away.
        (named(500, {"error_code": "REQUEST_LIMIT_EXCEEDED"}), Sent.MAYBE),
        (errors.NeverOpened(), Sent.NO),
        (errors.NotConfigured(), Sent.NO),
        (errors.Lost(), Sent.MAYBE),
        (errors.TimedOut(), Sent.MAYBE),
        (errors.Nonsense(), Sent.MAYBE),
    ],
)
def test_an_error_tells_whether_the_request_may_have_had_an_effect(error, sent):
    assert error.sent is sent


@pytest.mark.parametrize("kind", [errors.Throttled, errors.Unavailable, errors.Lost])
def test_what_passes_by_itself_is_retryable(kind):
    assert kind().retryable


@pytest.mark.parametrize(
    "kind", [errors.NotConfigured, errors.PermissionDenied, errors.BadRequest, errors.DoesNotExist]
)
def test_what_somebody_must_change_is_not_retryable(kind):
    assert not kind().retryable


def all_errors() -> list[type[errors.DatabricksError]]:
    return [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.DatabricksError)
    ]


def test_the_drawing_shows_the_tree_as_it_is():
    drawn: dict[str, int] = {}
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"([│├└─ ]*)([A-Z]\w+)(\s|$)", line):
            depth = len(found[1]) // 4
            name = found[2]
            if hasattr(errors, name):
                drawn[name] = depth
                path[depth:] = [name]
                parents[name] = path[depth - 1] if depth else "Exception"
    assert parents == {kind.__name__: kind.__bases__[0].__name__ for kind in all_errors()}


@pytest.mark.parametrize("kind", all_errors())
def test_errors_survive_copying_and_pickling(kind):
    error = kind("words", status=429, code="CODE", retry_after=3.0, sent=Sent.NO)
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert vars(twin) == vars(error)
        assert str(twin) == "429 CODE: words"


# ── nothing that should stay inside ─────────────────────────────────────────────────────────────

SECRET = "s3cr3t/with+odd=characters"


@pytest.mark.parametrize(
    "text",
    [
        "Invalid token dapi0123456789abcdef0123456789abcdef-3 given",
        "DAPI0123456789ABCDEF",
        "Authorization: Bearer abc.def-ghi_jkl~mno+pqr/stu==",
        '{"Authorization": "Bearer abcdefgh"}',
        "authorization=abcdefgh",
        "Basic YWJjOmRlZg== was refused",
        "token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhYmMifQ.c2ln is expired",
        "client_secret=dose0123456789abcdef0123&grant_type=client_credentials",
        '"access_token": "abcdefgh"',
        "oauth secret dose0123456789abcdef0123456789abcdef",
        f"you sent {SECRET}, which is wrong",
        "you sent s3cr3t%2Fwith%2Bodd%3Dcharacters, which is wrong",
    ],
)
def test_credentials_are_masked_in_messages(text):
    leaks = re.compile(r"0123456789ABCDEF|abc\.def|abcdefgh|YWJj|eyJ|s3cr3t", re.IGNORECASE)
    assert leaks.search(text)
    error = named(400, {"error_code": "BAD_REQUEST", "message": text}, secrets=[SECRET])
    for shown in (str(error), repr(error), error.message):
        assert "***" in shown
        assert not leaks.search(shown)


def test_a_code_that_is_a_credential_is_no_code():
    error = named(400, {"error_code": "dapi0123456789abcdef", "message": "?"})
    assert error.code == ""
    assert "dapi0" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "The bearer token is missing",
        "basic authentication is not supported",
        "This needs Authorization",
        "The token expired; the password changed",
        "Endpoint 'secret-sauce' does not exist",
    ],
)
def test_words_about_credentials_stay_readable(text):
    assert mask(text) == text


def test_secrets_that_are_too_short_to_mask_do_not_riddle_the_message():
    assert mask("a tester tests", ["t"]) == "a tester tests"


@unhurried
@given(st.text(), st.text())
def test_a_message_is_always_one_short_printable_line(text, secret):
    line = one_line(text, [secret])
    assert len(line) <= 500
    assert line == "" or line.isprintable()


@unhurried
@given(st.integers(300, 599), st.binary(max_size=300))
def test_any_answer_has_a_name(status, body):
    error = named(status, body)
    assert isinstance(error, errors.DatabricksError)
    assert error.status == status
    assert error.message.isprintable()
