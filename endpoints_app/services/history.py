"""How long we remember."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from endpoints_app.models import (
    Acknowledgement,
    AuditEntry,
    ConfigVersion,
    Endpoint,
    IncidentNote,
    LogSnapshot,
    Maintenance,
    MetricSample,
    MetricWatch,
    Operation,
    Outage,
    StatusChange,
    StatusDays,
)
from endpoints_app.services import live

BATCH = 500
STATUS_DAYS = timedelta(days=90)  # what a status page that nobody keeps up to date may still show


def prune(*, now: datetime) -> None:
    """Forget what is older than HISTORY_DAYS, kept logs after LOG_SNAPSHOT_DAYS, metrics after
    METRICS_DAYS, in batches, so that no click waits for it."""
    horizon = now - timedelta(days=settings.HISTORY_DAYS)
    evidence = now - timedelta(days=settings.LOG_SNAPSHOT_DAYS)
    charted = now - timedelta(days=settings.METRICS_DAYS)
    _prune(MetricSample.objects.filter(at__lt=charted))
    _prune(MetricWatch.objects.forgettable(charted))
    _prune(LogSnapshot.objects.filter(taken_at__lt=evidence))
    _prune(StatusChange.objects.filter(at__lt=horizon))
    _prune(ConfigVersion.objects.over_before(horizon))
    _prune(Operation.objects.filter(settled_at__lt=horizon))
    _prune(AuditEntry.objects.filter(at__lt=horizon))
    _prune(StatusDays.objects.filter(through__lt=(now - STATUS_DAYS).date()))
    _prune(Outage.objects.filter(end__lt=horizon))
    _prune(Acknowledgement.objects.filter(cleared_at__lt=horizon))
    _prune(Maintenance.objects.filter(end__lt=horizon))
    _prune(IncidentNote.objects.filter(incident_start__lt=horizon))
    _prune(Endpoint.objects.filter(gone_at__lt=horizon))


def _prune(rows: models.QuerySet) -> None:  # type: ignore[type-arg]
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with live.writing():
            rows.model._default_manager.filter(pk__in=pks).delete()
