"""Each workspace signs in with its own credentials, once, and never with another's."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from endpoints_app.databricks_api import Credentials, errors
from endpoints_app.databricks_api.errors import Sent
from tests.databricks_api.conftest import TOKEN
from tests.databricks_api.sockets import raw_server
from tests.databricks_api.token_service import SECRET, churn, signs_in_as

# ── whose credentials ───────────────────────────────────────────────────────────────────────────


def test_another_workspaces_variables_do_not_leak_into_explicit_credentials(connect, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "http://other.example")
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "others-application")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "others-secret")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "others-profile")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "azure-cli")
    monkeypatch.setenv("DATABRICKS_WORKSPACE_ID", "9999")
    monkeypatch.setenv("ARM_CLIENT_SECRET", "others-azure")
    with raw_server(churn) as server:
        connect(server.url).get_endpoint("churn")
    assert signs_in_as(server) == {f"Bearer {TOKEN}"}
    assert "x-databricks-workspace-id" not in server.calls()[0].headers


def test_another_workspaces_variables_do_not_leak_into_a_profile(connect, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABRICKS_HOST", "http://other.example")
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", "others-identity")
    with raw_server(churn) as server:
        profiles = tmp_path / "profiles"
        profiles.write_text(
            "[DEFAULT]\nhost = http://default.example\ntoken = default-token\n"
            f"[prod]\nhost = {server.url}\ntoken = prod-token\n"
            f"[bare]\nhost = {server.url}\n"
        )
        prod = Credentials(profile="prod", config_file=str(profiles))
        connect("", prod).get_endpoint("churn")
        bare = connect("", Credentials(profile="bare", config_file=str(profiles)))
        with pytest.raises(errors.NotConfigured):
            bare.get_endpoint("churn")
    assert signs_in_as(server) == {"Bearer prod-token"}


def test_two_workspaces_of_one_process_stay_apart(connect, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "ambient-token")
    with raw_server(churn) as first, raw_server(churn) as second:
        monkeypatch.setenv("DATABRICKS_HOST", first.url)
        ambient = connect("", Credentials(ambient=True))
        other = connect(second.url, Credentials(host=second.url, token="second-token"))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda client: client.get_endpoint("churn"), [ambient, other]))
    assert signs_in_as(first) == {"Bearer ambient-token"}
    assert signs_in_as(second) == {"Bearer second-token"}


def test_ambient_credentials_come_from_the_environment_and_the_default_profile(
    connect, monkeypatch, tmp_path
):
    with raw_server(churn) as server:
        monkeypatch.setenv("DATABRICKS_HOST", server.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", "ambient-token")
        connect("", Credentials(ambient=True)).get_endpoint("churn")
        monkeypatch.delenv("DATABRICKS_HOST")
        monkeypatch.delenv("DATABRICKS_TOKEN")
        (tmp_path / ".databrickscfg").write_text(
            f"[DEFAULT]\nhost = {server.url}\ntoken = default-token\n"
        )
        connect("", Credentials(ambient=True)).get_endpoint("churn")
    assert [call.headers["authorization"] for call in server.calls()] == [
        "Bearer ambient-token",
        "Bearer default-token",
    ]


def test_the_environment_is_left_alone(connect, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "others-token")
    before = dict(os.environ)
    with raw_server(churn) as server:
        connect(server.url).get_endpoint("churn")
    assert dict(os.environ) == before


# ── none, or too many ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    [
        Credentials(),
        Credentials(host="https://workspace.example"),
        Credentials(token=TOKEN),
        Credentials(host=" ", token="\n"),
    ],
)
def test_missing_credentials_are_not_configured(given, connect):
    client = connect("", given)
    for call in (client.get_endpoint, client.stop_endpoint):
        with pytest.raises(errors.NotConfigured) as caught:
            call("churn")
        assert caught.value.sent is Sent.NO
        assert not caught.value.retryable


def test_missing_ambient_credentials_name_the_variables(connect):
    with pytest.raises(errors.NotConfigured, match="DATABRICKS_TOKEN"):
        connect("", Credentials(ambient=True)).get_endpoint("churn")


@pytest.mark.parametrize("way", ["explicit", "ambient", "profile"])
def test_two_kinds_of_credentials_are_named_by_variable_and_never_by_value(
    way, connect, monkeypatch, tmp_path
):
    with raw_server(churn) as server:
        given = {
            "host": server.url,
            "token": TOKEN,
            "client_id": "application-id",
            "client_secret": SECRET,
        }
        if way == "explicit":
            ambiguous = Credentials(**given)
        elif way == "ambient":
            for name, value in given.items():
                monkeypatch.setenv(f"DATABRICKS_{name.upper()}", value)
            ambiguous = Credentials(ambient=True)
        else:
            lines = "".join(f"{name} = {value}\n" for name, value in given.items())
            (tmp_path / ".databrickscfg").write_text(f"[prod]\n{lines}")
            ambiguous = Credentials(profile="prod")
        with pytest.raises(errors.NotConfigured) as caught:
            connect("", ambiguous).get_endpoint("churn")
    assert "DATABRICKS_TOKEN" in caught.value.message
    assert "DATABRICKS_CLIENT_SECRET" in caught.value.message
    assert "DATABRICKS_AUTH_TYPE" in caught.value.message
    assert not {value for value in given.values() if value in str(caught.value)}


def test_two_kinds_of_credentials_with_a_choice_are_fine(connect):
    with raw_server(churn) as server:
        both = Credentials(
            host=server.url, token=TOKEN, client_id="a", client_secret=SECRET, auth_type="pat"
        )
        connect("", both).get_endpoint("churn")
    assert signs_in_as(server) == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[other]\nhost = https://workspace.example\n", "'prod'"),
        ("no section\n", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_profile_that_cannot_be_read_is_not_configured(text, words, connect, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.write_bytes(text if isinstance(text, bytes) else text.encode())
    broken = Credentials(profile="prod", config_file=str(profiles))
    with pytest.raises(errors.NotConfigured, match=words):
        connect("", broken).get_endpoint("churn")


def test_a_profiles_file_that_is_not_there_is_not_configured(connect, tmp_path):
    missing = Credentials(profile="prod", config_file=str(tmp_path / "nowhere"))
    with pytest.raises(errors.NotConfigured):
        connect("", missing).get_endpoint("churn")


@pytest.mark.parametrize("token", ["two\nlines", "größe", "tab\tinside", "dapi\x00"])
def test_a_token_that_no_header_can_carry_is_not_quoted(token, connect):
    with raw_server(churn) as server:
        client = connect("", Credentials(host=server.url, token=token))
        with pytest.raises(errors.NotConfigured) as caught:
            client.stop_endpoint("churn")
    assert token not in repr(caught.value)
    assert server.calls() == []
