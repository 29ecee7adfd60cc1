"""A log as it last was, kept because its endpoint failed or was about to be stopped or deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from endpoints_app.domain.logs import Log
from endpoints_app.models.endpoint import Endpoint


class LogSnapshot(models.Model):
    """`operation` is the stop or delete before which it was kept; without one, the update to
    `config_version` had failed. `text` is the last part, credentials masked; `problem` names the
    error where there was no answer."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="log_snapshots")
    operation = models.ForeignKey(
        "Operation", null=True, on_delete=models.CASCADE, related_name="log_snapshots"
    )
    log = models.CharField(max_length=10, choices=[(log.value, log.value) for log in Log])
    entity = models.CharField(max_length=255)
    config_version = models.PositiveBigIntegerField(null=True)
    text = models.TextField(blank=True)
    skipped = models.PositiveBigIntegerField(default=0)  # lines before the text
    problem = models.CharField(max_length=40, blank=True)
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["-taken_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "config_version", "entity", "log"],
                condition=Q(operation=None),
                name="one_log_kept_per_failed_update",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-taken_at"]),
            models.Index(fields=["taken_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.log} log of {self.endpoint}, {self.entity}"

    def get_absolute_url(self) -> str:
        return reverse("log-snapshot", args=[self.pk])

    @property
    def lines(self) -> int:
        """How many of them are kept."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))
