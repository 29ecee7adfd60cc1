"""All operations, one of them, and what changed."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from endpoints_app.domain.lifecycle import State
from endpoints_app.forms.address import asked
from endpoints_app.forms.operations import OperationFilterForm
from endpoints_app.services import access, detail, operation_list
from endpoints_app.services.live import Since
from endpoints_app.views import guards, partial


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = _context(request, timezone.now())
    if context["ignored"]:
        messages.warning(request, context["ignored"])
    return render(request, "operations/list.html", context)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    return partial.changes(request, "operations/_changes.html", _context)


@require_safe
def one(request: HttpRequest, pk: int) -> HttpResponse:
    context = _one_context(request, pk, timezone.now())
    return render(request, "operations/one.html", context)


@require_safe
def one_changes(request: HttpRequest, pk: int) -> HttpResponse:
    now, head = timezone.now(), guards.head(request)
    context = _one_context(request, pk, now)
    since = request.GET.get("since", "")
    known = Since.read(since, head, now).revision
    if since == head.cursor(now) or (known is not None and context["operation"].revision <= known):
        return partial.unchanged(head, context["sources"], now)
    response = render(request, "operations/_live.html", context | {"oob": True})
    return partial.with_head(response, head, context["sources"], now)


def _one_context(request: HttpRequest, pk: int, now: datetime) -> dict[str, Any]:
    head = guards.head(request)
    reader = guards.access_of(request)
    operation = access.operation_for(reader, pk)
    may = reader.may(operation.known_kind.action, operation.endpoint.workspace_id)
    sources = [s for s in head.sources if s.pk == operation.endpoint.workspace_id]
    poll_url = reverse("operation-changes", args=[operation.pk])
    return partial.frame(poll_url, head, sources, now) | {
        "operation": operation,
        "may_withdraw": may and operation.known_state is State.QUEUED,
        "audit": operation.audit.order_by("at", "pk"),
        "usual": detail.usual(operation.endpoint, operation.known_kind),
    }


def _context(request: HttpRequest, now: datetime) -> dict[str, Any]:
    head = guards.head(request)
    sources = guards.sources(request, head)
    visible = [source.pk for source in sources]
    offered = (
        tuple(source.name for source in sources),
        tuple(operation_list.actors(visible)),
    )
    form, filters, ignored = _parsed(asked(request.GET), *offered, get_language())
    found = operation_list.page(visible, filters, now)
    poll_url = partial.poll_url(request, "operations-changes")
    return partial.frame(poll_url, head, sources, now) | {
        "asked": asked(request.GET, "page"),
        "offered": offered,
        "form": form,
        "ignored": ignored,
        "page": found,
        "counted": tuple(found.counts.values()),
    }


@lru_cache(maxsize=200)
def _parsed(
    address: str, workspaces: tuple[str, ...], actors: tuple[str, ...], language: str
) -> tuple[OperationFilterForm, operation_list.Filters, str]:
    """The address, read once for all who ask the same; what is in it was in the URL already."""
    form = OperationFilterForm(QueryDict(address), workspaces=list(workspaces), actors=list(actors))
    return form, form.filters(), form.ignored()
