"""Planned work: the list, and a form to plan and to change it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from endpoints_app.domain import zoned
from endpoints_app.domain.roles import Action
from endpoints_app.forms.maintenance import WALL, MaintenanceForm
from endpoints_app.models import Maintenance
from endpoints_app.services import maintenance, scopes
from endpoints_app.services.access import Forbidden
from endpoints_app.views import guards, status_desk


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = status_desk.frame(request, "maintenance")
    access = guards.access_of(request)
    found = maintenance.windows(status_desk.visible(request), context["now"])
    changeable = {
        window.pk for window in (*found.now, *found.ahead) if maintenance.may_change(access, window)
    }
    return render(
        request,
        "status_desk/maintenance.html",
        context
        | {
            "windows": found,
            "changeable": changeable,
            "may_plan": _may_plan(request),
            "shown": status_desk.visible(request),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    status_desk.visible(request)
    if not _may_plan(request):
        raise Forbidden(Action.MAINTAIN)
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """What is past is shown in the list, and changed by nobody."""
    window = _window(request, pk)
    if window.cancelled_at is not None or window.is_over(timezone.now()):
        return _over(request)
    return _form(request, window)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    window, now = _window(request, pk), timezone.now()
    try:
        maintenance.cancel(window, by=request.user, now=now)  # type: ignore[arg-type]
    except maintenance.Over:
        return _over(request)
    said = _("Ended: %(title)s") if window.cancelled_at is None else _("Canceled: %(title)s")
    messages.success(request, said % {"title": window.title})
    return redirect("maintenance")


def _window(request: HttpRequest, pk: int) -> Maintenance:
    return maintenance.window_for(guards.access_of(request), status_desk.visible(request), pk)


def _may_plan(request: HttpRequest) -> bool:
    access = guards.access_of(request)
    return any(access.may(Action.MAINTAIN, pk) for pk in status_desk.visible(request))


def _over(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("It is over or canceled already; history is not rewritten."))
    return redirect("maintenance")


def _form(request: HttpRequest, window: Maintenance | None) -> HttpResponse:
    now = timezone.now()
    choices = scopes.choices(guards.access_of(request), Action.MAINTAIN)
    options: dict[str, Any] = {"choices": choices, "now": now, "was": window}
    status = 200
    if request.method == "POST":
        form = MaintenanceForm(request.POST, **options)
        if form.is_valid():
            try:
                return _save(request, window, form)
            except maintenance.Over:
                return _over(request)
        status = 400
    else:
        initial = MaintenanceForm.initial_of(window) if window else _initial(request, choices)
        form = MaintenanceForm(initial=initial, **options)
    context = status_desk.frame(request, "maintenance") | {
        "form": form,
        "window": window,
        "begun": window is not None and window.start <= now,
        "zones": zoned.zones(),
        "tags": choices.tags,
    }
    return render(request, "status_desk/maintenance_form.html", context, status=status)


def _initial(request: HttpRequest, choices: scopes.Choices) -> dict[str, Any]:
    """From the page one comes from; the next full hour, in the zone one last planned in."""
    begin = (timezone.now() + timedelta(hours=1)).replace(minute=0)
    last = Maintenance.objects.filter(made_by=request.user.pk).order_by("-made_at").first()
    zone = (zoned.zone(last.zone) if last else None) or zoned.zone("UTC")
    asked = choices.endpoints.get(request.GET.get("endpoint", ""))
    return {
        "zone": zone.key if zone else "UTC",
        "start": begin.astimezone(zone).strftime(WALL),
        "end": (begin + timedelta(hours=1)).astimezone(zone).strftime(WALL),
        "scope": MaintenanceForm.LIST if asked else "workspace",
        "workspace": next(iter(choices.workspaces), ""),
        "endpoints": [str(asked)] if asked else [],
    }


def _save(request: HttpRequest, window: Maintenance | None, form: MaintenanceForm) -> HttpResponse:
    wanted, now = form.wanted(), timezone.now()
    if window is None:
        maintenance.plan(wanted, by=request.user, now=now)  # type: ignore[arg-type]
    else:
        maintenance.change(window, wanted, by=request.user, now=now)  # type: ignore[arg-type]
    number = len(wanted.endpoints) or scopes.covered(wanted.workspace, wanted.tag)
    said = ngettext(
        "Planned: %(title)s. It covers %(n)s endpoint today.",
        "Planned: %(title)s. It covers %(n)s endpoints today.",
        number,
    )
    messages.success(request, said % {"title": wanted.title, "n": number})
    return redirect("maintenance")
