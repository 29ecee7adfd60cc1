"""`{"logs": "…"}`, whose text may be much larger than what is worth keeping of it."""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .errors import Nonsense

MAX_HEAD: Final = 64 * 1024
"""In so many bytes of the answer the text has to begin."""

_BEGIN: Final = re.compile(rb'[{,]\s*"logs"\s*:\s*"')
# Up to the closing quote, or to an escape whose end has not come yet.
_INSIDE: Final = re.compile(rb'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+')


@dataclass(frozen=True, slots=True)
class LogText:
    """The last part of a log, from the beginning of a line on where it has lines. `skipped` says
    how many lines before it were not kept, `size` how many characters there were in all."""

    text: str
    skipped: int
    size: int


def tail_of(chunks: Iterable[bytes], *, keep: int) -> LogText:
    """The last `keep` characters of an answer's text; never holds much more. Raises Nonsense."""
    parts: deque[str] = deque()
    held = size = skipped = 0
    for part in parts_of(chunks):
        parts.append(part)
        held += len(part)
        size += len(part)
        while held - len(parts[0]) >= keep:
            gone = parts.popleft()
            held -= len(gone)
            skipped += gone.count("\n")
    text = "".join(parts)
    if size > keep:
        cut = max(0, len(text) - keep)
        cut = text.find("\n", cut) + 1 or cut
        skipped += text.count("\n", 0, cut)
        text = text[cut:]
    return LogText(text, skipped, size)


def parts_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """The text of an answer, unescaped, part by part. Raises Nonsense, also in its middle."""
    chunks = iter(chunks)
    rest = _first(chunks)
    if rest is None:
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    half = ""  # of a character that JSON writes as two escapes
    while True:
        found = _INSIDE.match(rest)
        end = found.end() if found else 0
        part = half + _unescaped(decoder.decode(rest[:end]))
        half = part[-1] if part and "\ud800" <= part[-1] <= "\udbff" else ""
        if part := _paired(part.removesuffix(half)):
            yield part
        if rest[end : end + 1] == b'"':
            break
        if len(rest) - end > MAX_HEAD or (chunk := next(chunks, None)) is None:
            raise Nonsense("The answer ends within its text.", status=200)
        rest = rest[end:] + chunk
    for _ in chunks:  # what follows is not asked for, but the connection is to be used again
        pass


def _first(chunks: Iterator[bytes]) -> bytes | None:
    """The answer from the beginning of its text on; None when it has none: nothing was logged."""
    head = b""
    for chunk in chunks:
        head += chunk
        if found := _BEGIN.search(head):
            return head[found.end() :]
        if len(head) > MAX_HEAD:
            raise Nonsense("The answer has no logs.", status=200)
    try:
        document = json.loads(head)
    except ValueError:
        raise Nonsense("The answer is not JSON.", status=200) from None
    if not isinstance(document, dict) or document.get("logs") is not None:
        raise Nonsense("The answer has no logs.", status=200)
    return None


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        raise Nonsense("The answer is not JSON.", status=200) from None


def _paired(text: str) -> str:
    """With the halves of characters that arrived apart put together."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
