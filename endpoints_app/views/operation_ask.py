"""Asking for a stop, start or delete: the dialog, its page without JavaScript, and the click."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from endpoints_app import sentences, tasks
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.forms.operations import OperationForm
from endpoints_app.models import Endpoint, Operation
from endpoints_app.services import access, detail, listing, live, metrics, operations, permissions
from endpoints_app.views import guards, heading


@require_safe
def page(request: HttpRequest, workspace: str, name: str, kind: OperationKind) -> HttpResponse:
    """The dialog as a page of its own. Readers without the right get the reason, not a form."""
    endpoint = guards.endpoint(request, workspace, name)
    return render(request, "endpoints/ask.html", _context(request, endpoint, kind))


@require_safe
def dialog(request: HttpRequest, workspace: str, name: str, kind: OperationKind) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name)
    return render(request, "endpoints/_ask.html", _context(request, endpoint, kind))


@require_POST
def ask(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The click. Bad input comes back in the form with a sentence, and nothing typed is lost."""
    form = OperationForm(request.POST)
    if "kind" in form.errors:
        guards.endpoint(request, workspace, name)
        return HttpResponse(_("kind must be stop, start or delete."), status=400)
    kind = OperationKind(form.cleaned_data["kind"])
    endpoint = guards.endpoint(request, workspace, name, kind.action)
    problem, status = "", 400
    if form.is_valid():
        try:
            operation = _submit(request, endpoint, kind, form)
        except operations.NotOffered as e:
            problem, status = sentences.operations.refusal(e.refusal, kind, None), 409
        except operations.NameNotTyped:
            form.add_error("confirm", _("The name does not match. Type it exactly."))
        else:
            return _answer(request, endpoint, operation)
    context = _context(request, endpoint, kind) | {"form": form, "problem": problem}
    template = "endpoints/_ask.html" if request.htmx else "endpoints/ask.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=status)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Too late is no error: the page shows what became of it."""
    operation = access.operation_for(guards.access_of(request), pk, to_change=True)
    operations.withdraw(operation, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    return redirect("operation", pk=pk)


def _submit(
    request: HttpRequest, endpoint: Endpoint, kind: OperationKind, form: OperationForm
) -> Operation:
    now = timezone.now()
    return tasks.submit(
        endpoint,
        kind,
        actor=request.user,  # type: ignore[arg-type]
        now=now,
        stale=endpoint.workspace_id in live.head().stale(now),
        reason=form.cleaned_data["reason"],
        confirm=form.cleaned_data["confirm"],
    )


def _answer(request: HttpRequest, endpoint: Endpoint, operation: Operation) -> HttpResponse:
    """The answer to the click already shows the operation: the row for a script, the endpoint's
    page for everybody else."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(endpoint)
    now, head = timezone.now(), live.read_head()
    endpoint = guards.endpoint(request, endpoint.workspace.name, endpoint.name)
    (row,) = listing.rows([endpoint], head, now)
    return render(
        request, "endpoints/_asked.html", {"row": row, "operation": operation, "now": now}
    )


def _context(request: HttpRequest, endpoint: Endpoint, kind: OperationKind) -> dict[str, Any]:
    now, head = timezone.now(), guards.head(request)
    (row,) = listing.rows([endpoint], head, now)
    reader = guards.access_of(request)
    role = reader.best_role(endpoint.workspace_id)
    may = reader.may(kind.action, endpoint.workspace_id)
    refusal = operations.refusal_for(
        kind, endpoint, may=may, stale=row.stale, running=row.operation
    )
    return {
        "endpoint": endpoint,
        "row": row,
        "kind": kind,
        "label": sentences.operations.ASKS[kind],
        "why_not": sentences.operations.refusal(refusal, kind, role) if refusal else "",
        "callers": permissions.callers(endpoint),
        "traffic": metrics.traffic(endpoint, now=now),
        "usual_start": detail.usual(endpoint, OperationKind.START),
        "here": reverse("ask-page", args=[endpoint.workspace.name, endpoint.name, kind]),
        "sources": heading.sources(head, endpoint.workspace_id),
        "now": now,
    }
