"""A Databricks workspace and what its last answers told us. Credentials are never stored."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def configured(self) -> WorkspaceQuerySet:
        """Those the settings name now; others keep their history and are not asked."""
        return self.filter(configured=True)

    def due(self, now: datetime) -> WorkspaceQuerySet:
        """Whose list, or one of whose endpoints, is to be read now."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rested = Q(rest_until=None) | Q(rest_until__lte=now)
        list_due = Q(next_list_at=None) | Q(next_list_at__lte=now)
        look_due = Q(endpoints__gone_at=None, endpoints__next_look_at__lte=now)
        return self.configured().filter(free, rested).filter(list_due | look_due).distinct()

    def lease(self, pk: int, *, token: str, now: datetime, until: datetime) -> bool:
        """Take the workspace for one sync; False means that another one has it."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return (
            self.configured().filter(free, pk=pk).update(lease_token=token, lease_until=until) == 1
        )


class Workspace(models.Model):
    name = models.CharField(max_length=63, unique=True)
    configured = models.BooleanField(default=True)

    observed_at = models.DateTimeField(null=True)  # when the last answered list was asked for
    error = models.CharField(max_length=40, blank=True)  # code of the failure since then, if any
    error_detail = models.CharField(max_length=500, blank=True)
    error_at = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True)  # asked nothing before: pace, or Retry-After

    next_list_at = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Outage(models.Model):
    """A span in which our poller did not read a workspace: history says unknown there."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "end"])]

    def __str__(self) -> str:
        return f"{self.workspace}: no reads from {self.start} to {self.end}"
