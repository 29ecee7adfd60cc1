"""The query schema of an endpoint: an OpenAPI document made from its models' signatures.

Shaped as the one that Databricks' documentation shows, with its oddities: `default` as a string
on a number, an example in the first input format only, `format: unknown`.
"""

from __future__ import annotations

from typing import Any

from endpoints_app.emulator import examples, signatures
from endpoints_app.emulator.endpoint import READY, Endpoint, Entity
from endpoints_app.emulator.errors import bad_request
from endpoints_app.emulator.routing import BASE, Call, Route
from endpoints_app.emulator.signatures import Kind, Signature

Schema = dict[str, Any]


def schema(call: Call) -> Schema:
    endpoint = call.emulator.world.get(call.name)
    config = endpoint.config
    if endpoint.stopped or endpoint.ready != READY:
        raise bad_request(
            f"The schema of endpoint '{call.name}' is not available: it is not ready."
        )
    if config is None or not config.entities:
        raise bad_request(f"Endpoint '{call.name}' has no schema: it serves no model of its own.")
    paths = {
        f"/served-models/{entity.name}/invocations": _path(endpoint, entity)
        for entity in config.entities
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": endpoint.name, "version": str(config.version or 1)},
        "servers": [{"url": f"{call.request.host_url}serving-endpoints/{endpoint.name}"}],
        "paths": paths,
    }


def _path(endpoint: Endpoint, entity: Entity) -> Schema:
    if entity.fields.get("type") == "EXTERNAL_MODEL":
        raise bad_request(f"Endpoint '{endpoint.name}' has no schema: its model is external.")
    signature = signatures.of(endpoint, entity)
    if signature.kind is Kind.ANYTHING:
        raise bad_request(f"Served entity '{entity.name}' has no schema: no model signature.")
    inputs = _INPUTS[signature.kind](signature)
    takes = inputs[0] if len(inputs) == 1 else {"oneOf": inputs}
    return {
        "post": {
            "requestBody": {"content": {"application/json": {"schema": takes}}},
            "responses": {
                "200": {
                    "description": "Successful operation",
                    "content": {
                        "application/json": {"schema": _OUTPUTS[signature.kind](signature)}
                    },
                }
            },
        }
    }


# What goes in ----------------------------------------------------------------------------------

_TYPES: dict[str, Schema] = {
    "long": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "array": {"type": "array", "items": {"type": "number", "format": "double"}},
    "map": {"type": "object", "format": "unknown"},
}


def _frame(signature: Signature) -> list[Schema]:
    columns = signature.columns
    required = [column.name for column in columns if column.required]
    split = {
        "type": "object",
        "properties": {
            "columns": {
                "description": f"required fields: {', '.join(required)}",
                "type": "array",
                "items": {"type": "string", "enum": [column.name for column in columns]},
            },
            "data": {
                "type": "array",
                "items": {"type": "array", "prefixItems": [_TYPES[it.type] for it in columns]},
            },
        },
    }
    records = {
        "type": "array",
        "items": {
            "required": required,
            "type": "object",
            "properties": {column.name: _TYPES[column.type] for column in columns},
        },
    }
    first = _format("dataframe_split", split, signature)
    first["examples"] = [examples.split(signature)]
    return [first, _format("dataframe_records", records, signature)]


def _format(name: str, takes: Schema, signature: Signature) -> Schema:
    properties: Schema = {name: takes}
    if signature.params:
        properties["params"] = {
            "type": "object",
            "properties": {
                param: {"type": "number", "format": "double", "default": str(default)}
                for param, default in signature.params
            },
        }
    return {"type": "object", "properties": properties}


def _tensor(signature: Signature) -> list[Schema]:
    rows = {"type": "array", "items": _nested(signature.shape, "double")}
    first = _format("instances", rows, signature)
    first["examples"] = [{"instances": [examples.tensor(signature.shape)]}]
    return [first, _format("inputs", rows, signature)]


def _tensors(signature: Signature) -> list[Schema]:
    row = {
        "type": "object",
        "required": [column.name for column in signature.columns],
        "properties": {it.name: _nested(signature.shape, it.type) for it in signature.columns},
    }
    columns = {
        "type": "object",
        "required": [column.name for column in signature.columns],
        "properties": {
            it.name: {"type": "array", "items": _nested(signature.shape, it.type)}
            for it in signature.columns
        },
    }
    return [
        _format("inputs", columns, signature),
        _format("instances", {"type": "array", "items": row}, signature),
    ]


def _nested(shape: tuple[int, ...], of: str) -> Schema:
    """One row: a place for each value where they are few."""
    length, *inner = shape
    if not inner and length <= 8:
        return {"type": "array", "prefixItems": [_TYPES[of]] * length}
    item = _nested(tuple(inner), of) if inner else _TYPES[of]
    return {"type": "array", "minItems": length, "maxItems": length, "items": item}


