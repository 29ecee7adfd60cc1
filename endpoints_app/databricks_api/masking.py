"""Keeping credentials, and what would break a log line, out of text."""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable, Iterable
from typing import Final
from urllib.parse import quote

MAX_MESSAGE: Final = 500

_MASK: Final = "***"
_CREDENTIAL: Final = re.compile(
    r"""
      (?P<bearer>\bbearer[ ]+)(?!tokens?\b|auth)[\w\-.~+/=%]+
    | (?P<basic>\bbasic[ ]+)(?=[\w+/]*[0-9+/=])[\w+/=]+
    | (?P<key>\b(?:client_secret|access_token|refresh_token|id_token|password|secret)
        ["']?\s*[=:]\s*["']?)[^\s"',;&}]+
    | (?P<header>\bauthorization["']?\s*[=:]\s*["']?)(?!(?:bearer|basic)\b)[^\s"',;&}]+
    | dapi[0-9a-f]+(?:-[0-9]+)?
    | dose[0-9a-f]{16,}
    | eyJ[\w\-]+(?:\.[\w\-]*)*
    """,
    re.VERBOSE | re.IGNORECASE,
)


_HOST: Final = re.compile(r"""(https?://|\bhost=')[^/\s'"]+""")


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace the given secrets, and whatever looks like a credential, by asterisks."""
    for secret in sorted(secrets, key=len, reverse=True):
        # Shorter ones would riddle every message and protect nothing.
        if len(secret) >= 4:
            text = text.replace(secret, _MASK).replace(quote(secret, safe=""), _MASK)

    def hide(found: re.Match[str]) -> str:
        return (next(filter(None, found.groupdict().values()), "")) + _MASK

    return _CREDENTIAL.sub(hide, text)


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """Text from outside, for a log or a page: one line, masked, at most 500 characters."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    masked = mask(" ".join(printable.split()), secrets)
    return masked if len(masked) <= MAX_MESSAGE else masked[: MAX_MESSAGE - 1] + "…"


class MaskFilter(logging.Filter):
    """Masks the records of the libraries below us, which quote hosts and answers as they please."""

    def __init__(self) -> None:
        super().__init__()
        self._hidden: dict[Hashable, frozenset[str]] = {}

    def hide(self, owner: Hashable, texts: Iterable[str]) -> None:
        """Mask these texts from now on, instead of what `owner` asked for before."""
        self._hidden[owner] = frozenset(texts)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._mask(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self._mask(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True

    def _mask(self, text: str) -> str:
        hidden = frozenset[str]().union(*list(self._hidden.values()))
        return _HOST.sub(rf"\g<1>{_MASK}", mask(text, hidden))
