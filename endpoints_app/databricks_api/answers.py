"""Answers as they come: bodies within limits, and JSON that can be stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3.exceptions

from .errors import Nonsense

MAX_ERROR_BODY: Final = 64 * 1024
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def nothing(response: requests.Response) -> None:
    """Its status was all that we wanted."""


def reply(response: requests.Response, limit: int) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body(response, limit))


def body(response: requests.Response, limit: int) -> bytes:
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > limit:
        raise Nonsense("The answer is too large.", status=response.status_code)
    chunks, size = [], 0
    for chunk in pieces(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise Nonsense("The answer is too large.", status=response.status_code)
    return b"".join(chunks)


def pieces(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.raw.stream(_CHUNK, decode_content=True)
    except urllib3.exceptions.DecodeError:
        raise Nonsense("The answer cannot be decompressed.", status=response.status_code) from None


def error_body(response: requests.Response) -> bytes:
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


def json_object(body: bytes) -> Mapping[str, Any]:
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


def items_of(answer: Mapping[str, Any], key: str) -> list[Any]:
    """The list under `key`, which may be absent when it is empty."""
    items = answer.get(key)
    if items is None:
        return []
    if not isinstance(items, list):
        # Read as an empty list it would say that everything is gone.
        raise Nonsense(f"{key!r} in the answer is not a list.", status=200)
    return items


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
