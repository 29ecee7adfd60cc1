"""A query schema, that is an OpenAPI document, as cards, input formats and fields.

Any JSON is read, and what cannot be read is left out. OpenAPI 3.0 and 3.1; keys and shapes as in
the Databricks documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from endpoints_app.domain.openapi_fields import Field, fields_of, parameters_of
from endpoints_app.domain.openapi_schema import CALLED, FORMATS, Reader
from endpoints_app.domain.openapi_values import (
    LONG,
    SHORT,
    Json,
    Object,
    as_list,
    as_object,
    text,
)

METHODS: Final = ("post", "put", "patch", "get", "delete", "head", "options", "trace")


class Unreadable(StrEnum):
    """Why an answer is no document."""

    EMPTY = "empty"
    NOT_JSON = "not_json"
    NOT_OPENAPI = "not_openapi"


def parse(text: str) -> Object | Unreadable:
    """The document in `text`, taken leniently: a byte order mark, or JSON wrapped in a JSON
    string, does no harm."""
    text = text.lstrip("\ufeff").strip()
    if not text:
        return Unreadable.EMPTY
    try:
        document = json.loads(text)
        if isinstance(document, str):
            document = json.loads(document)
    except (ValueError, RecursionError):
        return Unreadable.NOT_JSON
    if isinstance(document, dict) and not document:
        return Unreadable.EMPTY
    if not isinstance(document, dict) or not {"openapi", "swagger", "paths"} & document.keys():
        return Unreadable.NOT_OPENAPI
    return document


# ── what it says ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Format:
    """One of the shapes that a body may have. `schema` is resolved and merged, not expanded."""

    key: str
    fields: tuple[Field, ...]
    cut: bool  # there are more fields than are shown
    schema: Object
    given: Json = None  # the document's own example
    description: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    fields: tuple[Field, ...]
    cut: bool
    schema: Object
    given: Json = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Where a card is found: a path and a method."""

    path: str
    method: str
    entity: str  # the served entity, where the path names one
    index: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    operation: Operation
    summary: str
    parameters: tuple[Field, ...]
    formats: tuple[Format, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    version: str
    openapi: str
    server: str
    operations: tuple[Operation, ...]
    raw: Object = field(repr=False)

    @property
    def config_version(self) -> int | None:
        """Databricks writes the config version there."""
        return int(self.version) if re.fullmatch(r"[0-9]{1,18}", self.version) else None


def read(raw: Object) -> Document:
    info, servers = as_object(raw.get("info")), raw.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    return Document(
        title=text(info.get("title"), SHORT),
        version=text(info.get("version"), SHORT),
        openapi=text(raw.get("openapi") or raw.get("swagger"), 20),
        server=text(as_object(first).get("url"), SHORT),
        operations=tuple(_operations(raw)),
        raw=raw,
    )


def _operations(raw: Object) -> Iterator[Operation]:
    index = 0
    for path, item in as_object(raw.get("paths")).items():
        item = as_object(item)
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield Operation(text(path, LONG), method, _entity(path), index)
                index += 1


def _entity(path: str) -> str:
    found = re.search(r"/served-(?:models|entities)/([^/]+)/invocations/?$", path)
    return text(unquote(found[1]), SHORT) if found else ""


def card(document: Document, operation: Operation) -> Card:
    """Everything about one path and method."""
    paths = as_object(document.raw.get("paths"))
    item: Object = next(
        (as_object(each) for path, each in paths.items() if text(path, LONG) == operation.path), {}
    )
    found = as_object(item.get(operation.method))
    reader = Reader(document.raw)
    body = reader.resolved(as_object(found.get("requestBody")))
    answers = as_object(found.get("responses"))
    return Card(
        operation=operation,
        summary=text(found.get("summary") or found.get("description"), LONG),
        parameters=parameters_of(
            reader, [*as_list(item.get("parameters")), *as_list(found.get("parameters"))]
        ),
        formats=tuple(_formats(reader, body)),
        answers=tuple(
            _answer(reader, text(status, 20), reader.resolved(as_object(answer)))
            for status, answer in list(answers.items())[:FORMATS]
        ),
    )


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────

NAMES: Final = {
    "dataframe_split": "dataframe_split",
    "dataframe_records": "dataframe_records",
    "instances": "instances",
    "inputs": "inputs",
    "messages": "chat",
    "prompt": "completions",
    "input": "embeddings",
}
"""The property that tells an input format → what the format is called (Databricks SDK)."""


def _media(reader: Reader, body: Object) -> tuple[Object, Object]:
    """The media type object to show, JSON if there is one, and its schema."""
    content = as_object(body.get("content"))
    media = content.get("application/json") or next(iter(content.values()), None)
    media = reader.resolved(as_object(media))
    return media, as_object(media.get("schema"))


def _formats(reader: Reader, body: Object) -> Iterator[Format]:
    media, schema = _media(reader, body)
    if not media:
        return
    variants = reader.variants(schema)
    given = _example_of_media(reader, media)
    taken: set[str] = set()
    for number, variant in enumerate(variants[:FORMATS], 1):
        key = name = (
            _format_name(variant) or f"format {number}"
            if len(variants) > 1
            else (_format_name(variant) or "body")
        )
        same = 2
        while key in taken:
            key, same = f"{name} {same}", same + 1
        taken.add(key)
        fields, cut = fields_of(reader, variant)
        own = _example_of_schema(variant)
        yield Format(
            key=key,
            fields=fields,
            cut=cut,
            schema=variant,
            given=_fitted(reader, own if own is not None else given, variant),
            description=text(variant.get("description"), LONG),
        )


def _format_name(schema: Object) -> str:
    properties = as_object(schema.get("properties"))
    for prop, name in NAMES.items():
        if prop in properties:
            return name
    return text(schema.get("title"), 60) or text(schema.get(CALLED), 60)


def _answer(reader: Reader, status: str, answer: Object) -> Answer:
    media, schema = _media(reader, answer)
    merged = reader.merged(schema)
    fields, cut = fields_of(reader, merged) if schema else ((), False)
    given = _example_of_schema(merged)
    if given is None:
        given = _example_of_media(reader, media)
    return Answer(status, text(answer.get("description"), LONG), fields, cut, merged, given)


def _example_of_media(reader: Reader, media: Object) -> Json:
    if media.get("example") is not None:
        return media["example"]
    for example in as_object(media.get("examples")).values():
        value = reader.resolved(as_object(example)).get("value")
        if value is not None:
            return value
    return None


def _example_of_schema(schema: Object) -> Json:
    if schema.get("example") is not None:
        return schema["example"]
    return next(iter(as_list(schema.get("examples"))), None)


def _fitted(reader: Reader, given: Json, schema: Object) -> Json:
    """Databricks gives, beside a format, the example of its one property without the property's
    name: `{"columns", "data"}` beside `dataframe_split`. Such a one is put under its name."""
    properties = as_object(schema.get("properties"))
    if not isinstance(given, dict) or not given or given.keys() & properties.keys():
        return given
    for name, inner in properties.items():
        if given.keys() <= as_object(reader.merged(as_object(inner)).get("properties")).keys():
            return {name: given}
    return given
