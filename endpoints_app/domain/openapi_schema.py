"""The schemas of an OpenAPI document: their fields as rows, to any depth.

The document is somebody else's text: whatever it holds gives at most a budget of rows of bounded
strings. References are followed inside the document only. Schemas of OpenAPI 3.0 and 3.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

from endpoints_app.domain.masking import clean

Json = Any
Object = dict[Any, Any]

ROWS: Final = 400
"""Fields that one input format or answer shows at most."""

STEPS: Final = 20_000
"""Schemas that are looked at for one card: references may multiply beyond all rows."""

DEEPEST: Final = 40
FORMATS: Final = 20
SHORT: Final = 200
LONG: Final = 1000
MOST_ENUM: Final = 40


class Note(StrEnum):
    """What a row cannot show of its schema."""

    NONE = ""
    CIRCULAR = "circular"  # the schema holds itself; `target` names it
    ELSEWHERE = "elsewhere"  # a reference out of the document, which is not followed
    MISSING = "missing"  # a reference to nothing
    DEEPER = "deeper"  # nested beyond what is shown


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


class _Ours(Enum):
    """What we note in our own copies of schemas, under keys that no JSON can hold."""

    CALLED = "called"  # the name of the reference that was followed
    ANCESTRY = "ancestry"  # all that were followed on the way, by which a circle is known
    NOTE = "note"


CALLED, ANCESTRY, NOTE = _Ours


class Reader:
    """Follows one document's schemas, within a budget."""

    def __init__(self, raw: Object) -> None:
        self._raw = raw
        self._steps = STEPS

    def _is_spent(self) -> bool:
        self._steps -= 1
        return self._steps < 0

    def resolved(self, found: Object) -> Object:
        """What a reference that is no schema stands for."""
        for _ in range(DEEPEST):
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            target = self.target(reference)
            if not isinstance(target, dict):
                return {}
            found = target
        return {}

    def target(self, reference: str) -> Json:
        """What a local JSON pointer names, or None."""
        if not reference.startswith("#"):
            return None
        found: Json = self._raw
        for part in reference[1:].split("/")[1:]:
            part = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(part)
            elif isinstance(found, list) and part.isascii() and part.isdigit() and len(part) < 9:
                found = found[int(part)] if int(part) < len(found) else None
            else:
                return None
        return found

    def ancestry(self, schema: Object) -> tuple[str, ...]:
        """The references that led to a merged schema."""
        found: tuple[str, ...] = schema[ANCESTRY]
        return found

    def merged(self, schema: Json, ancestry: tuple[str, ...] = ()) -> Object:
        """The schema with its references followed and its `allOf` folded in, one level deep.

        A choice of one, and a choice between one and null, is that one.
        """
        return self._merged(schema, ancestry, 0)

    def _merged(self, found: Json, ancestry: tuple[str, ...], depth: int) -> Object:
        if found is False:
            return {"not": {}, ANCESTRY: ancestry}
        if not isinstance(found, dict) or self._is_spent() or depth > DEEPEST:
            return {ANCESTRY: ancestry}
        schema: Object = dict(found)
        ancestry = schema.setdefault(ANCESTRY, ancestry)
        reference = schema.pop("$ref", None)
        if isinstance(reference, str):
            called = text(unquote(reference).rpartition("/")[2], SHORT)
            if reference in ancestry:
                return {NOTE: Note.CIRCULAR, CALLED: called, ANCESTRY: ancestry}
            if not reference.startswith("#"):
                shown = text(reference, SHORT)
                return {**schema, NOTE: Note.ELSEWHERE, CALLED: shown, ANCESTRY: ancestry}
            target = self.target(reference)
            if not isinstance(target, dict | bool):
                return {**schema, NOTE: Note.MISSING, CALLED: called, ANCESTRY: ancestry}
            deeper = (*ancestry, reference)
            base = self._merged(target, deeper, depth + 1)
            schema = {**base, **schema, CALLED: base.get(CALLED) or called}
            ancestry = schema[ANCESTRY] = base[ANCESTRY]
        for part in as_list(schema.pop("allOf", None)):
            schema = _joined(schema, self._merged(part, ancestry, depth + 1))
        for key in ("anyOf", "oneOf"):
            options = as_list(schema.get(key))
            rest = [each for each in options if not _is_null(each)]
            if options and len(rest) <= 1:
                schema.pop(key)
                if len(rest) < len(options):
                    schema["nullable"] = True
                if rest:
                    schema = _joined(self._merged(rest[0], ancestry, depth + 1), schema)
        return schema

    def variants(self, schema: Json) -> list[Object]:
        """The shapes of a body: those of its `oneOf` or `anyOf`, each with what they share."""
        whole = self.merged(schema)
        for key in ("oneOf", "anyOf"):
            options = [each for each in as_list(whole.get(key)) if not _is_null(each)]
            if options:
                shared = {k: v for k, v in whole.items() if k != key and k not in _OF_ONE}
                ancestry = whole[ANCESTRY]
                found = [
                    _joined(self.merged(option, ancestry), shared) for option in options[:FORMATS]
                ]
                # One of them may be a choice itself.
                flat = [
                    inner
                    for each in found
                    for inner in (self._inner(each) if _choice(each) else [each])
                ]
                return flat[:FORMATS]
        return [whole]

    def _inner(self, schema: Object) -> list[Object]:
        options, ancestry = _choice(schema), schema[ANCESTRY]
        shared = {k: v for k, v in schema.items() if k not in ("oneOf", "anyOf", *_OF_ONE)}
        return [_joined(self.merged(option, ancestry), shared) for option in options[:FORMATS]]

    def fields(self, schema: Object) -> tuple[tuple[Field, ...], bool]:
        """The rows of a body, at most ROWS, and whether there are more."""
        rows: list[Field] = []
        whole = list(islice(self._children(schema, 0), ROWS + 1))
        empty = {ANCESTRY, "properties"}
        if not whole:  # no object: the body itself is the one row
            whole = [("", schema, Presence.ITEM)] if schema.keys() - empty else []
        cut = self._take(rows, whole, prefix="", depth=0)
        return tuple(rows), cut

    def parameters(self, found: list[Json]) -> tuple[Field, ...]:
        rows: list[Field] = []
        for parameter in map(as_object, found[:ROWS]):
            parameter = self.resolved(parameter)
            schema = self.merged(parameter.get("schema", parameter))
            presence = Presence.REQUIRED if parameter.get("required") is True else Presence.OPTIONAL
            row = _row(schema, text(parameter.get("name"), SHORT), "", 0, presence, self)
            described = text(parameter.get("description"), LONG) or row.description
            rows.append(replace(row, description=described))
        return tuple(rows)

    def _take(self, rows: list[Field], found: list[_Child], *, prefix: str, depth: int) -> bool:
        """Append rows for these and all below them; True when there are more than are taken."""
        for name, raw, presence in found:
            if len(rows) >= ROWS or self._steps < 0:
                return True
            schema = self.merged(raw)
            row = _row(schema, name, prefix, depth, presence, self)
            rows.append(row)
            below = list(islice(self._children(schema, depth), ROWS + 1))
            if below and depth >= DEEPEST:
                rows[-1] = replace(row, note=Note.DEEPER)
                continue
            if self._take(rows, below, prefix=row.path, depth=depth + 1):
                return True
        return False

    def _children(self, schema: Object, depth: int) -> Iterator[_Child]:
        """What hangs below a schema. An array's plain items are told in its own type; what they
        hold hangs below the array."""
        if schema.get(NOTE) or depth > 2 * DEEPEST:
            return
        ancestry = schema[ANCESTRY]
        required = {each for each in as_list(schema.get("required")) if isinstance(each, str)}
        for name, inner in as_object(schema.get("properties")).items():
            presence = Presence.REQUIRED if name in required else Presence.OPTIONAL
            yield text(name, SHORT), _from(inner, ancestry), presence
        for pattern, inner in as_object(schema.get("patternProperties")).items():
            yield f"/{text(pattern, SHORT)}/", _from(inner, ancestry), Presence.OPTIONAL
        others = schema.get("additionalProperties")
        if isinstance(others, dict) and others:
            yield "*", _from(others, ancestry), Presence.OPTIONAL
        places = as_list(schema.get("prefixItems"))
        for place, inner in enumerate(places):
            yield f"[{place}]", _from(inner, ancestry), Presence.ITEM
        items = schema.get("items")
        if isinstance(items, dict):
            if places:
                yield f"[{len(places)}…]", _from(items, ancestry), Presence.ITEM
            else:
                inner = self.merged(items, ancestry)
                for name, below, presence in self._children(inner, depth + 1):
                    # A place in the places of an array: both are told.
                    yield f"[]{name}" if name.startswith("[") else name, below, presence
        for option, inner in enumerate(_choice(schema)[:MOST_ENUM], 1):
            if not _is_null(inner):
                yield self._choice_name(inner, option), _from(inner, ancestry), Presence.CHOICE

    def _choice_name(self, schema: Json, number: int) -> str:
        schema = as_object(schema)
        title = text(schema.get("title"), 60)
        reference = schema.get("$ref")
        if not title and isinstance(reference, str):
            title = text(unquote(reference).rpartition("/")[2], 60)
        return title or str(number)

    def type_of(self, schema: Object, depth: int = 0) -> str:
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
                types = sorted({_type_of_value(value) for value in enum[:MOST_ENUM]})
            elif "const" in schema:
                types = [_type_of_value(schema["const"])]
            elif _choice(schema):
                return "one of several"
        if types == ["array"]:
            places, items = as_list(schema.get("prefixItems")), schema.get("items")
            if places:
                return f"array of {len(places)}"
            if isinstance(items, dict) and items and depth < 5:
                inner = self.merged(items, schema[ANCESTRY])
                return f"array of {self.type_of(inner, depth + 1)}"
        return " or ".join(types[:5]) or "any"


