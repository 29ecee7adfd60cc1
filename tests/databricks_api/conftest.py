import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from endpoints_app.databricks_api import Credentials, Transport, WorkspaceClient
from endpoints_app.databricks_api.transport import Clock

TOKEN = "dapi0123456789abcdef0123456789abcdef"
CREDENTIAL_PREFIXES = ("DATABRICKS_", "ARM_", "GOOGLE_", "ACTIONS_ID_TOKEN", "AZURE_")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither credentials nor proxies nor a profile of whoever runs the tests."""
    for name in list(os.environ):
        proxy = name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        bundle = name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        if name.startswith(CREDENTIAL_PREFIXES) or proxy or bundle:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


class FakeTime:
    """A clock that moves when somebody sleeps; without jitter."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self, *, wall: float = 1_800_000_000.0) -> Clock:
        return Clock(
            monotonic=lambda: self.now,
            sleep=self.sleep,
            wall=lambda: wall,
            jitter=lambda: 0.5,
        )


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


Connect = Callable[..., WorkspaceClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client of the workspace at a URL, by token unless told otherwise; closed at the end."""
    clients: list[WorkspaceClient] = []

    def make(url: str, credentials: Credentials | None = None, **options) -> WorkspaceClient:
        credentials = credentials or Credentials(host=url, token=TOKEN)
        clients.append(WorkspaceClient(Transport(credentials, version="1.2.3", **options)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
