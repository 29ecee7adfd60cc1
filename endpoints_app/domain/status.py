"""What Databricks reports → one status, in Databricks' own words.

What we have not met before is UNKNOWN, never READY. The five labels are documented, their mapping
from the reported fields is not: it is our inference from recorded answers.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING


class Status(Enum):
    """Value, label, tone and severity in one place; a template asks, no template decides.

    The tone names icon and colour (`static/endpoints/app.css`, `templates/_sprite.html`);
    a higher severity is worse and comes first in lists.
    """

    value: str
    label: str
    tone: str
    severity: int

    if not TYPE_CHECKING:  # a type checker would want all four for Status("ready")

        def __new__(cls, value, label, tone, severity):
            member = object.__new__(cls)
            member._value_ = value
            member.label, member.tone, member.severity = label, tone, severity
            return member

    UPDATE_FAILED = ("update_failed", "Not ready (Update failed)", "bad", 70)
    NOT_READY = ("not_ready", "Not ready", "bad", 60)
    UNKNOWN = ("unknown", "Unknown", "unknown", 50)
    UPDATING = ("updating", "Not ready (Updating)", "busy", 40)
    READY_UPDATE_FAILED = ("ready_update_failed", "Ready (Update failed)", "but", 30)
    READY = ("ready", "Ready", "good", 20)
    STOPPED = ("stopped", "Not ready (Stopped)", "off", 10)

    @property
    def serving(self) -> bool | None:
        """Can it be queried? None where we do not know."""
        return None if self is Status.UNKNOWN else self in SERVING


SERVING = frozenset({Status.READY, Status.READY_UPDATE_FAILED})
NEEDS_ATTENTION = frozenset(
    {Status.UPDATE_FAILED, Status.NOT_READY, Status.UNKNOWN, Status.READY_UPDATE_FAILED}
)


class Reason(Enum):
    """Why a status is what it is, where the label alone does not say. Sentences: `sentences/`."""

    NONE = ""
    UPDATE_CANCELED = "update_canceled"
    NO_CONFIGURATION = "no_configuration"
    NOT_SERVING = "not_serving"
    UNRECOGNISED = "unrecognised"
    MISSING_FROM_LIST = "missing_from_list"


@dataclass(frozen=True, slots=True)
class Reported:
    """The fields of one answer that decide the status, as Databricks sent them; None is absent."""

    ready: str | None
    config_update: str | None
    suspend: str | None
    has_config: bool = True
    has_pending_config: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    status: Status
    reason: Reason = Reason.NONE
    updating: bool = False
    """A change of configuration is under way; a ready endpoint shows it as a second badge."""


def derive(reported: Reported) -> Reading:
    """Name the state. Rows are tried from the top; the first that fits decides."""
    updating = reported.config_update == "IN_PROGRESS"
    match reported.ready, reported.config_update, reported.suspend:
        case "READY", "UPDATE_FAILED", _:
            return Reading(Status.READY_UPDATE_FAILED)
        case "READY", "UPDATE_CANCELED", _:
            return Reading(Status.READY, Reason.UPDATE_CANCELED)  # a cancel is not a failure
        case "READY", _, _:
            return Reading(Status.READY, updating=updating)  # the old config serves meanwhile
        case "NOT_READY", "IN_PROGRESS", _:
            return Reading(Status.UPDATING, updating=True)
        case "NOT_READY", _, "STOPPED":
            # Before "update failed": an old failure may remain, but stopped is what one acts on.
            return Reading(Status.STOPPED)
        case "NOT_READY", "UPDATE_FAILED", _:
            return Reading(Status.UPDATE_FAILED)
        case "NOT_READY", "UPDATE_CANCELED", _:
            return Reading(Status.UPDATE_FAILED, Reason.UPDATE_CANCELED)
        case "NOT_READY", "NOT_UPDATING", suspend:
            return _idle_and_not_ready(reported, suspend)
    return Reading(Status.UNKNOWN, Reason.UNRECOGNISED, updating=updating)


def _idle_and_not_ready(reported: Reported, suspend: str | None) -> Reading:
    """Neither ready nor updating: stopped, empty, broken, or beyond us."""
    if not reported.has_config and not reported.has_pending_config:
        return Reading(Status.NOT_READY, Reason.NO_CONFIGURATION)
    if suspend is None and reported.has_config:
        return Reading(Status.STOPPED)  # what was never deployed, nobody can have stopped
    if suspend == "NOT_SUSPENDED":
        return Reading(Status.NOT_READY, Reason.NOT_SERVING)
    return Reading(Status.UNKNOWN, Reason.UNRECOGNISED)


def worst_first() -> list[Status]:
    return sorted(Status, key=lambda status: -status.severity)
