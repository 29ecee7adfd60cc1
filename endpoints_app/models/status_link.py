"""Where to read on and whom to ask, on the status page."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from endpoints_app.models.endpoint import Endpoint


class StatusLink(models.Model):
    """Of one endpoint, of what carries a tag, or with neither the default. What one leaves empty
    the next wider one fills: `domain/status_links.py`. All of it is public."""

    endpoint = models.OneToOneField(
        Endpoint, null=True, on_delete=models.CASCADE, related_name="status_link"
    )
    tag = models.CharField(max_length=500, blank=True)  # "key" or "key=value"
    runbook_url = models.CharField(max_length=500, blank=True)
    contact_name = models.CharField(max_length=100, blank=True)
    contact_url = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["tag", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(endpoint=None) | Q(tag=""), name="status_link_of_endpoint_or_tag"
            ),
            models.UniqueConstraint(
                fields=["tag"], condition=Q(endpoint=None), name="one_status_link_per_tag"
            ),
        ]

    def __str__(self) -> str:
        return f"links of {self.endpoint or self.tag or 'all'}"
