"""All operations, one of them, and what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoints_app.domain.lifecycle import State
from endpoints_app.forms.operations import OperationFilterForm
from endpoints_app.services import access, detail, operation_list
from endpoints_app.services.live import Since
from endpoints_app.views import guards, partial


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = _context(request, timezone.now())
    if ignored := context["form"].ignored():
        messages.warning(request, ignored)
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
    form = OperationFilterForm(
        request.GET,
        workspaces=[source.name for source in sources],
        actors=operation_list.actors(visible),
    )
    found = operation_list.page(visible, form.filters(), now)
    poll_url = partial.poll_url(request, "operations-changes")
    return partial.frame(poll_url, head, sources, now) | {"form": form, "page": found}
