"""The sync keeps rows what the workspace says they are."""

from __future__ import annotations

from endpoints_app.domain.status import Status
from tests.conftest import Lab


def test_the_first_cycle_brings_every_endpoint_of_the_list(lab: Lab) -> None:
    lab.sync()

    names = set(lab.workspace.endpoints.values_list("name", flat=True))
    assert len(names) == 24
    assert lab.endpoint("churn").known_status in (Status.READY, Status.UPDATING)
