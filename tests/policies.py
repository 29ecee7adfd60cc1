"""Budget policies for tests, and how a workspace itself gives one to an endpoint."""

from __future__ import annotations

import requests

from tests.conftest import Lab

ROUTE = "/api/2.0/serving-endpoints/{name}/budget-policy"
OLD = "6f1c2b0e-1111-4a51-9a2d-0c5f4c0b7a10"
NEW = "90ab77d1-2222-4a51-9a2d-0c5f4c0b7a10"
THEIRS = "77cd0000-3333-4a51-9a2d-0c5f4c0b7a10"


def attach(lab: Lab, name: str, policy: str) -> None:
    """Behind our back."""
    answer = requests.patch(
        lab.emulator.url + ROUTE.replace("{name}", name),
        json={"budget_policy_id": policy},
        headers={"Authorization": f"Bearer {lab.emulator.token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    lab.emulator.calls.clear()
