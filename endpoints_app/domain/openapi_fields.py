"""The fields of a schema as rows, to any depth.

Whatever the document holds gives at most a budget of rows of bounded strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final
from urllib.parse import unquote

from endpoints_app.domain.openapi_schema import (
    ANCESTRY,
    CALLED,
    DEEPEST,
    NOTE,
    Note,
    Reader,
    choices,
    inner_of,
    is_null,
    is_nullable,
)
from endpoints_app.domain.openapi_values import (
    LONG,
    SHORT,
    Json,
    Object,
    as_list,
    as_object,
    as_type,
    is_number,
    shown,
    text,
    type_of_value,
    types_of,
)

ROWS: Final = 400
"""Fields that one input format or answer shows at most."""

MOST_ENUM: Final = 40


class Presence(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    ITEM = "item"  # one of the places of an array
    CHOICE = "choice"  # one of several shapes


@dataclass(frozen=True, slots=True)
class Field:
    """A line of the table. `path` names it in the whole body, `name` within its parent."""

    path: str
    name: str
    depth: int
    type: str
    presence: Presence
    format: str = ""
    nullable: bool = False
    enum: tuple[str, ...] = ()
    default: str | None = None
    limits: str = ""
    description: str = ""
    deprecated: bool = False
    note: Note = Note.NONE
    target: str = ""


_Child = tuple[str, Json, Presence]


def fields_of(reader: Reader, schema: Object) -> tuple[tuple[Field, ...], bool]:
    """The rows of a body, at most ROWS, and whether there are more."""
    rows: list[Field] = []
    whole = list(islice(_children(reader, schema, 0), ROWS + 1))
    empty = {ANCESTRY, "properties"}
    if not whole:  # no object: the body itself is the one row
        whole = [("", schema, Presence.ITEM)] if schema.keys() - empty else []
    cut = _take(reader, rows, whole, prefix="", depth=0)
    return tuple(rows), cut


def parameters_of(reader: Reader, found: list[Json]) -> tuple[Field, ...]:
    rows: list[Field] = []
    for parameter in map(as_object, found[:ROWS]):
        parameter = reader.resolved(parameter)
        schema = reader.merged(parameter.get("schema", parameter))
        presence = Presence.REQUIRED if parameter.get("required") is True else Presence.OPTIONAL
        row = _row(reader, schema, text(parameter.get("name"), SHORT), "", 0, presence)
        described = text(parameter.get("description"), LONG) or row.description
        rows.append(replace(row, description=described))
    return tuple(rows)


def _take(
    reader: Reader, rows: list[Field], found: list[_Child], *, prefix: str, depth: int
) -> bool:
    """Append rows for these and all below them; True when there are more than are taken."""
    for name, raw, presence in found:
        if len(rows) >= ROWS or reader.is_spent:
            return True
        schema = reader.merged(raw)
        row = _row(reader, schema, name, prefix, depth, presence)
        rows.append(row)
        below = list(islice(_children(reader, schema, depth), ROWS + 1))
        if below and depth >= DEEPEST:
            rows[-1] = replace(row, note=Note.DEEPER)
            continue
        if _take(reader, rows, below, prefix=row.path, depth=depth + 1):
            return True
    return False


def _children(reader: Reader, schema: Object, depth: int) -> Iterator[_Child]:
    """What hangs below a schema. An array's plain items are told in its own type; what they
    hold hangs below the array."""
    if schema.get(NOTE) or depth > 2 * DEEPEST:
        return
    ancestry = schema[ANCESTRY]
    required = {each for each in as_list(schema.get("required")) if isinstance(each, str)}
    for name, inner in as_object(schema.get("properties")).items():
        presence = Presence.REQUIRED if name in required else Presence.OPTIONAL
        yield text(name, SHORT), inner_of(inner, ancestry), presence
    for pattern, inner in as_object(schema.get("patternProperties")).items():
        yield f"/{text(pattern, SHORT)}/", inner_of(inner, ancestry), Presence.OPTIONAL
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and others:
        yield "*", inner_of(others, ancestry), Presence.OPTIONAL
    places = as_list(schema.get("prefixItems"))
    for place, inner in enumerate(places):
        yield f"[{place}]", inner_of(inner, ancestry), Presence.ITEM
    items = schema.get("items")
    if isinstance(items, dict):
        if places:
            yield f"[{len(places)}…]", inner_of(items, ancestry), Presence.ITEM
        else:
            inner = reader.merged(items, ancestry)
            for name, below, presence in _children(reader, inner, depth + 1):
                # A place in the places of an array: both are told.
                yield f"[]{name}" if name.startswith("[") else name, below, presence
    for option, inner in enumerate(choices(schema)[:MOST_ENUM], 1):
        if not is_null(inner):
            yield _choice_name(inner, option), inner_of(inner, ancestry), Presence.CHOICE


def _choice_name(schema: Json, number: int) -> str:
    schema = as_object(schema)
    title = text(schema.get("title"), 60)
    reference = schema.get("$ref")
    if not title and isinstance(reference, str):
        title = text(unquote(reference).rpartition("/")[2], 60)
    return title or str(number)


def _row(
    reader: Reader, schema: Object, name: str, prefix: str, depth: int, presence: Presence
) -> Field:
    dot = "." if prefix and not name.startswith("[") else ""
    path = f"{prefix}{dot}{name}"
    items = schema.get("items")
    enum = as_list(schema.get("enum"))
    described = schema.get("description")
    if isinstance(items, dict) and not enum:
        inner = reader.merged(items, schema[ANCESTRY])
        enum = as_list(inner.get("enum"))
        described = described or inner.get("description")
    if "const" in schema:
        enum = [schema["const"]]
    default = schema.get("default")
    note = schema.get(NOTE)
    return Field(
        path=path if len(path) <= LONG else path[: LONG - 1] + "…",
        name=name,
        depth=depth,
        type=_type_of(reader, schema),
        presence=presence,
        format=text(schema.get("format"), 60),
        nullable=is_nullable(schema),
        enum=tuple(shown(value) for value in enum[:MOST_ENUM])
        + (("…",) if len(enum) > MOST_ENUM else ()),
        default=None if default is None else shown(as_type(default, schema)),
        limits=_limits(schema),
        description=text(described, LONG),
        deprecated=schema.get("deprecated") is True,
        note=note if isinstance(note, Note) else Note.NONE,
        target=text(schema.get(CALLED), SHORT),
    )


def _limits(schema: Object) -> str:
    found = []
    for key, sign in (
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
    ):
        if is_number(schema.get(key)):
            found.append(f"{sign} {schema[key]}")
    for low, high, unit in (
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "properties"),
    ):
        least, most = schema.get(low), schema.get(high)
        if is_number(least) or is_number(most):
            ends = [shown(end) for end in (least, most) if is_number(end)]
            sign = "" if len(ends) == 2 else "≥ " if is_number(least) else "≤ "
            found.append(f"{sign}{'–'.join(ends)} {unit}")
    if isinstance(schema.get("pattern"), str):
        found.append(f"/{text(schema['pattern'], SHORT)}/")
    return ", ".join(found)[:LONG]


def _type_of(reader: Reader, schema: Object, depth: int = 0) -> str:
    """In words: `array of string`, `object`, `integer or string`, `any`."""
    if called := schema.get(CALLED) if schema.get(NOTE) else "":
        return str(called)
    if "not" in schema and not schema["not"]:
        return "nothing"
    types = [t for t in types_of(schema) if t != "null"]
    if not types:
        if as_object(schema.get("properties")) or "additionalProperties" in schema:
            types = ["object"]
        elif "items" in schema or "prefixItems" in schema:
            types = ["array"]
        elif enum := [v for v in as_list(schema.get("enum")) if v is not None]:
            types = sorted({type_of_value(value) for value in enum[:MOST_ENUM]})
        elif "const" in schema:
            types = [type_of_value(schema["const"])]
        elif choices(schema):
            return "one of several"
    if types == ["array"]:
        places, items = as_list(schema.get("prefixItems")), schema.get("items")
        if places:
            return f"array of {len(places)}"
        if isinstance(items, dict) and items and depth < 5:
            inner = reader.merged(items, schema[ANCESTRY])
            return f"array of {_type_of(reader, inner, depth + 1)}"
    return " or ".join(types[:5]) or "any"
