"""The accounts to sign in with at the first start."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from endpoints_app.domain.roles import Action
from endpoints_app.services import access

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _embedded(settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED = True
    settings.VAR_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def superuser(monkeypatch: pytest.MonkeyPatch) -> Any:
    def named(name: str, password: str) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", name)
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)

    return named


def printed(tmp_path: Path) -> dict[str, str]:
    lines = (tmp_path / "accounts.txt").read_text().splitlines()
    return dict(line.split() for line in lines)  # type: ignore[misc]


def test_there_is_one_account_per_role_and_its_printed_password_works(tmp_path: Path) -> None:
    call_command("make_accounts")

    accounts = printed(tmp_path)
    assert list(accounts) == ["viewer", "operator", "manager"]
    for name, password in accounts.items():
        user = authenticate(username=name, password=password)
        assert user is not None
        assert access.of(user).best_role() == name
        assert not user.is_staff  # type: ignore[attr-defined]
    assert len(set(accounts.values())) == 3


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    call_command("make_accounts")
    before = printed(tmp_path), list(User.objects.order_by("pk").values())

    call_command("make_accounts")

    assert (printed(tmp_path), list(User.objects.order_by("pk").values())) == before


def test_only_the_owner_can_read_the_passwords(tmp_path: Path) -> None:
    call_command("make_accounts")

    assert stat.S_IMODE((tmp_path / "accounts.txt").stat().st_mode) == 0o600


def test_a_lost_file_gets_new_passwords(tmp_path: Path) -> None:
    call_command("make_accounts")
    (tmp_path / "accounts.txt").unlink()

    call_command("make_accounts")

    assert authenticate(username="viewer", password=printed(tmp_path)["viewer"])


def test_a_deleted_account_comes_back_with_a_password_that_works(tmp_path: Path) -> None:
    call_command("make_accounts")
    User.objects.get(username="operator").delete()

    call_command("make_accounts")

    assert authenticate(username="operator", password=printed(tmp_path)["operator"])


def test_a_password_changed_in_the_dashboard_stays_changed() -> None:
    call_command("make_accounts")
    viewer = User.objects.get(username="viewer")
    viewer.set_password("a new one of my own")
    viewer.save()

    call_command("make_accounts")

    assert authenticate(username="viewer", password="a new one of my own")


def test_the_superuser_has_every_role_and_the_given_password(superuser: Any) -> None:
    superuser("root", "given from outside")

    call_command("make_accounts")
    call_command("make_accounts")

    root = authenticate(username="root", password="given from outside")
    assert root is not None
    assert root.is_superuser  # type: ignore[attr-defined]
    assert root.is_staff  # type: ignore[attr-defined]
    assert all(access.of(root).may(action, workspace_id=1) for action in Action)
    groups = root.groups.values_list("name", flat=True)  # type: ignore[attr-defined]
    assert set(groups) == {"viewer", "operator", "manager"}


def test_an_account_that_exists_becomes_the_superuser(superuser: Any) -> None:
    User.objects.create_user("root", password="an older one", is_active=False)
    superuser("root", "given from outside")

    call_command("make_accounts")

    assert authenticate(username="root", password="given from outside")


def test_a_superuser_named_like_a_role_keeps_the_given_password(
    superuser: Any, tmp_path: Path
) -> None:
    superuser("manager", "given from outside")

    call_command("make_accounts")
    call_command("make_accounts")

    assert authenticate(username="manager", password="given from outside")
    assert list(printed(tmp_path)) == ["viewer", "operator"]


@pytest.mark.parametrize("only", [("root", ""), ("", "given from outside")])
def test_half_a_superuser_is_refused_by_name(superuser: Any, only: tuple[str, str]) -> None:
    superuser(*only)

    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASS"):
        call_command("make_accounts")

    assert not User.objects.exists()


def test_production_gets_no_account_but_the_one_asked_for(
    superuser: Any, settings: Any, tmp_path: Path
) -> None:
    settings.EMBEDDED = False
    superuser("root", "given from outside")

    call_command("make_accounts")

    assert list(User.objects.values_list("username", flat=True)) == ["root"]
    assert not (tmp_path / "accounts.txt").exists()
