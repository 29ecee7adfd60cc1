"""A stop, start or delete that somebody asked for. States: `domain/lifecycle.py`."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from endpoints_app.domain.lifecycle import OPEN, OperationKind, Outcome, State
from endpoints_app.models.endpoint import Endpoint

OPEN_VALUES = sorted(state.value for state in OPEN)


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> OperationQuerySet:
        return self.filter(state__in=OPEN_VALUES)

    def due(self, now: datetime) -> OperationQuerySet:
        """Open ones that want a look now and that no worker has."""
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        return self.open().filter(free, next_look_at__lte=now).order_by("next_look_at")

    def claim(self, pk: int, *, token: str, now: datetime, until: datetime) -> bool:
        """Take the operation for one look; False means that none is due, that another worker has
        it, or that it is over."""
        due = self.due(now).filter(pk=pk).order_by()
        return due.update(lease_token=token, leased_until=until) == 1

    def held(self, pk: int, token: str) -> Operation | None:
        """The open operation, if we still have it."""
        return self.open().for_rows().filter(pk=pk, lease_token=token).first()

    def for_rows(self) -> OperationQuerySet:
        return self.select_related("endpoint__workspace").defer("endpoint__document")


class Operation(models.Model):
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in OperationKind])
    state = models.CharField(
        max_length=15, choices=[(s.value, s.value) for s in State], default=State.QUEUED.value
    )
    outcome = models.CharField(max_length=30, blank=True)
    refusal = models.CharField(max_length=30, blank=True)  # which rule, when not possible
    detail = models.CharField(max_length=500, blank=True)  # what Databricks answered

    # Who and why: kept by name too, for the time after the account
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)

    # What was there before it was sent: a read that differs has moved
    status_before = models.CharField(max_length=20, blank=True)
    config_before = models.PositiveBigIntegerField(null=True)
    pending_before = models.PositiveBigIntegerField(null=True)
    config_after = models.PositiveBigIntegerField(null=True)

    requested_at = models.DateTimeField()
    send_by = models.DateTimeField()
    sending_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    finish_by = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)  # who withdrew it

    # The engine's
    next_look_at = models.DateTimeField()
    lease_token = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)
    revision = models.PositiveBigIntegerField(default=0)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(state__in=OPEN_VALUES),
                name="one_open_operation_per_endpoint",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"], condition=Q(state__in=OPEN_VALUES), name="operation_due"
            ),
            models.Index(fields=["-requested_at"]),
            models.Index(fields=["endpoint", "-requested_at"]),
            models.Index(fields=["revision"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.endpoint} ({self.state})"

    @property
    def known_kind(self) -> OperationKind:
        return OperationKind(self.kind)

    @property
    def known_state(self) -> State:
        return State(self.state)

    @property
    def known_outcome(self) -> Outcome:
        return Outcome(self.outcome)

    @property
    def is_open(self) -> bool:
        return self.known_state in OPEN
