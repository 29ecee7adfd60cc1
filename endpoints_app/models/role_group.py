"""What a Django group may do, in one workspace or in all."""

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from endpoints_app.domain.roles import Role
from endpoints_app.models.workspace import Workspace


class RoleGroup(models.Model):
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="desk_role")
    role = models.CharField(max_length=10, choices=[(r.value, r.value) for r in Role])
    workspace = models.ForeignKey(
        Workspace, null=True, blank=True, on_delete=models.CASCADE, help_text="Empty means all."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "workspace"], name="one_group_per_role"),
            models.UniqueConstraint(
                fields=["role"], condition=Q(workspace=None), name="one_group_per_role_for_all"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} in {self.workspace or 'all workspaces'}"
