"""HTTP to one workspace: sign-in, deadlines, retry of reads.

Nothing but this, its connections.py and its answers.py imports `requests`.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

import requests
import urllib3
import urllib3.exceptions

from . import answers
from .answers import Reply
from .causes import why
from .connections import CONNECT_TIMEOUT, Headers, new_session, watched
from .credentials import Credentials
from .errors import (
    DatabricksError,
    Lost,
    NeverOpened,
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
MAX_ATTEMPTS: Final = 4


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
        return answers.json_object(self.read_whole(path, deadline=deadline))

    def read_whole(self, path: str, *, deadline: float) -> bytes:
        """GET the body of a JSON object without reading it; see `_read`."""
        return self._read(Ask("GET", path, self._whole), deadline=deadline)

    def read_raw(
        self, path: str, *, deadline: float, accept: str, most: int, insist: bool = True
    ) -> bytes:
        """GET a body as it is; one of more than `most` bytes is Nonsense. See `_read`."""
        take = partial(answers.body, limit=most)
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
        ask = Ask("GET", path, lambda response: take(answers.pieces(response)), body=_as_json(body))
        return self._read(ask, deadline=deadline)

    def write(
        self, method: str, path: str, *, deadline: float, body: Mapping[str, Any] | None = None
    ) -> None:
        """Send one request, once; a success is its status, what it says is ignored."""
        self._write(Ask(method, path, answers.nothing, body=_as_json(body)), deadline=deadline)

    def post(self, path: str, *, deadline: float, body: Mapping[str, Any], most: int) -> Reply:
        """Send one request, once, and take its answer as it comes; see `read_raw`."""
        take = partial(answers.reply, limit=most)
        return self._write(Ask("POST", path, take, body=_as_json(body)), deadline=deadline)

    def _whole(self, response: requests.Response) -> bytes:
        return answers.body(response, self._max_body)

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
            with new_session() as session:
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
                self._session = new_session()
            return self._session

    def _attempt(self, ask: Ask[T], signed: Signed, session: requests.Session, ends: float) -> T:
        remaining = ends - self._clock.monotonic()
        if remaining <= 0:
            raise TimedOut("The time for this call was over before it was sent.", sent=Sent.NO)
        with watched() as line:
            try:
                return self._exchange(ask, signed, session, remaining)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as caught:
                failure = _unreachable(caught, opened=line.opened)
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
            auth=Headers(signed.headers),
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
                body=answers.error_body(response),
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


def _as_json(body: Mapping[str, Any] | None) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


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
