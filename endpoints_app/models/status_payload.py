"""All that a status page is made from, in one row: a reader costs one query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, F, Q, Subquery, Value, When


class StatusPayloadQuerySet(models.QuerySet["StatusPayload"]):
    def claim(self, *, token: str, now: datetime, until: datetime) -> bool:
        """Take the row for one writer; False means that another one has it."""
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        return self.filter(free, pk=1).update(lease_token=token, leased_until=until) == 1


class StatusPayload(models.Model):
    """One row. `document` are the facts (`domain/status_facts.py`), written when something shown
    has changed; `sources` and `seen_at` say with each cycle how old they are, whatever the facts.
    """

    version = models.PositiveBigIntegerField(
        default=0
    )  # of the document; drawn, so that no two agree
    document = models.TextField(blank=True)
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
        return f"version {self.version}"

    @classmethod
    def columns(cls, known: int) -> Mapping[str, Any]:
        """What a reader takes, as annotations for a query about something else: the document only
        where it is another than the version already `known`."""
        row = cls.objects.filter(pk=1)
        fresh = Case(
            When(version=known, then=Value("")),
            default=F("document"),
            output_field=models.TextField(),
        )
        return {
            "payload_version": Subquery(row.values("version")),
            "payload_sources": Subquery(row.values("sources")),
            "payload_seen_at": Subquery(row.values("seen_at")),
            "payload_document": Subquery(row.annotate(fresh=fresh).values("fresh")),
        }


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
