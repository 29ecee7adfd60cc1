"""What people may choose, and change, of what reaches beyond one endpoint: planned work and status
pages cover a workspace, a tag, or endpoints one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from endpoints_app.domain.roles import Action
from endpoints_app.models import Endpoint, Workspace
from endpoints_app.services.access import Access


@dataclass(frozen=True, slots=True)
class Choices:
    """What this person may choose from. `everywhere`: also a tag in all workspaces, and what is
    of none."""

    workspaces: dict[str, int]
    endpoints: dict[str, int]  # "workspace/name" → its row
    tags: list[str]
    everywhere: bool


def choices(access: Access, action: Action) -> Choices:
    """Three queries."""
    everywhere = may_everywhere(access, action)
    workspaces = {w.name: w.pk for w in Workspace.objects.configured() if access.may(action, w.pk)}
    living = Endpoint.objects.living().in_workspaces(list(workspaces.values()))
    found = living.order_by("workspace__name", "name").values_list("pk", "workspace__name", "name")
    tags: set[str] = set()
    for tagged in living.exclude(tags={}).order_by().values_list("tags", flat=True).distinct():
        tags.update(tagged)
        tags.update(f"{key}={value}" for key, value in tagged.items() if value)
    endpoints = {f"{workspace}/{name}": pk for pk, workspace, name in found}
    return Choices(workspaces, endpoints, sorted(tags), everywhere)


def may_everywhere(access: Access, action: Action) -> bool:
    return any(action in role.actions for role in access.everywhere)


def may(access: Access, action: Action, workspaces: Iterable[int | None]) -> bool:
    """In all of them; None is every workspace, also a future one. Nothing at all is nobody's but
    theirs who may everywhere."""
    wanted = list(workspaces)
    return may_everywhere(access, action) or (
        bool(wanted) and all(w is not None and access.may(action, w) for w in wanted)
    )


def covered(workspace_id: int | None, tag: str) -> int:
    """How many living endpoints a workspace or a tag means today."""
    found = Endpoint.objects.living()
    if workspace_id is not None:
        found = found.filter(workspace=workspace_id)
    if tag:
        found = found.filter(tag_lines__contains=f"\n{tag}\n")
    return found.count() if workspace_id is not None or tag else 0
