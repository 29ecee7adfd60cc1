"""A Desk with two workspaces; whoever breaks it finds it mended afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Desk
from tests.harness import pytest_runtest_makereport as pytest_runtest_makereport


@pytest.fixture(scope="session")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk"), workspaces={"lab": 0, "grid": 1}) as desk:
        yield desk


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """Each test acts on endpoints of its own."""
    yield shared_desk
    shared_desk.mend()
