"""The world in a file, so that a restarted emulator is the same workspace.

Written whole and moved into place on every change, so that a killed process leaves either the old
world or the new one. What becomes due by the clock alone needs no write: it is worked out again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from endpoints_app.emulator.documents import dumps
from endpoints_app.emulator.endpoint import Change, Config, Endpoint, Entity, Script
from endpoints_app.emulator.rendering import PerRevision
from endpoints_app.emulator.world import World

FORMAT = 1


class UnreadableState(Exception):
    """The file holds no world of ours."""


@dataclass
class Saved:
    seed: int
    offset: float
    endpoints: list[Endpoint]


class StateFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts = PerRevision(lambda endpoint: dumps(asdict(endpoint)))
        self._saved: tuple[int, float] | None = None

    def load(self) -> Saved | None:
        """The saved world; None when there is no file yet. Raises UnreadableState."""
        if not self.path.exists():
            return None
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            if document["format"] != FORMAT:
                raise UnreadableState(f"{self.path} was written by another version; delete it.")
            return Saved(
                seed=document["seed"],
                offset=document["offset"],
                endpoints=[_endpoint(item) for item in document["endpoints"]],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableState(f"{self.path} does not hold an emulator's state.") from error

    def save(self, world: World) -> None:
        """Nothing is written where nothing has changed, as after a query of a model."""
        endpoints, state = world.all(), (world.revision, world.offset)
        if state == self._saved:
            return
        self._saved = state
        head = dumps({"format": FORMAT, "seed": world.seed, "offset": world.offset})
        text = f'{head[:-1]},"endpoints":[{self._texts.joined(endpoints)}]}}'
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(self.path)


def _endpoint(item: dict[str, Any]) -> Endpoint:
    return Endpoint(
        **item
        | {
            "config": _config(item["config"]),
            "pending": _config(item["pending"]),
            "change": Change(**item["change"]) if item["change"] else None,
            "script": Script(**item["script"]) if item["script"] else None,
        }
    )


def _config(item: dict[str, Any] | None) -> Config | None:
    if item is None:
        return None
    return Config(**item | {"entities": [Entity(**entity) for entity in item["entities"]]})
