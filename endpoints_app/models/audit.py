"""Who did what: written before the call, because Databricks only sees our service principal."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)  # "stop asked", "stop confirmed" …
    workspace = models.CharField(max_length=63)
    endpoint = models.CharField(max_length=255)
    operation = models.ForeignKey(
        "Operation", null=True, on_delete=models.SET_NULL, related_name="audit"
    )
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["-at"]),
            models.Index(fields=["workspace", "endpoint", "-at"]),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.workspace}/{self.endpoint}"

    @property
    def said(self) -> str:
        """What is to be read beside the action: Databricks' answer, the reason, or the outcome."""
        found = (self.detail.get(key) for key in ("answer", "reason", "outcome"))
        return next((text for text in found if text), "")
