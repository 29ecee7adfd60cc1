"""What is kept of a document holds no secret, and nothing that a database refuses."""

import copy
import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from endpoints_app.domain.masking import DEEPEST, MASK, clean, keepable
from tests.databricks_api.documents import SAMPLES, spoiled

REFERENCE = re.compile(r"\{\{secrets/[^{}/\s]+/[^{}/\s]+\}\}")

# JSON allows NUL and lone surrogates.
any_text = st.text(st.characters() | st.sampled_from("\0\ud800\udfff"))
keys = any_text | st.sampled_from(["environment_vars", "openai_api_key_plaintext", "config"])
references = st.sampled_from(["{{secrets/prod/api-key}}", "{{secrets/team\0/key\ud800}}"])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | references,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)
documents = st.dictionaries(keys, any_json, max_size=4) | spoiled()


def texts(value):
    """Every text in it, keys too."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for key, item in value.items():
                yield key
                yield from texts(item)


def environments(value):
    """Every value under `environment_vars`, at any depth."""
    match value:
        case list():
            for item in value:
                yield from environments(item)
        case dict():
            for key, item in value.items():
                if key == "environment_vars":
                    yield item
                else:
                    yield from environments(item)


@given(documents)
@example({"environment_vars": {"NAME\0": "{{secrets/team\0/key\ud800}}"}})
def test_what_is_kept_is_json_that_any_database_takes(document):
    kept = keepable(document)
    json.dumps(kept, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert not any("\0" in text for text in texts(kept))


@given(documents)
def test_keeping_twice_changes_nothing_more(document):
    kept = keepable(document)
    assert keepable(kept) == kept


@given(documents)
def test_the_document_itself_stays_as_it_came(document):
    before = repr(copy.deepcopy(document))
    keepable(document)
    assert repr(document) == before


@given(documents)
@example({"environment_vars": {"KEY": "hunter2", "URL": "{{secrets/a/b}}:hunter2@{{secrets/a/c}}"}})
@example({"environment_vars": "KEY=hunter2"})
@example({"environment_vars": ["KEY=hunter2"]})
def test_of_environment_variables_only_names_and_references_are_kept(document):
    for kept in environments(keepable(document)):
        values = kept.values() if isinstance(kept, dict) else [kept]
        for value in values:
            assert value in (MASK, None) or REFERENCE.fullmatch(value)


CANARY = "hunter2 in {full}"
around = any_text | st.sampled_from(["{{secrets/prod/key}}", "{{secrets/", "}}", "postgres://u:"])
secret_texts = st.builds("{}{}{}".format, around, st.just(CANARY), around)
secrets = st.recursive(
    secret_texts,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(any_text, inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


def test_names_and_references_of_environment_variables_stay():
    variables = {"KEY": "{{secrets/prod/api-key}}", "MODE": "fast", "PORT": 8080, "NONE": None}
    assert keepable({"config": {"environment_vars": variables}}) == {
        "config": {
            "environment_vars": {
                "KEY": "{{secrets/prod/api-key}}",
                "MODE": MASK,
                "PORT": MASK,
                "NONE": MASK,
            }
        }
    }
    assert keepable({"environment_vars": None}) == {"environment_vars": None}


@given(
    secrets,
    st.sampled_from(["environment_vars", "openai_api_key_plaintext", "token_plaintext"]),
    st.integers(0, 5),
)
@example({"URL": "{{secrets/a/b}}" + CANARY + "{{secrets/c/d}}"}, "environment_vars", 0)
@example(CANARY, "environment_vars", 0)
def test_a_secret_in_its_place_never_survives(secret, place, depth):
    document = {place: secret}
    for _ in range(depth):
        document = {"served_entities": [document]}
    assert not any(CANARY in text for text in texts(keepable(document)))


@pytest.mark.parametrize("document", SAMPLES)
def test_an_ordinary_document_is_kept_as_it_is_but_for_plain_variables(document):
    expected = json.loads(json.dumps(document).replace('"MODE": "fast"', f'"MODE": "{MASK}"'))
    assert keepable(document) == expected


@pytest.mark.parametrize("depth", [DEEPEST + 1, 50_000])
def test_bottomless_nesting_is_cut_off(depth):
    bottomless = []
    for _ in range(depth):
        bottomless = [bottomless]
    kept = keepable({"config": bottomless})
    assert json.dumps(kept).count("[") <= DEEPEST


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_nothing(number):
    assert keepable({"price": [number, 1.5]}) == {"price": [None, 1.5]}


@given(any_text)
def test_clean_text_is_storable_and_harmless_text_is_untouched(text):
    kept = clean(text)
    kept.encode("utf-8")
    assert "\0" not in kept
    assert clean(kept) == kept
    if "\0" not in text and not re.search("[\ud800-\udfff]", text):
        assert kept == text
