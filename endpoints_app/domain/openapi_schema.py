"""The schemas of an OpenAPI document, with references followed and `allOf` folded in.

The document is somebody else's: whatever it holds, no more than a budget of schemas is looked at.
References are followed inside the document only. Schemas of OpenAPI 3.0 and 3.1.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final
from urllib.parse import unquote

from endpoints_app.domain.openapi_values import SHORT, Json, Object, as_list, as_object, text

STEPS: Final = 20_000
"""Schemas that are looked at for one card: references may multiply beyond all rows."""

DEEPEST: Final = 40
FORMATS: Final = 20


class Note(StrEnum):
    """What a row cannot show of its schema."""

    NONE = ""
    CIRCULAR = "circular"  # the schema holds itself; `target` names it
    ELSEWHERE = "elsewhere"  # a reference out of the document, which is not followed
    MISSING = "missing"  # a reference to nothing
    DEEPER = "deeper"  # nested beyond what is shown


class _Ours(Enum):
    """What we note in our own copies of schemas, under keys that no JSON can hold."""

    CALLED = "called"  # the name of the reference that was followed
    ANCESTRY = "ancestry"  # all that were followed on the way, by which a circle is known
    NOTE = "note"


CALLED, ANCESTRY, NOTE = _Ours

_OF_ONE = ("title", "description", "example", "examples", "default", CALLED)
"""What belongs to one schema and is not handed on to its variants."""


class Reader:
    """Follows one document's schemas, within a budget."""

    def __init__(self, raw: Object) -> None:
        self._raw = raw
        self._steps = STEPS

    @property
    def is_spent(self) -> bool:
        return self._steps < 0

    def _spend(self) -> bool:
        self._steps -= 1
        return self.is_spent

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
        if not isinstance(found, dict) or self._spend() or depth > DEEPEST:
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
            rest = [each for each in options if not is_null(each)]
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
            options = [each for each in as_list(whole.get(key)) if not is_null(each)]
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
                    for inner in (self._inner(each) if choices(each) else [each])
                ]
                return flat[:FORMATS]
        return [whole]

    def _inner(self, schema: Object) -> list[Object]:
        options, ancestry = choices(schema), schema[ANCESTRY]
        shared = {k: v for k, v in schema.items() if k not in ("oneOf", "anyOf", *_OF_ONE)}
        return [_joined(self.merged(option, ancestry), shared) for option in options[:FORMATS]]


def inner_of(schema: Json, ancestry: tuple[str, ...]) -> Json:
    """The inner schema, remembering the references that led to it."""
    return {**schema, ANCESTRY: ancestry} if isinstance(schema, dict) else schema


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


def is_nullable(schema: Object) -> bool:
    types = schema.get("type")
    listed = isinstance(types, list) and "null" in types
    either = any(is_null(each) for each in choices(schema))
    return schema.get("nullable") is True or listed or either


def choices(schema: Object) -> list[Json]:
    return as_list(schema.get("oneOf")) or as_list(schema.get("anyOf"))


def is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"
