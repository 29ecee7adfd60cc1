"""What people write for the status page, which anybody may read in the end."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import urlsplit

from endpoints_app.domain.log_secrets import masked


class Unfit(StrEnum):
    """Why a text may not stand on the status page."""

    MAIL = "mail"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105  # the name of a rule
    UNPRINTABLE = "unprintable"


_MAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+")
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*://|\bwww\.|\b[\w-]+(?:\.[\w-]+)*\.(?:databricks(?:apps)?\.com|"
    r"azuredatabricks\.net)\b|\bmailto:|/invocations\b",
    re.IGNORECASE,
)


def unfit(text: str) -> Unfit | None:
    """None where it may. Better one word too many refused than one address too many shown."""
    if any(not char.isprintable() and char != "\n" for char in text):
        return Unfit.UNPRINTABLE
    if masked(text) != text:
        return Unfit.SECRET
    if _ADDRESS.search(text):
        return Unfit.ADDRESS
    if _MAIL.search(text):
        return Unfit.MAIL
    return None


SCHEMES = ("https", "http", "tel")
"""What a public link may lead to. No mailto: mail addresses are never on the page."""


def is_public_link(url: str) -> bool:
    """A page or a telephone number, without credentials or a mail address in it."""
    if any(not char.isprintable() or char in " \"'<>\\`{}|^" for char in url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        return False
    if parts.scheme == "tel":
        return bool(re.fullmatch(r"tel:\+?[0-9().-]{3,30}", url))
    if parts.scheme not in SCHEMES or not host or parts.username or parts.password:
        return False
    return _MAIL.search(url) is None and masked(url) == url
