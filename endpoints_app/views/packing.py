"""gzip, with the part of a page that many readers get compressed once for all of them.

A deflate stream may be made of parts that were compressed apart, as long as none refers back into
another: each begins with a window of its own and ends on a whole byte.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from endpoints_app.services.shelf import Shelf

BEGIN, END = b'<tbody id="fleet-body">', b"</tbody>"
"""What the rows of the list stand between. Nothing of a person is in them (kept_rows.py)."""
SMALLEST = 500  # bytes that are worth it
WORTH_IT = 10_000  # bytes of rows to keep

_kept: Shelf[bytes, bytes] = Shelf(most=50)
"""Shared parts with what they are of, about a hundred kilobytes each."""


def compressed(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Pages at a ninth of their size.

    What Django's own middleware does, but for the rows of the list, which are most of a page and
    the same for many readers: they are compressed once. Like there a text of random length is put
    in, so that the length of an answer tells nothing about a token in it (the BREACH attack).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if getattr(response, "streaming", False) or len(response.content) < SMALLEST:
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        accepts = request.headers.get("Accept-Encoding", "")
        if "Content-Encoding" in response.headers or not re.search(r"\bgzip\b", accepts):
            return response
        response.content = gzipped(response.content)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware


def gzipped(content: bytes) -> bytes:
    parts = [_header()]
    start = content.find(BEGIN) + len(BEGIN)
    end = content.find(END, start) if start >= len(BEGIN) else -1
    if end - start < WORTH_IT:
        parts.append(_deflated(content, level=4, last=True))
    else:
        parts += [
            _deflated(content[:start], level=4),
            _once(content[start:end]),
            _deflated(content[end:], level=4, last=True),
        ]
    parts.append(struct.pack("<LL", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)


def forget() -> None:
    _kept.clear()


def _once(content: bytes) -> bytes:
    packed = _kept.get(content)
    return _kept.put(content, _deflated(content, level=7)) if packed is None else packed


def _deflated(content: bytes, *, level: int, last: bool = False) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def _header() -> bytes:
    """With a file name of random length, which every reader skips."""
    return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"a" * secrets.randbelow(100) + b"\0"