_MESSAGE: Schema = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "role": {"type": "string", "enum": ["system", "user", "assistant"]},
        "content": {"type": "string"},
    },
}
_SAMPLING: Schema = {
    "max_tokens": {"type": "integer", "format": "int32", "default": 256, "minimum": 1},
    "temperature": {
        "type": "number",
        "format": "double",
        "default": 1.0,
        "minimum": 0,
        "maximum": 2,
        "description": "0 gives the likeliest answer, higher values more surprising ones.",
    },
    "stop": {"type": "array", "items": {"type": "string"}},
    "stream": {"type": "boolean", "default": False},
}


def _chat(signature: Signature) -> list[Schema]:
    return [
        {
            "type": "object",
            "required": ["messages"],
            "properties": {"messages": {"type": "array", "minItems": 1, "items": _MESSAGE}}
            | _SAMPLING
            | {"n": {"type": "integer", "default": 1}},
            "examples": [examples.CHAT],
        }
    ]


def _completions(signature: Signature) -> list[Schema]:
    return [
        {
            "type": "object",
            "required": ["prompt"],
            "properties": {"prompt": _TEXTS} | _SAMPLING,
            "examples": [examples.COMPLETIONS],
        }
    ]


_TEXTS: Schema = {
    "oneOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]
}


def _embeddings(signature: Signature) -> list[Schema]:
    return [
        {
            "type": "object",
            "required": ["input"],
            "properties": {
                "input": _TEXTS,
                "instruction": {"type": ["string", "null"], "description": "Put before each text."},
            },
            "examples": [examples.EMBEDDINGS],
        }
    ]


def _responses(signature: Signature) -> list[Schema]:
    return [
        {
            "type": "object",
            "required": ["input"],
            "properties": {
                "input": {"type": "array", "minItems": 1, "items": _MESSAGE},
                "max_output_tokens": {"type": ["integer", "null"]},
                "temperature": {"type": ["number", "null"]},
                "custom_inputs": {"type": "object", "additionalProperties": True},
                "stream": {"type": "boolean", "default": False},
            },
            "examples": [examples.RESPONSES],
        }
    ]


# What comes out --------------------------------------------------------------------------------


def _predictions(signature: Signature) -> Schema:
    item = {"type": "string", "enum": list(signature.labels)} if signature.labels else _DOUBLE
    return _listed("predictions", item)


def _features(signature: Signature) -> Schema:
    values = {name: _TYPES[kind] for name, kind in examples.FEATURES.items()}
    keys = {column.name: _TYPES[column.type] for column in signature.columns}
    return _listed("outputs", {"type": "object", "properties": keys | values})


def _listed(name: str, item: Schema) -> Schema:
    return {"type": "object", "properties": {name: {"type": "array", "items": item}}}


_DOUBLE: Schema = {"type": "number", "format": "double"}
_USAGE: Schema = {
    "type": "object",
    "properties": {
        name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    },
}


def _choices(name: str, said: Schema) -> Schema:
    choice = {
        "type": "object",
        "properties": {
            "index": {"type": "integer"},
            name: said,
            "finish_reason": {"type": "string", "enum": ["stop", "length"]},
        },
    }
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "object": {"type": "string"},
            "created": {"type": "integer"},
            "model": {"type": "string"},
            "choices": {"type": "array", "items": choice},
            "usage": _USAGE,
        },
    }


def _embedded(signature: Signature) -> Schema:
    item = {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "embedding"},
            "index": {"type": "integer"},
            "embedding": {"type": "array", "items": {"type": "number", "format": "float"}},
        },
    }
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "list"},
            "data": {"type": "array", "items": item},
            "model": {"type": "string"},
            "usage": _USAGE,
        },
    }


def _responded(signature: Signature) -> Schema:
    part = {
        "type": "object",
        "properties": {"type": {"type": "string"}, "text": {"type": "string"}},
    }
    item = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "id": {"type": "string"},
            "role": {"type": "string"},
            "content": {"type": "array", "items": part},
        },
    }
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "object": {"type": "string"},
            "output": {"type": "array", "items": item},
        },
    }


_INPUTS = {
    Kind.FRAME: _frame,
    Kind.FEATURES: _frame,
    Kind.TENSOR: _tensor,
    Kind.TENSORS: _tensors,
    Kind.CHAT: _chat,
    Kind.COMPLETIONS: _completions,
    Kind.EMBEDDINGS: _embeddings,
    Kind.RESPONSES: _responses,
}
_OUTPUTS = {
    Kind.FRAME: _predictions,
    Kind.FEATURES: _features,
    Kind.TENSOR: _predictions,
    Kind.TENSORS: _predictions,
    Kind.CHAT: lambda signature: _choices("message", _MESSAGE),
    Kind.COMPLETIONS: lambda signature: _choices("text", {"type": "string"}),
    Kind.EMBEDDINGS: _embedded,
    Kind.RESPONSES: _responded,
}

ROUTES = [Route("GET", f"{BASE}/{{name}}/openapi", schema)]
