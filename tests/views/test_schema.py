"""The Schema tab: what it shows, to whom, and what never happens whatever the document holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endpoints_app.domain import openapi
from endpoints_app.middleware import CONTENT_SECURITY_POLICY
from endpoints_app.models import SchemaCopy
from endpoints_app.services import schema, schema_check, upstream
from tests.domain.test_openapi import PUBLIC, public
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

TEXT = (Path(__file__).parents[1] / "fixtures/query-schema.json").read_text()
SCHEMA = json.loads(TEXT)
PATH = "/served-models/vanilla_simple_model-2/invocations"
PAGE = "/w/lab/e/churn/schema/"

Keep = Callable[..., SchemaCopy]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(schema_check, "PATIENCE", 60.0)


@pytest.fixture
def keep(fleet: Fleet) -> Keep:
    """A kept schema of `churn`, as if somebody had looked at it."""

    def kept(document: Any = TEXT, version: int | None = None) -> SchemaCopy:
        endpoint = fleet.endpoint("churn")
        body = document if isinstance(document, str) else json.dumps(document)
        copy, _ = SchemaCopy.objects.update_or_create(
            endpoint=endpoint,
            config_version=endpoint.config_version if version is None else version,
            defaults={
                "first_read_at": fleet.clock.now,
                "read_at": fleet.clock.now,
                "document": body,
                "digest": str(hash(body))[:32],
                "findings": [],
                "checked_whole": True,
            },
        )
        return copy

    return kept


def test_a_kept_schema_is_shown_without_asking_databricks(as_vera: Client, keep: Keep) -> None:
    copy = keep()
    page = soup(as_vera.get(PAGE))
    assert text(page, "#card-1") == "vanilla_simple_model-2"
    assert [a.text for a in page.select(".card nav[aria-label='Input format'] a")] == [
        "dataframe_split",
        "dataframe_records",
    ]
    assert f"config {copy.config_version}" in text(page, ".foot")
    assert one(page, ".tabs a[aria-current]:-soup-contains('Schema')")


def test_an_input_format_is_chosen_by_its_link(as_vera: Client, keep: Keep) -> None:
    keep()
    link = soup(as_vera.get(PAGE)).select_one("a:-soup-contains('dataframe_records')")
    assert link is not None
    page = soup(as_vera.get(PAGE + str(link["href"])))
    rows = {row.th.text: row for row in page.select(".fields")[0].select("tbody tr")}  # type: ignore[union-attr]
    assert "required" in rows["int_col"].text
    assert "integer (int64)" in rows["int_col"].text
    assert "0.5 when absent" in rows["sentiment"].text


def test_the_platforms_own_example_is_rendered_whole(as_vera: Client, keep: Keep) -> None:
    keep()

    def rows(chosen: str) -> list[dict[str, list[str]]]:
        """Per table: field → its type, presence and meaning."""
        page = soup(as_vera.get(PAGE, {"format": chosen}))
        return [
            {
                row.select("th")[0].get_text(): [
                    " ".join(cell.get_text(" ").split()) for cell in row.select("td")
                ]
                for row in table.select("tbody tr")
            }
            for table in page.select("table.fields")
        ]

    sentiment = ["number (double)", "optional", "0.5 when absent"]
    answer = {"predictions": ["array of number", "optional", ""]}
    assert rows("dataframe_records") == [
        {
            "dataframe_records": ["array of object", "optional", ""],
            "int_col": ["integer (int64)", "required", ""],
            "float_col": ["number (double)", "required", ""],
            "string_col": ["string", "required", ""],
            "becx_col": ["object (unknown)", "optional", ""],
            "params": ["object", "optional", ""],
            "sentiment": sentiment,
        },
        answer,
    ]
    assert rows("dataframe_split") == [
        {
            "dataframe_split": ["object", "optional", ""],
            "columns": [
                "array of string",
                "optional",
                "required fields: int_col one of int_col, float_col, string_col",
            ],
            "data": ["array of array of 3", "optional", ""],
            "[][0]": ["integer (int64)", "item", ""],
            "[][1]": ["number (double)", "item", ""],
            "[][2]": ["string", "item", ""],
            "params": ["object", "optional", ""],
            "sentiment": sentiment,
        },
        answer,
    ]
    page = soup(as_vera.get(PAGE))
    assert json.loads(text(page, "pre[aria-label='the example request']")) == {
        "dataframe_split": {
            "columns": ["int_col", "float_col", "string_col"],
            "data": [[3, 10.4, "abc"], [2, 20.4, "xyz"]],
        }
    }
    facts = text(page, "#schema > .facts")
    assert "example-endpoint" in facts
    assert "https://example.databricks.com/serving-endpoints/example-endpoint" in facts


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_a_large_public_document_is_a_bounded_page(
    path: Path,
    as_vera: Client,
    keep: Keep,
) -> None:
    document = public(path)
    copy = keep(document)
    operations = openapi.read(document).operations
    for number in {0, len(operations) // 2, len(operations) - 1}:
        answer = as_vera.get(PAGE, {"op": number})
        assert answer.status_code == 200
        assert len(answer.content) < 1_000_000
        page = soup(answer)
        assert page.select(".card")
        assert len(page.select(".fields tr")) < 1_500
    raw = as_vera.get(f"{PAGE}openapi.json?version={copy.config_version}")
    assert json.loads(raw.content) == document


@pytest.mark.parametrize("absence", schema.Absence)
def test_each_absence_says_why_and_what_to_do(
    absence: schema.Absence, as_vera: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = upstream.Problem("BadRequest", "in their words", 400)
    shown = schema.Shown(None, None, absence, problem, fleet.clock.now)
    monkeypatch.setattr(schema, "read", lambda endpoint, *, now: shown)
    page = soup(as_vera.get(PAGE, {"read": "1"}))
    state = one(page, "#schema [data-state]")
    said = [p for p in state.select("p:not(.bar)") if p.get_text(strip=True)]
    if absence not in (schema.Absence.FAILED, schema.Absence.NOT_ALLOWED):
        assert state["data-absence"] == absence
        assert len(said) == 2
        assert "in their words" in state.get_text()
    assert said
    assert absence is schema.Absence.GONE or state.select("a.btn")


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("curl", "--data-raw"),
        ("python", "import requests"),
        ("mlflow", "get_deploy_client"),
        ("sdk", "WorkspaceClient"),
        ("nonsense", "--data-raw"),
    ],
)
def test_each_snippet_has_a_link(as_vera: Client, keep: Keep, language: str, word: str) -> None:
    keep()
    page = soup(as_vera.get(PAGE, {"snippet": language}))
    assert word in page.text
    assert "dapi" not in page.text


def test_without_a_kept_copy_a_script_reads_it_and_a_link_does_without(
    as_vera: Client, fleet: Fleet
) -> None:
    page = soup(as_vera.get(PAGE))
    assert one(page, "#schema[hx-get*='/schema/part/']")
    assert one(page, "#schema .no-js a[href*='read=1']")


def test_what_changed_since_the_version_before_is_told(as_vera: Client, keep: Keep) -> None:
    newer = keep()
    older = json.loads(TEXT)
    body = older["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    del body["schema"]["oneOf"][1]["properties"]["dataframe_records"]["items"]["properties"][
        "int_col"
    ]
    keep(older, newer.config_version - 1)
    page = soup(as_vera.get(PAGE))
    assert "dataframe_records.int_col" in text(page, "tr[data-change='added'] .mono")
    back = soup(as_vera.get(PAGE, {"version": newer.config_version - 1}))
    assert "An older one" in back.text
    forth = {"version": newer.config_version - 1, "against": newer.config_version}
    assert one(soup(as_vera.get(PAGE, forth)), "tr[data-change='removed']")


def test_the_document_is_given_as_it_came(as_vera: Client, keep: Keep) -> None:
    keep()
    answer = as_vera.get(PAGE + "openapi.json")
    assert answer.content.decode() == TEXT
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    download = as_vera.get(PAGE + "openapi.json?download")
    assert "attachment" in download["Content-Disposition"]


def test_the_viewer_lives_with_the_policy_of_all_pages(as_vera: Client, keep: Keep) -> None:
    keep()
    answer = as_vera.get(PAGE + "viewer/")
    assert answer["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert one(soup(answer), "#viewer")["data-url"].startswith(PAGE + "openapi.json")


def test_findings_are_a_note(as_vera: Client, keep: Keep) -> None:
    copy = keep(SCHEMA | {"info": {}})
    SchemaCopy.objects.filter(pk=copy.pk).update(findings=None)
    assert one(soup(as_vera.get(PAGE)), "#findings[hx-get]")
    note = soup(as_vera.get(PAGE + "findings/"))
    assert "'title' is a required property" in text(note, "#findings")
    assert "'title' is a required property" in text(soup(as_vera.get(PAGE)), "#findings")


@pytest.mark.parametrize("page", ["", "part/", "viewer/", "findings/", "openapi.json", "try/"])
def test_who_has_no_role_here_finds_nothing(as_oscar: Client, keep: Keep, page: str) -> None:
    keep()
    assert as_oscar.get(PAGE + page).status_code == 404


@pytest.mark.parametrize("page", ["viewer/", "findings/", "openapi.json"])
def test_what_was_never_kept_is_not_there(as_vera: Client, fleet: Fleet, page: str) -> None:
    assert as_vera.get(PAGE + page).status_code == 404
    assert as_vera.get(PAGE + "?version=77").status_code == 404


def test_two_thousand_paths_are_a_page_of_links_and_one_card(as_vera: Client, keep: Keep) -> None:
    operation = SCHEMA["paths"][PATH]
    keep(SCHEMA | {"paths": {f"/api/{n}": operation for n in range(2000)}})
    answer = as_vera.get(PAGE)
    page = soup(answer)
    assert len(page.select(".paths a")) == 30
    assert len(page.select(".card")) == 1
    assert len(answer.content) < 200_000
    found = soup(as_vera.get(PAGE, {"q": "/api/1999", "op": "1999"}))
    assert text(found, ".paths [aria-current]") == "POST /api/1999"
    assert soup(as_vera.get(PAGE, {"op": "99999", "p": "99"})).select(".card")


def test_hostile_strings_stay_text(as_vera: Client, keep: Keep) -> None:
    evil = "<script>alert(1)</script>\"'{{ x }}"
    body = {"type": "object", "title": evil, "properties": {evil: {"description": evil}}}
    content = {"application/json": {"schema": {"oneOf": [body, body]}, "example": evil}}
    operation = {"requestBody": {"content": content}, "responses": {evil: {"description": evil}}}
    keep({"openapi": evil, "info": {"title": evil}, "paths": {evil: {"post": operation}}})
    answer = as_vera.get(PAGE)
    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert not [s for s in soup(answer).select("script") if s.text.strip()]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(shape=anything, rest=anything)
def test_no_document_is_an_error_of_ours(
    as_otto: Client, keep: Keep, shape: Any, rest: Any
) -> None:
    content = {"application/json": {"schema": shape, "examples": rest}}
    post = {"requestBody": {"content": content}, "responses": rest, "parameters": [rest]}
    keep({"openapi": rest, "info": rest, "servers": [rest], "paths": {"/a": {"post": post}}})
    for page in ("", "try/"):
        assert as_otto.get(PAGE + page).status_code == 200


# Try it ----------------------------------------------------------------------------------------


def test_a_viewer_may_not_try(as_vera: Client, keep: Keep) -> None:
    keep()
    assert not soup(as_vera.get(PAGE)).select("a[href*='/try/']")
    answer = as_vera.get(PAGE + "try/")
    assert answer.status_code == 403
    assert "operator" in answer.content.decode()
    assert as_vera.post(PAGE + "try/", {}).status_code == 403


def test_a_request_needs_the_forms_token(otto: User, keep: Keep) -> None:
    keep()
    client = Client(enforce_csrf_checks=True)
    client.force_login(otto)
    assert client.post(PAGE + "try/", {}).status_code == 403


def test_the_form_has_a_control_per_column(as_otto: Client, keep: Keep) -> None:
    keep()
    page = soup(as_otto.get(PAGE + "try/", {"format": "dataframe_records"}))
    labels = [label.select_one(".mono").text for label in page.select(".fgrid .field")]  # type: ignore[union-attr]
    assert labels == ["int_col", "float_col", "string_col", "becx_col", "params.sentiment"]


def test_what_does_not_fit_is_told_at_its_field_and_not_sent(as_otto: Client, keep: Keep) -> None:
    keep()
    where = PAGE + "try/?format=dataframe_records"
    typed = {"f0": "one", "f1": "1", "f2": "x", "f3": "{}", "f4": "0.5"}
    answer = as_otto.post(where, typed)
    assert answer.status_code == 422
    page = soup(answer)
    assert one(page, "[name=f0][aria-invalid]")["value"] == "one"
    assert "Not a whole number." in text(page, "#f0-e")
    assert text(page, "#verdict").startswith("Not sent.")


def test_json_is_held_to_the_schema(as_otto: Client, keep: Keep) -> None:
    keep()
    where = PAGE + "try/?format=dataframe_records&as=json"
    for body, said in [
        ('{"dataframe_records": [', "Not JSON: line 1"),
        ("[]", "A request is a JSON object."),
        ('{"instances": []}', "dataframe_records is missing"),
        ('{"dataframe_records": [{}]}', "'int_col' is a required property"),
    ]:
        answer = as_otto.post(where, {"body": body})
        assert answer.status_code == 422
        page = soup(answer)
        assert said in text(page, "#verdict")
        assert one(page, "textarea").text.strip() == body


def test_only_checking_sends_nothing(as_otto: Client, keep: Keep) -> None:
    keep()
    row = {"int_col": 1, "float_col": 1.5, "string_col": "a"}
    where = PAGE + "try/?format=dataframe_records&as=json"
    answer = as_otto.post(where, {"body": json.dumps({"dataframe_records": [row]}), "check": "1"})
    assert "Nothing was sent" in text(soup(answer), "[data-verdict=fits]")
