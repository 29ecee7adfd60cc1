"""The Schema tab: how an endpoint is called, from its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app.domain import openapi, openapi_diff, openapi_example, snippets
from endpoints_app.domain.json_text import pretty
from endpoints_app.domain.openapi import Answer, Card, Document, Format, Operation
from endpoints_app.domain.roles import Action
from endpoints_app.domain.snippets import Language
from endpoints_app.models import Endpoint, SchemaCopy
from endpoints_app.services import clients, schema, schema_check
from endpoints_app.services.schema import Shown
from endpoints_app.services.upstream import Busy
from endpoints_app.views import guards, heading

CARDS = 3  # paths that are shown at once; of more, one is chosen from a list
PATHS = 30  # lines of that list on a page


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card with one of its formats chosen, and the request that is made of it."""

    card: Card
    formats: list[Tab]
    format: Format | None
    request: str
    given: bool  # the document's own example
    answer: str
    languages: list[Tab]
    snippet: str
    language: Language


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """With a kept copy of the current configuration nobody is asked; else a script reads it into
    the page, or `?read=1` does."""
    endpoint = guards.endpoint(request, workspace, name)
    context = heading.of(request, endpoint) | _urls(request, endpoint)
    context |= {"tab": "schema", "title": _("Schema"), "may_try": _may_try(request, endpoint)}
    if _is_known(request, endpoint):
        context |= _context(request, endpoint)
    return render(request, "schema/page.html", context)


@require_safe
def part(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name)
    context: dict[str, Any] = {"endpoint": endpoint, "now": timezone.now()}
    context |= {"may_try": _may_try(request, endpoint)}
    context |= _urls(request, endpoint) | _context(request, endpoint)
    return render(request, "schema/_schema.html", context)


