"""What must not be kept of a document: values that may be secrets, and what no database takes."""

import math
import re
from typing import Any

MASK = "•••"
DEEPEST = 100
REFERENCE = re.compile(r"\{\{secrets/[^{}/\s]+/[^{}/\s]+\}\}")
# The fields in which the SDK sends references to secrets, and whatever else is named like them.
SECRET_KEY = re.compile(
    r"(?:api|access|secret|private|account)_key(?:_id)?$|(?:^|_)(?:token|secret|password"
    r"|passphrase|credentials?)$",
    re.IGNORECASE,
)


def keepable(document: Any, depth: int = 0) -> Any:
    """A copy of an endpoint's document that may be stored and shown.

    Environment variables keep their names and, of their values, only references such as
    `{{secrets/scope/key}}`; so do the fields of an external model that hold its keys. Plaintext
    secrets, which Databricks does not echo, would be masked if it did. NUL, lone surrogates, NaN
    and bottomless nesting, which JSON allows and databases refuse, are replaced.
    """
    if depth > DEEPEST:
        return "…"
    match document:
        case str():
            return clean(document)
        case float() if not math.isfinite(document):
            return None
        case list():
            return [keepable(item, depth + 1) for item in document]
        case dict():
            return {clean(str(k)): _value(str(k), v, depth) for k, v in document.items()}
    return document


def _value(key: str, value: Any, depth: int) -> Any:
    if value is None:
        return None
    if key == "environment_vars" and isinstance(value, dict):
        return {clean(str(name)): _reference_or_mask(text) for name, text in value.items()}
    if key == "environment_vars" or key.endswith("_plaintext"):
        return MASK
    if key == "api_key_auth" and isinstance(value, dict) and "value" in value:
        value = value | {"value": _reference_or_mask(value["value"])}
    if isinstance(value, str) and value and SECRET_KEY.search(key):
        return _reference_or_mask(value)
    return keepable(value, depth + 1)


def _reference_or_mask(value: Any) -> str:
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return clean(value)
    return MASK


def clean(text: str) -> str:
    """Text that every database stores: no NUL, no lone surrogates."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
