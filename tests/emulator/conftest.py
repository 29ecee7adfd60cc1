"""A workspace per test, on a real socket, whose clock the test holds in its hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from endpoints_app.emulator import Running, serving

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"SECRET_KEY": "for this test alone " * 4}


BASE = "/api/2.0/serving-endpoints"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_780_000_000.25

    def __call__(self) -> float:
        return self.seconds


class Api(requests.Session):
    """The workspace as an authenticated caller sees it; paths instead of addresses."""

    def __init__(self, workspace: Running) -> None:
        super().__init__()
        self.url = workspace.url
        self.headers["Authorization"] = f"Bearer {workspace.token}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, self.url + path, timeout=10, **options)

    def endpoint(self, name: str) -> dict[str, Any]:
        response = self.get(f"{BASE}/{name}")
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    def state(self, name: str) -> tuple[str, str, str | None]:
        state = self.endpoint(name)["state"]
        return state["ready"], state["config_update"], state.get("suspend")

    def listed(self) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in self.get(BASE).json()["endpoints"]}

    def operate(self, name: str, action: str) -> requests.Response:
        """`action` is stop or start."""
        return self.post(f"{BASE}/{name}/config:{action}")

    def create(self, name: str, **body: Any) -> requests.Response:
        config = {"served_entities": [{"entity_name": "ml.prod.model", "entity_version": "1"}]}
        return self.post(BASE, json={"name": name, "config": config} | body)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Iterator[Running]:
    with serving(clock=clock) as running:
        yield running


@pytest.fixture
def api(workspace: Running) -> Iterator[Api]:
    with Api(workspace) as session:
        yield session


@pytest.fixture
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The official clients read no variable and no file of whoever runs the tests."""
    for name in os.environ:
        if name.startswith(("DATABRICKS_", "ARM_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.chdir(tmp_path)


@contextmanager
def command(*arguments: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`manage.py run_emulator` as a process of its own, and the address it says."""
    called = [sys.executable, "manage.py", "run_emulator", *arguments]
    process = subprocess.Popen(
        called,
        cwd=ROOT,
        env=ENVIRONMENT | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        said = re.fullmatch(r"Workspace emulator on (http://127\.0\.0\.1:\d+)\n", line)
        assert said, line + process.communicate()[1]
        yield process, said[1]
    finally:
        process.kill()
        process.communicate()
