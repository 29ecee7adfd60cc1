"""What changed between two query schemas: fields added, removed, retyped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from endpoints_app.domain.openapi import Card, Document, Operation, card
from endpoints_app.domain.openapi_fields import Field

CARDS: Final = 25
CHANGES: Final = 200


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RETYPED = "retyped"


@dataclass(frozen=True, slots=True)
class Change:
    """`where` is a served entity or path; `part` an input format, or `answer 200`. A field is
    empty where the whole of them came or went."""

    kind: Kind
    where: str
    part: str
    field: str = ""
    was: str = ""
    now: str = ""


def changes(before: Document, after: Document) -> tuple[list[Change], bool]:
    """What differs, in the order of the later document, and whether there is more than is told."""
    found: list[Change] = []
    pairs = list(_pairs(before, after))
    for old, new in pairs[:CARDS]:
        found += _of_cards(card(before, old) if old else None, card(after, new) if new else None)
        if len(found) > CHANGES:
            break
    return found[:CHANGES], len(found) > CHANGES or len(pairs) > CARDS


def _pairs(
    before: Document, after: Document
) -> Iterator[tuple[Operation | None, Operation | None]]:
    """The same path in both; else the same model, whose path names another version of it; else
    the only one there is."""
    old, new = list(before.operations), list(after.operations)
    matched: dict[int, Operation] = {}
    for same in (_by_path, _by_model):
        known = {same(operation): operation for operation in old}
        for operation in new:
            partner = known.get(same(operation))
            if operation.index not in matched and partner in old and partner is not None:
                matched[operation.index] = partner
                old.remove(partner)
    if len(old) == 1 and len(new) == 1 and not matched:
        matched[new[0].index] = old.pop()
    yield from ((matched.get(operation.index), operation) for operation in new)
    yield from ((operation, None) for operation in old)


def _by_path(operation: Operation) -> tuple[str, str]:
    return operation.path, operation.method


def _by_model(operation: Operation) -> tuple[str, str]:
    """Unless told otherwise Databricks names a served entity after its model and version."""
    name = operation.entity or operation.path
    return re.sub(r"-[0-9]+$", "", name), operation.method


def _of_cards(old: Card | None, new: Card | None) -> Iterator[Change]:
    shown = new or old
    where = (shown.operation.entity or shown.operation.path) if shown else ""
    before, after = _parts(old), _parts(new)
    if old is None or new is None:
        yield Change(Kind.ADDED if new else Kind.REMOVED, where, "")
        return
    for part in [*after, *(part for part in before if part not in after)]:
        if part not in before:
            yield Change(Kind.ADDED, where, part)
        elif part not in after:
            yield Change(Kind.REMOVED, where, part)
        else:
            yield from _of_fields(before[part], after[part], where, part)


def _parts(shown: Card | None) -> dict[str, tuple[Field, ...]]:
    if shown is None:
        return {}
    parts = {each.key: each.fields for each in shown.formats}
    return parts | {f"answer {each.status}": each.fields for each in shown.answers}


def _of_fields(
    before: Iterable[Field], after: Iterable[Field], where: str, part: str
) -> Iterator[Change]:
    old, new = {each.path: each for each in before}, {each.path: each for each in after}
    for path, each in new.items():
        was, now = (_told(old[path]) if path in old else ""), _told(each)
        if path not in old:
            if path.rpartition(".")[0] not in new.keys() - old.keys():
                yield Change(Kind.ADDED, where, part, path, "", now)
        elif was != now:
            yield Change(Kind.RETYPED, where, part, path, was, now)
    gone = old.keys() - new.keys()
    for path, each in old.items():
        if path in gone and path.rpartition(".")[0] not in gone:
            yield Change(Kind.REMOVED, where, part, path, _told(each), "")


def _told(each: Field) -> str:
    """What a caller must know of a field, in a line."""
    words = [each.type, f"({each.format})" if each.format else "", each.presence.value]
    words += ["or null"] if each.nullable else []
    words += [f"one of {', '.join(each.enum)}"] if each.enum else []
    words += [each.limits] if each.limits else []
    return " ".join(word for word in words if word)