@require_safe
def document(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The kept document as Databricks sent it."""
    endpoint = guards.endpoint(request, workspace, name)
    copy = _copy(request, endpoint)
    response = HttpResponse(copy.document, content_type="application/json")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "download" in request.GET:
        filename = f"{endpoint.name}-{copy.config_version}.openapi.json"
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


@require_safe
def viewer(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The whole document in Swagger UI, which lives with the policy of all other pages."""
    endpoint = guards.endpoint(request, workspace, name)
    copy = _copy(request, endpoint)
    context = _urls(request, endpoint) | {"endpoint": endpoint, "copy": copy}
    return render(request, "schema/viewer.html", context)


@require_safe
def findings(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """What a validator says of the kept document; it looks once."""
    endpoint = guards.endpoint(request, workspace, name)
    copy = _copy(request, endpoint)
    if copy.findings is None:
        try:
            schema.check(copy)
        except schema_check.Busy:
            pass  # the page offers it again
    context = heading.of(request, endpoint) | _urls(request, endpoint)
    context |= {"tab": "schema", "title": _("Schema"), "copy": copy}
    alone = request.htmx  # type: ignore[attr-defined]
    return render(request, "schema/_findings.html" if alone else "schema/findings.html", context)


def _may_try(request: HttpRequest, endpoint: Endpoint) -> bool:
    return guards.access_of(request).may(Action.TRY, endpoint.workspace_id)


def _is_known(request: HttpRequest, endpoint: Endpoint) -> bool:
    asked = "read" in request.GET or "version" in request.GET
    return asked or endpoint.gone_at is not None or schema.kept(endpoint) is not None


def _copy(request: HttpRequest, endpoint: Endpoint) -> SchemaCopy:
    version = _number(request.GET.get("version", ""))
    copy = schema.kept(endpoint, version) or (schema.newest(endpoint) if version is None else None)
    if copy is None:
        raise Http404
    return copy


def _urls(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    place = [endpoint.workspace.name, endpoint.name]
    former = {"id": endpoint.uid or str(endpoint.pk)} if endpoint.gone_at else {}
    kept = {key: request.GET[key] for key in ("format", "snippet", "op", "q") if key in request.GET}
    query = urlencode(former | kept | {"read": "1"})
    return {
        "page_url": f"{reverse('schema', args=place)}?{query}",
        "part_url": f"{reverse('schema-part', args=place)}?{query}",
        "target": "schema",
        "former": f"&{urlencode(former)}" if former else "",
    }


def _context(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    try:
        shown = _shown(request, endpoint)
    except Busy:
        return {"busy": True}
    context: dict[str, Any] = {"shown": shown, "copy": shown.copy, "document": shown.document}
    if shown.copy is None or shown.document is None:
        return context
    versions = schema.versions(endpoint)
    context |= {
        "versions": versions,
        "current": shown.copy.config_version == versions[0].config_version,
    }
    context |= _operations(request, endpoint, shown.copy, shown.document)
    return context | _compared(request, endpoint, shown.copy, shown.document, versions)


def _shown(request: HttpRequest, endpoint: Endpoint) -> Shown:
    version = _number(request.GET.get("version", ""))
    if version is not None:
        copy = schema.kept(endpoint, version)
        if copy is None:
            raise Http404
        return schema.shown(copy)
    copy = None if "read" in request.GET else schema.kept(endpoint)
    if copy is not None and endpoint.gone_at is None:
        return schema.shown(copy)
    return schema.read(endpoint, now=timezone.now())


def _operations(
    request: HttpRequest, endpoint: Endpoint, copy: SchemaCopy, document: Document
) -> dict[str, Any]:
    """A few are shown together; of many, a page of links and the chosen one."""
    operations = document.operations
    if len(operations) <= CARDS:
        return {"cards": [_card(request, endpoint, copy, document, each) for each in operations]}
    wanted = request.GET.get("q", "").strip().lower()
    found = [each for each in operations if wanted in each.path.lower()] if wanted else operations
    chosen = _number(request.GET.get("op", ""))
    if chosen is None or chosen >= len(operations):
        chosen = found[0].index if found else 0
    pages = max(1, -(-len(found) // PATHS))
    number = min(max(_number(request.GET.get("p", "")) or 1, 1), pages)
    return {
        "paths": found[(number - 1) * PATHS : number * PATHS],
        "matching": len(found),
        "all_paths": len(operations),
        "path_page": number,
        "path_pages": pages,
        "wanted": request.GET.get("q", ""),
        "chosen": chosen,
        "cards": [_card(request, endpoint, copy, document, operations[chosen])],
    }


def _card(
    request: HttpRequest,
    endpoint: Endpoint,
    copy: SchemaCopy,
    document: Document,
    operation: Operation,
) -> ShownCard:
    card = openapi.card(document, operation)
    wanted = request.GET.get("format", "")
    chosen = next((f for f in card.formats if f.key == wanted), None)
    if chosen is None and card.formats:
        chosen = card.formats[0]
    body = example_of(document, chosen) if chosen else None
    answer = next((a for a in card.answers if a.status.startswith("2") and a.fields), None)
    try:
        language = Language(request.GET.get("snippet", ""))
    except ValueError:
        language = Language.CURL
    several = len(document.operations) > 1
    return ShownCard(
        card=card,
        formats=[Tab(f.key, _with(request, copy, format=f.key), f is chosen) for f in card.formats],
        format=chosen,
        request=_bounded(pretty(body)) if chosen else "",
        given=chosen is not None and chosen.given is not None,
        answer=_bounded(pretty(_answer_of(document, answer))) if answer else "",
        languages=[
            Tab(each.label, _with(request, copy, snippet=each.value), each is language)
            for each in Language
        ],
        snippet=snippets.snippet(
            language,
            host=clients.host_for(endpoint.workspace.name),
            endpoint=endpoint.name,
            entity=operation.entity if several else "",
            body=body if chosen else {},
        ),
        language=language,
    )


def example_of(document: Document, chosen: Format) -> Any:
    """The document's own example, else one made from the schema."""
    if chosen.given is not None:
        return chosen.given
    return openapi_example.example(document.raw, chosen.schema)


def _answer_of(document: Document, answer: Answer) -> Any:
    if answer.given is not None:
        return answer.given
    return openapi_example.example(document.raw, answer.schema)


def _compared(
    request: HttpRequest,
    endpoint: Endpoint,
    copy: SchemaCopy,
    document: Document,
    versions: list[SchemaCopy],
) -> dict[str, Any]:
    """What changed since another config version; the one before unless told otherwise."""
    others = [each for each in versions if each.pk != copy.pk]
    against = _number(request.GET.get("against", ""))
    before = next((e for e in others if e.config_version == against), None) or next(
        (e for e in others if e.config_version < copy.config_version), None
    )
    if before is None:
        return {"others": others}
    old = schema.kept(endpoint, before.config_version)
    earlier = schema.shown(old).document if old else None
    if earlier is None:
        return {"others": others}
    found, more = openapi_diff.changes(earlier, document)
    return {"others": others, "before": before, "changes": found, "more_changes": more}


def _with(request: HttpRequest, copy: SchemaCopy, **changes: str) -> str:
    """This page with another tab chosen, of the copy that is shown: nobody is asked for it."""
    query = request.GET.copy()
    for key, value in {"version": str(copy.config_version), **changes}.items():
        query[key] = value
    query.pop("read", None)
    return f"?{query.urlencode()}"


def _bounded(text: str) -> str:
    most = 20_000
    return text if len(text) <= most else text[:most] + "\n…"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
