"""Saying who is on it: the dialog, its page without JavaScript, and the click."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from endpoints_app import sentences
from endpoints_app.domain.roles import Action
from endpoints_app.forms.acknowledging import AcknowledgeForm
from endpoints_app.models import Endpoint
from endpoints_app.services import acknowledging, listing, live
from endpoints_app.views import guards, heading


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The dialog as a page of its own, and where both are sent to. Readers without the right get
    the reason, not a form."""
    if request.method == "POST":
        return _acknowledge(request, guards.endpoint(request, workspace, name, Action.ACKNOWLEDGE))
    return _ask(request, guards.endpoint(request, workspace, name), page=True)


@require_safe
def dialog(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    return _ask(request, guards.endpoint(request, workspace, name), page=False)


@require_POST
def clear(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """The second time finds nobody on it, as wished."""
    endpoint = guards.endpoint(request, workspace, name, Action.ACKNOWLEDGE)
    acknowledging.clear(endpoint, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    return _answer(request, endpoint, _("Nobody is on %(name)s now.") % {"name": endpoint.name})


def _acknowledge(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    form = AcknowledgeForm(request.POST)
    page = not request.htmx  # type: ignore[attr-defined]
    if not form.is_valid():
        return _ask(request, endpoint, page=page, form=form, status=400)
    try:
        made = acknowledging.acknowledge(
            endpoint,
            role=form.cleaned_data["role"],
            note=form.cleaned_data["note"],
            lasting=form.cleaned_data["lasting"],
            by=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except acknowledging.NotNeeded:
        return _ask(request, endpoint, page=page, form=form, status=409)
    said = _("%(name)s: %(role)s is on it.") % {"name": endpoint.name, "role": made.role}
    return _answer(request, endpoint, said)


def _answer(request: HttpRequest, endpoint: Endpoint, said: str) -> HttpResponse:
    """The answer to the click already shows it: the row for a script, the endpoint's page for
    everybody else."""
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, said)
        return redirect(endpoint)
    now, head = timezone.now(), live.read_head()
    endpoint = guards.endpoint(request, endpoint.workspace.name, endpoint.name)
    (row,) = listing.rows([endpoint], head, now)
    return render(request, "acknowledging/_done.html", {"row": row, "said": said, "now": now})


def _ask(
    request: HttpRequest,
    endpoint: Endpoint,
    *,
    page: bool,
    form: AcknowledgeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now, head = timezone.now(), guards.head(request)
    (row,) = listing.rows([endpoint], head, now)
    access = guards.access_of(request)
    why_not = ""
    if not access.may(Action.ACKNOWLEDGE, endpoint.workspace_id):
        role = access.best_role(endpoint.workspace_id)
        why_not = sentences.roles.lacking(Action.ACKNOWLEDGE, role)
    elif status == 409 or not acknowledging.is_needed(endpoint, row.status):
        why_not = _("Nobody has to be on it: it is well, stopped on purpose, or gone.")
    roles = acknowledging.roles_said(request.user)  # type: ignore[arg-type]
    if form is None:
        taken = row.taken
        role_said = taken.role if taken else next(iter(roles), "")
        form = AcknowledgeForm(initial={"role": role_said, "note": taken.note if taken else ""})
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "row": row,
        "form": form,
        "why_not": why_not,
        "roles": roles,
        "lasting": [
            (value, label, now + lasting)
            for (value, label), lasting in zip(
                form.fields["lasting"].choices,  # type: ignore[attr-defined]
                sentences.acknowledging.LASTING,
                strict=True,
            )
        ],
        "page": page,
        "here": reverse("acknowledge", args=[endpoint.workspace.name, endpoint.name]),
        "sources": heading.sources(head, endpoint.workspace_id),
        "now": now,
    }
    template = "acknowledging/page.html" if page else "acknowledging/_ask.html"
    return render(request, template, context, status=status)
