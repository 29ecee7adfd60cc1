"""From an answer that is no success to the error that names it.

The code decides before the status, as in the SDK; every shape of body that the SDK knows is read:
`error_code` with a word or a number, `error`, SCIM, plain `CODE: message`, HTML, nothing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from .errors import (
    BadRequest,
    Conflict,
    DatabricksError,
    DoesNotExist,
    Gateway,
    Internal,
    InvalidState,
    NotKnown,
    PermissionDenied,
    RedirectRefused,
    Refused,
    Sent,
    ServerError,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from .masking import mask, one_line

MAX_RETRY_AFTER: Final = 86_400.0

# The order of the SDK: the code first, the HTTP status only where the code says nothing.
_BY_CODE: Final[Mapping[str, type[DatabricksError]]] = {
    "BAD_REQUEST": BadRequest,
    "INVALID_PARAMETER_VALUE": BadRequest,
    "INVALID_REQUEST": BadRequest,
    "MALFORMED_REQUEST": BadRequest,
    "INVALID_STATE": InvalidState,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "RESOURCE_DOES_NOT_EXIST": DoesNotExist,
    "ENDPOINT_NOT_FOUND": NotKnown,
    "ABORTED": Conflict,
    "ALREADY_EXISTS": Conflict,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "RESOURCE_CONFLICT": Conflict,
    "REQUEST_LIMIT_EXCEEDED": Throttled,
    "RESOURCE_EXHAUSTED": Throttled,
    "CANCELLED": ServerError,
    "DATA_LOSS": Internal,
    "INTERNAL_ERROR": Internal,
    "UNKNOWN": Internal,
    "NOT_IMPLEMENTED": ServerError,
    "TEMPORARILY_UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": Gateway,
}

_BY_STATUS: Final[Mapping[int, type[DatabricksError]]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotKnown,
    408: Gateway,
    409: Conflict,
    429: Throttled,
    499: ServerError,
    500: Internal,
    502: Gateway,
    503: Unavailable,
    504: Gateway,
}


def from_answer(
    status: int,
    *,
    reason: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    now: float,
    secrets: Iterable[str] = (),
) -> DatabricksError:
    """Name the failure in an answer.

    Header names are in lower case; `now` is the wall clock in seconds, for a Retry-After date.
    """
    headers = headers or {}
    code, message, request_id = _read(body)
    code = code if mask(code, secrets) == code else ""
    kind = _kind(status, code)
    return kind(
        one_line(message or reason or _phrase(status), secrets),
        status=status,
        code=code,
        request_id=request_id or _identifier(headers.get("x-request-id")),
        retry_after=retry_after(headers, now=now),
        sent=_sent(status),
    )


def _kind(status: int, code: str) -> type[DatabricksError]:
    if status in (401, 403) and code.isdigit():
        # An unusable credential is answered with a number where a missing right has a name.
        return Unauthenticated
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return RedirectRefused
    if 400 <= status < 500:
        return Refused
    return ServerError


def _sent(status: int) -> Sent | None:
    """What the status proves whatever the code says; None leaves it to the kind of error."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Sent.NO
    return Sent.MAYBE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait according to Retry-After (a number or an HTTP date), at most a day.

    A date is measured from the answer's own Date where it has one: the two clocks may differ.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", value):
        return min(float(value), MAX_RETRY_AFTER)
    then = _http_date(value)
    if then is None:
        return None
    start = _http_date(headers.get("date", ""))
    return min(max(0.0, then - (now if start is None else start)), MAX_RETRY_AFTER)


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _read(body: bytes) -> tuple[str, str, str | None]:
    """Code, message and request id, from every shape of body that the SDK knows of."""
    text = body.decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        code, message = _from_object(document)
        return code, message, _request_id(document)
    if isinstance(document, str):
        text = document
    if found := re.fullmatch(r"([A-Z][A-Z0-9_]+): (.*)", text, re.DOTALL):
        return found[1], found[2], None
    return "", _from_html(text) if "<" in text else text, None


def _from_object(document: Mapping[str, Any]) -> tuple[str, str]:
    if "error_code" in document:
        return _code(document["error_code"]), _words(document.get("message"))
    if document.get("detail") is not None:  # SCIM
        words = f"{_words(document.get('scimType'))} {_words(document['detail'])}"
        return "", words.strip()
    error = document.get("error")
    if isinstance(error, dict):
        return _code(error.get("code")), _words(error.get("message"))
    if error is not None:  # API 1.2, and OAuth with a description
        description = _words(document.get("error_description"))
        return (_code(error), description) if description else ("", _words(error))
    return _code(document.get("code")), _words(document.get("message"))


def _code(value: object) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value) if 0 <= value < 1000 else ""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,79}|[0-9]{1,3}", value):
        return value
    return ""


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _request_id(document: Mapping[str, Any]) -> str | None:
    details = document.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and (found := _identifier(detail.get("request_id"))):
            return found
    return None


def _identifier(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F-]{8,64}", value):
        return value
    return None


def _from_html(text: str) -> str:
    for tag in ("pre", "title"):
        if found := re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.DOTALL | re.IGNORECASE):
            return html.unescape(re.sub(r"<[^>]*>", " ", found[1]))
    return "" if re.match(r"\s*<", text) else text


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
