"""The list of all endpoints, which is read only as far as somebody needs it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from .answers import items_of, json_object
from .wire import Listed, objects


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer as it came."""

    body: bytes = field(repr=False)

    def digest(self) -> bytes:
        """The same where the workspace said the same again, to the byte."""
        return hashlib.blake2b(self.body, digest_size=16).digest()

    def read(self) -> tuple[Listed, ...]:
        """An item without a name cannot be addressed and is left out. Raises Nonsense."""
        items = items_of(json_object(self.body), "endpoints")
        listed = (Listed.parse(item) for item in objects(items))
        return tuple(item for item in listed if item.name)
