"""Two configurations, setting by setting and line by line.

Takes contents as `config_content.py` makes them. Every value of a content is a fact of it, also
under keys that we have not met, so that two contents without a difference are the same ones.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from endpoints_app.domain.config_content import NUMBERED, STATE
from endpoints_app.domain.json_text import pretty

JSON = Mapping[str, Any]


class Section(StrEnum):
    """In the order in which they are shown."""

    ENTITIES = "entities"
    TRAFFIC = "traffic"
    ENVIRONMENT = "environment"
    GATEWAY = "gateway"
    LIMITS = "limits"
    GUARDRAILS = "guardrails"
    TABLES = "tables"
    TELEMETRY = "telemetry"
    NOTIFICATIONS = "notifications"
    TAGS = "tags"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fact:
    """`entity` is the served entity it is of, or empty. `value` is what Databricks wrote: a word,
    a number, yes or no, or a list of such."""

    section: Section
    entity: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Line:
    """One setting in both; None is "not set". `secret` says that only masks could be compared,
    and that the values behind them are known to differ."""

    section: Section
    entity: str
    name: str
    before: Any
    after: Any
    secret: bool = False

    @property
    def differs(self) -> bool:
        return self.secret or not _same(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Comparison:
    lines: Sequence[Line]

    @property
    def changed(self) -> list[Line]:
        return [line for line in self.lines if line.differs]

    @property
    def same(self) -> list[Line]:
        return [line for line in self.lines if not line.differs]

    @property
    def sections(self) -> list[tuple[Section, list[Line]]]:
        return by_section(self.lines)


def by_section(lines: Iterable[Line]) -> list[tuple[Section, list[Line]]]:
    return [(key, list(group)) for key, group in groupby(lines, lambda line: line.section)]


def compare(
    before: JSON,
    after: JSON,
    *,
    secrets_before: Mapping[str, str] | None = None,
    secrets_after: Mapping[str, str] | None = None,
) -> Comparison:
    """`secrets_…` are digests of masked values by "entity/NAME"."""
    lines: list[Line] = []
    for ours, theirs in [*_entity_pairs(before, after), (_rest(before), _rest(after))]:
        entity = " → ".join(dict.fromkeys(name for name in (ours.entity, theirs.entity) if name))
        for key in [*ours.facts, *(key for key in theirs.facts if key not in ours.facts)]:
            section, name = key
            if name == NAME and ours.entity and theirs.entity == ours.entity:
                continue  # it stands above its settings
            old, new = (secrets_before or {}), (secrets_after or {})
            digests = old.get(f"{ours.entity}/{name}"), new.get(f"{theirs.entity}/{name}")
            known = section is Section.ENVIRONMENT and all(digests)
            lines.append(
                Line(
                    section,
                    entity,
                    name,
                    ours.facts.get(key),
                    theirs.facts.get(key),
                    secret=known and digests[0] != digests[1],
                )
            )
    places = list(Section)
    lines.sort(key=lambda line: places.index(line.section))
    return Comparison(lines)


def brief(comparison: Comparison, *, most: int = 3, longest: int = 80) -> list[list[Any]]:
    """The first differences, small enough to be kept beside a version. That an entity has another
    name comes last: it usually follows from its version."""
    changed = sorted(comparison.changed, key=lambda line: line.name == NAME)
    return [
        [line.section.value, line.entity[:longest], line.name[:longest]]
        + [_short(value, longest) for value in (line.before, line.after)]
        for line in changed[:most]
    ]


def _short(value: Any, longest: int) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) > longest:
        return value[: longest - 1] + "…"
    return value


# Facts -----------------------------------------------------------------------------------------

Facts = dict[tuple[Section, str], Any]
NAME: Final = "name"


@dataclass(frozen=True, slots=True)
class _Part:
    """A served entity, or with an empty name all that is of none."""

    entity: str
    facts: Facts
    serves: str = ""


def facts(content: JSON) -> list[Fact]:
    """All settings of one content, section by section."""
    found = [
        Fact(section, part.entity, name, value)
        for part in [*_entities(content), _rest(content)]
        for (section, name), value in part.facts.items()
        if not (part.entity and name == NAME)
    ]
    places = list(Section)
    return sorted(found, key=lambda fact: places.index(fact.section))


def _entities(content: JSON) -> list[_Part]:
    listed = _object(content.get("config")).get("served_entities")
    parts: list[_Part] = []
    for number, item in enumerate(listed if isinstance(listed, list) else (), start=1):
        entity = _object(item) or {"": item}
        found: Facts = {}
        for key, value in entity.items():
            if key == "environment_vars" and isinstance(value, dict):
                for name, text in value.items():
                    _put(found, Section.ENVIRONMENT, name, text)
            elif key not in STATE and key != "name":
                _flatten(found, Section.ENTITIES, key, value)
        name = str(entity.get("name") or f"#{number}")
        found[Section.ENTITIES, NAME] = name
        serves = str(entity.get("entity_name") or entity.get("model_name") or "")
        parts.append(_Part(name, found, serves))
    return parts


def _entity_pairs(before: JSON, after: JSON) -> list[tuple[_Part, _Part]]:
    """Matched by name, then by what they serve: unless told otherwise Databricks names them after
    model and version, so that a new version has another name."""
    ours, theirs = _entities(before), _entities(after)
    partners: list[_Part | None] = [None] * len(ours)
    for key in ("entity", "serves"):
        for place, part in enumerate(ours):
            wanted = getattr(part, key)
            if partners[place] is not None or not wanted:
                continue
            found = next((p for p in theirs if getattr(p, key) == wanted), None)
            if found is not None:
                partners[place] = found
                theirs = [part for part in theirs if part is not found]
    nobody = _Part("", {})
    pairs = [(part, mate or nobody) for part, mate in zip(ours, partners, strict=True)]
    return pairs + [(nobody, part) for part in theirs]


def _rest(content: JSON) -> _Part:
    found: Facts = {}
    config = _object(content.get("config"))
    for key, value in config.items():
        if key == "traffic_config" and isinstance(value, dict):
            for name, part in value.items():
                if name == "routes" and isinstance(part, list):
                    _routes(found, part)
                else:
                    _flatten(found, Section.TRAFFIC, name, part)
        elif key == "served_entities" and not isinstance(value, list):
            _flatten(found, Section.OTHER, key, value)
        elif key == "auto_capture_config":
            _flatten(found, Section.TABLES, key, value)
        elif key not in NUMBERED and key not in ("served_entities", "name"):
            _flatten(found, Section.OTHER, key, value)
    for key, value in content.items():
        if key == "config":
            continue
        if key == "tags" and isinstance(value, list):
            _tags(found, value)
        elif key == "ai_gateway" and isinstance(value, dict):
            _gateway(found, value)
        elif key == "rate_limits":
            _limits(found, value)
        else:
            _flatten(found, _SECTIONS.get(key, Section.OTHER), key, value)
    return _Part("", found)


_SECTIONS: Final = {
    "telemetry_config": Section.TELEMETRY,
    "email_notifications": Section.NOTIFICATIONS,
}


def _routes(found: Facts, routes: list[Any]) -> None:
    for route in routes:
        item = dict(_object(route)) or {"": route}
        new, old = item.get("served_entity_name"), item.get("served_model_name")
        name = new or old
        for key in ("served_entity_name", "served_model_name"):
            if item.get(key) == name:
                item.pop(key, None)
        share = item.pop("traffic_percentage", None)
        _put(found, Section.TRAFFIC, str(name or "–"), share if share is not None else "–")
        for key, value in item.items():
            _flatten(found, Section.TRAFFIC, f"{name}.{key}", value)


def _tags(found: Facts, tags: list[Any]) -> None:
    for tag in tags:
        item = dict(_object(tag)) or {"": tag}
        key = item.pop("key", "")
        value = item.pop("value", None)
        if isinstance(value, list | dict):
            _flatten(found, Section.TAGS, str(key), value)
        else:
            _put(found, Section.TAGS, str(key), True if value in (None, "") else value)
        for name, value in item.items():
            _flatten(found, Section.TAGS, f"{key}.{name}", value)


def _gateway(found: Facts, gateway: dict[str, Any]) -> None:
    for key, value in gateway.items():
        match key:
            case "rate_limits":
                _limits(found, value)
            case "guardrails":
                _flatten(found, Section.GUARDRAILS, "guardrails", value)
            case "inference_table_config":
                _flatten(found, Section.TABLES, key, value)
            case _:
                _flatten(found, Section.GATEWAY, key, value)


def _limits(found: Facts, limits: Any) -> None:
    """Of each what it counts and for whom: "calls.user", "tokens.user_group.analysts"."""
    if not isinstance(limits, list):
        _flatten(found, Section.LIMITS, "rate_limits", limits)
        return
    for limit in limits:
        item = dict(_object(limit)) or {"": limit}
        per, whose, period = (item.pop(k, None) for k in ("key", "principal", "renewal_period"))
        whom = ".".join(str(part) for part in (per or "endpoint", whose) if part)
        for what, number in item.items():
            text = f"{number} / {period}" if period else number
            _put(found, Section.LIMITS, f"{what}.{whom}", text)
        if not item:
            _put(found, Section.LIMITS, f"none.{whom}", f"– / {period}")


def _flatten(found: Facts, section: Section, name: str, value: Any) -> None:
    """Dotted names down to what is no object; unset and empty is as absent."""
    stack: list[tuple[str, Any]] = [(name, value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, dict):
            stack += [(f"{path}.{key}", part) for key, part in reversed(item.items())]
        elif isinstance(item, list) and any(isinstance(part, list | dict) for part in item):
            numbered = list(enumerate(item, start=1))
            stack += [(f"{path}.{number}", part) for number, part in reversed(numbered)]
        else:
            _put(found, section, path, item)


def _put(found: Facts, section: Section, name: str, value: Any) -> None:
    """Under a name of its own: what is given twice is shown twice."""
    if value in (None, "") or value == []:
        return
    unique, number = name, 1
    while (section, unique) in found:
        number += 1
        unique = f"{name} ({number})"
    found[section, unique] = value


def _same(before: Any, after: Any) -> bool:
    """`1` and `true` are equal in Python, not in JSON."""
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# Lines -----------------------------------------------------------------------------------------

MOST_LINES: Final = 3_000
WHOLE: Final = 200  # lines up to which everything is shown, not only what is around a change


@dataclass(frozen=True, slots=True)
class Raw:
    """A unified diff: "+", "-", " " or "@" for each line; `left_out` lines were not compared."""

    lines: Sequence[tuple[str, str]]
    left_out: int = 0


def raw(before: Any, after: Any) -> Raw:
    old, new = pretty(before).splitlines(), pretty(after).splitlines()
    left_out = max(0, len(old) - MOST_LINES) + max(0, len(new) - MOST_LINES)
    context = WHOLE if max(len(old), len(new)) <= WHOLE else 3
    return Raw(list(_unified(old[:MOST_LINES], new[:MOST_LINES], context)), left_out)


def _unified(old: list[str], new: list[str], context: int) -> Iterator[tuple[str, str]]:
    if old == new:
        yield from ((" ", line) for line in new[:WHOLE])
        return
    diff = difflib.unified_diff(old, new, n=context, lineterm="")
    next(diff), next(diff)  # the names of files
    for line in diff:
        if line.startswith("@@"):
            if context < WHOLE:
                yield "@", line
        else:
            yield line[0], line[1:]
