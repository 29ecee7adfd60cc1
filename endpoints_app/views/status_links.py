"""Runbooks and contacts of the status page: the list, and a form."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from endpoints_app.domain.roles import Action
from endpoints_app.forms.status_links import LinkForm
from endpoints_app.models import StatusLink
from endpoints_app.services import scopes, status_links, status_views
from endpoints_app.services.access import Forbidden
from endpoints_app.views import guards, status_desk


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    _guard(request)
    found = status_links.links_for(guards.access_of(request))
    context = status_desk.frame(request, "links") | {"links": found}
    return render(request, "status_desk/links.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    _guard(request)
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    return _form(request, _link(request, pk))


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    status_links.remove(_link(request, pk), by=request.user, now=timezone.now())  # type: ignore[arg-type]
    messages.success(request, _("Removed."))
    return redirect("status-links")


def _guard(request: HttpRequest) -> None:
    status_desk.visible(request)
    if not status_views.may_any(guards.access_of(request)):
        raise Forbidden(Action.STATUS_VIEWS)


def _link(request: HttpRequest, pk: int) -> StatusLink:
    _guard(request)
    return status_links.link_for(guards.access_of(request), pk)


def _form(request: HttpRequest, link: StatusLink | None) -> HttpResponse:
    choices = scopes.choices(guards.access_of(request), Action.STATUS_VIEWS)
    status = 200
    if request.method == "POST":
        form = LinkForm(request.POST, choices=choices, was=link)
        if form.is_valid():
            try:
                status_links.save(link, form.wanted(), by=request.user, now=timezone.now())  # type: ignore[arg-type]
            except status_links.Taken:
                form.add_error("whose", _("There are links for this already: change those."))
            else:
                messages.success(request, _("Saved."))
                return redirect("status-links")
        status = 400
    else:
        asked = request.GET.get("endpoint", "")
        first = "endpoint" if asked or not choices.everywhere else "default"
        initial = LinkForm.initial_of(link) if link else {"whose": first, "endpoint": asked}
        form = LinkForm(initial=initial, choices=choices, was=link)
    context = status_desk.frame(request, "links") | {
        "form": form,
        "link": link,
        "tags": choices.tags,
        "endpoints": choices.endpoints,
    }
    return render(request, "status_desk/link_form.html", context, status=status)
