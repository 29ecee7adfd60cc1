"""What an endpoint exported, minute by minute, and which endpoints are asked for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from endpoints_app.domain.metrics import NAMES, Grain, Histogram, Reading, Stretch
from endpoints_app.domain.status import Status
from endpoints_app.models.endpoint import Endpoint


class MetricSample(models.Model):
    """`minutes` minutes from `at` on. Counts are of all of them together, the rest is a mean; null
    was not exported. `entity` is empty for the endpoint as a whole. Where nothing was exported
    `answer` says what came instead: "nothing", or the name of the error.

    The same time is told in several grains (domain/metrics.py), so that a chart of weeks need not
    add up minutes: a row lies within one window of `grain` minutes of the clock."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="metrics")
    entity = models.CharField(max_length=255, blank=True)
    grain = models.PositiveSmallIntegerField(default=Grain.MINUTE)
    at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=1)
    answer = models.CharField(max_length=40, blank=True)

    requests = models.FloatField(null=True)
    errors_4xx = models.FloatField(null=True)
    errors_5xx = models.FloatField(null=True)
    concurrency = models.FloatField(null=True)
    cpu = models.FloatField(null=True)
    memory = models.FloatField(null=True)
    gpu = models.FloatField(null=True)
    gpu_memory = models.FloatField(null=True)
    latency = models.JSONField(null=True)  # [[upper bound in ms, null for none; not above it] …]

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "grain", "at", "entity"], name="one_metric_sample_per_time"
            )
        ]
        indexes = [
            models.Index(fields=["at"]),
            models.Index(
                fields=["at"], condition=Q(grain=Grain.MINUTE), name="metric_sample_of_a_minute"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.entity} at {self.at}"

    @classmethod
    def of(
        cls, endpoint_id: int, stretch: Stretch, *, entity: str = "", grain: int = Grain.MINUTE
    ) -> MetricSample:
        reading = stretch.reading
        return cls(
            endpoint_id=endpoint_id,
            entity=entity,
            at=stretch.at,
            minutes=reading.minutes,
            answer=stretch.answer,
            latency=_as_json(reading.latency),
            grain=grain,
            **{name: reading.values.get(name) for name in NAMES},
        )


STRETCH = ("at", "answer", "minutes", "latency", *NAMES)
"""The columns that `stretch_of` takes."""


def stretch_of(row: Iterable[Any]) -> Stretch:
    """From the values of STRETCH: thousands of them are read for a chart."""
    at, answer, minutes, latency, *values = row
    present = {name: it for name, it in zip(NAMES, values, strict=True) if it is not None}
    return Stretch(at, Reading(present, _from_json(latency), minutes), answer)


def _as_json(histogram: Histogram | None) -> list[list[float | None]] | None:
    if histogram is None:
        return None
    return [[None if math.isinf(bound) else bound, number] for bound, number in histogram]


def _from_json(stored: list[list[float | None]] | None) -> Histogram | None:
    if stored is None:
        return None
    return tuple((math.inf if bound is None else bound, number or 0.0) for bound, number in stored)


class MetricWatchQuerySet(models.QuerySet["MetricWatch"]):
    def wanted(self, since: datetime) -> MetricWatchQuerySet:
        """Whose metrics somebody keeps, or has looked at since then: kept ones first, then what
        was looked at last. Nothing of a stopped endpoint runs that could export any."""
        wanted = self.filter(Q(kept=True) | Q(watched_at__gte=since))
        wanted = wanted.filter(endpoint__gone_at=None, endpoint__workspace__configured=True)
        wanted = wanted.exclude(endpoint__status=Status.STOPPED.value)
        return wanted.order_by("-kept", "-watched_at", "pk")

    def forgettable(self, before: datetime) -> MetricWatchQuerySet:
        """Of those who have not come back since then."""
        return self.filter(Q(watched_at=None) | Q(watched_at__lt=before), kept=False)


class MetricWatch(models.Model):
    """Somebody's interest in the metrics of an endpoint."""

    endpoint = models.OneToOneField(Endpoint, on_delete=models.CASCADE, related_name="metric_watch")
    watched_at = models.DateTimeField(null=True)  # when the tab was looked at last, about
    kept = models.BooleanField(default=False)
    due_at = models.DateTimeField()  # when it is asked next

    objects = MetricWatchQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["watched_at"]), models.Index(fields=["kept"])]
        verbose_name_plural = "metric watches"

    def __str__(self) -> str:
        return f"{self.endpoint}{', kept' if self.kept else ''}"
