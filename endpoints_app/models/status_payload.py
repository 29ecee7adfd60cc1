"""All that a status page is made from, in one row: a reader costs one query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q, Subquery


class StatusPayloadQuerySet(models.QuerySet["StatusPayload"]):
    def claim(self, *, token: str, now: datetime, until: datetime) -> bool:
        """Take the row for one writer; False means that another one has it."""
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        return self.filter(free, pk=1).update(lease_token=token, leased_until=until) == 1


class StatusPayload(models.Model):
    """One row: how old the facts are, written with each cycle. The facts are in a row of their own,
    so that saying so each second does not write them again."""

    digest = models.CharField(max_length=32, blank=True)  # of what the document was made from
    written_at = models.DateTimeField(null=True)
    sources = models.JSONField(default=dict)  # workspace → [when it last answered, failing]
    seen_at = models.DateTimeField(null=True)

    lease_token = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)

    objects = StatusPayloadQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "status payload"

    def __str__(self) -> str:
        return f"seen at {self.seen_at}"

    @classmethod
    def columns(cls, known: int) -> Mapping[str, Any]:
        """What a reader takes, as annotations for a query about something else: the document only
        where it is another than the version already `known`."""
        row, document = cls.objects.filter(pk=1), StatusDocument.objects.filter(pk=1)
        return {
            "payload_sources": Subquery(row.values("sources")),
            "payload_seen_at": Subquery(row.values("seen_at")),
            "payload_version": Subquery(document.values("version")),
            "payload_document": Subquery(document.exclude(version=known).values("text")),
        }


class StatusDocument(models.Model):
    """One row: the facts (`domain/status_facts.py`), written when something shown has changed.
    Versions are drawn, so that no two documents share one, in a restored database neither."""

    version = models.PositiveBigIntegerField(default=0)
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"version {self.version}"


class StatusDays(models.Model):
    """The closed days of a scope (a workspace or a named view): seconds in each account, summed
    over its endpoints. A day is closed when its workspaces have been read after its end."""

    scope = models.CharField(max_length=100, unique=True)  # "w:<pk>", or "v:<pk>:" and a digest
    through = models.DateField()  # the last closed day
    days = models.JSONField(default=dict)  # ISO date → seconds per account
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "status days"

    def __str__(self) -> str:
        return f"{self.scope} through {self.through}"
