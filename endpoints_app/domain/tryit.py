"""A request as a form: an example body whose values can be changed one by one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from endpoints_app.domain.openapi_fields import Field, Presence
from endpoints_app.domain.openapi_values import Json

INPUTS: Final = 100

Steps = tuple[str | int, ...]


class Fault(StrEnum):
    """Why what was typed is no value of its field."""

    NOT_WHOLE = "not_whole"
    NOT_NUMBER = "not_number"
    NOT_BOOLEAN = "not_boolean"
    NOT_JSON = "not_json"
    NEEDED = "needed"


@dataclass(frozen=True, slots=True)
class Input:
    """One control. `steps` lead to its value in the body; `type` is the schema's, else the one of
    the example's value."""

    name: str
    label: str
    steps: Steps
    type: str
    required: bool
    value: str
    choices: tuple[str, ...] = ()
    hint: str = ""
    long: bool = False


def inputs(body: Json, fields: tuple[Field, ...]) -> list[Input]:
    """The values of an example body, in its order; lists of several and empty objects as JSON."""
    known = {field.path: field for field in fields}
    columns = _columns(body)
    found = []
    for number, (steps, value) in enumerate(_leaves(body, ())):
        if number >= INPUTS:
            break
        field = known.get(_path(steps))
        found.append(_input(f"f{number}", steps, value, field, columns))
    return found


def filled(
    body: Json, controls: list[Input], typed: Mapping[str, str]
) -> tuple[Json, dict[str, Fault]]:
    """The body with what was typed, and by name what was no value. An empty optional field is
    left out."""
    made = copy.deepcopy(body)
    faults: dict[str, Fault] = {}
    for control in controls:
        text = typed.get(control.name, "")
        if text.strip() == "" and not (control.required and control.type == "string"):
            if control.required:
                faults[control.name] = Fault.NEEDED
            else:
                _remove(made, control.steps)
            continue
        value = value_of(text, control.type)
        if isinstance(value, Fault):
            faults[control.name] = value
        else:
            _put(made, control.steps, value)
    return made, faults


def value_of(text: str, kind: str) -> Json | Fault:
    """What was typed, as a value of that type."""
    short = text.strip()
    if kind == "string":
        return text.replace("\r\n", "\n")
    if kind == "integer":
        return int(short) if re.fullmatch(r"[+-]?[0-9]{1,400}", short) else Fault.NOT_WHOLE
    if kind == "number":
        number = r"[+-]?([0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})([eE][+-]?[0-9]{1,3})?"
        if not re.fullmatch(number, short):
            return Fault.NOT_NUMBER
        value = float(short)
        return value if abs(value) != float("inf") else Fault.NOT_NUMBER
    if kind == "boolean":
        return {"true": True, "false": False}.get(short.lower(), Fault.NOT_BOOLEAN)
    parsed = from_json(text)
    return Fault.NOT_JSON if isinstance(parsed, NotJson) else parsed


@dataclass(frozen=True, slots=True)
class NotJson:
    line: int
    column: int


def from_json(text: str) -> Json | NotJson:
    """JSON in the narrow sense: without NaN and Infinity, which no other program takes."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as e:
        return NotJson(e.lineno, e.colno)
    except (ValueError, RecursionError):
        return NotJson(1, 1)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _leaves(value: Json, steps: Steps) -> Iterator[tuple[Steps, Json]]:
    """Objects, lists of one object and the one row of a dataframe are gone into."""
    if isinstance(value, dict) and value:
        if value.keys() == {"columns", "data"} and _is_one_row(value):
            for place, cell in enumerate(value["data"][0]):
                yield (*steps, "data", 0, place), cell
            return
        for key, inner in value.items():
            yield from _leaves(inner, (*steps, key))
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and value[0]:
        yield from _leaves(value[0], (*steps, 0))
    elif steps:
        yield steps, value


def _is_one_row(split: dict[str, Json]) -> bool:
    columns, data = split["columns"], split["data"]
    return (
        isinstance(columns, list)
        and isinstance(data, list)
        and len(data) == 1
        and isinstance(data[0], list)
        and len(data[0]) == len(columns)
    )


def _columns(body: Json) -> list[Json]:
    split = body.get("dataframe_split") if isinstance(body, dict) else None
    columns = split.get("columns") if isinstance(split, dict) else None
    return columns if isinstance(columns, list) else []


def _path(steps: Steps) -> str:
    """As fields name it: list places are not told, but the places of a row of a dataframe are."""
    if len(steps) >= 3 and isinstance(steps[-1], int) and isinstance(steps[-2], int):
        return f"{_path(steps[:-2])}[][{steps[-1]}]"
    return ".".join(step for step in steps if isinstance(step, str))


def _input(name: str, steps: Steps, value: Json, field: Field | None, columns: list[Json]) -> Input:
    cell = isinstance(steps[-1], int) and len(steps) >= 3
    label = str(columns[int(steps[-1])]) if cell and columns else _path(steps)
    label = label.removeprefix("dataframe_records.")
    kind = field.type if field and field.type in SIMPLE else _type_of(value)
    text = value if kind == "string" and isinstance(value, str) else json.dumps(value)
    required = field is not None and field.presence is Presence.REQUIRED
    choices = field.enum if field and kind in ("string", "integer", "number") else ()
    hint = ", ".join(part for part in (field.description, field.limits) if part) if field else ""
    return Input(
        name=name,
        label=label[:200],
        steps=steps,
        type=kind,
        required=required or cell,
        value=text,
        choices=("true", "false") if kind == "boolean" else choices,
        hint=hint,
        long=kind == "json" or steps[-1] in ("content", "prompt", "input") or len(text) > 60,
    )


SIMPLE: Final = frozenset({"string", "integer", "number", "boolean"})


def _type_of(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "json"


def _holder(body: Json, steps: Steps) -> Json:
    for step in steps[:-1]:
        body = body[step]
    return body


def _put(body: Json, steps: Steps, value: Json) -> None:
    _holder(body, steps)[steps[-1]] = value


def _remove(body: Json, steps: Steps) -> None:
    holder = _holder(body, steps)
    if isinstance(holder, dict):
        holder.pop(steps[-1], None)
    else:
        holder[steps[-1]] = None
