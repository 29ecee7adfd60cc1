"""What people tell of an incident. Incidents themselves are derived from status changes."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from endpoints_app.models.endpoint import Endpoint


class IncidentNote(models.Model):
    """`incident_start` names the incident: when the first reading showed the trouble."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="incident_notes")
    incident_start = models.DateTimeField()
    text = models.CharField(max_length=1000)  # public
    at = models.DateTimeField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    author_name = models.CharField(max_length=150)  # never public

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["endpoint", "incident_start"])]

    def __str__(self) -> str:
        return f"{self.endpoint}, {self.incident_start}"
