"""Named status pages: the list, a form, and their links."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from endpoints_app.domain.roles import Action
from endpoints_app.forms.status_views import Line, ViewForm
from endpoints_app.models import StatusView
from endpoints_app.services import scopes, status_views
from endpoints_app.services.access import Forbidden, NotVisible
from endpoints_app.views import guards, status_desk


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    _guard(request)
    found = status_views.views_for(guards.access_of(request))
    context = status_desk.frame(request, "views") | {
        "views": found,
        "mode": settings.STATUS_PAGE_ACCESS,
    }
    return render(request, "status_desk/views.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    _guard(request)
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, name: str) -> HttpResponse:
    return _form(request, _named(request, name))


@require_POST
def remove(request: HttpRequest, name: str) -> HttpResponse:
    view = _named(request, name)
    status_views.remove(view, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, _("Removed: %(title)s") % {"title": view.title})
    return redirect("status-views")


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, name: str) -> HttpResponse:
    """Shown in the answer to the click that makes it, and never again."""
    view = _view(request, name)
    token = ""
    if request.method == "POST":
        token = status_views.make_link(view, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        view = _view(request, name)
    context = status_desk.frame(request, "views") | {
        "view": view,
        "name": name,
        "mode": settings.STATUS_PAGE_ACCESS,
        "url": request.build_absolute_uri(status_desk.token_url(token)) if token else "",
    }
    return render(request, "status_desk/link.html", context)


@require_POST
def revoke(request: HttpRequest, name: str) -> HttpResponse:
    view = _view(request, name)
    status_views.revoke_link(view, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, _("Revoked: who has the old link finds nothing there."))
    return redirect("status-views")


def _guard(request: HttpRequest) -> None:
    status_desk.visible(request)
    if not status_views.may_any(guards.access_of(request)):
        raise Forbidden(Action.STATUS_VIEWS)


def _view(request: HttpRequest, name: str) -> StatusView:
    status_desk.visible(request)
    return status_views.view_for(guards.access_of(request), name)


def _named(request: HttpRequest, name: str) -> StatusView:
    """The fleet's page shows everything: there is nothing to change or to remove."""
    view = _view(request, name)
    if view.is_fleet:
        raise NotVisible
    return view


def _form(request: HttpRequest, view: StatusView | None) -> HttpResponse:
    choices = scopes.choices(guards.access_of(request), Action.STATUS_VIEWS)
    status = 200
    if request.method == "POST":
        form = ViewForm(request.POST, choices=choices)
        if view is not None:
            form.initial_lines = frozenset(
                f"{member.workspace.name}/{member.name}" for member in view.members.all()
            )
        if request.POST.get("step") == "add":
            form.lines.append(Line())
        elif form.is_valid() and (answer := _save(request, view, form)):
            return answer
        else:
            status = 400
    elif view is not None:
        form = ViewForm.of(view, choices)
    else:
        form = ViewForm(choices=choices, initial={"scope": ViewForm.LIST})
    if not form.lines or form.lines[-1].endpoint:
        form.lines.append(Line())
    for position, line in enumerate(form.lines, 1):
        line.position = position
    context = status_desk.frame(request, "views") | {
        "form": form,
        "adding": request.POST.get("step") == "add",
        "view": view,
        "tags": choices.tags,
        "endpoints": choices.endpoints,
    }
    return render(request, "status_desk/view_form.html", context, status=status)


def _save(request: HttpRequest, view: StatusView | None, form: ViewForm) -> HttpResponse | None:
    try:
        saved = status_views.save(view, form.wanted(), by=request.user, now=timezone.now())  # type: ignore[arg-type]
    except status_views.SlugTaken:
        form.add_error("slug", _("This name is taken by another page."))
        return None
    messages.success(request, _("Saved: %(title)s") % {"title": saved.title})
    return redirect("status-views")
