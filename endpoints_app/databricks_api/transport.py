"""HTTP to one workspace: session, deadlines, retry of reads. Nothing else imports `requests`."""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Generic, TypeVar

import requests
import requests.adapters
import requests.auth
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from . import background
from .causes import why
from .credentials import Credentials
from .errors import (
    DatabricksError,
    Lost,
    NeverOpened,
    Nonsense,
    NotConfigured,
    RedirectRefused,
    Sent,
    Throttled,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from .failures import from_answer
from .signing import Signed, Signer

T = TypeVar("T")

MAX_BODY: Final = 64 * 1024 * 1024
MAX_ERROR_BODY: Final = 64 * 1024
CONNECT_TIMEOUT: Final = 5.0
MAX_ATTEMPTS: Final = 4
# Middle boxes forget idle connections after minutes, without telling either end.
MAX_IDLE: Final = 60.0
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the transport sees it; `monotonic`, `sleep` and `wall` are in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """One request. `take` makes of a successful answer, whose body has not been read yet, what
    the caller wants."""

    method: str
    path: str
    take: Callable[[requests.Response], T]
    accept: str = "application/json"
    body: bytes | None = None

    def headers(self) -> dict[str, str]:
        headers = {"Accept": self.accept}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """The way to one workspace, for any number of threads; a fork gets a way of its own.

    Every call has a deadline in seconds that covers all of it: signing in, name resolution,
    connecting, every retry and the last byte of the body, however slowly it drips. Redirects are
    never followed: the API has none, and another host must not see our credentials.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        version: str,
        connect_timeout: float = CONNECT_TIMEOUT,
        retry_budget: float = 8.0,
        max_body: int = MAX_BODY,
        clock: Clock | None = None,
    ) -> None:
        """`retry_budget` is how long a read may wait between its attempts, in seconds in all."""
        self._credentials = credentials
        self._version = version
        self._connect_timeout = connect_timeout
        self._retry_budget = retry_budget
        self._max_body = max_body
        self._clock = clock or Clock()
        self._begin()
        _transports.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._signer = Signer(self._credentials, version=self._version)

    def close(self) -> None:
        """Close idle connections; the next call opens new ones."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def sign_in(self, *, deadline: float) -> None:
        """Sign in ahead of the first call, which then need not wait for it."""
        self._sign(self._clock.monotonic() + deadline)

    def read(self, path: str, *, deadline: float) -> Mapping[str, Any]:
        """GET a JSON object; see `_read`."""
        return _json_object(self._read(Ask("GET", path, self._whole), deadline=deadline))

    def read_raw(
        self, path: str, *, deadline: float, accept: str, most: int, insist: bool = True
    ) -> bytes:
        """GET a body as it is; one of more than `most` bytes is Nonsense. See `_read`."""
        take = partial(_body, limit=most)
        return self._read(Ask("GET", path, take, accept=accept), deadline=deadline, insist=insist)

    def read_through(
        self,
        path: str,
        take: Callable[[Iterator[bytes]], T],
        *,
        deadline: float,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """GET a body of any size: `take` gets it piece by piece, from the beginning again where
        an attempt broke off. See `_read`."""
        ask = Ask("GET", path, lambda response: take(_pieces(response)), body=_as_json(body))
        return self._read(ask, deadline=deadline)

    def write(
        self, method: str, path: str, *, deadline: float, body: Mapping[str, Any] | None = None
    ) -> None:
        """Send one request, once; a success is its status, what it says is ignored."""
        self._write(Ask(method, path, _nothing, body=_as_json(body)), deadline=deadline)

    def exchange(
        self, method: str, path: str, *, deadline: float, body: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Send one request, once, and take the JSON object it is answered with."""
        ask = Ask(method, path, self._whole, body=_as_json(body))
        return _json_object(self._write(ask, deadline=deadline))

    def post(self, path: str, *, deadline: float, body: Mapping[str, Any], most: int) -> Reply:
        """Send one request, once, and take its answer as it comes; see `read_raw`."""
        take = partial(_reply, limit=most)
        return self._write(Ask("POST", path, take, body=_as_json(body)), deadline=deadline)

    def _whole(self, response: requests.Response) -> bytes:
        return _body(response, self._max_body)

    def _read(self, ask: Ask[T], *, deadline: float, insist: bool = True) -> T:
        """Asked again within the retry budget and the deadline after 429 (not without `insist`),
        503 and lost connections, and once with a new sign-in after a 401.
        """
        ends = self._clock.monotonic() + deadline
        budget = self._retry_budget
        attempt, signed_anew = 0, False
        while True:
            signed = self._sign(ends)
            attempt += 1
            try:
                return self._attempt(ask, signed, self._kept_session(), ends)
            except DatabricksError as caught:
                failure = caught
            if isinstance(failure, Unauthenticated) and not signed_anew:
                signed_anew = True
                if self._signer.distrust(signed):
                    continue
            pause = self._pause(failure, attempt)
            if isinstance(failure, Throttled) and not insist:
                raise failure
            if pause is None or pause > budget or self._clock.monotonic() + pause >= ends:
                raise failure
            self._clock.sleep(pause)
            budget -= pause

    def _write(self, ask: Ask[T], *, deadline: float) -> T:
        """It opens a connection of its own: an idle one may have been closed at the other end a
        moment ago, and then nobody could say whether the request had left.
        """
        ends = self._clock.monotonic() + deadline
        signed = self._sign(ends)
        try:
            with _new_session() as session:
                return self._attempt(ask, signed, session, ends)
        except Unauthenticated:
            self._signer.distrust(signed)
            raise

    # ── one attempt ─────────────────────────────────────────────────────────────────────────────

    def _sign(self, ends: float) -> Signed:
        return self._signer.sign(seconds=ends - self._clock.monotonic())

    def _kept_session(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = _new_session()
            return self._session

    def _attempt(self, ask: Ask[T], signed: Signed, session: requests.Session, ends: float) -> T:
        remaining = ends - self._clock.monotonic()
        if remaining <= 0:
            raise TimedOut("The time for this call was over before it was sent.", sent=Sent.NO)
        line = _Line()
        token = _line.set(line)
        try:
            return self._exchange(ask, signed, session, remaining)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as caught:
            failure = _unreachable(caught, opened=line.opened)
        finally:
            _line.reset(token)
        # Outside the handler: the original holds the request, and with it our credentials.
        raise failure

    def _exchange(
        self, ask: Ask[T], signed: Signed, session: requests.Session, remaining: float
    ) -> T:
        connect = min(self._connect_timeout, remaining)
        response = session.request(
            ask.method,
            signed.base_url + ask.path,
            headers=ask.headers(),
            data=ask.body,
            auth=_Headers(signed.headers),
            timeout=urllib3.Timeout(total=remaining, connect=connect),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
        )
        with response:
            status = response.status_code
            if 200 <= status < 300:
                return ask.take(response)
            if 300 <= status < 400:
                raise RedirectRefused("The answer was a redirect.", status=status)
            raise from_answer(
                status,
                reason=response.reason or "",
                headers={name.lower(): value for name, value in response.headers.items()},
                body=_error_body(response),
                now=self._clock.wall(),
                secrets=signed.secrets,
            )

    def _pause(self, failure: DatabricksError, attempt: int) -> float | None:
        """Seconds until the same read is worth another attempt; None for never."""
        transient = isinstance(failure, Throttled | Unavailable | Lost | NeverOpened)
        if not transient or attempt >= MAX_ATTEMPTS:
            return None
        backoff: float = 0.25 * 2 ** (attempt - 1) * (0.5 + self._clock.jitter())
        return max(backoff, failure.retry_after or 0.0)


_transports: weakref.WeakSet[Transport] = weakref.WeakSet()


def _begin_in_child() -> None:
    """Sockets, locks and sign-ins of the parent are not ours; the lock may even be held there."""
    for transport in list(_transports):
        transport._begin()


os.register_at_fork(after_in_child=_begin_in_child)


# ── requests and answers ────────────────────────────────────────────────────────────────────────


class _Headers(requests.auth.AuthBase):
    """Sets our headers last, so that no .netrc replaces them, and shows them to no traceback."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _new_session() -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


def _as_json(body: Mapping[str, Any] | None) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _nothing(response: requests.Response) -> None:
    """Its status was all that we wanted."""


def _reply(response: requests.Response, limit: int) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, _body(response, limit))


def _body(response: requests.Response, limit: int) -> bytes:
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > limit:
        raise Nonsense("The answer is too large.", status=response.status_code)
    chunks, size = [], 0
    for chunk in _pieces(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise Nonsense("The answer is too large.", status=response.status_code)
    return b"".join(chunks)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.raw.stream(_CHUNK, decode_content=True)
    except urllib3.exceptions.DecodeError:
        raise Nonsense("The answer cannot be decompressed.", status=response.status_code) from None


def _error_body(response: requests.Response) -> bytes:
    """The beginning of it, or nothing: the status alone already says what happened."""
    try:
        chunks, size = [], 0
        for chunk in response.raw.stream(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size >= MAX_ERROR_BODY:
                break
        return b"".join(chunks)[:MAX_ERROR_BODY]
    except (urllib3.exceptions.HTTPError, OSError):
        return b""


def _json_object(body: bytes) -> Mapping[str, Any]:
    text = body.decode("utf-8-sig", "replace")
    try:
        document = json.loads(text)
        # Escapes can name characters that are none, and that no database or page takes.
        if "\\u0000" in text or "\\ud" in text.lower():
            document = _storable(document)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Nonsense("The answer is not a JSON object.", status=200)
    return document


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def _unreachable(caught: Exception, *, opened: bool) -> DatabricksError:
    if isinstance(caught, requests.exceptions.InvalidProxyURL):
        return NotConfigured("The address of the proxy in HTTPS_PROXY or HTTP_PROXY is unusable.")
    if isinstance(caught, ValueError):
        return NotConfigured("The address of the workspace is unusable.")
    if "TLS CA certificate bundle" in str(caught):
        return NotConfigured("REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names a file that is not there.")
    if not opened:
        return NeverOpened(f"No connection could be opened: {why(caught)}.")
    if isinstance(caught, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
        return TimedOut("The answer was not complete in time.")
    return Lost(f"The connection was lost: {why(caught)}.")


# ── connections that keep to a deadline ─────────────────────────────────────────────────────────
#
# A timeout of requests bounds each wait for a byte, so that an answer may drip for ever. Below,
# the read timeout of an answer bounds all of it, head and body, and the connect timeout bounds
# name resolution, all addresses of the host and the TLS handshake together.


@dataclass(slots=True)
class _Line:
    """What is known about the connection of the running attempt."""

    opened: bool = False


_line: ContextVar[_Line] = ContextVar("_line")


class _UntilDeadline(io.RawIOBase):
    """Reads from a socket, each time with no more than the time that is left."""

    def __init__(self, sock: socket.socket, reader: io.RawIOBase, ends: float) -> None:
        self._sock = sock
        self._reader = reader
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._sock.settimeout(remaining)
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self._reader.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            ends = time.monotonic() + timeout
            self.fp = io.BufferedReader(_UntilDeadline(sock, self.fp.detach(), ends))


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Answer
    _used_at = 0.0

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() < self._used_at + MAX_IDLE

    def connect(self) -> None:
        super().connect()
        _line.get().opened = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            _line.get().opened = True
        self._used_at = time.monotonic()
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        timeout = float(self.timeout or CONNECT_TIMEOUT)
        try:
            return _open(self._dns_host, self.port, timeout, self.socket_options or ())
        except socket.gaierror as failure:
            raise urllib3.exceptions.NameResolutionError(self.host, self, failure) from failure
        except TimeoutError as failure:
            raise urllib3.exceptions.ConnectTimeoutError(self, "No connection in time") from failure
        except (OSError, UnicodeError) as failure:
            raise urllib3.exceptions.NewConnectionError(self, str(failure)) from failure


class _TLSConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


def _open(host: str, port: int, timeout: float, options: Any) -> socket.socket:
    """A connection to the first address that takes one, each being given its share of the time.

    What is left of the time stays on the socket, for the TLS handshake.
    """
    ends = time.monotonic() + timeout
    # The system's resolver knows no timeout.
    found = background.start(
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), name="resolve"
    ).result(timeout)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            share = (ends - time.monotonic()) / (len(found) - tried)
            sock.settimeout(max(share, 0.001))
            sock.connect(address)
            sock.settimeout(max(ends - time.monotonic(), 0.001))
            return sock
        except OSError as caught:
            failure = caught
            sock.close()
    raise failure


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS: Final = {"http": _Pool, "https": _TLSPool}


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
