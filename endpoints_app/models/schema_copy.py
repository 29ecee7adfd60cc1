"""The query schema of one configuration of an endpoint, kept when somebody looked at it."""

from __future__ import annotations

from django.db import models

from endpoints_app.models.endpoint import Endpoint


class SchemaCopy(models.Model):
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="schemas")
    config_version = models.PositiveBigIntegerField()  # 0 where nobody names one
    first_read_at = models.DateTimeField()
    read_at = models.DateTimeField()  # when the reading that wrote it was asked for
    document = models.TextField()  # as Databricks sent it
    digest = models.CharField(max_length=32)  # of the document
    # What a validator found, [{where, what}], and whether it looked to the end; null: not yet.
    findings = models.JSONField(null=True)
    checked_whole = models.BooleanField(default=False)

    class Meta:
        ordering = ["-config_version"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "config_version"], name="one_schema_per_config_version"
            )
        ]
        verbose_name_plural = "schema copies"

    def __str__(self) -> str:
        return f"{self.endpoint}, config {self.config_version}"
