"""Holds documents and requests to a kept OpenAPI validator, in a process of its own.

A document is somebody else's text: large ones take the validator half a minute, a pattern may take
it for ever, and a reference could have it fetch an address. So it works on a copy without outer
references, in a child with limited processor time and memory; what it had found by then counts.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from endpoints_app.services import places

CPU_SECONDS = 3
PATIENCE = 7.0  # seconds that somebody waits for it: a busy machine gives it less than a processor
MOST = 20
MEMORY = 1_500_000_000
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """`whole` is False when its processor time was over, or the validator itself failed, before
    the end: it would be so again."""

    findings: tuple[Finding, ...]
    whole: bool


class Busy(Exception):
    """Something else takes its time just now, or the machine had none for this: come again."""


def document(text: str, *, seconds: int = CPU_SECONDS) -> Checked:
    """What is wrong with an OpenAPI document. Raises Busy."""
    return _checked({"document": text}, seconds)


def value(text: str, schema: dict[str, Any], value: Any, *, seconds: int = CPU_SECONDS) -> Checked:
    """What of `value` does not fit `schema`, whose references are into the document `text`.
    Raises Busy."""
    return _checked({"document": text, "schema": schema, "value": value}, seconds)


def _checked(task: dict[str, Any], seconds: int) -> Checked:
    if not places.LONG.acquire(blocking=False):
        raise Busy
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-I", "-c", _PROGRAM, str(ROOT), str(seconds)],
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise Busy from None
    finally:
        places.LONG.release()
    return _read(done.stdout)


_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from endpoints_app.services.schema_check import main; main(int(sys.argv[2]))"
)
_END = "end"


def _read(said: bytes) -> Checked:
    lines = said.decode("utf-8", "replace").split("\n")[:-1]  # the last may be half a line
    found = tuple(Finding(*json.loads(line)) for line in lines if line != _END)
    return Checked(found[:MOST], whole=_END in lines)


# ── the child ───────────────────────────────────────────────────────────────────────────────────


def main(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    task = json.load(sys.stdin)
    whole = json.loads(task["document"].lstrip("\ufeff"))
    whole = json.loads(whole) if isinstance(whole, str) else whole
    outer = _cut_loose(whole)
    if "schema" not in task:
        for where in outer:
            _say(where, "refers to something outside the document, which is not followed")
        found = _of_document(whole)
    else:
        _cut_loose(task["schema"])
        found = _of_value(whole, task["schema"], task["value"])
    for number, (where, what) in enumerate(found, len(outer)):
        if number >= MOST:
            break
        _say(where, what)
    print(_END, flush=True)  # noqa: T201


def _say(where: str, what: str) -> None:
    print(json.dumps([where[:300], what[:300]]), flush=True)  # noqa: T201


def _of_document(whole: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from openapi_spec_validator import (
        OpenAPIV2SpecValidator,
        OpenAPIV30SpecValidator,
        OpenAPIV31SpecValidator,
        OpenAPIV32SpecValidator,
    )

    version = str(whole.get("openapi") or whole.get("swagger") or "")
    known = {
        "2.": OpenAPIV2SpecValidator,
        "3.0": OpenAPIV30SpecValidator,
        "3.1": OpenAPIV31SpecValidator,
        "3.2": OpenAPIV32SpecValidator,
    }
    validator = next((each for start, each in known.items() if version.startswith(start)), None)
    if validator is None:
        yield "openapi", f"{version or 'nothing'} is not a version that can be checked"
        return
    for error in validator(whole).iter_errors():
        yield _path(error.absolute_path), error.message


def _of_value(
    whole: dict[str, Any], schema: dict[str, Any], value: Any
) -> Iterator[tuple[str, str]]:
    from openapi_schema_validator import OAS30Validator, OAS31Validator
    from referencing import Registry

    old = str(whole.get("openapi", "")).startswith("3.0")
    validator = OAS30Validator if old else OAS31Validator
    rooted = {**whole, "x-checked": schema, "$ref": "#/x-checked"}
    checks = validator(rooted, format_checker=_formats(), registry=Registry())
    for error in sorted(checks.iter_errors(value), key=lambda each: len(each.absolute_path)):
        deepest = error
        while deepest.context:
            # Of a choice, the branch that came furthest says what is wrong.
            deepest = max(deepest.context, key=lambda each: len(each.absolute_path))
        yield _path(deepest.absolute_path), deepest.message


def _formats() -> Any:
    """Those of OpenAPI, but a moment may lack its zone, as in the examples that come with the
    document: models read it as pandas does."""
    from openapi_schema_validator import oas30_format_checker

    formats = type(oas30_format_checker)(())
    formats.checkers = dict(oas30_format_checker.checkers)
    formats.checks("date-time", raises=ValueError)(
        lambda value: not isinstance(value, str) or bool(datetime.fromisoformat(value))
    )
    return formats


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _cut_loose(whole: Any) -> list[str]:
    """Take out all that could make a validator look elsewhere; where that was."""
    outer, todo = [], [(whole, "")]
    while todo:
        found, path = todo.pop()
        if isinstance(found, dict):
            for key in ("$id", "$schema", "jsonSchemaDialect", "$dynamicRef", "$recursiveRef"):
                if isinstance(found.get(key), str):
                    del found[key]
            reference = found.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                del found["$ref"]
                outer.append(path)
            todo += [(inner, f"{path}.{key}" if path else key) for key, inner in found.items()]
        elif isinstance(found, list):
            todo += [(inner, f"{path}[{number}]") for number, inner in enumerate(found)]
    return outer[:MOST]
