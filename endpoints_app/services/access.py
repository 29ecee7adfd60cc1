"""Who may see and do what, and where. View, API and task ask here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from endpoints_app.domain.roles import Action, Role, least_role
from endpoints_app.models import Endpoint, LogSnapshot, Operation, RoleGroup
from endpoints_app.services.live import Head, Source
from endpoints_app.services.statements import Statement

User = AbstractBaseUser | AnonymousUser


class NotVisible(Http404):
    """There is nothing here for this person: it does not exist, or is not theirs to see."""


class Forbidden(PermissionDenied):
    """They may see it, but not do this."""

    def __init__(self, action: Action) -> None:
        super().__init__(f"{action} needs the role {least_role(action)}")
        self.action = action
        self.role = least_role(action)


@dataclass(frozen=True, slots=True)
class Access:
    """One person's roles: `everywhere` in all workspaces, `by_workspace` in single ones."""

    everywhere: frozenset[Role]
    by_workspace: Mapping[int, frozenset[Role]]

    def roles(self, workspace_id: int) -> frozenset[Role]:
        return self.everywhere | self.by_workspace.get(workspace_id, frozenset())

    def may(self, action: Action, workspace_id: int) -> bool:
        return any(action in role.actions for role in self.roles(workspace_id))

    def best_role(self, workspace_id: int | None = None) -> Role | None:
        """The strongest role, in one workspace or anywhere; for showing, not for deciding."""
        held = set(self.everywhere)
        for workspace, roles in self.by_workspace.items():
            if workspace_id in (None, workspace):
                held |= roles
        return next((role for role in reversed(Role) if role in held), None)


NOBODY = Access(frozenset(), {})


def of(user: User | None) -> Access:
    """One query, or none where the roles came with the account (services/accounts.py). Inactive
    accounts and anonymous visitors have no role; a superuser has all."""
    if user is None or not user.is_active or not user.is_authenticated:
        return NOBODY
    if getattr(user, "is_superuser", False):
        return Access(frozenset(Role), {})
    everywhere: set[Role] = set()
    by_workspace: dict[int, set[Role]] = {}
    held = getattr(user, "desk_roles", None)
    if held is None:
        groups = RoleGroup.objects.filter(group__user=user.pk)
        held = groups.values_list("role", "workspace_id")
    for role, workspace_id in held:
        if workspace_id is None:
            everywhere.add(Role(role))
        else:
            by_workspace.setdefault(workspace_id, set()).add(Role(role))
    return Access(frozenset(everywhere), {w: frozenset(r) for w, r in by_workspace.items()})


def sources_for(access: Access, head: Head) -> list[Source]:
    """The configured workspaces this person sees, by name. No query.

    Raises NotVisible for somebody without any role here: to them there is nothing.
    """
    visible = [source for source in head.sources if access.may(Action.SEE, source.pk)]
    if not visible and (head.sources or not access.everywhere):
        raise NotVisible
    return visible


def _named(workspace: str, name: str) -> QuerySet[Endpoint]:
    return Endpoint.objects.with_what_is_under_way().filter(
        workspace__name=workspace, workspace__configured=True, name=name
    )


_LIVING = Statement(
    lambda workspace, name: _named(workspace, name).filter(gone_at=None), "a workspace", "a name"
)
_FORMER = Statement(
    lambda workspace, name, uid, pk: (
        _named(workspace, name).filter(Q(uid=uid) | Q(pk=pk, uid="")).order_by("-pk")[:1]
    ),
    *("a workspace", "a name", "an id", 2**62),
)


def endpoint_for(
    access: Access, workspace: str, name: str, action: Action = Action.SEE, *, uid: str = ""
) -> Endpoint:
    """The living endpoint of that name, or with `uid` (its Databricks id, or our row's number
    where it has none) a former one.

    Raises NotVisible, and Forbidden where seeing is allowed but `action` is not.
    """
    if "\0" in workspace + name + uid:  # which PostgreSQL refuses even to compare
        raise NotVisible
    if uid:
        pk = int(uid) if uid.isascii() and uid.isdigit() and len(uid) < 19 else 0
        found = _FORMER.objects(workspace, name, uid, pk)
    else:
        found = _LIVING.objects(workspace, name)
    endpoint = found[0] if found else None
    if endpoint is None or not access.may(Action.SEE, endpoint.workspace_id):
        raise NotVisible
    if not access.may(action, endpoint.workspace_id):
        raise Forbidden(action)
    return endpoint


def log_snapshot_for(access: Access, pk: int) -> LogSnapshot:
    """Raises NotVisible, and Forbidden for who may see its endpoint but not read logs."""
    snapshot = (
        LogSnapshot.objects.select_related("endpoint__workspace", "operation")
        .filter(endpoint__workspace__configured=True, pk=pk)
        .first()
    )
    if snapshot is None or not access.may(Action.SEE, snapshot.endpoint.workspace_id):
        raise NotVisible
    if not access.may(Action.READ_LOGS, snapshot.endpoint.workspace_id):
        raise Forbidden(Action.READ_LOGS)
    return snapshot


def operation_for(access: Access, pk: int, *, to_change: bool = False) -> Operation:
    """Raises NotVisible, and Forbidden for who may see it but not do such a thing."""
    shown = Operation.objects.for_rows().filter(endpoint__workspace__configured=True)
    operation = shown.filter(pk=pk).first()
    workspace_id = operation.endpoint.workspace_id if operation else 0
    if operation is None or not access.may(Action.SEE, workspace_id):
        raise NotVisible
    action = operation.known_kind.action
    if to_change and not access.may(action, workspace_id):
        raise Forbidden(action)
    return operation
