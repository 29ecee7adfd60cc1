"""What the pages behind the status page have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from endpoints_app.services import status_views
from endpoints_app.views import guards


def visible(request: HttpRequest) -> list[int]:
    """The workspaces this reader sees. Raises NotVisible for readers without any role."""
    return [source.pk for source in guards.sources(request, guards.head(request))]


def frame(request: HttpRequest, tab: str) -> dict[str, Any]:
    return {
        "tab": tab,
        "sources": guards.sources(request, guards.head(request)),
        "may_make_views": status_views.may_any(guards.access_of(request)),
        "now": timezone.now(),
    }


def token_url(token: str) -> str:
    """The address that opens a page to whoever has it."""
    return reverse("status-token", args=[token])
