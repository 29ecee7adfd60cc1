"""A status page for some of the endpoints, under a name and a link of its own."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from endpoints_app.models.workspace import Workspace

FLEET = ""
"""The slug of the page for all endpoints. Its row exists only to hold the link of that page."""


class StatusView(models.Model):
    """Shows a workspace, what carries a tag (in one workspace or in all), or the listed members.
    One that names nothing shows nothing: it never widens to the fleet.

    The link's token is not kept: `token_digest` is its SHA-256, empty while there is no link.
    """

    slug = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=100, blank=True)  # public
    # A deleted workspace takes its views along: without it they would show more, not less.
    workspace = models.ForeignKey(
        Workspace, null=True, on_delete=models.CASCADE, related_name="status_views"
    )
    tag = models.CharField(max_length=500, blank=True)  # "key" or "key=value"
    token_digest = models.CharField(max_length=64, blank=True)
    token_made_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["title", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug=FLEET) | Q(workspace=None, tag=""),
                name="status_view_of_the_fleet_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.slug or "fleet"

    @property
    def is_fleet(self) -> bool:
        return self.slug == FLEET

    @property
    def is_list(self) -> bool:
        """Whether its members decide, and not a workspace or a tag."""
        return not self.is_fleet and self.workspace_id is None and not self.tag


class StatusViewMember(models.Model):
    """An endpoint by its name, so that it stays listed when it is deleted and made again."""

    view = models.ForeignKey(StatusView, on_delete=models.CASCADE, related_name="members")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    alias = models.CharField(max_length=100, blank=True)  # public, in place of the name
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["view", "workspace", "name"], name="one_member_per_endpoint"
            ),
            models.UniqueConstraint(
                fields=["view", "alias"], condition=~Q(alias=""), name="one_member_per_alias"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alias or self.name} in {self.view}"
