"""A serving endpoint as the last reading showed it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import FilteredRelation, Q
from django.urls import reverse

from endpoints_app.domain import budget
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OPEN
from endpoints_app.domain.status import Reason, Status
from endpoints_app.models.workspace import Workspace

STATUSES = [(s.value, s.label) for s in Status]
KINDS = [(k.value, k.value) for k in Kind]


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def living(self) -> EndpointQuerySet:
        return self.filter(gone_at=None)

    def due(self, now: datetime) -> EndpointQuerySet:
        """Whose details are to be read now, the longest waiting first."""
        return self.living().filter(next_look_at__lte=now).order_by("next_look_at", "name")

    def in_workspaces(self, workspaces: Collection[int]) -> EndpointQuerySet:
        return self.filter(workspace__in=workspaces)

    def with_what_is_under_way(self) -> EndpointQuerySet:
        """The open operation and the acknowledgement that was not ended, of which there is one at
        most, come as `open_operation` and `acknowledgement`, where there is one."""
        open_values = sorted(state.value for state in OPEN)
        found = self.annotate(
            open_operation=FilteredRelation(
                "operations", condition=Q(operations__state__in=open_values)
            ),
            acknowledgement=FilteredRelation(
                "acknowledged", condition=Q(acknowledged__cleared_at=None)
            ),
        )
        joined = ("workspace", "cause", "open_operation", "acknowledgement")
        return found.select_related(*joined)

    def for_rows(self) -> EndpointQuerySet:
        """With what a row of the list shows, and no more: documents stay where they are."""
        return self.with_what_is_under_way().defer("document")


class Endpoint(models.Model):
    """Identity: Databricks' id where there is one, else the name. A new id under an old name is
    another row; among the living a name is unique in its workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="endpoints")
    name = models.CharField(max_length=255)
    uid = models.CharField(max_length=64, blank=True)
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    # The reading
    status = models.CharField(max_length=20, choices=STATUSES)
    reason = models.CharField(max_length=30, blank=True)
    message = models.CharField(max_length=500, blank=True)
    updating = models.BooleanField(default=False)
    severity = models.PositiveSmallIntegerField()
    last_known = models.CharField(max_length=20, choices=STATUSES, blank=True)
    status_since = models.DateTimeField()
    cause = models.ForeignKey(  # the operation of ours that brought the current status
        "Operation", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    ready = models.CharField(max_length=60, blank=True)
    config_update = models.CharField(max_length=60, blank=True)
    suspend = models.CharField(max_length=60, blank=True)
    observed_at = models.DateTimeField()  # when the reading that wrote this row was asked for
    missing_since = models.DateTimeField(null=True)  # absent from the list, and not known gone

    # What it is
    kind = models.CharField(max_length=20, choices=KINDS)
    owner = models.CharField(max_length=255, blank=True)
    creator = models.CharField(max_length=255, blank=True)
    tags = models.JSONField(default=dict)
    entities = models.JSONField(default=list)  # [{name, entity, version, share}] for the list
    config_version = models.PositiveBigIntegerField(null=True)
    pending_version = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)  # last_updated_timestamp, as Databricks has it
    changed_at = models.DateTimeField()  # the latest we know of: configuration or status
    idle = models.BooleanField(default=False)  # all entities scaled to zero; it wakes by itself
    budget_policy = models.CharField(max_length=255, blank=True)  # the id set on it
    effective_budget_policy = models.CharField(max_length=255, blank=True)  # the id in force
    budget_known = models.BooleanField(default=False)  # whether empty ids mean "none"
    search = models.TextField(blank=True)  # lower case, what the text filter looks in
    tag_lines = models.TextField(blank=True)  # a line per key and per key=value, to filter by

    # How it is kept up to date
    fingerprint = models.CharField(max_length=32, blank=True)  # of its item in the list
    document = models.JSONField(null=True)  # the last GET, secrets masked
    document_at = models.DateTimeField(null=True)
    config_digest = models.CharField(max_length=32, blank=True)  # of the configs that are kept
    next_look_at = models.DateTimeField(null=True)  # when a GET is due
    revision = models.PositiveBigIntegerField(default=0)

    seen: Any = None  # what the reading at hand tells of its configs (services/config_history.py)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                condition=Q(gone_at=None),
                name="one_living_endpoint_per_name",
            ),
        ]
        indexes = [
            models.Index(fields=["revision"]),
            models.Index(
                fields=["workspace", "next_look_at"],
                condition=Q(gone_at=None, next_look_at__isnull=False),
                name="endpoint_due_look",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workspace.name}/{self.name}"

    def get_absolute_url(self) -> str:
        url = reverse("endpoint", args=[self.workspace.name, self.name])
        return f"{url}?id={self.uid or self.pk}" if self.gone_at else url

    @property
    def known_status(self) -> Status:
        """What the last reading said; whether that still counts is the clock's to say."""
        return Status(self.status)

    @property
    def known_kind(self) -> Kind:
        return Kind(self.kind)

    @property
    def known_reason(self) -> Reason:
        return Reason(self.reason)

    @property
    def policy(self) -> budget.Policy:
        return budget.Policy(self.budget_policy, self.effective_budget_policy, self.budget_known)

    @property
    def budget_standing(self) -> budget.Standing:
        return self.policy.standing(self.known_kind)

    def read_at(self) -> datetime:
        """When the newest reading that this row rests on was asked for: an unchanged item of a
        newer list writes no row, but counts."""
        listed = self.workspace.observed_at
        if self.missing_since is None and listed is not None and listed > self.observed_at:
            return listed
        return self.observed_at
