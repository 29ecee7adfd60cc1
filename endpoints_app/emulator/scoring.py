"""The scoring server of a custom model: does the body fit its signature, and what comes back.

The answer is plausible, not intelligent, and the same for the same row. What does not fit is
refused in the words of MLflow's server.
"""

from __future__ import annotations

import hashlib
from typing import Any

from endpoints_app.emulator import examples
from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.errors import Refusal, bad_request
from endpoints_app.emulator.signatures import Column, Kind, Signature

INPUTS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_BESIDE = {"params", "client_request_id", "usage_context", "databricks_options"}


def answer(name: str, signature: Signature, body: dict[str, Any]) -> dict[str, Any]:
    """`name` is the served entity's. Raises Refusal for a body that does not fit."""
    given = [key for key in INPUTS if key in body]
    unknown = sorted(body.keys() - set(INPUTS) - _BESIDE)
    if len(given) != 1 or unknown:
        raise bad_request(
            "Invalid input. The input must be a JSON dictionary with exactly one of the input "
            f"fields {set(INPUTS)}. Received dictionary with input fields: "
            f"{sorted(body.keys() - _BESIDE)}."
        )
    params = _params(signature, body.get("params"))
    rows = _rows(given[0], body[given[0]])
    check = _CHECKS.get(signature.kind)
    if check:
        rows = check(signature, rows)
    if signature.kind is Kind.FEATURES:
        return {"outputs": [_features(signature, row) for row in rows]}
    return {"predictions": [_score(name, signature, [row, params]) for row in rows]}


# The forms -------------------------------------------------------------------------------------


def _rows(form: str, sent: Any) -> list[Any]:
    """One item for each row: an object by column, a tensor, or whatever was sent."""
    if form == "dataframe_split":
        return _split(sent)
    if form == "inputs" and isinstance(sent, dict):
        return _columns(sent)
    if not isinstance(sent, list):
        raise _unreadable(f"'{form}' must be a list")
    if form == "dataframe_records" and not all(isinstance(row, dict) for row in sent):
        raise _unreadable("'dataframe_records' must be a list of objects")
    return sent


def _split(sent: Any) -> list[Any]:
    if not isinstance(sent, dict) or not isinstance(sent.get("data"), list):
        raise _unreadable("'dataframe_split' must be an object with 'columns' and 'data'")
    rows, columns = sent["data"], sent.get("columns")
    if not all(isinstance(row, list) for row in rows):
        raise _unreadable("'data' must be a list of rows")
    if columns is None:
        return list(rows)
    for row in rows:
        if len(row) != len(columns):
            raise _unreadable(f"{len(columns)} columns passed, passed data had {len(row)} columns")
    return [dict(zip(map(str, columns), row, strict=True)) for row in rows]


def _columns(sent: dict[str, Any]) -> list[Any]:
    lengths = {len(values) for values in sent.values() if isinstance(values, list)}
    if len(lengths) != 1 or not all(isinstance(values, list) for values in sent.values()):
        raise _unreadable("All arrays of 'inputs' must be of the same length")
    return [
        {name: values[place] for name, values in sent.items()} for place in range(lengths.pop())
    ]


def _unreadable(why: str) -> Refusal:
    return bad_request(
        f"Failed to parse input as a Pandas DataFrame. Ensure that the input is valid: {why}."
    )


# What a signature asks for ---------------------------------------------------------------------


def _check_frame(signature: Signature, rows: list[Any]) -> list[Any]:
    """Further columns are left out, as MLflow does."""
    columns = {column.name: column for column in signature.columns}
    for row in rows:
        if not isinstance(row, dict):
            raise _misfit(f"Expected input to be a DataFrame. Found: {type(row).__name__}.")
        missing = [name for name, it in columns.items() if it.required and name not in row]
        if missing:
            raise _misfit(f"Model is missing inputs {missing}.")
        for name, column in columns.items():
            if name in row and not _is(column, row[name]):
                raise _misfit(
                    f"Incompatible input types for column {name}. Can not safely convert "
                    f"{type(row[name]).__name__} to {column.type}."
                )
    return [{name: row[name] for name in columns if name in row} for row in rows]


def _check_tensor(signature: Signature, rows: list[Any]) -> list[Any]:
    for row in rows:
        found = _shape(row)
        if found != signature.shape:
            raise _misfit(
                f"Shape of input {(1, *(found or ()))} does not match expected shape "
                f"{(-1, *signature.shape)}."
            )
    return rows


def _check_tensors(signature: Signature, rows: list[Any]) -> list[Any]:
    names = [column.name for column in signature.columns]
    for row in rows:
        if not isinstance(row, dict):
            raise _misfit(f"Model requires named inputs {names}.")
        missing = [name for name in names if name not in row]
        if missing:
            raise _misfit(f"Model is missing inputs {missing}.")
        _check_tensor(signature, [row[name] for name in names])
    return rows


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of nested lists of numbers; None where they are ragged or hold something else."""
    if isinstance(value, int | float):
        return ()
    if not isinstance(value, list):
        return None
    inner = {_shape(item) for item in value}
    if len(inner) != 1 or None in inner:
        return None
    (of_all,) = inner
    return None if of_all is None else (len(value), *of_all)


def _is(column: Column, value: Any) -> bool:
    if value is None:
        return not column.required or column.type in ("double", "string", "datetime")
    match column.type:
        case "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list) and all(isinstance(it, int | float) for it in value)
        case "map":
            return isinstance(value, dict)
    return isinstance(value, str)


def _params(signature: Signature, sent: Any) -> dict[str, float]:
    """Unknown ones are ignored, as MLflow does."""
    if sent is not None and not isinstance(sent, dict):
        raise bad_request("The 'params' field must be a dictionary.")
    found = {}
    for name, default in signature.params:
        value = (sent or {}).get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_request(
                f"Failed to convert value {value!r} from type {type(value).__name__} to "
                f"DataType.double for param '{name}'."
            )
        found[name] = value
    return found


def _misfit(why: str) -> Refusal:
    return bad_request(f"Failed to enforce schema of data with the model's signature. Error: {why}")


_CHECKS = {
    Kind.FRAME: _check_frame,
    Kind.FEATURES: _check_frame,
    Kind.TENSOR: _check_tensor,
    Kind.TENSORS: _check_tensors,
}

# Answers ---------------------------------------------------------------------------------------


def _score(name: str, signature: Signature, asked: Any) -> float | str:
    score = _chance(name, asked)
    if signature.labels:
        return signature.labels[int(score * len(signature.labels))]
    return round(score, 4)


def _features(signature: Signature, row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {column.name: row[column.name] for column in signature.columns}
    for name, kind in examples.FEATURES.items():
        chance = _chance(name, row)
        if kind == "string":
            found[name] = ("north", "south", "east", "west")[int(chance * 4)]
        else:
            found[name] = int(chance * 50_000) if kind == "long" else round(chance * 40, 2)
    return found


def _chance(*parts: Any) -> float:
    """From 0 to 1, the same for the same parts."""
    digest = hashlib.sha256(dumps(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
