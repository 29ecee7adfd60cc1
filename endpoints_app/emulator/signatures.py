"""What a served entity takes and gives: the same for the same model and version.

The task of an endpoint tells it, else the model's own signature. Some models were logged without
one: they take whatever comes, and have no query schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from endpoints_app.emulator.endpoint import Endpoint, Entity


class Kind(StrEnum):
    FRAME = "frame"
    TENSOR = "tensor"  # one, without a name
    TENSORS = "tensors"  # several, by name
    FEATURES = "features"  # looked up by their keys
    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    ANYTHING = "anything"  # no signature


TASKS = {
    "llm/v1/chat": Kind.CHAT,
    "llm/v1/completions": Kind.COMPLETIONS,
    "llm/v1/embeddings": Kind.EMBEDDINGS,
    "agent/v1/chat": Kind.CHAT,
    "agent/v1/responses": Kind.RESPONSES,
}


@dataclass(frozen=True)
class Column:
    """`type` is long, double, string, boolean, datetime, array or map, as MLflow names them."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True)
class Signature:
    """`columns`: of a frame, or the keys of features. `shape`: of one row of a tensor; tensors by
    name are `columns` of that shape. `params`: a name with its default."""

    kind: Kind
    columns: tuple[Column, ...] = ()
    shape: tuple[int, ...] = ()
    params: tuple[tuple[str, float], ...] = ()
    labels: tuple[str, ...] = ()  # of a classifier; else numbers come back


SALT = "signature 1733"
"""Any would do; with this one the first two dozen endpoints of each company show every kind."""


def of(endpoint: Endpoint, entity: Entity) -> Signature:
    if kind := TASKS.get(endpoint.task or ""):
        return Signature(kind)
    model = str(entity.fields.get("entity_name", entity.name))
    random = Random(f"{model}/{SALT}")
    if entity.fields.get("type") == "FEATURE_SPEC":
        return Signature(Kind.FEATURES, (Column(f"{model.rpartition('.')[2]}_id", "string"),))
    chance = random.random()
    if chance < 0.12:
        return Signature(Kind.ANYTHING)
    if chance < 0.22:
        return Signature(Kind.TENSOR, shape=random.choice(((4,), (6,), (8, 8))))
    if chance < 0.3:
        return Signature(Kind.TENSORS, TENSORS, shape=(8,))
    return _frame(model, str(entity.fields.get("entity_version", "")), random)


TENSORS = (Column("input_ids", "long"), Column("attention_mask", "long"))

_COLUMNS = (  # what a company's models are asked with
    (
        Column("customer_id", "string"),
        Column("amount", "double"),
        Column("country", "string"),
        Column("age_days", "long"),
        Column("is_new", "boolean"),
        Column("sessions_30d", "long"),
        Column("last_seen", "datetime"),
        Column("discount", "double"),
        Column("category", "string"),
        Column("recent_prices", "array"),
    ),
    (
        Column("site", "string"),
        Column("temperature", "double"),
        Column("wind_speed", "double"),
        Column("hour", "long"),
        Column("holiday", "boolean"),
        Column("load_mw", "double"),
        Column("measured_at", "datetime"),
        Column("voltage_level", "long"),
        Column("season", "string"),
        Column("last_loads", "array"),
    ),
)
_OPTIONAL = (
    Column("channel", "string", required=False),
    Column("comment", "string", required=False),
    Column("context", "map", required=False),
)


def _frame(model: str, version: str, random: Random) -> Signature:
    known = _COLUMNS[model.startswith("lakehouse.")]
    chosen = sorted(random.sample(range(len(known)), random.randint(4, 8)))
    columns = [known[place] for place in chosen]
    number = int(version) if version.isdecimal() else 0
    # Each second version takes one column more, each fifth counts in fractions.
    if number % 2 == 0:
        columns.append(random.choice(_OPTIONAL))
    if number % 5 == 0:
        columns = [
            Column(it.name, "double", it.required) if it.type == "long" else it for it in columns
        ]
    params = (("threshold", 0.5),) if random.random() < 0.4 else ()
    labels = random.choice(((), (), ("low", "medium", "high")))
    return Signature(Kind.FRAME, tuple(columns), params=params, labels=labels)
