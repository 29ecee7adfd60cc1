"""The documents of the Permissions API, and who we are, as frozen values.

`parse` takes any JSON value and never raises, as in wire.py. The shapes are those of the SDK. The
path in `inherited_from_object` is unpublished for serving endpoints; for jobs it is `/jobs/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from .wire import Raw, bool_or_none, object_or_empty, objects, str_or_none


@dataclass(frozen=True, slots=True)
class Permission:
    level: str | None
    inherited: bool
    inherited_from: tuple[str, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        """A permission that does not say so is direct, unless it says where it comes from."""
        raw = object_or_empty(value)
        sources = raw.get("inherited_from_object")
        listed = sources if isinstance(sources, list) else [sources]
        inherited_from = tuple(filter(None, map(str_or_none, listed)))
        said = bool_or_none(raw.get("inherited"))
        return cls(
            level=str_or_none(raw.get("permission_level")) or None,
            inherited=bool(inherited_from) if said is None else said,
            inherited_from=inherited_from,
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class AccessControl:
    """What one principal holds; one of the three names is set, else we cannot tell who it is."""

    user_name: str | None
    group_name: str | None
    service_principal_name: str | None  # the application id
    display_name: str | None
    permissions: tuple[Permission, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Also an entry as requests have it, with one `permission_level` of its own."""
        raw = object_or_empty(value)
        permissions = raw.get("all_permissions")
        if permissions is None and "permission_level" in raw:
            permissions = [{"permission_level": raw["permission_level"]}]
        return cls(
            user_name=str_or_none(raw.get("user_name")) or None,
            group_name=str_or_none(raw.get("group_name")) or None,
            service_principal_name=str_or_none(raw.get("service_principal_name")) or None,
            display_name=str_or_none(raw.get("display_name")) or None,
            permissions=tuple(map(Permission.parse, _items(permissions))),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """The access control list of an object.

    What cannot be read is kept as an entry without a name or a permission without a level, never
    left out: a list without them, sent back as a whole, would take them away from somebody.
    """

    object_id: str | None
    object_type: str | None
    access: tuple[AccessControl, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        return cls(
            object_id=str_or_none(raw.get("object_id")),
            object_type=str_or_none(raw.get("object_type")),
            access=tuple(map(AccessControl.parse, _items(raw.get("access_control_list")))),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class PermissionLevel:
    level: str
    description: str | None

    @classmethod
    def parse_all(cls, value: object) -> tuple[Self, ...]:
        """The levels an object can be granted; one without a name says nothing."""
        items = objects(object_or_empty(value).get("permission_levels"))
        found = (
            cls(
                level=str_or_none(item.get("permission_level")) or "",
                description=str_or_none(item.get("description")),
            )
            for item in items
        )
        return tuple(level for level in found if level.level)


@dataclass(frozen=True, slots=True)
class Me:
    """The principal whose credentials we use (SCIM). A service principal's `user_name` is its
    application id."""

    user_name: str | None
    display_name: str | None
    groups: tuple[str, ...]
    raw: Raw = field(repr=False)

    @classmethod
    def parse(cls, value: object) -> Self:
        raw = object_or_empty(value)
        groups = (str_or_none(item.get("display")) for item in objects(raw.get("groups")))
        return cls(
            user_name=str_or_none(raw.get("userName")) or None,
            display_name=str_or_none(raw.get("displayName")) or None,
            groups=tuple(filter(None, groups)),
            raw=raw,
        )


def _items(value: object) -> list[object]:
    """All items, readable or not; anything but a list is one that is not."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
