"""A change of an endpoint's status: the noun that history, uptime and notifications read."""

from django.db import models

from endpoints_app.domain.status import Status
from endpoints_app.models.endpoint import STATUSES, Endpoint


class StatusChange(models.Model):
    """It happened between `after`, the last read that showed `was`, and `at`, the first that
    showed `now`. `was` is empty when the endpoint was first seen, `now` when it was gone."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="changes")
    was = models.CharField(max_length=20, choices=STATUSES, blank=True)
    now = models.CharField(max_length=20, choices=STATUSES, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    message = models.CharField(max_length=500, blank=True)
    after = models.DateTimeField(null=True)
    at = models.DateTimeField()
    operation = models.ForeignKey(
        "Operation", null=True, on_delete=models.SET_NULL, related_name="changes"
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["endpoint", "-at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.was or 'unseen'} → {self.now or 'gone'}"

    @property
    def status(self) -> Status | None:
        return Status(self.now) if self.now else None

    @property
    def former(self) -> Status | None:
        return Status(self.was) if self.was else None
