"""Incidents, silences and planned work as an Atom feed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from endpoints_app.domain.status_page import Page
from endpoints_app.sentences import status_events, status_times
from endpoints_app.sentences import status_page as said
from endpoints_app.services.status_render import Text
from endpoints_app.status_door import Door, answer, opened


@dataclass(frozen=True, slots=True)
class Told:
    """`name` is what makes it the same entry when it is told again; it leaves the server hashed."""

    name: tuple[object, ...]
    title: str
    text: str
    begun: datetime
    changed: datetime


@opened(part=True)
def feed(request: HttpRequest, door: Door) -> HttpResponse:
    link = request.build_absolute_uri(door.addresses(request).root)
    own = request.build_absolute_uri()

    def make() -> Text:
        page = door.page()
        with translation.override(door.language):
            text = _feed(page, door.slug, link, own, door.language)
        return text, "application/atom+xml; charset=utf-8", page.observed_at, page.max_age

    return answer(request, door, ("feed", own), make)


class _Feed(Atom1Feed):
    """Without entries it is as old as the status page, not as this moment."""

    changed: datetime

    def latest_post_date(self) -> datetime:
        return self.changed


def _feed(page: Page, slug: str, link: str, own: str, language: str) -> str:
    entries = sorted(_told(page), key=lambda told: told.changed, reverse=True)
    fallback = page.observed_at or datetime.fromtimestamp(0, UTC)
    # Translators: how old the facts of the feed are.
    age = _("Databricks last answered %(time)s; max age %(age)s s") % {
        "time": status_times.exact(page.observed_at) if page.observed_at else "–",
        "age": int(page.max_age.total_seconds()),
    }
    # Translators: what the feed leaves out.
    reach = _("It goes back 14 days.")
    found = _Feed(
        said.name() if not page.title else f"{page.title} · {said.name()}",
        link,
        "",
        subtitle=f"{said.verdict(page)}. {age}. {reach}",
        language=language,
        feed_url=own,
        feed_guid=_id("feed", slug),
    )
    found.changed = max((told.changed for told in entries), default=fallback)
    for told in entries:
        found.add_item(
            told.title,
            link,
            told.text,
            unique_id=_id(slug, *told.name),
            pubdate=told.begun,
            updateddate=told.changed,
        )
    return str(found.writeString("utf-8"))


def _told(page: Page) -> Iterable[Told]:
    for t in page.troubles:
        notes = " ".join(f"{status_times.exact(at)}: {text}" for at, text in t.notes)
        what = _("%(name)s is down") if t.end is None else _("%(name)s was down")
        yield Told(
            ("incident", t.workspace, t.name, t.start.isoformat()),
            what % {"name": t.name},
            # The end of what lasts is not in it: an entry changes when something happened.
            f"{_from_to(t.start, t.end)} {notes}".strip(),
            t.start,
            max([t.end or t.start, *(at for at, _text in t.notes)]),
        )
    for name, since in page.verdict.silent:
        at = since or datetime.fromtimestamp(0, UTC)
        yield Told(
            ("silence", name, at.isoformat()),
            f"{name}: {status_events.FLIPS['silent']}",
            said.silence(name, since, page.now),
            at,
            at,
        )
    for w in page.planned:
        yield Told(
            ("planned", w.title, w.start.isoformat(), w.end.isoformat()),
            _("Planned: %s") % w.title,
            f"{_from_to(w.start, w.end)} {status_events.covered(w)} {w.note}".strip(),
            w.start,
            w.start,
        )


def _from_to(start: datetime, end: datetime | None) -> str:
    return f"{status_times.exact(start)} – {status_times.exact(end) if end else ''}".strip()


def _id(*parts: object) -> str:
    """The same for the same thing, and no number of ours."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "serving-desk:" + repr(parts)).urn
