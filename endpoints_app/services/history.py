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
    METRICS_DAYS, in batches, so that no click waits for it. Where it ends early, the next one goes
    on."""
    horizon = now - timedelta(days=settings.HISTORY_DAYS)
    evidence = now - timedelta(days=settings.LOG_SNAPSHOT_DAYS)
    charted = now - timedelta(days=settings.METRICS_DAYS)
    _prune(MetricSample.objects.filter(at__lt=charted).order_by("at"))
    _prune(MetricWatch.objects.forgettable(charted).order_by("pk"))
    _prune(LogSnapshot.objects.filter(taken_at__lt=evidence).order_by("taken_at"))
    _prune(StatusChange.objects.filter(at__lt=horizon).order_by("at"))
    _prune(ConfigVersion.objects.over_before(horizon).order_by("pk"))
    _prune(Operation.objects.filter(settled_at__lt=horizon).order_by("settled_at"))
    _prune(AuditEntry.objects.filter(at__lt=horizon).order_by("at"))
    _prune(StatusDays.objects.filter(through__lt=(now - STATUS_DAYS).date()).order_by("through"))
    _prune(Outage.objects.filter(end__lt=horizon).order_by("end"))
    _prune(Acknowledgement.objects.filter(cleared_at__lt=horizon).order_by("cleared_at"))
    _prune(Maintenance.objects.filter(end__lt=horizon).order_by("end"))
    _prune(IncidentNote.objects.filter(incident_start__lt=horizon).order_by("incident_start"))
    _prune(Endpoint.objects.filter(gone_at__lt=horizon).order_by("gone_at"))


def _prune(rows: models.QuerySet) -> None:  # type: ignore[type-arg]
    """`rows` come in the order of their index, where there is one, so that the first of many are
    found at once. What would go with them goes before, and counts: some of it may be kept for
    longer."""
    if not rows.exists():
        return
    for relation in rows.model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is models.CASCADE:
            theirs = {f"{relation.field.name}__in": rows.order_by().values("pk")}
            _prune(relation.related_model._default_manager.filter(**theirs).order_by("pk"))
    while pks := list(rows.values_list("pk", flat=True)[:BATCH]):
        with live.writing():
            rows.model._default_manager.filter(pk__in=pks).delete()
        live.let_others_in()