_Child = tuple[str, Json, Presence]
_OF_ONE = ("title", "description", "example", "examples", "default", CALLED)
"""What belongs to one schema and is not handed on to its variants."""


def _from(schema: Json, ancestry: tuple[str, ...]) -> Json:
    """The inner schema, remembering the references that led to it."""
    return {**schema, ANCESTRY: ancestry} if isinstance(schema, dict) else schema


def _row(
    schema: Object, name: str, prefix: str, depth: int, presence: Presence, reader: Reader
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
        type=reader.type_of(schema),
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
        if _is_number(schema.get(key)):
            found.append(f"{sign} {schema[key]}")
    for low, high, unit in (
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "properties"),
    ):
        least, most = schema.get(low), schema.get(high)
        if _is_number(least) or _is_number(most):
            ends = [shown(end) if _is_number(end) else "" for end in (least, most)]
            found.append(f"{'–'.join(ends)} {unit}")
    if isinstance(schema.get("pattern"), str):
        found.append(f"/{text(schema['pattern'], SHORT)}/")
    return ", ".join(found)[:LONG]


def _joined(one: Object, other: Object) -> Object:
    """Both at once, as `allOf` means it; `other` wins where they cannot be joined."""
    joined = {**one, **other}
    joined["properties"] = as_object(one.get("properties")) | as_object(other.get("properties"))
    required = [*as_list(one.get("required")), *as_list(other.get("required"))]
    if required:
        joined["required"] = [each for each in required if isinstance(each, str)]
    if is_nullable(one) and "nullable" in one:
        joined["nullable"] = True
    ours, theirs = one[ANCESTRY], other[ANCESTRY]
    joined[ANCESTRY] = (*ours, *(each for each in theirs if each not in ours))
    return joined


