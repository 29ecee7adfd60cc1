"""How long a click takes to its workspace, and what of that is the workspace's own time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.bench.measuring import p95, percentiles
from tests.emulated import ENDPOINTS, EmulatedWorkspace
from tests.harness import TOKEN, Desk
from tests.waiting import eventually

CLICKS = 40
DELETES = 20
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class Clicks:
    """In seconds: from the click until the workspace had the POST, by the clock of one machine;
    and how long the workspace itself took to answer one read of the same endpoint just before."""

    took: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)

    @property
    def note(self) -> str:
        median, _ = percentiles(self.read)
        return (
            f"a read alone takes the workspace {median:.0f}, at p95 {p95(self.read) * 1000:.0f} ms"
        )


def of_every_kind(desk: Desk, *, pause: float) -> dict[str, Clicks]:
    """Stops endpoints of `lab0` that serve, one after the other, starts them again, and deletes
    some."""
    lab = desk.workspaces["lab0"]
    _warm(desk)
    names = ready(lab)[-CLICKS:]
    assert len(names) == CLICKS, "too few endpoints that can be stopped"
    stops = _clicks(desk, "stop", names, pause)
    eventually(lambda: _stopped(lab).issuperset(names), what="The stops")
    starts = _clicks(desk, "start", names, pause)
    doomed, mika = names[-DELETES:], desk.person("mika")
    for name in doomed:
        mika.until_settled(f"lab0/{name}")
    deletes = _clicks(desk, "delete", doomed, pause)
    return {"stop": stops, "start": starts, "delete": deletes}


def _warm(desk: Desk) -> None:
    """Each web process has met a click, as it has after its first minute."""
    for _ in range(8):
        desk.person("otto").post_operation("lab0/nowhere", "stop")


def _clicks(desk: Desk, kind: str, names: Iterable[str], pause: float) -> Clicks:
    mika, lab, found = desk.person("mika"), desk.workspaces["lab0"], Clicks()
    for name in names:
        found.read.append(_read(lab, name))
        before, clicked = len(_writes(lab, name)), time.time()
        mika.ask(f"lab0/{name}", kind, confirm=name if kind == "delete" else "")

        def arrived(name: str = name, before: int = before) -> float:
            return next((float(write["at"]) for write in _writes(lab, name)[before:]), 0.0)

        found.took.append(eventually(arrived, what=f"The {kind} of {name}") - clicked)
        time.sleep(pause * random.uniform(0.8, 1.4))  # at any time of the second between ticks
    return found


def _writes(workspace: EmulatedWorkspace, name: str) -> list[dict[str, Any]]:
    writes = workspace._control("GET", "calls")["writes"]
    return [write for write in writes if write["name"] == name]


def _read(workspace: EmulatedWorkspace, name: str) -> float:
    begin = time.monotonic()
    url = f"{workspace.url}{ENDPOINTS}/{name}"
    assert requests.get(url, headers=HEADERS, timeout=10).ok
    return time.monotonic() - begin


def listed(workspace: EmulatedWorkspace) -> list[dict[str, Any]]:
    url = f"{workspace.url}{ENDPOINTS}"
    found = requests.get(url, headers=HEADERS, timeout=10).json()["endpoints"]
    return [dict(item) for item in found]


def ready(workspace: EmulatedWorkspace) -> list[str]:
    return [
        item["name"]
        for item in listed(workspace)
        if item["state"]["ready"] == "READY"
        and item["state"]["config_update"] == "NOT_UPDATING"
        and _is_custom(item)
    ]


def _stopped(workspace: EmulatedWorkspace) -> set[str]:
    items = listed(workspace)
    return {item["name"] for item in items if item["state"].get("suspend") == "STOPPED"}


def _is_custom(item: dict[str, Any]) -> bool:
    entities = item.get("config", {}).get("served_entities", [])
    return bool(entities) and all(entity.get("type") == "UC_MODEL" for entity in entities)
