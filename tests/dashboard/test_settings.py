"""Settings are read loudly: a bad value stops the start with a sentence that names its variable."""

from __future__ import annotations

import os
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from endpoints_app.services import clients

ROOT = Path(__file__).parents[2]

PRODUCTION = {
    "SECRET_KEY": "4b7d9f0a2c5e8b1d3f6a9c0e7b4d1f8a5c2e9b6d3f0a7c4e1b8d5f2a9c6e3b0d",
    "ALLOWED_HOSTS": "desk.example.com",
    "DATABASE_URL": "postgresql://desk:secret@db.example.com/desk",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "WORKSPACES": "lab",
    "WORKSPACE_LAB_HOST": "https://lab.example.com",
    "WORKSPACE_LAB_TOKEN": "of-the-lab",
}


def environment(**changed: str) -> dict[str, str]:
    """What a process in production is given, and nothing of this machine's but PATH and HOME."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {name: text for name, text in (kept | PRODUCTION | changed).items() if text}


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings as they are read in production, with some variables changed."""

    def read(**changed: str) -> dict[str, Any]:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, text in environment(**changed).items():
            monkeypatch.setenv(name, text)
        return runpy.run_path(str(ROOT / "dashboard" / "settings.py"))

    return read


BAD = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "sesame-too-short"),
    ("ALLOWED_HOSTS", ""),
    ("ALLOWED_HOSTS", "https://sesame.example.com"),
    ("ALLOWED_HOSTS", "desk.example.com:8443"),
    ("CSRF_TRUSTED_ORIGINS", "sesame.example.com"),
    ("DEBUG", "sesame"),
    ("EMBEDDED", "2"),
    ("DEMO", "sometimes"),
    ("HTTPS", "https"),
    ("TRUST_PROXY", "10.0.0.1"),
    ("DATABASE_URL", "mysql://desk@db/desk"),
    ("DATABASE_URL", "/srv/sesame/db.sqlite3"),
    ("DATABASE_URL", "postgresql://desk:sesame@db:fivefourthreetwo/desk"),
    ("DATABASE_URL", "postgresql://desk:sesame@db/"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost:6379"),
    ("REDIS_URL", "redis://localhost:sesame/0"),
    ("REDIS_URL", "redis://localhost:6379/first"),
    ("CACHE_URL", "memcached://localhost"),
    ("WORKSPACES", "lab lab"),
    ("WORKSPACES", "pro_d pro-d"),
    ("WORKSPACES", "lab Lab"),
    ("WORKSPACES", "sesame/eu"),
    ("WORKSPACES", "l" * 64),
    ("SYNC_SECONDS", "sesame"),
    ("SYNC_SECONDS", "0"),
    ("SYNC_SECONDS", "nan"),
    ("SYNC_FAST_SECONDS", "61"),
    ("HISTORY_DAYS", "-1"),
    ("HISTORY_DAYS", "inf"),
    ("LOG_LEVEL", "sesame"),
    ("STATUS_PAGE_ACCESS", "sesame"),
    ("BUDGET_POLICY_NAMES", "sesame"),
    ("BUDGET_POLICY_NAMES", "an id=sesame"),
    ("BUDGET_POLICY_NAMES", "one=sesame, one=other"),
    ("BUDGET_POLICY_NAMES", "one="),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "sesame"),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "GET /api/2.0/{name}"),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "PATCH https://sesame.example.com/api/2.0/{name}"),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "PATCH /api/2.0/sesame"),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "PATCH /api/2.0/{name}/../sesame"),
    ("WORKSPACE_LAB_BUDGET_POLICY_CALL", "PATCH /api/2.0/{name}?sesame"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_in_one_sentence_that_names_the_variable(
    settings_of: Any, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(**{name: value})

    sentence = str(refused.value)
    assert sentence.startswith(name)
    assert "\n" not in sentence
    assert sentence.endswith((".", ".)"))
    assert "sesame" not in sentence
    assert refused.value.__cause__ is None, "a cause would print the value in a traceback"


def test_a_directory_that_cannot_be_made_is_named(settings_of: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ImproperlyConfigured, match=r"^VAR_DIR must be"):
        settings_of(EMBEDDED="on", SECRET_KEY="", VAR_DIR=str(tmp_path / "file" / "var"))


def test_one_workspace_by_the_usual_variables_has_one_name(settings_of: Any) -> None:
    alone = {"WORKSPACES": "", "DATABRICKS_HOST": "https://lab.example.com"}

    assert settings_of(**alone)["WORKSPACES"] == ["workspace"]
    assert settings_of(**alone, WORKSPACE_NAME="prod")["WORKSPACES"] == ["prod"]
    with pytest.raises(ImproperlyConfigured, match=r"^WORKSPACE_NAME must be one name"):
        settings_of(**alone, WORKSPACE_NAME="prod test")


def test_a_profile_alone_configures_a_workspace_too(settings_of: Any) -> None:
    found = settings_of(WORKSPACES="", DATABRICKS_CONFIG_PROFILE="prod")

    assert found["WORKSPACES"] == ["workspace"]


def test_empty_counts_as_unset(settings_of: Any) -> None:
    found = settings_of(SYNC_SECONDS="  ", DEBUG=" ")

    assert found["SYNC_SECONDS"] == 15
    assert found["DEBUG"] is False


def test_what_is_stale_follows_the_cycle(settings_of: Any) -> None:
    assert settings_of(SYNC_SECONDS="20")["STALE_SECONDS"] == 60


def test_production_is_https_and_the_embedded_default_is_not(
    settings_of: Any, tmp_path: Path
) -> None:
    production = settings_of()
    embedded = settings_of(EMBEDDED="on", VAR_DIR=str(tmp_path))

    for name in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        assert production[name] is True
        assert embedded[name] is False
    assert production["SECURE_HSTS_SECONDS"] > 0
    assert embedded["SECURE_HSTS_SECONDS"] == 0


def test_a_proxy_is_believed_only_when_asked_for(settings_of: Any) -> None:
    assert "SECURE_PROXY_SSL_HEADER" not in settings_of()
    assert "SECURE_PROXY_SSL_HEADER" in settings_of(TRUST_PROXY="on")


def test_the_embedded_default_keeps_its_key_and_shows_it_to_nobody(
    settings_of: Any, tmp_path: Path
) -> None:
    embedded = {"EMBEDDED": "on", "SECRET_KEY": "", "VAR_DIR": str(tmp_path / "var")}

    first, second = settings_of(**embedded), settings_of(**embedded)

    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) >= 50
    kept = tmp_path / "var" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_production_with_postgresql_needs_no_directory(settings_of: Any) -> None:
    settings_of(VAR_DIR="/proc/nobody/can/write/here")


# Workspaces ------------------------------------------------------------------------------------

CREDENTIALS = [
    ({"WORKSPACE_LAB_HOST": ""}, "WORKSPACE_LAB_HOST"),
    ({"WORKSPACE_LAB_TOKEN": ""}, "WORKSPACE_LAB_TOKEN"),
    ({"WORKSPACE_LAB_CLIENT_SECRET": "sesame"}, "WORKSPACE_LAB_TOKEN"),
    (
        {"WORKSPACE_LAB_TOKEN": "", "WORKSPACE_LAB_TOKEN_FILE": "/no/file"},
        "WORKSPACE_LAB_TOKEN_FILE",
    ),
]


@pytest.mark.parametrize(("changed", "named"), CREDENTIALS)
def test_a_workspace_that_nobody_can_sign_in_to_stops_the_start(
    changed: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    for name, text in (PRODUCTION | changed).items():
        monkeypatch.setenv(name, text)
    settings.WORKSPACES = ["lab"]

    with pytest.raises(ImproperlyConfigured, match=named) as refused:
        clients.read_configuration()

    assert "sesame" not in str(refused.value)
    assert "of-the-lab" not in str(refused.value)


# The programs ----------------------------------------------------------------------------------


def run(*command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(**changed),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"SYNC_SECONDS": "often"}, "SYNC_SECONDS must be a number from 1 to 3600."),
        (
            {"WORKSPACE_LAB_HOST": ""},
            "WORKSPACE_LAB_HOST or WORKSPACE_LAB_PROFILE must be set: WORKSPACES names lab.",
        ),
    ],
)
def test_manage_py_ends_with_the_sentence_alone(changed: dict[str, str], sentence: str) -> None:
    ended = run("manage.py", "check", **changed)

    assert ended.returncode == 1
    assert ended.stderr == sentence + "\n"


