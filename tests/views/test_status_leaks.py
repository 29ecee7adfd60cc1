"""What a status page must never tell: planted wherever a workspace or a person may write, and
looked for in every answer of every address, in every way to open it, errors too."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, get_args, get_type_hints

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain import status_facts, status_page
from endpoints_app.models import (
    Acknowledgement,
    Endpoint,
    IncidentNote,
    Maintenance,
    Operation,
    Outage,
    StatusChange,
    StatusDocument,
    StatusPayload,
    Workspace,
)
from endpoints_app.services import status_page as service
from endpoints_app.services.status_document import as_json
from tests.views.conftest import Fleet
from tests.views.status_pages import open_with

PLANTED = {
    "host": "https://adb-7749.12.azuredatabricks.example",
    "token": "dapi0123456789abcdef0123456789abcdef",
    "e-mail": "nina.canary@example.com",
    "id": "c0ffee00c0ffee00c0ffee00c0ffee00",
    "trace": 'Traceback (most recent call last): File "/canary/serve.py", line 7',
    "invocation": "/serving-endpoints/churn/invocations?canary=1",
    "log": "ERROR canary-log-line model exploded",
    "body": '{"error_code":"CANARY_UPSTREAM_BODY"}',
    "cost": "canary-policy-9.99-EUR",
}
SECRET = " ".join(PLANTED.values())
NEEDLES = [
    "azuredatabricks", "dapi0123", "nina.canary", "c0ffee00", "Traceback", "/canary/",
    "invocations", "canary-log-line", "CANARY_UPSTREAM", "canary-policy", "canary",
]  # fmt: skip
NAMED = {"name"}  # which is shown; all else is planted


def planted(document: Any, key: str = "") -> Any:
    """A copy of a workspace's answer with the secrets in each text that does not decide a state,
    and in fields and keys that we have never met."""
    kept = {"name", "ready", "config_update", "suspend", "deployment", "endpoint_type"}
    match document:
        case dict():
            found = {k: planted(v, k) for k, v in document.items()}
            return found | {"canary_field": SECRET, SECRET: SECRET}
        case list():
            return [planted(item, key) for item in document]
        case str() if key not in kept:
            return f"{document} {SECRET}"
    return document


@pytest.fixture
def poisoned(fleet: Fleet, otto: User) -> Fleet:
    """Everything that Databricks or a person may have written, somewhere, holds the secrets."""
    operation = fleet.ask("lead-scoring", "stop", otto, reason=SECRET)
    fleet.forward(10)
    for row in list(Endpoint.objects.all()):
        document = fleet.document(row.name)
        fleet.read(planted(document) | {"name": row.name, "id": document.get("id", "")})
    fleet.forward(10)
    row = fleet.endpoint("customer-ltv")
    for i, (was, now) in enumerate([("ready", "not_ready"), ("not_ready", "ready")]):
        StatusChange.objects.create(
            endpoint=row, was=was, now=now, reason=SECRET[:30], message=SECRET[:500],
            at=fleet.clock.now - timedelta(minutes=9 - i), operation=operation,
        )  # fmt: skip
    Operation.objects.update(
        detail=SECRET[:500], actor_name=SECRET[:150], settled_by=SECRET[:150], reason=SECRET[:500],
        state="failed", settled_at=fleet.clock.now,
    )  # fmt: skip
    Endpoint.objects.update(
        uid="c0ffee00c0ffee00c0ffee00c0ffee00", message=SECRET[:500], owner=SECRET[:255],
        creator=SECRET[:255], tags={"team": SECRET, SECRET: ""}, tag_lines=SECRET, search=SECRET,
        reason=SECRET[:30], entities=[{"name": SECRET, "entity": SECRET, "version": SECRET}],
    )  # fmt: skip
    Workspace.objects.update(error=SECRET[:40], error_detail=SECRET[:500], error_at=fleet.clock.now)
    down = fleet.endpoint("fraud-scorer")
    Acknowledgement.objects.create(
        endpoint=down, role="ML on-call", actor=otto, actor_name=SECRET[:150], note=SECRET[:500],
        at=fleet.clock.now, until=fleet.clock.now + timedelta(hours=1),
    )  # fmt: skip
    window = Maintenance.objects.create(
        title="Move", start=fleet.clock.now, end=fleet.clock.now + timedelta(hours=1), zone="UTC",
        made_by=otto, made_by_name=SECRET[:150], made_at=fleet.clock.now,
    )  # fmt: skip
    window.endpoints.add(down)
    IncidentNote.objects.create(
        endpoint=down, incident_start=down.status_since, text="We look.", at=fleet.clock.now,
        author=otto, author_name=SECRET[:150],
    )  # fmt: skip
    Outage.objects.create(
        workspace=fleet.workspace,
        start=fleet.clock.now - timedelta(minutes=30),
        end=fleet.clock.now - timedelta(minutes=20),
    )
    fleet.answered()
    return fleet


def assert_clean(text: str, where: str) -> None:
    for needle in NEEDLES:
        assert needle.lower() not in text.lower(), f"{needle} in {where}"


def test_the_secrets_are_where_they_could_leak(poisoned: Fleet) -> None:
    """Else the tests below would prove nothing."""
    row = poisoned.endpoint("churn")
    for value in (row.message, row.owner, str(row.tags), str(row.document), row.uid):
        assert "canary" in value.lower() or "c0ffee" in value


def test_nothing_of_it_is_kept_for_the_page(poisoned: Fleet) -> None:
    poisoned.publish()

    text, sources = StatusDocument.objects.get().text, StatusPayload.objects.get().sources
    assert "fraud-scorer" in text
    assert_clean(text + json.dumps(sources), "the payload")


@pytest.mark.parametrize("mode", ["public", "token", "login"])
@pytest.mark.parametrize("later", [0, 120])
def test_no_address_tells_any_of_it(
    mode: str,
    later: int,
    poisoned: Fleet,
    vera: User,
    browser: Callable[[User], Client],
    settings: Any,
) -> None:
    urls = open_with(mode, settings, poisoned)
    root = urls[-2].removesuffix("?show=all")
    poisoned.forward(later)  # all of it Unknown
    client = browser(vera)
    shown = [row.name for row in Endpoint.objects.all()]

    for url in [*urls, *(f"{root}{name}/" for name in shown), f"{root}nobody/", "/status/a/b/"]:
        response = client.get(url)
        said = response.content.decode() + str(dict(response.headers)) + response.reason_phrase
        assert response.status_code in (200, 404, 503, 504), url
        assert_clean(said, f"{url} ({response.status_code})")
        for owner in ("otto", "@"):
            assert owner not in response.content.decode(), url


@pytest.mark.parametrize("mode", ["public", "token", "login"])
def test_no_error_page_tells_any_of_it(
    mode: str,
    poisoned: Fleet,
    vera: User,
    browser: Callable[[User], Client],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls = open_with(mode, settings, poisoned)
    client = browser(vera)
    client.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        secret = SECRET
        raise RuntimeError(secret)

    monkeypatch.setattr(service, "build", broken)
    monkeypatch.setattr(service, "build_endpoint", broken)

    for url in urls:
        response = client.get(url)
        assert response.status_code == 500, url
        assert_clean(response.content.decode() + str(dict(response.headers)), url)
        assert not response.cookies
        assert b"<form" not in response.content


# The allow-list --------------------------------------------------------------------------------


def fields(kind: Any, seen: set[Any] | None = None) -> Iterator[str]:
    """Each field that a template could reach from this dataclass on."""
    seen = set() if seen is None else seen
    if dataclasses.is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        hints = get_type_hints(kind)
        for it in dataclasses.fields(kind):
            yield f"{kind.__name__}.{it.name}"
            yield from fields(hints[it.name], seen)
    for argument in get_args(kind):
        yield from fields(argument, seen)


REACHED = """
    Page: slug title now valid_until poll max_age verdict hint sources poller attention more silent
        quiet events planned histories troubles items counts observed_at
    Verdict: kind total down unknown updating planned stopped serving update_failed observed_at
        silent since
    Hint: pattern name
    SourceLine: name observed_at stale number
    Poller: pace waiting seen_at
    Item: name workspace status since longer planned absent updating config pending last_known role
        until links strip
    Links: runbook_url contact_name contact_url
    Span: start end status
    Silent: workspace number since known
    Quiet: counts items
    Event: at name what ours config lasted
    Window: title note start end zone names number running
    History: name strip day days
    Stretch: start end account
    Totals: serving down stopped unknown maintenance
    PastTrouble: name workspace start end down notes
    EndpointPage: page item strip day days changes incidents
