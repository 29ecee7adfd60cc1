"""The status page for machines: an allow-list of fields, and none of the workspace's own text but
names."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from endpoints_app.domain.status_page import Item, Page
from endpoints_app.services.status_render import Text
from endpoints_app.status_door import Door, answer, opened, private

CODES = {"ok": 200, "down": 503, "unknown": 504}


@opened(part=True)
def document(request: HttpRequest, door: Door) -> HttpResponse:
    def make() -> Text:
        page = door.page()
        text = json.dumps(as_json(page), ensure_ascii=False, separators=(",", ":"))
        return text, "application/json", page.observed_at, page.max_age

    return answer(request, door, ("json",), make)


@opened(part=True)
def health(request: HttpRequest, door: Door) -> HttpResponse:
    """200, 503 where something cannot serve, 504 where nobody can tell: what a probe understands
    without reading."""
    page = door.page()
    word = page.verdict.word
    response = JsonResponse({"verdict": word, **_age(page)}, status=CODES[word])
    response._has_been_logged = True  # type: ignore[attr-defined]  # an answer, not a failure of ours
    return private(response)


def as_json(page: Page) -> dict[str, Any]:
    return {
        **_age(page),
        "verdict": page.verdict.word,
        "counts": {status.value: number for status, number in page.counts.items()},
        "endpoints": [_endpoint(item) for item in page.items],
    }


def _age(page: Page) -> dict[str, Any]:
    return {
        "observed_at": page.observed_at.isoformat() if page.observed_at else None,
        "max_age": int(page.max_age.total_seconds()),
    }


def _endpoint(item: Item) -> dict[str, Any]:
    return {
        "workspace": item.workspace,
        "name": item.name,
        "status": item.status.value,
        "label": item.status.label,
        "serving": item.serving,
        "since": item.since.isoformat(),
    }
