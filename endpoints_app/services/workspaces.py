"""The settings name the workspaces; rows, and a group per role in each, follow."""

from django.contrib.auth.models import Group

from endpoints_app.domain.roles import Role
from endpoints_app.models import RoleGroup, Workspace
from endpoints_app.services import live


def ensure(names: list[str]) -> None:
    """Make the rows agree with `names`. Costs one query when they already do."""
    known = dict(Workspace.objects.values_list("name", "configured"))
    if {name for name, configured in known.items() if configured} == set(names):
        return
    with live.writing():
        live.next_revision()
        Workspace.objects.exclude(name__in=names).update(configured=False)
        Workspace.objects.filter(name__in=names).update(configured=True)
        for name in names:
            workspace, _ = Workspace.objects.get_or_create(name=name)
            for role in Role:
                group, _ = Group.objects.get_or_create(name=f"{role} in {name}")
                RoleGroup.objects.get_or_create(
                    role=role.value, workspace=workspace, defaults={"group": group}
                )
