"""Planned work: a window of time in which trouble is expected, and not counted."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from endpoints_app.models.endpoint import Endpoint
from endpoints_app.models.workspace import Workspace


class MaintenanceQuerySet(models.QuerySet["Maintenance"]):
    def planned(self) -> MaintenanceQuerySet:
        return self.filter(cancelled_at=None)

    def within(self, start: datetime, end: datetime) -> MaintenanceQuerySet:
        """Not cancelled, and touching the time from `start` until `end`."""
        return self.planned().filter(start__lt=end, end__gt=start)


class Maintenance(models.Model):
    """Covers a workspace, what carries a tag (in one workspace or in all), or its endpoints. One
    that names nothing covers nothing. Windows may overlap."""

    title = models.CharField(max_length=100)  # public
    note = models.CharField(max_length=500, blank=True)  # public
    start = models.DateTimeField()
    end = models.DateTimeField()
    zone = models.CharField(max_length=64)  # IANA name, in which it was entered
    workspace = models.ForeignKey(
        Workspace, null=True, on_delete=models.CASCADE, related_name="maintenance"
    )
    tag = models.CharField(max_length=500, blank=True)  # "key" or "key=value"
    endpoints = models.ManyToManyField(Endpoint, related_name="maintenance")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    made_by_name = models.CharField(max_length=150)  # never public
    made_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["start", "pk"]
        verbose_name_plural = "maintenance windows"
        constraints = [
            models.CheckConstraint(
                condition=Q(end__gt=F("start")), name="maintenance_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["end"])]

    def __str__(self) -> str:
        return self.title

    def is_over(self, now: datetime) -> bool:
        return self.end <= now
