"""Every environment variable that the program reads, found in its source.

`python -m tests.dashboard.variables` prints them, one a line.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from endpoints_app.services.clients import VARIABLES

ROOT = Path(__file__).parents[2]
OF_THE_SYSTEM = {"PATH"}
READERS = ("dashboard/*.py", "endpoints_app/**/*.py")


def read_variables() -> set[str]:
    """Those of a named workspace as `WORKSPACE_<NAME>_…`."""
    found = {f"WORKSPACE_<NAME>_{key}" for key in VARIABLES}
    for pattern in READERS:
        for path in ROOT.glob(pattern):
            found.update(_read_in(ast.parse(path.read_text())))
    return found - OF_THE_SYSTEM


def _read_in(tree: ast.AST) -> Iterator[str]:
    """Names that a reader of the settings, or the environment itself, is asked for."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=reader), args=[ast.Constant(value=str(name)), *_]):
                if reader.startswith("env"):
                    yield name
            case ast.Call(func=ast.Name(id="env_value"), args=[ast.JoinedStr(values=parts), *_]):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "<NAME>"
                    for part in parts
                )
            case ast.Call(
                func=ast.Attribute(value=holder, attr="get" | "getenv"),
                args=[ast.Constant(value=str(name)), *_],
            ) if _is_environment(holder):
                yield name
            case ast.Subscript(
                value=holder, slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) if _is_environment(holder):
                yield name


def _is_environment(node: ast.expr) -> bool:
    """`os`, `os.environ`, or `env`, the name under which it is passed on."""
    return ast.unparse(node) in ("os", "os.environ", "env")


if __name__ == "__main__":
    sys.stdout.write("\n".join(sorted(read_variables())) + "\n")
