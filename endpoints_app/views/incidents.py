"""The incidents of an endpoint, and what people tell of them on the status page."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from endpoints_app.domain.roles import Action
from endpoints_app.forms.incidents import NoteForm
from endpoints_app.models import Endpoint
from endpoints_app.services import incident_notes
from endpoints_app.views import guards, heading


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Everybody who sees the endpoint reads; who may acknowledge may tell."""
    if request.method != "POST":
        return _page(request, guards.endpoint(request, workspace, name), NoteForm())
    endpoint = guards.endpoint(request, workspace, name, Action.ACKNOWLEDGE)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, endpoint, form, status=400)
    moment = datetime.fromtimestamp(form.cleaned_data["incident"], UTC)
    try:
        incident_notes.add(
            endpoint,
            moment,
            form.cleaned_data["text"],
            by=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except incident_notes.NoSuchIncident:
        return _page(request, endpoint, form, status=409)
    messages.success(request, _("It is on the status page now."))
    return redirect("incidents", workspace, name)


@require_POST
def remove(request: HttpRequest, workspace: str, name: str, pk: int) -> HttpResponse:
    """The second time finds it gone, as wished."""
    endpoint = guards.endpoint(request, workspace, name, Action.ACKNOWLEDGE)
    incident_notes.remove(endpoint, pk, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    return redirect("incidents", workspace, name)


def _page(
    request: HttpRequest, endpoint: Endpoint, form: NoteForm, *, status: int = 200
) -> HttpResponse:
    told = incident_notes.incidents(endpoint, timezone.now())
    known = {str(int(it.incident.start.timestamp())) for it in told}
    context = heading.of(request, endpoint) | {
        "tab": "overview",
        "title": _("Incidents"),
        "told": told,
        "form": form,
        # Of an incident that is not on the page (any more): there is no field to say it at.
        "astray": form.is_bound and form["incident"].value() not in known,
    }
    return render(request, "status_desk/incidents.html", context, status=status)
