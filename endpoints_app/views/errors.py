"""Refusals, with a sentence each: a page, the dialog's place in it, or JSON."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.services.access import Forbidden


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _("Your role does not allow this.")
    if isinstance(exception, Forbidden):
        sentence = sentences.roles.lacking(exception.action, None)
    return _refuse(request, "403.html", sentence, 403)


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What no form of ours sends, or more than is taken."""
    if not hasattr(request, "desk_access"):  # a host that is not ours: before anything is known
        return HttpResponse("Bad request.", status=400, content_type="text/plain")
    sentence = _("What was sent is not understood. Reload the page and try again.")
    if isinstance(exception, RequestDataTooBig):
        sentence = _("It is too large, and nothing of it was sent on. Go back to change it.")
    return _refuse(request, "400.html", sentence, 400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    sentence = _("This page was too old to be sent. Reload it and try again; nothing was sent.")
    return _refuse(request, "403.html", sentence, 403, not_sent=True)


def nothing_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same for what does not exist and for what is not this reader's to see."""
    if request.path.endswith(".json"):
        return JsonResponse({"error": "not_found"}, status=404)
    if request.path.startswith(reverse("status")):
        # Its own page: no form, no cookie, and nothing of who asks.
        absent = render(request, "status/absent.html", status=404)
        absent.headers["Referrer-Policy"] = "no-referrer"
        return absent
    sentence = _(
        "It does not exist, or your account has no role in its workspace. The admins of Serving "
        "Desk can give you one."
    )
    return _refuse(request, "404.html", sentence, 404)


def _refuse(
    request: HttpRequest, page: str, sentence: str, status: int, **more: bool
) -> HttpResponse:
    """To a script a fragment: a whole page would end up inside the dialog."""
    template = "_refused.html" if getattr(request, "htmx", False) else page
    return render(request, template, {"sentence": sentence} | more, status=status)