# ── values ──────────────────────────────────────────────────────────────────────────────────────


def is_nullable(schema: Object) -> bool:
    types = schema.get("type")
    listed = isinstance(types, list) and "null" in types
    either = any(_is_null(each) for each in _choice(schema))
    return schema.get("nullable") is True or listed or either


def as_type(value: Json, schema: Mapping[str, Json]) -> Json:
    """A default as the type it is for: Databricks writes `"0.5"` for a number's (documentation)."""
    if not isinstance(value, str):
        return value
    types = types_of(schema)
    try:
        if "string" in types or not types:
            return value
        if "integer" in types:
            return int(value[:40])
        if "number" in types:
            return float(value)
        if "boolean" in types and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if "object" in types or "array" in types:
            return json.loads(value)
    except (ValueError, RecursionError):
        pass
    return value


def shown(value: Json) -> str:
    """A value on one line: strings as they are, everything else as JSON."""
    if isinstance(value, str):
        return text(value, SHORT)
    try:
        return text(json.dumps(value, ensure_ascii=False, default=str), SHORT)
    except (ValueError, RecursionError):
        return "…"


def text(value: Json, most: int) -> str:
    """Somebody else's string: storable, without control and direction characters, bounded."""
    if not isinstance(value, str):
        return str(value)[:most] if isinstance(value, int | float) else ""
    seen = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", clean(value[: most + 1]))
    return seen if len(seen) <= most else seen[: most - 1] + "…"


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def types_of(schema: Mapping[str, Json]) -> list[str]:
    types = schema.get("type")
    found = types if isinstance(types, list) else [types]
    return [text(each, 40) for each in found if isinstance(each, str)]


def _choice(schema: Object) -> list[Json]:
    return as_list(schema.get("oneOf")) or as_list(schema.get("anyOf"))


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _type_of_value(value: Json) -> str:
    names = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_object(value: Json) -> Object:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
