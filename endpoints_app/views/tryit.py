"""Try it: a request built from the schema, checked against it, sent by the server."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from endpoints_app.domain import openapi, openapi_example
from endpoints_app.domain import tryit as forms
from endpoints_app.domain.json_text import pretty
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.openapi import Document, Format, Operation
from endpoints_app.domain.roles import Action
from endpoints_app.domain.tryit import Fault, Input, NotJson
from endpoints_app.models import Endpoint, SchemaCopy
from endpoints_app.services import schema, schema_check
from endpoints_app.services import tryit as service
from endpoints_app.services.schema_check import Finding
from endpoints_app.views import guards, heading

CHAT = {"messages": [{"role": "user", "content": "Hello!"}]}
ROWS: dict[str, Any] = {"dataframe_records": [{}]}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request is made from: the schema's input format where there is one."""

    copy: SchemaCopy | None
    document: Document | None
    operation: Operation | None
    formats: tuple[Format, ...]
    format: Format | None
    example: Any


@dataclass(frozen=True, slots=True)
class Control:
    input: Input
    value: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What keeps a request from being sent, or that it fits."""

    problem: str = ""
    findings: tuple[Finding, ...] = ()
    fits: bool = False
    unchecked: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """A POST is answered in place: what was sent and answered is shown once and kept nowhere."""
    endpoint = guards.endpoint(request, workspace, name, Action.TRY)
    asked = _asked(request, endpoint)
    as_json = asked.format is None or request.GET.get("as") == "json"
    controls = [Control(each, each.value) for each in _inputs(asked)]
    typed = pretty(asked.example)
    verdict, outcome, body = Verdict(), None, asked.example
    status = HTTPStatus.OK
    if request.method == "POST":
        if as_json:
            typed = request.POST.get("body", "")
            body, verdict = _from_text(typed)
        else:
            body, controls, verdict = _from_form(request, asked)
        if not verdict.problem:
            verdict = _check(asked, body)
        if verdict.problem:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        elif "check" not in request.POST:
            outcome, verdict = _send(request, endpoint, asked, body, verdict)
            status = HTTPStatus.CONFLICT if verdict.problem else HTTPStatus.OK
    context = heading.of(request, endpoint) | _tabs(request, endpoint, asked, as_json=as_json)
    context |= {
        "tab": "schema",
        "title": _("Try it"),
        "asked": asked,
        "as_json": as_json,
        "controls": _with_findings(controls, verdict),
        "typed": typed,
        "verdict": verdict,
        "outcome": outcome,
        "sent": pretty(body)[:20_000] if outcome else "",
        "ticket": uuid.uuid4().hex,
        "seconds": 30,
    }
    return render(request, "tryit/page.html", context, status=status)


def _asked(request: HttpRequest, endpoint: Endpoint) -> Asked:
    """From the kept copy: no page waits for a schema to be read."""
    copy = schema.kept(endpoint) or schema.newest(endpoint)
    document = schema.shown(copy).document if copy else None
    if document is None or not document.operations:
        return Asked(copy, None, None, (), None, _usual(endpoint))
    index = request.GET.get("op", "")
    number = int(index) if index.isascii() and index.isdigit() and len(index) < 9 else 0
    operation = document.operations[number if number < len(document.operations) else 0]
    formats = openapi.card(document, operation).formats
    wanted = request.GET.get("format", "")
    chosen = next((f for f in formats if f.key == wanted), formats[0] if formats else None)
    if chosen is None:
        return Asked(copy, document, operation, (), None, _usual(endpoint))
    example = chosen.given
    if example is None:
        example = openapi_example.example(document.raw, chosen.schema)
    return Asked(copy, document, operation, formats, chosen, example)


def _usual(endpoint: Endpoint) -> Any:
    """What an endpoint of its kind is asked with, where no schema says more."""
    tabular = (Kind.CUSTOM, Kind.FEATURE_SPEC, Kind.UNKNOWN)
    return ROWS if endpoint.known_kind in tabular else CHAT


def _inputs(asked: Asked) -> list[Input]:
    if asked.format is None:
        return []
    return forms.inputs(_of_one_row(asked.example), asked.format.fields)


def _of_one_row(body: Any) -> Any:
    """A form asks for one row; the platform's own example of a dataframe has several."""
    split = body.get("dataframe_split") if isinstance(body, dict) else None
    if isinstance(split, dict) and isinstance(split.get("data"), list) and split["data"]:
        return {**body, "dataframe_split": {**split, "data": split["data"][:1]}}
    return body


