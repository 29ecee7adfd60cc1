"""A view's or an endpoint's state as a small picture for other pages."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_page import Item, Kind, Page
from endpoints_app.sentences import status_page as said
from endpoints_app.services.status_render import Text
from endpoints_app.status_door import Door, answer, opened

COLOURS = {
    "good": "#16794a",
    "but": "#8a5a00",
    "busy": "#1d5fbf",
    "bad": "#c0262b",
    "off": "#56635f",
    "unknown": "#6a4ca6",
}
SVG = "image/svg+xml"
LONGEST = 40


@opened(part=True)
def badge(request: HttpRequest, door: Door) -> HttpResponse:
    def make() -> Text:
        page = door.page()
        with translation.override(door.language):
            text = _draw(page.title or said.name(), _word(page), page.verdict.tone, page)
        return text, SVG, page.observed_at, page.max_age

    return answer(request, door, ("badge",), make)


@opened(part=True)
def endpoint_badge(request: HttpRequest, door: Door, name: str) -> HttpResponse:
    workspace = request.GET.get("in", "")

    def make() -> Text:
        page = door.page()
        item = _find(page, name, workspace)
        with translation.override(door.language):
            word = _("planned work") if item.planned else item.status.label
            text = _draw(item.name, word, "off" if item.planned else item.status.tone, page)
        return text, SVG, page.observed_at, page.max_age

    return answer(request, door, ("badge", name, workspace), make)


def _find(page: Page, name: str, workspace: str) -> Item:
    for item in page.items:
        if item.name == name and workspace in ("", item.workspace):
            return item
    raise Http404


def _word(page: Page) -> str:
    v = page.verdict
    match v.kind:
        case Kind.UNKNOWN:
            return Status.UNKNOWN.label
        case Kind.DOWN:
            return _("%s down") % v.down
        case Kind.PARTLY_UNKNOWN if v.unknown:
            return _("%s unknown") % v.unknown
        case Kind.PARTLY_UNKNOWN:
            return _("%s silent") % len(v.silent)
        case Kind.UPDATING:
            return _("%s updating") % v.updating
        case Kind.PLANNED:
            return _("planned work")
        case Kind.EMPTY:
            return _("no endpoint")
    return _("serving")


def _draw(label: str, word: str, tone: str, page: Page) -> str:
    label = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"
    left, right = _width(label), _width(word)
    at: datetime | None = page.observed_at
    return render_to_string(
        "status/badge.svg",
        {
            "label": label,
            "word": word,
            "colour": COLOURS[tone],
            "left": left,
            "right": right,
            "width": left + right,
            "label_x": left / 2,
            "word_x": left + right / 2,
            "observed_at": at.isoformat() if at else "",
            "max_age": f"{page.max_age.total_seconds():.0f}",
        },
    )


def _width(text: str) -> int:
    """About what 11 px of a sans serif need; a Japanese sign is as wide as it is high."""
    wide = sum(1 for sign in text if unicodedata.east_asian_width(sign) in "WF")
    return 14 + 11 * wide + 7 * (len(text) - wide)