"""


def test_a_page_has_these_fields_and_no_other() -> None:
    """A field more is a decision, and this is where it is taken."""
    allowed, kind = set(), ""
    for word in REACHED.split():
        if word.endswith(":"):
            kind = word
        else:
            allowed.add(kind.replace(":", ".") + word)

    assert set(fields(status_page.EndpointPage)) == allowed


def test_no_row_reaches_a_template(poisoned: Fleet) -> None:
    poisoned.publish()
    page = service.build(service.read_public(), "", poisoned.clock.now)

    def walk(value: Any) -> Iterator[Any]:
        yield value
        if dataclasses.is_dataclass(value):
            for it in dataclasses.fields(value):
                yield from walk(getattr(value, it.name))
        elif isinstance(value, dict):
            for pair in value.items():
                yield from walk(list(pair))
        elif isinstance(value, list | tuple | frozenset | set):
            for item in value:
                yield from walk(item)

    kinds = {type(value).__module__.partition(".")[0] for value in walk(page)}
    assert kinds <= {"endpoints_app", "builtins", "datetime"}
    assert not [v for v in walk(page) if isinstance(v, status_facts.Entry | Endpoint)]


def test_the_document_for_machines_has_these_keys_and_no_other(poisoned: Fleet) -> None:
    poisoned.publish()
    page = service.build(service.read_public(), "", poisoned.clock.now)
    assert page is not None

    document = as_json(page)

    assert list(document) == ["observed_at", "max_age", "verdict", "counts", "endpoints"]
    keys = ["workspace", "name", "status", "label", "serving", "since"]
    assert {tuple(endpoint) for endpoint in document["endpoints"]} == {tuple(keys)}
