"""Named status pages: which names they may have, and the links that open them."""

import hashlib
import hmac
import re

RESERVED = frozenset(
    {
        "all", "api", "assets", "badge", "embed", "en", "endpoint", "endpoints", "feed", "fleet",
        "health", "history", "incidents", "index", "ja", "json", "snapshot", "static", "status",
        "t", "view", "views",
    }
)  # fmt: skip
"""Words that addresses below /status/ and files of the snapshot use or may come to use."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TOKEN_BYTES = 32


def is_slug(text: str) -> bool:
    """Lower case words and digits with single hyphens: the same file name on every system."""
    return len(text) <= 50 and bool(_SLUG.fullmatch(text))


def digest(token: str) -> str:
    """What is kept of a link's token, which is random and long: a plain hash does."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def opens(token: str, kept: str) -> bool:
    """Whether this token's digest is the one that is kept; a view without a link has none."""
    return bool(kept) and hmac.compare_digest(digest(token), kept)
