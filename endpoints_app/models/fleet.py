"""The one counter by which browsers learn that something changed."""

import uuid

from django.db import models, transaction
from django.db.models import F


class Fleet(models.Model):
    """One row. `epoch` names the database: a restored copy has another, and gets a full answer."""

    epoch = models.UUIDField(default=uuid.uuid4, editable=False)
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "fleet"

    def __str__(self) -> str:
        return f"revision {self.revision}"

    @classmethod
    def hold(cls) -> None:
        """Lock the row until the caller's transaction ends."""
        cls.objects.select_for_update().get_or_create(pk=1)

    @classmethod
    def next_revision(cls) -> int:
        """Take the next number, inside the transaction that holds the row and stamps others.

        The row stays locked until that commits, so numbers become visible in their order; a
        sequence would let a later one commit first, and a browser would skip the earlier.
        """
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("A revision is taken inside the transaction that uses it.")
        cls.objects.filter(pk=1).update(revision=F("revision") + 1)
        return cls.objects.values_list("revision", flat=True).get(pk=1)
