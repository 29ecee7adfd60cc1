"""The kind of an endpoint is told from what it serves first; hints come after."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.databricks_api import wire
from endpoints_app.domain.kind import Kind, classify
from tests.databricks_api.documents import DOCUMENTED, EXTERNAL, FOUNDATION, LISTED, spoiled


@dataclass(frozen=True)
class Entity:
    type: str | None = None
    entity_name: str | None = None
    entity_version: str | None = None
    external_provider: str | None = None
    foundation_name: str | None = None
    min_provisioned_throughput: int | None = None
    max_provisioned_throughput: int | None = None
    provisioned_model_units: int | None = None


MODEL = Entity(type="UC_MODEL", entity_name="ml.prod.churn", entity_version="3")
REGISTRY_MODEL = Entity(entity_name="churn", entity_version="3")
LLAMA = Entity(type="UC_MODEL", entity_name="system.ai.llama", entity_version="1")
PAY_PER_TOKEN = Entity(type="FOUNDATION_MODEL", foundation_name="system.ai.llama")
OPENAI = Entity(type="EXTERNAL_MODEL", external_provider="openai")
FEATURES = Entity(type="FEATURE_SPEC", entity_name="ml.prod.customer_features")
NAMELESS = Entity()

KINDS = {
    # name: (entities, endpoint_type, task, tile) → kind
    "custom model": ([MODEL], None, None, False, Kind.CUSTOM),
    "custom model of the workspace registry": ([REGISTRY_MODEL], None, None, False, Kind.CUSTOM),
    "custom model with a task": ([MODEL], None, "llm/v1/chat", False, Kind.CUSTOM),
    "two custom models": ([MODEL, MODEL], None, None, False, Kind.CUSTOM),
    "agent answering responses": ([MODEL], None, "agent/v1/responses", False, Kind.AGENT),
    "agent answering chat": ([MODEL], None, "agent/v1/chat", False, Kind.AGENT),
    "platform agent": ([], None, "agent/v1/responses", True, Kind.PLATFORM_AGENT),
    "platform agent known by its tile alone": ([], None, None, True, Kind.PLATFORM_AGENT),
    "platform agent known by its task alone": (
        [], None, "agent/v1/responses", False, Kind.PLATFORM_AGENT,
    ),
    "platform agent that names what it runs": (
        [MODEL], None, "agent/v1/responses", True, Kind.PLATFORM_AGENT,
    ),
    "pay-per-token": (
        [PAY_PER_TOKEN], "FOUNDATION_MODEL_API", "llm/v1/chat", False, Kind.FOUNDATION,
    ),
    "pay-per-token known by the type of its entity": (
        [Entity(type="FOUNDATION_MODEL")], None, None, False, Kind.FOUNDATION,
    ),
    "pay-per-token known by its foundation model": (
        [Entity(foundation_name="system.ai.llama")], None, None, False, Kind.FOUNDATION,
    ),
    "pay-per-token known by endpoint_type alone": (
        [], "FOUNDATION_MODEL_API", None, False, Kind.FOUNDATION,
    ),
    "provisioned by minimum": (
        [replace(MODEL, min_provisioned_throughput=0)], None, None, False, Kind.PROVISIONED,
    ),
    "provisioned by maximum": (
        [replace(MODEL, max_provisioned_throughput=970)], None, None, False, Kind.PROVISIONED,
    ),
    "provisioned by model units": (
        [replace(MODEL, provisioned_model_units=50)], None, None, False, Kind.PROVISIONED,
    ),
    "provisioned, as a list shows it": ([LLAMA], None, "llm/v1/chat", False, Kind.PROVISIONED),
    "foundation model with throughput of its own": (
        [replace(PAY_PER_TOKEN, provisioned_model_units=50)], None, None, False, Kind.PROVISIONED,
    ),
    "external model": ([OPENAI], "EXTERNAL_MODEL", "llm/v1/chat", False, Kind.EXTERNAL),
    "external model known by the type of its entity": (
        [Entity(type="EXTERNAL_MODEL")], None, None, False, Kind.EXTERNAL,
    ),
    "external model known by its provider": (
        [Entity(external_provider="openai")], None, None, False, Kind.EXTERNAL,
    ),
    "external model known by endpoint_type alone": (
        [], "EXTERNAL_MODEL", "llm/v1/chat", False, Kind.EXTERNAL,
    ),
    "feature spec": ([FEATURES], None, None, False, Kind.FEATURE_SPEC),
    "feature spec without type": (
        [replace(FEATURES, type=None)], None, None, False, Kind.FEATURE_SPEC,
    ),
    "model without a version": (
        [replace(MODEL, entity_version=None)], None, None, False, Kind.CUSTOM,
    ),
    "feature spec with a version": (
        [replace(FEATURES, entity_version="1")], None, None, False, Kind.FEATURE_SPEC,
    ),
    # Entities first
    "entity against endpoint_type": ([MODEL], "EXTERNAL_MODEL", None, False, Kind.CUSTOM),
    "entity against an agent's task": (
        [OPENAI], None, "agent/v1/responses", False, Kind.EXTERNAL,
    ),
    "a telling entity after one that says nothing": (
        [NAMELESS, OPENAI], None, None, False, Kind.EXTERNAL,
    ),
    "endpoint_type where the entity says nothing": (
        [NAMELESS], "EXTERNAL_MODEL", None, False, Kind.EXTERNAL,
    ),
    "endpoint_type before task": (
        [], "EXTERNAL_MODEL", "agent/v1/responses", False, Kind.EXTERNAL,
    ),
    # What we have not met
    "no configuration": ([], None, None, False, Kind.UNKNOWN),
    "only a task that many kinds have": ([], None, "llm/v1/chat", False, Kind.UNKNOWN),
    "an entity that says nothing": ([NAMELESS], None, "agent/v1/chat", False, Kind.UNKNOWN),
    "an endpoint_type never met": ([], "QUANTUM_MODEL", None, False, Kind.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(
    ("entities", "endpoint_type", "task", "tile", "kind"), KINDS.values(), ids=KINDS.keys()
)
def test_every_kind_is_told_by_its_marks(entities, endpoint_type, task, tile, kind):
    assert classify(entities, endpoint_type=endpoint_type, task=task, tile=tile) is kind


words = st.none() | st.text()
numbers = st.none() | st.integers()


@given(
    st.lists(
        st.builds(Entity, words, words, words, words, words, numbers, numbers, numbers), max_size=3
    ),
    words,
    words,
    st.booleans(),
)
def test_anything_has_a_kind(entities, endpoint_type, task, tile):
    assert classify(entities, endpoint_type=endpoint_type, task=task, tile=tile) in Kind


def read(document):
    endpoint = wire.Endpoint.parse(document)
    entities = endpoint.config.entities if endpoint.config else ()
    return classify(entities, endpoint_type=endpoint.endpoint_type, task=endpoint.task, tile=False)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (DOCUMENTED, Kind.CUSTOM),
        (LISTED, Kind.CUSTOM),
        (EXTERNAL, Kind.EXTERNAL),
        (FOUNDATION, Kind.FOUNDATION),
    ],
)
def test_documented_and_recorded_answers_have_the_kind_people_expect(document, kind):
    assert read(document) is kind


@given(spoiled())
def test_a_spoiled_document_still_has_a_kind(document):
    assert read(document) in Kind


def test_custom_models_can_be_stopped_and_what_we_cannot_tell():
    assert {kind for kind in Kind if kind.can_stop} == {
        Kind.CUSTOM,
        Kind.AGENT,
        Kind.PROVISIONED,
        Kind.UNKNOWN,
    }


def test_a_kind_is_found_by_its_stored_value():
    assert all(Kind(kind.value) is kind for kind in Kind)