def test_the_web_server_ends_with_the_sentence_instead_of_starting_over() -> None:
    ended = run("-m", "gunicorn", "dashboard.wsgi", "--bind", "127.0.0.1:0", SYNC_SECONDS="often")

    assert ended.returncode == 3
    assert ended.stderr.count("SYNC_SECONDS must be a number from 1 to 3600.\n") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"PORT": "http"}, "PORT must be a number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT must be a number from 1 to 65535."),
        (
            {"BIND": "192.0.2.1"},
            "BIND must be an address of this machine, and PORT one that you may listen on.",
        ),
        ({"VAR_DIR": "/proc/version/var"}, "VAR_DIR must be a directory that can be written to."),
        (
            {"WORKSPACES": "", "EMULATOR_TIME_SCALE": "slow"},
            "EMULATOR_TIME_SCALE must be a number such as 0.2.",
        ),
        ({"DEBUG": "maybe"}, "DEBUG must be on or off."),
        (
            {"DJANGO_SUPERUSER_USERNAME": "root"},
            "DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD must be set together.",
        ),
    ],
)
def test_make_run_ends_with_the_sentence_before_it_starts_anything(
    changed: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    embedded = {"VAR_DIR": str(tmp_path), "DATABASE_URL": "", "PORT": "18999"}

    ended = run("-m", "dashboard.run", **embedded | changed)

    assert ended.returncode == 1
    assert ended.stderr == sentence + "\n"


def test_the_deployment_checks_find_nothing_in_production() -> None:
    ended = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


def test_no_migration_is_missing(tmp_path: Path) -> None:
    sqlite = {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}

    ended = run("manage.py", "makemigrations", "--check", "--dry-run", **sqlite)

    assert ended.returncode == 0, ended.stdout


def test_budget_policies_have_names_and_a_workspace_its_own_way_to_change_them(
    settings_of: Any,
) -> None:
    path = "/api/2.0/serving-endpoints/{name}/budget-policy"
    read = settings_of(
        WORKSPACES="lab prod-eu",
        BUDGET_POLICY_NAMES="6f1c-09=shop-search, 90ab=Risk & serving",
        WORKSPACE_PROD_EU_BUDGET_POLICY_CALL=f"PATCH {path}",
    )

    assert read["BUDGET_POLICY_NAMES"] == {"6f1c-09": "shop-search", "90ab": "Risk & serving"}
    (workspace, call), *others = read["BUDGET_POLICY_CALLS"].items()
    assert workspace == "prod-eu"
    assert (call.method, call.path) == ("PATCH", path)
    assert not others
    assert settings_of()["BUDGET_POLICY_NAMES"] == {}


def test_a_web_process_has_read_all_its_views_before_the_first_visitor_comes(
    tmp_path: Path,
) -> None:
    names = "endpoints_app.views.operation_ask", "endpoints_app.tasks"
    code = f"import sys, dashboard.wsgi; print({set(names)!r} - set(sys.modules))"
    ended = run("-c", code, EMBEDDED="on", VAR_DIR=str(tmp_path), DATABASE_URL="")
    assert ended.stdout == "set()\n", ended.stderr
