"""What the faults do to an answer: instead of it, within it, and on its way over the socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any, NoReturn

from werkzeug.wrappers import Response

from endpoints_app.emulator.errors import Refusal, unauthenticated
from endpoints_app.emulator.faults import Fault
from endpoints_app.emulator.routing import as_response, refusal_response

Environ = dict[str, Any]
Delivery = Callable[[dict[str, Any], Response], NoReturn]

_CODES = {
    400: "BAD_REQUEST",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}
_MESSAGES = {
    429: "Exceeded workspace rate limit for this API. Please try again later.",
    500: "The service encountered an internal error.",
    503: "The service is temporarily unavailable.",
}
_GATEWAY_PAGE = (
    "<html><head><title>{status}</title></head>"
    "<body><center><h1>{status}</h1></center><hr><center>gateway</center></body></html>"
)


class Dropped(ConnectionAbortedError):
    """The connection was closed on purpose; the server lets this error pass without a word."""


def instead(faults: Iterable[Fault], *, after: bool) -> Response | None:
    """The answer that takes the real one's place, if any; latency passes while we look.

    Raises Dropped.
    """
    for fault in faults:
        if fault.after is after:
            match fault.kind:
                case "latency":
                    time.sleep(fault.options["seconds"])
                case "status":
                    return _status(fault.options)
                case "expire_token":
                    if not after:
                        return refusal_response(unauthenticated())
                case "redirect":
                    if not after:
                        return _redirect(fault.options)
                case "drop":
                    raise Dropped
    return None


def falsified(response: Response, faults: Iterable[Fault]) -> Response:
    """The answer with its document changed as the faults tell."""
    for fault in faults:
        if fault.kind in ("lie", "half_list") and response.status_code == 200:
            document = json.loads(response.get_data())
            if fault.kind == "lie":
                _lie(document, fault.options)
            else:
                _halve(document, fault.options)
            response.set_data(as_response(document).get_data())
    return response


def delivery(faults: Iterable[Fault]) -> Delivery | None:
    """How the answer travels, when not as usual."""
    for fault in faults:
        if fault.kind == "half":
            return send_half
        if fault.kind == "drip":
            options = fault.options
            return lambda environ, response: drip(
                environ,
                response,
                bytes_per_second=options["bytes_per_second"],
                headers=bool(options.get("headers")),
            )
    return None


def drop(environ: Environ) -> NoReturn:
    """Close the connection without an answer."""
    _close(_socket(environ))


def send_half(environ: Environ, response: Response) -> NoReturn:
    connection, body = _socket(environ), response.get_data()
    connection.sendall(_head(response) + body[: len(body) // 2])
    _close(connection)


def drip(
    environ: Environ, response: Response, *, bytes_per_second: float, headers: bool
) -> NoReturn:
    connection, head, body = _socket(environ), _head(response), response.get_data()
    if headers:
        body = head + body
    else:
        connection.sendall(head)
    # At most twenty portions a second; below that, byte by byte.
    portion = max(1, int(bytes_per_second / 20))
    for start in range(0, len(body), portion):
        connection.sendall(body[start : start + portion])
        time.sleep(portion / bytes_per_second)
    _close(connection)


def _status(options: dict[str, Any]) -> Response:
    status = options["status"]
    if "body" in options:
        body = options["body"]
        response = Response(body if isinstance(body, str) else json.dumps(body))
        response.content_type = options.get("content_type", "application/json")
    elif status == 504:
        title = "504 Gateway Time-out"
        response = Response(_GATEWAY_PAGE.format(status=title), mimetype="text/html")
    else:
        code = _CODES.get(status, "UNKNOWN")
        message = _MESSAGES.get(status, "The request could not be completed.")
        response = refusal_response(Refusal(status, code, message))
    response.status_code = status
    if "retry_after" in options:
        response.headers["Retry-After"] = str(options["retry_after"])
    elif "retry_after_date" in options:
        at = time.time() + options["retry_after_date"]
        response.headers["Retry-After"] = formatdate(at, usegmt=True)
    return response


def _redirect(options: dict[str, Any]) -> Response:
    return Response(status=options.get("status", 302), headers={"Location": options["to"]})


def _lie(document: dict[str, Any], options: dict[str, Any]) -> None:
    targets = document.get("endpoints", [document])
    for target in targets:
        if options.get("of", target.get("name")) == target.get("name"):
            for path, value in options.get("set", {}).items():
                _set(target, path.split("."), value)
            for path in options.get("remove", []):
                _remove(target, path.split("."))


def _set(target: Any, path: list[str], value: Any) -> None:
    first, *rest = path
    key = int(first) if isinstance(target, list) else first
    if not rest:
        target[key] = value
    elif isinstance(target, dict):
        _set(target.setdefault(key, {}), rest, value)
    else:
        _set(target[key], rest, value)


def _remove(target: Any, path: list[str]) -> None:
    first, *rest = path
    key = int(first) if isinstance(target, list) else first
    if isinstance(target, dict) and key not in target:
        return
    if rest:
        _remove(target[key], rest)
    else:
        del target[key]


def _halve(document: dict[str, Any], options: dict[str, Any]) -> None:
    listed = document.get("endpoints", [])
    missing = options.get("missing")
    document["endpoints"] = (
        listed[::2] if missing is None else [it for it in listed if it["name"] not in missing]
    )


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status}"]
    lines += [f"{key}: {value}" for key, value in response.headers.items()]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _socket(environ: Environ) -> socket.socket:
    connection: socket.socket = environ["werkzeug.socket"]
    return connection


def _close(connection: socket.socket) -> NoReturn:
    connection.shutdown(socket.SHUT_RDWR)
    raise Dropped
