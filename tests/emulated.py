"""What a Desk looks after."""

from __future__ import annotations

from typing import Any

import requests

from tests.waiting import eventually

ENDPOINTS = "/api/2.0/serving-endpoints"

WELL = {"ready": "READY", "config_update": "NOT_UPDATING", "suspend": "NOT_SUSPENDED"}
BROKEN = {"ready": "NOT_READY", "config_update": "NOT_UPDATING", "suspend": "NOT_SUSPENDED"}
STOPPED = {"ready": "NOT_READY", "config_update": "NOT_UPDATING", "suspend": "STOPPED"}


class EmulatedWorkspace:
    """The emulator as a test sees it: its control path."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _control(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self.url}/_control/{path}", timeout=5, **options)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def calls(self) -> dict[str, int]:
        """METHOD and route → how often."""
        calls: dict[str, int] = self._control("GET", "calls")["calls"]
        return calls

    def lists(self) -> int:
        return self.calls().get(f"GET {ENDPOINTS}", 0)

    def reads(self) -> int:
        return self.calls().get(f"GET {ENDPOINTS}/{{name}}", 0)

    def writes(self, name: str) -> list[tuple[str, int | None]]:
        """What was asked to change of the endpoint `name`: what, and the answer's status."""
        return [
            (
                write["path"].rpartition("config:")[2] if "config:" in write["path"] else "delete",
                write["status"],
            )
            for write in self._control("GET", "calls")["writes"]
            if write["name"] == name
        ]

    def tell(self, name: str, state: dict[str, str]) -> None:
        """Behind everybody's back."""
        self._control("POST", f"endpoints/{name}", json={"state": state})

    def fault(self, kind: str, **document: Any) -> None:
        self._control("POST", "faults", json={"kind": kind, **document})

    def until_hit(self, kind: str) -> None:
        """A fault that was to hit once or so has used up its times."""
        eventually(
            lambda: not any(it["kind"] == kind for it in self.faults()),
            what=f"A call for the fault {kind}",
        )

    def faults(self) -> list[dict[str, Any]]:
        """Those in force, with how often each will still hit."""
        faults: list[dict[str, Any]] = self._control("GET", "faults")["faults"]
        return faults

    def clear_faults(self) -> None:
        self._control("DELETE", "faults")
