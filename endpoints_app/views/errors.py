"""Refusals, with a sentence each."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.services.access import Forbidden


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _("Your role does not allow this.")
    if isinstance(exception, Forbidden):
        sentence = sentences.lacking(exception.action, None)
    return render(request, "403.html", {"sentence": sentence}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    sentence = _("This page was too old to be sent. Reload it and try again; nothing was sent.")
    return render(request, "403.html", {"sentence": sentence}, status=403)
