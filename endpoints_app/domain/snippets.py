"""How to send a request from elsewhere: curl, Python and the official clients.

The token is a placeholder, always; host and bodies are quoted for the language they stand in.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from endpoints_app.domain.json_text import pretty


class Language(StrEnum):
    CURL = "curl"
    PYTHON = "python"
    MLFLOW = "mlflow"
    SDK = "sdk"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS: Final = {
    Language.CURL: "curl",
    Language.PYTHON: "Python requests",
    Language.MLFLOW: "MLflow Deployments",
    Language.SDK: "Databricks SDK",
}

SDK_NAMES: Final = frozenset(
    {"dataframe_records", "extra_params", "inputs", "instances", "max_tokens", "n", "prompt"}
    | {"stop", "stream", "temperature", "input"}
)
"""The fields that `serving_endpoints.query` takes as plain values (SDK 0.156)."""


def snippet(language: Language, *, host: str, endpoint: str, entity: str, body: Any) -> str:
    """A program that sends `body` to the endpoint, or to one served entity of it.

    `host` is the workspace's address, or empty for a placeholder.
    """
    path = f"/serving-endpoints/{quote(endpoint, safe='')}"
    if entity:
        path += f"/served-models/{quote(entity, safe='')}"
    path += "/invocations"
    host = host or "https://<workspace host>"
    match language:
        case Language.CURL:
            return _curl(host + path, body)
        case Language.PYTHON:
            return _python(host + path, body)
        case Language.MLFLOW:
            return _mlflow(endpoint, body)
    return _sdk(endpoint, path, entity, body)


def _curl(url: str, body: Any) -> str:
    data = pretty(body)
    return (
        f"curl -sS {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $DATABRICKS_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  --data-raw {shlex.quote(data)}\n"
    )


def _python(url: str, body: Any) -> str:
    return (
        "import os\n\nimport requests\n\n"
        f"body = {_literal(body)}\n"
        "answer = requests.post(\n"
        f"    {url!r},\n"
        '    headers={"Authorization": f"Bearer {os.environ[\'DATABRICKS_TOKEN\']}"},\n'
        "    json=body,\n"
        "    timeout=300,\n"
        ")\n"
        "answer.raise_for_status()\n"
        "print(answer.json())\n"
    )


def _mlflow(endpoint: str, body: Any) -> str:
    """It signs in by DATABRICKS_HOST and DATABRICKS_TOKEN or a profile, and asks the endpoint as a
    whole."""
    return (
        "from mlflow.deployments import get_deploy_client\n\n"
        f"body = {_literal(body)}\n"
        'client = get_deploy_client("databricks")\n'
        f"print(client.predict(\n    endpoint={endpoint!r},\n    inputs=body,\n))\n"
    )


def _sdk(endpoint: str, path: str, entity: str, body: Any) -> str:
    """By the method where it takes all of the body, else by a plain request of the same client."""
    lines = ["from databricks.sdk import WorkspaceClient", ""]
    call = f'client.api_client.do(\n    "POST",\n    {path!r},\n    body=body,\n)'
    if isinstance(body, dict) and body and not entity:
        split = body.get("dataframe_split")
        if body.keys() <= SDK_NAMES:
            call = f"client.serving_endpoints.query(\n    name={endpoint!r},\n    **body,\n)"
        elif body.keys() == {"dataframe_split"} and isinstance(split, dict):
            lines.insert(1, "from databricks.sdk.service.serving import DataframeSplitInput")
            split_input = 'DataframeSplitInput.from_dict(body["dataframe_split"])'
            call = (
                "client.serving_endpoints.query(\n"
                f"    name={endpoint!r},\n"
                f"    dataframe_split={split_input},\n"
                ")"
            )
    lines += [f"body = {_literal(body)}", "client = WorkspaceClient()", f"print({call})", ""]
    return "\n".join(lines)


def _literal(body: Any) -> str:
    return pretty(body, python=True, indent="    ")
