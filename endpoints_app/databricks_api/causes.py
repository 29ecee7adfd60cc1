"""Why no answer came, in words that are safe to show: nothing is quoted from the exception."""

from __future__ import annotations

import re
import socket
import ssl


def chain(failure: BaseException) -> list[BaseException]:
    """The exception and what it was raised from, outermost first."""
    links = [failure]
    while (cause := links[-1].__cause__ or links[-1].__context__) and cause not in links:
        links.append(cause)
    return links


def why(failure: BaseException) -> str:
    """A few words that name the deepest cause that we know."""
    links = chain(failure)
    for link in links:
        if found := re.search(r"Tunnel connection failed: ([0-9]{3})", str(link)):
            return f"the proxy answered {found[1]}"
    for link in reversed(links):
        for kind, words in _WORDS:
            if isinstance(link, kind):
                return words
    return type(failure).__name__


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the host name is unknown"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection closed"),
    (TimeoutError, "no answer in time"),
)
