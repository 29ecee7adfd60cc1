"""Values of somebody else's JSON: any shape may stand anywhere, and every string is bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from endpoints_app.domain.masking import clean

Json = Any
Object = dict[Any, Any]

SHORT: Final = 200
LONG: Final = 1000


def as_object(value: Json) -> Object:
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def text(value: Json, most: int) -> str:
    """Somebody else's string: storable, without control and direction characters, bounded."""
    if not isinstance(value, str):
        return str(value)[:most] if isinstance(value, int | float) else ""
    seen = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", clean(value[: most + 1]))
    return seen if len(seen) <= most else seen[: most - 1] + "…"


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(value: Json) -> str:
    """A value on one line: strings as they are, everything else as JSON."""
    if isinstance(value, str):
        return text(value, SHORT)
    try:
        return text(json.dumps(value, ensure_ascii=False, default=str), SHORT)
    except (ValueError, RecursionError):
        return "…"


def types_of(schema: Mapping[str, Json]) -> list[str]:
    types = schema.get("type")
    found = types if isinstance(types, list) else [types]
    return [text(each, 40) for each in found if isinstance(each, str)]


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


def type_of_value(value: Json) -> str:
    names = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
