"""What becomes of a config version, as readings tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"  # its update failed; what served before still does
    CANCELED = "canceled"
    SERVED = "served"  # it was active, and another one is now
    REPLACED = "replaced"  # it was pending, and went without having served


OPEN = frozenset({Stage.PENDING, Stage.ACTIVE})
FAILURES = {"UPDATE_FAILED": Stage.FAILED, "UPDATE_CANCELED": Stage.CANCELED}


@dataclass(frozen=True, slots=True)
class Reported:
    """What one reading says: the numbers of the active and the pending config, and how the
    update to the pending one fares (`config_update`)."""

    active: int | None
    pending: int | None
    update: str = ""


def stages(known: Mapping[int, Stage], reported: Reported) -> dict[int, Stage]:
    """The versions whose stage is new or another one than was known.

    Databricks tells no history: a version that is no longer told of has been followed by another.
    """
    now: dict[int, Stage] = {}
    if reported.pending is not None:
        now[reported.pending] = FAILURES.get(reported.update, Stage.PENDING)
    if reported.active is not None:
        now[reported.active] = Stage.ACTIVE
    for version, stage in known.items():
        if version in now or stage not in OPEN:
            continue
        if stage is Stage.PENDING:
            now[version] = FAILURES.get(reported.update, Stage.REPLACED)
        elif reported.active is not None:
            now[version] = Stage.SERVED
    return {version: stage for version, stage in now.items() if known.get(version) != stage}