def _from_text(typed: str) -> tuple[Any, Verdict]:
    body = forms.from_json(typed)
    if isinstance(body, NotJson):
        where = {"line": body.line, "column": body.column}
        return None, Verdict(_("Not JSON: line %(line)s, column %(column)s.") % where)
    if not isinstance(body, dict):
        return body, Verdict(_("A request is a JSON object."))
    return body, Verdict()


def _from_form(request: HttpRequest, asked: Asked) -> tuple[Any, list[Control], Verdict]:
    inputs = _inputs(asked)
    typed = {each.name: request.POST.get(each.name, "") for each in inputs}
    body, faults = forms.filled(_of_one_row(asked.example), inputs, typed)
    said = {
        Fault.NOT_WHOLE: _("Not a whole number."),
        Fault.NOT_NUMBER: _("Not a number."),
        Fault.NOT_BOOLEAN: _("true or false."),
        Fault.NOT_JSON: _("Not JSON."),
        Fault.NEEDED: _("It is required."),
    }
    controls = [
        Control(each, typed[each.name], said[faults[each.name]] if each.name in faults else "")
        for each in inputs
    ]
    return body, controls, Verdict(_("Some fields do not fit the schema.") if faults else "")


def _check(asked: Asked, body: Any) -> Verdict:
    if asked.copy is None or asked.format is None:
        return Verdict(unchecked=_("There is no schema to check it against."))
    try:
        checked = service.check(asked.copy, asked.format, body)
    except schema_check.Busy:
        return Verdict(_("There is no time to check it just now. Try again in a moment."))
    if checked.missing:
        needed = {"name": checked.missing}
        return Verdict(_("%(name)s is missing, by which this input format is told.") % needed)
    if checked.findings:
        return Verdict(_("It does not fit the schema."), checked.findings)
    if not checked.whole:
        return Verdict(unchecked=_("The check did not come to an end in time."))
    return Verdict(fits=True)


def _send(
    request: HttpRequest, endpoint: Endpoint, asked: Asked, body: Any, verdict: Verdict
) -> tuple[service.Outcome | None, Verdict]:
    several = asked.document is not None and len(asked.document.operations) > 1
    try:
        outcome = service.send(
            endpoint,
            body,
            by=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
            served=asked.operation.entity if several and asked.operation else "",
            ticket=request.POST.get("ticket", ""),
        )
    except service.TooLarge:
        return None, replace(verdict, problem=_("It is too large: at most 1 MB are sent."))
    except service.AlreadySent:
        return None, replace(
            verdict, problem=_("This request was sent before. Change or send it anew from here.")
        )
    return outcome, verdict


def _with_findings(controls: list[Control], verdict: Verdict) -> list[Control]:
    """A finding is also said at the control of its field."""
    said = {finding.where: finding.what for finding in verdict.findings}
    return [
        replace(each, error=each.error or said.get(_where(each.input.steps), ""))
        for each in controls
    ]


def _where(steps: forms.Steps) -> str:
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _tabs(
    request: HttpRequest, endpoint: Endpoint, asked: Asked, *, as_json: bool
) -> dict[str, Any]:
    place = reverse("tryit", args=[endpoint.workspace.name, endpoint.name])
    chosen = {"op": str(asked.operation.index)} if asked.operation else {}

    def url(**changes: str) -> str:
        now = chosen | {"as": "json" if as_json else "form"}
        if asked.format is not None:
            now["format"] = asked.format.key
        return f"{place}?{urlencode(now | changes)}"

    operations = asked.document.operations[:20] if asked.document else ()
    return {
        "action": url(),
        "modes": [
            (_("Form"), url(**{"as": "form"}), not as_json),
            ("JSON", url(**{"as": "json"}), as_json),
        ],
        "format_tabs": [(f.key, url(format=f.key), f is asked.format) for f in asked.formats],
        "operation_tabs": [
            (each.entity or each.path, url(op=str(each.index), format=""), each == asked.operation)
            for each in operations
        ],
    }
