"""The questions every view begins with."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from endpoints_app.domain.roles import Action
from endpoints_app.models import Endpoint, Workspace
from endpoints_app.services import access


def access_of(request: HttpRequest) -> access.Access:
    """The reader's roles, asked once per request."""
    return cast(access.Access, request.desk_access)  # type: ignore[attr-defined]


def visible(request: HttpRequest) -> list[Workspace]:
    """The workspaces this reader sees. Raises NotVisible, a 404, when there are none for them."""
    return access.workspaces_for(access_of(request))


def endpoint(
    request: HttpRequest, workspace: str, name: str, action: Action = Action.SEE
) -> Endpoint:
    """Raises NotVisible, a 404, and Forbidden, a 403 with a sentence."""
    uid = request.GET.get("id", "")
    return access.endpoint_for(access_of(request), workspace, name, action, uid=uid)
