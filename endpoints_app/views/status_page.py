"""The status page's pages: of the fleet or a view, all its endpoints, one endpoint."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from endpoints_app.domain.status_page import Page
from endpoints_app.services import status_render
from endpoints_app.status_door import Door, answer, opened

HTML = "text/html; charset=utf-8"
LONG = 500
"""So many endpoints are on one page of the plain list."""


@opened()
def page(request: HttpRequest, door: Door) -> HttpResponse:
    if request.GET.get("show") == "all":
        return _all(request, door)
    return _answer(request, door, "status/page.html", {})


def _all(request: HttpRequest, door: Door) -> HttpResponse:
    """Every endpoint, plainly: a reader of a large fleet looks one up."""
    total = len(door.page().items)
    last = max(1, -(-total // LONG))
    asked = request.GET.get("page", "1")
    number = min(int(asked), last) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    number = max(number, 1)
    start = (number - 1) * LONG
    places = {
        "first": min(start + 1, total),
        "last": min(start + LONG, total),
        "before": number - 1,
        "after": number + 1 if number < last else 0,
    }
    return _answer(request, door, "status/list.html", places)


def _answer(
    request: HttpRequest, door: Door, template: str, places: dict[str, int]
) -> HttpResponse:
    def make() -> status_render.Text:
        found = door.page()
        more: dict[str, object] = {**places, **_frame(request)}
        if places:
            more["some"] = found.items[places["first"] - 1 : places["last"]]
        text = status_render.render(template, found, door.language, door.addresses(request), more)
        return text, HTML, *_age(found)

    return answer(request, door, (template, *places.values(), request.get_full_path()), make)


@opened()
def endpoint(request: HttpRequest, door: Door, name: str) -> HttpResponse:
    workspace = request.GET.get("in", "")

    def make() -> status_render.Text:
        found = door.endpoint(name, workspace)
        text = status_render.render(
            "status/endpoint.html",
            found.page,
            door.language,
            door.addresses(request),
            {"endpoint": found, **_frame(request)},
        )
        return text, HTML, *_age(found.page)

    return answer(request, door, ("endpoint", name, request.get_full_path()), make)


def _frame(request: HttpRequest) -> dict[str, object]:
    return {"here": request.get_full_path(), "demo": settings.DEMO}


def _age(found: Page) -> status_render.Age:
    return found.observed_at, found.max_age
