"""Somebody is on it: said of an endpoint in trouble, for a time."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from endpoints_app.domain.acknowledging import Cleared
from endpoints_app.models.endpoint import Endpoint


class AcknowledgementQuerySet(models.QuerySet["Acknowledgement"]):
    def standing(self, now: datetime) -> AcknowledgementQuerySet:
        """Those that hold at this time: the clock ends one before its row is cleared."""
        return self.filter(cleared_at=None, until__gt=now)


class Acknowledgement(models.Model):
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="acknowledged")
    role = models.CharField(max_length=100)  # public: "ML platform on-call"
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)  # never public, as the note
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    until = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    cleared_because = models.CharField(
        max_length=10, blank=True, choices=[(c.value, c.value) for c in Cleared]
    )

    objects = AcknowledgementQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(cleared_at=None),
                name="one_acknowledgement_per_endpoint",
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("at")), name="acknowledgement_ends_after_it_begins"
            ),
        ]
        indexes = [
            models.Index(
                fields=["until"], condition=Q(cleared_at=None), name="acknowledgement_standing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} on {self.endpoint}"
