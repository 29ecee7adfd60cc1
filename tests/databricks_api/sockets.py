"""A workspace made of plain sockets, which can misbehave in ways that no server library allows."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

DISCOVERY = "/.well-known/databricks-config"


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Line:
    """One accepted connection, from the server's side."""

    sock: socket.socket
    number: int
    closed: bool = False

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, *, pause: float = 0.02) -> None:
        """One byte at a time, for as long as somebody reads."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(pause)

    def close(self) -> None:
        self.closed = True
        self.sock.close()

    def reset(self) -> None:
        """Close so that the other end sees a reset instead of an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def answer(
        self,
        status: int = 200,
        document: object = None,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        reason: str = "Whatever",
    ) -> None:
        body = json.dumps(document).encode() if body is None else body
        lines = [f"HTTP/1.1 {status} {reason}"]
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            lines.append(f"{name}: {value}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


Handler = Callable[[Request, Line], None]


@dataclass
class RawServer:
    """Counts what it is asked; `handler` answers, on a thread per connection."""

    handler: Handler
    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def calls(self, target: str | None = None) -> list[Request]:
        """What was asked, without the SDK's look for the host discovery document."""
        return [
            request
            for request in self.requests
            if request.target != DISCOVERY and target in (None, request.target)
        ]


def no_discovery(handler: Handler) -> Handler:
    """Answer the SDK's question about the host with a 404, as older workspaces do."""

    def handle(request: Request, line: Line) -> None:
        if request.target == DISCOVERY:
            line.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "no such thing"})
        else:
            handler(request, line)

    return handle


@contextmanager
def raw_server(
    handler: Handler, *, discovery: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    server = RawServer(
        handler if discovery else no_discovery(handler), scheme="https" if tls else "http"
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    threading.Thread(target=_accept, args=(server, listener, tls), daemon=True).start()
    try:
        yield server
    finally:
        # Wakes the accept, which a close alone does not.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(server: RawServer, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        server.connections += 1
        line = Line(sock, server.connections)
        threading.Thread(target=_serve, args=(server, line, tls), daemon=True).start()


def _serve(server: RawServer, line: Line, tls: ssl.SSLContext | None) -> None:
    try:
        if tls is not None:
            line.sock = tls.wrap_socket(line.sock, server_side=True)
        with line.sock, line.sock.makefile("rb") as reader:
            while not line.closed and (request := read_request(reader, line.number)):
                server.requests.append(request)
                server.handler(request, line)
    except OSError:
        pass  # the client went away, as it should from some of these
    finally:
        line.sock.close()


def read_request(reader, number: int) -> Request | None:
    start = reader.readline()
    if not start:
        return None
    method, target, _ = start.decode().split(" ", 2)
    headers = {}
    while (line := reader.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, number)


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
