"""Runbooks and contacts on the status page: of an endpoint, of a tag, or of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from endpoints_app.domain.roles import Action
from endpoints_app.domain.status_links import Links
from endpoints_app.models import StatusLink
from endpoints_app.services import audit, live, scopes
from endpoints_app.services.access import Access, Forbidden, NotVisible


@dataclass(frozen=True, slots=True)
class Wanted:
    """`endpoint` is a row; with neither it nor a tag they are everybody's default."""

    links: Links
    endpoint: int | None = None
    tag: str = ""


class Taken(Exception):
    """There are links for this already: they are to be changed, not made again."""


def links_for(access: Access) -> list[StatusLink]:
    """Those that this person may change: the default, then tags, then endpoints."""
    found = [link for link in _all() if may_change(access, link)]
    return sorted(found, key=lambda link: (link.endpoint_id is not None, link.tag, str(link)))


def link_for(access: Access, pk: int) -> StatusLink:
    """Raises NotVisible: whom it is not theirs to change, for them it is not there."""
    link = _all().filter(pk=pk).first()
    if link is None:
        raise NotVisible
    if not may_change(access, link):
        raise Forbidden(Action.STATUS_VIEWS)
    return link


def may_change(access: Access, link: StatusLink) -> bool:
    """A tag reaches into every workspace."""
    workspace = link.endpoint.workspace_id if link.endpoint else None
    return scopes.may(access, Action.STATUS_VIEWS, {workspace})


def save(link: StatusLink | None, wanted: Wanted, *, by: User, now: datetime) -> StatusLink:
    """Raises Taken."""
    with live.writing():
        link = link or StatusLink()
        same = StatusLink.objects.filter(endpoint=wanted.endpoint, tag=wanted.tag)
        if same.exclude(pk=link.pk).exists():
            raise Taken
        link.endpoint_id, link.tag = wanted.endpoint, wanted.tag
        link.runbook_url = wanted.links.runbook_url
        link.contact_name = wanted.links.contact_name
        link.contact_url = wanted.links.contact_url
        link.save()
        live.next_revision()
        _record("status links saved", link, by=by, now=now)
    return link


def remove(link: StatusLink, *, by: User, now: datetime) -> None:
    with live.writing():
        _record("status links removed", link, by=by, now=now)
        link.delete()
        live.next_revision()


def _all() -> QuerySet[StatusLink]:
    return StatusLink.objects.select_related("endpoint__workspace")


def _record(action: str, link: StatusLink, *, by: User, now: datetime) -> None:
    detail = {"runbook": link.runbook_url, "contact": link.contact_name}
    if link.endpoint is not None:
        audit.of_endpoint(link.endpoint, action, by=by, now=now, detail=detail)
    else:
        audit.of_status_page(action, by=by, now=now, detail={"tag": link.tag, **detail})
