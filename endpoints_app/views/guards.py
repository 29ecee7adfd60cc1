"""The questions every view begins with."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from endpoints_app.domain.roles import Action
from endpoints_app.models import Endpoint
from endpoints_app.services import access, live, roster
from endpoints_app.services.live import Head, Source
from endpoints_app.services.roster import Member


def access_of(request: HttpRequest) -> access.Access:
    """The reader's roles, asked once per request."""
    return cast(access.Access, request.desk_access)  # type: ignore[attr-defined]


def runs_scripts(request: HttpRequest) -> bool:
    """Whether a script will fetch what is left out (panel.js says so)."""
    return "script" in request.COOKIES


def head(request: HttpRequest) -> Head:
    """The head that this request is answered from: one, and read before any row, so that its
    cursor claims no more than what the answer shows."""
    if not hasattr(request, "desk_head"):
        came_along = getattr(getattr(request, "session", None), "head", None)
        request.desk_head = came_along or live.head()  # type: ignore[attr-defined]
    return cast(Head, request.desk_head)  # type: ignore[attr-defined]


def sources(request: HttpRequest, head: Head) -> list[Source]:
    """The workspaces this reader sees. Raises NotVisible, a 404, for readers without any role."""
    return access.sources_for(access_of(request), head)


def known(request: HttpRequest, workspace: str, name: str) -> Member | None:
    """A living endpoint that this reader sees, as this process knows it by heart: no query. None
    means that `endpoint()` has to be asked, for one that is not known, not theirs, or former."""
    uid = request.GET.get("id", "")
    return known_to(access_of(request), head(request), workspace, name, uid)


def known_to(
    access: access.Access, head: Head, workspace: str, name: str, uid: str
) -> Member | None:
    source = next((it for it in head.sources if it.name == workspace), None)
    if source is None or not access.may(Action.SEE, source.pk):
        return None
    found = roster.at(head).named(source.pk, name)
    return found if found is not None and uid in ("", found.uid or str(found.pk)) else None


def endpoint(
    request: HttpRequest, workspace: str, name: str, action: Action = Action.SEE
) -> Endpoint:
    """Raises NotVisible, a 404, and Forbidden, a 403 with a sentence."""
    head(request)
    uid = request.GET.get("id", "")
    return access.endpoint_for(access_of(request), workspace, name, action, uid=uid)
