"""The schema is read once for all, kept per config version, and its absence is explained."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from endpoints_app.models import Endpoint, SchemaCopy
from endpoints_app.services import schema, schema_check
from endpoints_app.services.schema import Absence, Shown
from endpoints_app.services.schema_check import Finding
from tests.conftest import Lab

TEXT = (Path(__file__).parents[1] / "fixtures/query-schema.json").read_text()
SCHEMA = json.loads(TEXT)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(schema_check, "PATIENCE", 60.0)


@pytest.fixture
def answer(lab: Lab) -> Callable[..., None]:
    """From now on the workspace answers each request for a schema so."""

    def set_answer(body: Any = TEXT, status: int = 200) -> None:
        control = f"{lab.emulator.url}/_control/faults"
        requests.delete(control, timeout=5)
        text = body if isinstance(body, str) else json.dumps(body)
        match = {"path": "/openapi$"}
        fault = {"kind": "status", "status": status, "body": text, "match": match}
        assert requests.post(control, json=fault, timeout=5).status_code == 200

    return set_answer


@pytest.fixture
def endpoint(lab: Lab) -> Endpoint:
    lab.sync()
    return next(
        e for e in lab.workspace.endpoints.all() if e.kind == "custom" and e.ready == "READY"
    )


def read(lab: Lab, endpoint: Endpoint) -> Shown:
    return schema.read(endpoint, now=lab.clock.forward(schema.FRESH_SECONDS))


def with_version(version: str) -> dict[str, Any]:
    return SCHEMA | {"info": {"title": "x", "version": version}}


def test_a_schema_is_kept_under_the_config_version_that_it_names(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    answer(with_version("7"))
    shown = read(lab, endpoint)
    assert shown.document is not None
    assert shown.absence is None
    kept = schema.kept(endpoint, 7)
    assert kept is not None
    assert json.loads(kept.document) == with_version("7")
    assert kept.read_at == lab.clock.now


def test_what_changed_is_kept_what_is_the_same_is_kept_once(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    for version in ("7", "7", "8"):
        answer(with_version(version))
        read(lab, endpoint)
    assert [copy.config_version for copy in schema.versions(endpoint)] == [8, 7]


def test_only_the_last_versions_are_kept(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    for version in range(schema.VERSIONS + 2):
        now = lab.clock.now
        schema._keep(endpoint, version, json.dumps(with_version(str(version))), now)
    kept = [copy.config_version for copy in schema.versions(endpoint)]
    assert kept == list(range(schema.VERSIONS + 1, 1, -1))


def test_the_findings_of_another_document_do_not_stay(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    answer(TEXT)
    copy = read(lab, endpoint).copy
    assert copy is not None
    schema.check(copy)
    answer(SCHEMA | {"tags": []})
    assert read(lab, endpoint).copy.findings is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "code", "message", "absence"),
    [
        (400, "BAD_REQUEST", "Model has no signature.", Absence.NO_SIGNATURE),
        (403, "PERMISSION_DENIED", "No.", Absence.NOT_ALLOWED),
        (404, "ENDPOINT_NOT_FOUND", "No API found.", Absence.PREVIEW),
        (400, "BAD_REQUEST", "Not available in this region.", Absence.PREVIEW),
        (400, "BAD_REQUEST", "The schema is not available.", Absence.PREVIEW),
        (404, "RESOURCE_DOES_NOT_EXIST", "Gone.", Absence.GONE),
        (500, "INTERNAL_ERROR", "Oh.", Absence.FAILED),
    ],
)
def test_a_refusal_says_what_it_most_likely_means(
    lab: Lab,
    endpoint: Endpoint,
    answer: Callable[..., None],
    status: int,
    code: str,
    message: str,
    absence: Absence,
) -> None:
    answer({"error_code": code, "message": message}, status)
    shown = read(lab, endpoint)
    assert shown.absence is absence
    assert shown.problem is not None
    assert shown.problem.message == message
    assert shown.document is None


@pytest.mark.parametrize(
    ("kind", "status", "absence"),
    [
        ("custom", "stopped", Absence.NOT_READY),
        ("custom", "updating", Absence.NOT_READY),
        ("external", "ready", Absence.NOT_OURS),
        ("foundation", "ready", Absence.NOT_OURS),
    ],
)
def test_kind_and_state_explain_a_refusal(
    lab: Lab,
    endpoint: Endpoint,
    answer: Callable[..., None],
    kind: str,
    status: str,
    absence: Absence,
) -> None:
    endpoint.kind, endpoint.status = kind, status
    answer({"error_code": "BAD_REQUEST", "message": "The schema is not available."}, 400)
    assert read(lab, endpoint).absence is absence


def test_a_feature_spec_has_no_signature_of_its_own(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    endpoint.kind, endpoint.status = "feature_spec", "ready"
    answer({"error_code": "BAD_REQUEST", "message": "No schema."}, 400)
    assert read(lab, endpoint).absence is Absence.FEATURE_SPEC


@pytest.mark.parametrize(
    ("body", "absence"),
    [("", Absence.EMPTY), ("<html>", Absence.UNREADABLE), ("[1]", Absence.UNREADABLE)],
)
def test_what_is_no_document_is_not_kept(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None], body: str, absence: Absence
) -> None:
    answer(body)
    assert read(lab, endpoint).absence is absence
    assert not SchemaCopy.objects.exists()


def test_the_newest_copy_outlives_the_answer_and_the_endpoint(
    lab: Lab, endpoint: Endpoint, answer: Callable[..., None]
) -> None:
    answer(TEXT)
    read(lab, endpoint)
    answer({"error_code": "BAD_REQUEST", "message": "stopped"}, 400)
    endpoint.status = "stopped"
    shown = read(lab, endpoint)
    assert shown.absence is Absence.NOT_READY
    assert shown.document is not None
    endpoint.gone_at = lab.clock.now
    assert read(lab, endpoint).document is not None


# The validator ---------------------------------------------------------------------------------


def test_the_platforms_own_example_is_valid() -> None:
    assert schema_check.document(TEXT) == schema_check.Checked((), whole=True)


def test_what_is_wrong_with_a_document_is_found() -> None:
    checked = schema_check.document(json.dumps(SCHEMA | {"info": {}}))
    assert Finding("info", "'title' is a required property") in checked.findings
    assert checked.whole


def test_no_reference_leads_out_of_a_document() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        host, port = server.getsockname()
        outer = {"$ref": f"http://{host}:{port}/x", "$id": f"http://{host}:{port}/y"}
        file = {"$ref": "file:///etc/hostname"}
        parts = {"components": {"schemas": {"A": outer, "B": file}}}
        checked = schema_check.document(json.dumps(SCHEMA | parts))
        with pytest.raises(TimeoutError):
            server.accept()
    assert {f.where for f in checked.findings} == {"components.schemas.A", "components.schemas.B"}


def test_a_validator_that_does_not_end_is_ended() -> None:
    endless = {"type": "string", "pattern": "^(a+)+$"}
    checked = schema_check.value(TEXT, endless, "a" * 60 + "!", seconds=1)
    assert checked == schema_check.Checked((), whole=False)


def test_a_machine_without_time_for_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_check, "PATIENCE", 0.01)
    with pytest.raises(schema_check.Busy):
        schema_check.document(TEXT)


def test_a_request_is_held_to_its_format() -> None:
    (body,) = [
        option
        for option in SCHEMA["paths"]["/served-models/vanilla_simple_model-2/invocations"]["post"][
            "requestBody"
        ]["content"]["application/json"]["schema"]["oneOf"]
        if "dataframe_records" in option["properties"]
    ]
    row = {"int_col": 1, "float_col": 0.5, "string_col": "a"}
    assert not schema_check.value(TEXT, body, {"dataframe_records": [row]}).findings
    wrong = {"dataframe_records": [row | {"int_col": "one"}]}
    (finding,) = schema_check.value(TEXT, body, wrong).findings
    assert finding.where == "dataframe_records[0].int_col"


def test_a_moment_may_lack_its_zone_and_must_be_one() -> None:
    """The platform's own examples have none, and a form is filled with them."""
    moment = {"type": "string", "format": "date-time"}
    for fits in ("2026-11-22T02:21:40", "2026-11-22T02:21:40Z", "2026-11-22T02:21:40+01:00"):
        assert schema_check.value(TEXT, dict(moment), fits) == schema_check.Checked((), whole=True)
    assert schema_check.value(TEXT, dict(moment), "yesterday").findings
