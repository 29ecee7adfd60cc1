"""Credentials come from variables, files and profiles; mistakes are named, values never."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from endpoints_app.databricks_api import errors
from endpoints_app.services import clients

SECRET = "dapi-0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("WORKSPACE", "DATABRICKS_")):
            monkeypatch.delenv(name)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """`named("lab", "other", WORKSPACE_LAB_HOST=…)`: what the environment says."""

    def configure(*workspaces: str, **variables: str) -> None:
        monkeypatch.setenv("WORKSPACES", " ".join(workspaces))
        settings.WORKSPACES = list(workspaces)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return configure


def mistake(workspace: str = "lab") -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        clients.credentials_for(workspace)
    assert SECRET not in str(caught.value)
    return str(caught.value)


# What is read ----------------------------------------------------------------------------------


def test_a_workspace_signs_in_with_its_own_variables(named: Any) -> None:
    named(
        "prod-eu",
        "lab",
        WORKSPACE_PROD_EU_HOST="https://eu.example.com",
        WORKSPACE_PROD_EU_TOKEN=SECRET,
        WORKSPACE_LAB_HOST="https://lab.example.com",
        WORKSPACE_LAB_CLIENT_ID="app",
        WORKSPACE_LAB_CLIENT_SECRET="of the app",
    )

    eu, lab = clients.credentials_for("prod-eu"), clients.credentials_for("lab")
    assert (eu.host, eu.token, eu.ambient) == ("https://eu.example.com", SECRET, False)
    assert (lab.client_id, lab.client_secret, lab.token) == ("app", "of the app", None)
    clients.read_configuration()


def test_a_value_may_be_in_a_file(named: Any, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(SECRET + "\n")
    named("lab", WORKSPACE_LAB_HOST="h.example.com", WORKSPACE_LAB_TOKEN_FILE=str(secret))

    assert clients.credentials_for("lab").token == SECRET


def test_the_variable_comes_before_the_file(named: Any, tmp_path: Path) -> None:
    named(
        "lab",
        WORKSPACE_LAB_HOST="h.example.com",
        WORKSPACE_LAB_TOKEN=SECRET,
        WORKSPACE_LAB_TOKEN_FILE=str(tmp_path / "missing"),
    )

    assert clients.credentials_for("lab").token == SECRET


def test_a_profile_needs_neither_host_nor_token(named: Any) -> None:
    named("lab", WORKSPACE_LAB_PROFILE="LAB", WORKSPACE_LAB_CONFIG_FILE="/etc/databricks.cfg")

    found = clients.credentials_for("lab")
    assert (found.profile, found.config_file, found.host) == ("LAB", "/etc/databricks.cfg", None)


def test_azure_service_principals_have_their_variables(named: Any) -> None:
    named(
        "lab",
        WORKSPACE_LAB_HOST="h.example.com",
        WORKSPACE_LAB_AZURE_TENANT_ID="t",
        WORKSPACE_LAB_AZURE_CLIENT_ID="c",
        WORKSPACE_LAB_AZURE_CLIENT_SECRET=SECRET,
    )

    found = clients.credentials_for("lab")
    assert (found.azure_tenant_id, found.azure_client_id) == ("t", "c")
    assert found.azure_client_secret == SECRET


def test_without_names_the_one_workspace_is_the_usual_variables_(settings: Any) -> None:
    settings.WORKSPACES = ["workspace"]

    assert clients.credentials_for("workspace").ambient
    clients.read_configuration()


# Mistakes --------------------------------------------------------------------------------------


def test_a_workspace_without_host_is_named(named: Any) -> None:
    named("prod-eu", WORKSPACE_PROD_EU_TOKEN=SECRET)

    assert mistake("prod-eu") == (
        "WORKSPACE_PROD_EU_HOST or WORKSPACE_PROD_EU_PROFILE must be set: WORKSPACES names prod-eu."
    )


def test_a_workspace_without_a_way_to_sign_in_is_named(named: Any) -> None:
    named("lab", WORKSPACE_LAB_HOST="h.example.com", WORKSPACE_LAB_CLIENT_ID="app")

    assert "WORKSPACE_LAB_TOKEN" in mistake()


def test_two_ways_to_sign_in_are_named(named: Any) -> None:
    named(
        "lab",
        WORKSPACE_LAB_HOST="h.example.com",
        WORKSPACE_LAB_TOKEN=SECRET,
        WORKSPACE_LAB_CLIENT_SECRET=SECRET,
    )

    assert mistake() == (
        "WORKSPACE_LAB_TOKEN and WORKSPACE_LAB_CLIENT_SECRET are two ways to sign in to lab; "
        "keep one."
    )


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "no text"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    named: Any, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret-place"
    if content:
        path.write_bytes(content)
    named("lab", WORKSPACE_LAB_HOST="h.example.com", WORKSPACE_LAB_TOKEN_FILE=str(path))

    assert mistake() == "WORKSPACE_LAB_TOKEN_FILE names a file that cannot be read."


@pytest.mark.parametrize(
    ("first", "second", "variable"),
    [
        ("a-b", "a_b", "WORKSPACE_A_B_HOST"),
        ("lab", "Lab", "WORKSPACE_LAB_HOST"),
        ("x", "x-azure", "WORKSPACE_X_AZURE_CLIENT_ID"),
    ],
)
def test_two_workspaces_that_would_read_the_same_variable_are_refused(
    named: Any, first: str, second: str, variable: str
) -> None:
    host = {f"WORKSPACE_{w.upper().replace('-', '_')}_HOST": "h" for w in (first, second)}
    token = {f"WORKSPACE_{w.upper().replace('-', '_')}_TOKEN": SECRET for w in (first, second)}
    named(first, second, **host, **token)

    with pytest.raises(ImproperlyConfigured) as caught:
        clients.read_configuration()

    assert str(caught.value) == (
        f"WORKSPACES names {first} and {second}, which would both read {variable}. "
        "Rename one of them."
    )


# Clients ---------------------------------------------------------------------------------------


def test_a_client_is_made_once(named: Any) -> None:
    named("lab", WORKSPACE_LAB_HOST="h.example.com", WORKSPACE_LAB_TOKEN=SECRET)

    first = clients.client_for("lab")
    assert clients.client_for("lab") is first

    clients.forget()
    assert clients.client_for("lab") is not first


def test_a_workspace_that_the_settings_do_not_name_has_no_client(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DATABRICKS_HOST alone: an operation left over from another workspace must not go there."""
    settings.WORKSPACES = ["workspace"]
    monkeypatch.setenv("DATABRICKS_HOST", "https://h.example.com")

    with pytest.raises(errors.NotConfigured):
        clients.client_for("prod-eu")


def test_a_mistake_that_appears_while_we_run_is_an_error_of_that_workspace(named: Any) -> None:
    named("lab", WORKSPACE_LAB_HOST="h.example.com")

    with pytest.raises(errors.NotConfigured) as caught:
        clients.client_for("lab")

    assert "WORKSPACE_LAB_TOKEN" in caught.value.message


# Links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("h.example.com", "https://h.example.com"),
        ("https://h.example.com/", "https://h.example.com"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
        ("", ""),
    ],
)
def test_the_address_for_links_is_the_host_s(named: Any, given: str, link: str) -> None:
    named("lab", WORKSPACE_LAB_HOST=given)

    assert clients.host_for("lab") == link


def test_a_link_reads_no_secrets(named: Any, tmp_path: Path) -> None:
    named(
        "lab",
        WORKSPACE_LAB_HOST="h.example.com",
        WORKSPACE_LAB_TOKEN_FILE=str(tmp_path / "missing"),
    )

    assert clients.host_for("lab") == "https://h.example.com"


def test_the_one_workspace_s_links_go_to_the_usual_host(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WORKSPACES = ["workspace"]
    monkeypatch.setenv("DATABRICKS_HOST", "h.example.com")

    assert clients.host_for("workspace") == "https://h.example.com"
