"""An example made from a schema, for where the document gives none."""

from __future__ import annotations

from typing import Final

from endpoints_app.domain.openapi_schema import NOTE, Note, Reader
from endpoints_app.domain.openapi_values import (
    Json,
    Object,
    as_list,
    as_object,
    as_type,
    types_of,
)

VALUES: Final = 300
DEEPEST: Final = 12

BY_FORMAT: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "datetime": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "byte": "AAAA",
    "binary": "AAAA",
    "ipv4": "192.0.2.1",
}

BY_NAME: Final = {
    "messages": [{"role": "user", "content": "Hello!"}],
    "prompt": "Hello!",
    "input": "Hello!",
}
"""What a generic schema of a chat, completion or embedding is asked with."""


def example(raw: Object, schema: Object) -> Json:
    """A value that fits `schema`, which is one of the document `raw`: defaults and listed values
    first, every property, one item per list; bounded."""
    return _Maker(Reader(raw)).value(schema, "", 0)


class _Maker:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = VALUES

    def value(self, schema: Object, name: str, depth: int) -> Json:
        self._left -= 1
        if schema.get("default") is not None:
            return as_type(schema["default"], schema)
        if "const" in schema:
            return schema["const"]
        for given in (schema.get("example"), *as_list(schema.get("examples"))[:1]):
            if given is not None:
                return given
        for listed in as_list(schema.get("enum")):
            if listed is not None:
                return listed
        for option in as_list(schema.get("oneOf")) or as_list(schema.get("anyOf")):
            chosen = self._reader.merged(option, self._reader.ancestry(schema))
            if types_of(chosen) != ["null"]:
                return self.value(chosen, name, depth)
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: Object, name: str, depth: int) -> Json:
        types = types_of(schema)
        if "object" in types or as_object(schema.get("properties")):
            return self._object(schema, depth)
        if "array" in types or "items" in schema or "prefixItems" in schema:
            return self._array(schema, name, depth)
        if "string" in types:
            return self._string(schema, name)
        if "integer" in types:
            return _number(schema, 1, whole=True)
        if "number" in types:
            return _number(schema, 0.5, whole=False)
        if "boolean" in types:
            return True
        return None if types == ["null"] else {}

    def _object(self, schema: Object, depth: int) -> Object:
        made: Object = {}
        required = as_list(schema.get("required"))
        for name, raw in as_object(schema.get("properties")).items():
            inner = self._reader.merged(raw, self._reader.ancestry(schema))
            circular = inner.get(NOTE) is Note.CIRCULAR
            full = self._left <= 0 or depth >= DEEPEST or circular
            if name in required or not full:
                made[name] = {} if full else self.value(inner, name, depth + 1)
        return self._as_split(made)

    def _array(self, schema: Object, name: str, depth: int) -> list[Json]:
        if name in BY_NAME and isinstance(BY_NAME[name], list):
            return list(BY_NAME[name])
        if self._left <= 0 or depth >= DEEPEST:
            return []
        ancestry = self._reader.ancestry(schema)
        if places := as_list(schema.get("prefixItems")):
            merged = (self._reader.merged(place, ancestry) for place in places[:VALUES])
            return [self.value(place, "", depth + 1) for place in merged]
        inner = self._reader.merged(schema.get("items"), ancestry)
        if inner.get(NOTE) is Note.CIRCULAR:
            return []
        if name == "columns" and (listed := as_list(inner.get("enum"))):
            return listed[:VALUES]  # of a dataframe_split: all of them, in the order of its data
        least = schema.get("minItems")
        several = min(least, 5) if isinstance(least, int) else 1
        return [self.value(inner, "", depth + 1) for _ in range(max(several, 1))]

    def _string(self, schema: Object, name: str) -> str:
        kind = schema.get("format")
        known = BY_NAME.get(name)
        made = BY_FORMAT.get(kind) if isinstance(kind, str) else None
        if made is None:
            made = known if isinstance(known, str) else "text"
        least = schema.get("minLength")
        if isinstance(least, int) and len(made) < least <= 1000:
            made = made.ljust(least, "x")
        most = schema.get("maxLength")
        return made[:most] if isinstance(most, int) and most >= 0 else made

    def _as_split(self, made: Object) -> Object:
        """A dataframe whose rows are plain lists gets as many values per row as it has columns."""
        columns, data = made.get("columns"), made.get("data")
        if isinstance(columns, list) and isinstance(data, list) and len(data) == 1:
            row = data[0]
            if isinstance(row, list) and len(row) == 1 and len(columns) > 1:
                made["data"] = [row * len(columns)]
        return made


def _number(schema: Object, usual: float, *, whole: bool) -> float:
    """The usual one, moved between the schema's limits."""
    value = usual
    for key, beyond in (("minimum", 0), ("exclusiveMinimum", 1)):
        least = schema.get(key)
        if isinstance(least, int | float) and value < least + beyond:
            value = least + beyond
    for key, beyond in (("maximum", 0), ("exclusiveMaximum", 1)):
        most = schema.get(key)
        if isinstance(most, int | float) and value > most - beyond:
            value = most - beyond
    try:
        return int(value) if whole else value
    except (OverflowError, ValueError):
        return 1
