"""The official clients, pointed at an emulated workspace."""

from __future__ import annotations

from typing import Any

import pytest


def sdk(url: str, credential: dict[str, str]) -> Any:
    databricks = pytest.importorskip("databricks.sdk")
    patience = {"http_timeout_seconds": 5, "retry_timeout_seconds": 5}
    config = databricks.core.Config(host=url, **credential, **patience)
    return databricks.WorkspaceClient(config=config)


def mlflow(url: str, credential: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    deployments = pytest.importorskip("mlflow.deployments")
    monkeypatch.setenv("DATABRICKS_HOST", url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    for key, value in credential.items():
        monkeypatch.setenv(f"DATABRICKS_{key.upper()}", value)
    return deployments.get_deploy_client("databricks")
