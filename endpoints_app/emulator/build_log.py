"""What the build of a container image says: as much of it as has happened by now."""

from __future__ import annotations

from endpoints_app.emulator.endpoint import CREATING
from endpoints_app.emulator.log_source import Source

_TROUBLE = (  # a word of the message: the text that leads to it
    ("wheels", "build_wheel"),
    ("No matching distribution", "build_missing"),
    ("space", "build_space"),
    ("esol", "build_conflict"),  # resolution, ResolutionImpossible
)


def text(source: Source, now: float) -> str:
    lines: list[str] = []
    for part in _parts(source):
        lines += source.told(part, source.config.started, source.built_at, until=now)
    return "".join(f"{line}\n" for line in lines)


def _parts(source: Source) -> list[str]:
    """While it is built nobody knows how it will end."""
    message = source.entity.message
    if source.failed and "image creation failed" in message:
        trouble = next((part for word, part in _TROUBLE if word in message), "build_conflict")
        return ["build", trouble, "build_failed"]
    if source.failed:
        return ["build", "build_done", "build_not_served"]
    if source.entity.deployment == CREATING:
        return ["build", "build_done"]
    return ["build", "build_done", "build_ready"]
