"""Somebody is on it: when that is worth saying, for how long, and what ends it."""

from datetime import timedelta
from enum import StrEnum

from endpoints_app.domain.status import Status


class Cleared(StrEnum):
    """What ended an acknowledgement."""

    BY_HAND = "by_hand"
    EXPIRED = "expired"
    RECOVERED = "recovered"
    REPLACED = "replaced"
    GONE = "gone"


LONGEST = timedelta(days=7)
"""Who needs longer says so again: a forgotten one must not hide that nobody is on it."""

ACKNOWLEDGEABLE = frozenset(
    {
        Status.UPDATE_FAILED,
        Status.NOT_READY,
        Status.UNKNOWN,
        Status.READY_UPDATE_FAILED,
        Status.UPDATING,
    }
)
"""What somebody can be on. Ready needs nobody, and a stop is somebody's decision."""


def ends_with(status: Status | None) -> Cleared | None:
    """What a new status does to an acknowledgement; None for `status` is an endpoint that is gone.

    Unknown ends nothing: a workspace that stops answering has not repaired its endpoints.
    """
    if status is None:
        return Cleared.GONE
    return None if status in ACKNOWLEDGEABLE else Cleared.RECOVERED
