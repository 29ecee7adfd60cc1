"""Connections of `requests` that keep to a deadline.

A timeout of requests bounds each wait for a byte, so that an answer may drip for ever. Here the
read timeout of an answer bounds all of it, head and body, and the connect timeout bounds name
resolution, all addresses of the host and the TLS handshake together.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import requests.adapters
import requests.auth
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from . import background

CONNECT_TIMEOUT: Final = 5.0
# Middle boxes forget idle connections after minutes, without telling either end.
MAX_IDLE: Final = 60.0


class Headers(requests.auth.AuthBase):
    """Sets our headers last, so that no .netrc replaces them, and shows them to no traceback."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def new_session() -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


@dataclass(slots=True)
class Line:
    """What is known about the connection of the running attempt."""

    opened: bool = False


_line: ContextVar[Line] = ContextVar("_line")


@contextmanager
def watched() -> Iterator[Line]:
    """What happens to the connection of the attempt inside."""
    line = Line()
    token = _line.set(line)
    try:
        yield line
    finally:
        _line.reset(token)


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
            return open_socket(self._dns_host, self.port, timeout, self.socket_options or ())
        except socket.gaierror as failure:
            raise urllib3.exceptions.NameResolutionError(self.host, self, failure) from failure
        except TimeoutError as failure:
            raise urllib3.exceptions.ConnectTimeoutError(self, "No connection in time") from failure
        except (OSError, UnicodeError) as failure:
            raise urllib3.exceptions.NewConnectionError(self, str(failure)) from failure


class _TLSConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


def open_socket(host: str, port: int, timeout: float, options: Any) -> socket.socket:
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
