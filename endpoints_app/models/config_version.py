"""A config version of an endpoint, kept when it was seen: Databricks tells only the active and the
pending one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from endpoints_app.domain.config_version import OPEN, Stage
from endpoints_app.models.endpoint import Endpoint


class ConfigVersionQuerySet(models.QuerySet["ConfigVersion"]):
    def over_before(self, horizon: object) -> ConfigVersionQuerySet:
        """Those whose time ended before `horizon` and that Databricks no longer tells of."""
        over = Q(ended_at__lt=horizon) & ~Q(stage__in=[stage.value for stage in OPEN])
        return self.filter(over).exclude(version=F("endpoint__pending_version"))


class ConfigVersion(models.Model):
    """It came between `after`, the last reading without it, and `first_seen_at`. `after` is empty
    when it was there already as the endpoint was first read."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="configs")
    version = models.PositiveBigIntegerField()
    stage = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Stage])
    after = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)  # as Databricks dates it
    active_at = models.DateTimeField(null=True)  # first seen active
    ended_at = models.DateTimeField(null=True)  # first seen failed, or followed by another
    message = models.CharField(max_length=500, blank=True)  # why it failed, in Databricks' words
    operation = models.ForeignKey(  # of ours that made it
        "Operation", null=True, on_delete=models.SET_NULL, related_name="configs"
    )

    content = models.JSONField()  # domain/config_content.py: {"config": …, "tags": …}
    cut = models.BooleanField(default=False)  # it was too large to keep whole
    digest = models.CharField(max_length=32)  # of its settings
    secrets = models.JSONField(default=dict)  # "entity/NAME" → keyed digest of a masked value

    # Against the version that was active, or the one before, when this one was first seen
    compared_with = models.PositiveBigIntegerField(null=True)
    changes = models.JSONField(default=list)  # the first few, as domain/config_diff.py has them
    changed = models.PositiveIntegerField(default=0)  # how many there are

    objects = ConfigVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "version"], name="one_row_per_config")
        ]
        indexes = [
            models.Index(fields=["endpoint", "-first_seen_at"]),
            models.Index(fields=["ended_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}, config {self.version} ({self.stage})"

    @property
    def known_stage(self) -> Stage:
        return Stage(self.stage)
