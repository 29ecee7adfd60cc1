"""The status page for machines, and for probes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from endpoints_app.services import status_document
from endpoints_app.services.status_render import Text
from endpoints_app.status_door import Door, answer, opened, private

CODES = {"ok": 200, "down": 503, "unknown": 504}


@opened(part=True)
def document(request: HttpRequest, door: Door) -> HttpResponse:
    def make() -> Text:
        page = door.page()
        return status_document.text(page), "application/json", page.observed_at, page.max_age

    return answer(request, door, ("json",), make)


@opened(part=True)
def health(request: HttpRequest, door: Door) -> HttpResponse:
    """200, 503 where something cannot serve, 504 where nobody can tell: what a probe understands
    without reading."""
    page = door.page()
    word = page.verdict.word
    response = JsonResponse({"verdict": word, **status_document.age(page)}, status=CODES[word])
    response._has_been_logged = True  # type: ignore[attr-defined]  # an answer, not a failure of ours
    return private(response)
