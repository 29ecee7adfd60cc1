"""A small cast, a workspace to act on, and a clock to hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from endpoints_app.emulator import Running, serving
from endpoints_app.models import Endpoint, Workspace
from endpoints_app.services import clients, roster, status_payload, sync, upstream, workspaces
from endpoints_app.templatetags import kept
from endpoints_app.views import (
    config,
    endpoint_detail,
    kept_charts,
    kept_entries,
    kept_heading,
    kept_rows,
    packing,
    quiet,
)

# A busy machine is no failure. `make test-all` looks longer.
hypothesis.settings.register_profile("usual", deadline=None, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, max_examples=300)
hypothesis.settings.load_profile("usual")

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """No manifest to collect first."""
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a process keeps between requests does not reach the next test."""
    yield
    cache.clear()
    clients.forget()
    sync.forget()
    upstream.forget()
    status_payload.forget()
    roster.forget()
    config.forget()
    kept_entries.forget()
    kept_rows.forget()
    kept_charts.forget()
    kept.forget()
    packing.forget()
    endpoint_detail.forget()
    kept_heading.forget()
    quiet.forget()


# Who -------------------------------------------------------------------------------------------


def make_user(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD, first_name=name.title())
    user.groups.set(Group.objects.filter(name__in=groups))
    assert user.groups.count() == len(groups), groups
    return user


@pytest.fixture
def vera(db: None) -> User:
    """Sees everything, changes nothing."""
    return make_user("vera", "viewer")


@pytest.fixture
def otto(db: None) -> User:
    """Stops and starts."""
    return make_user("otto", "operator")


@pytest.fixture
def mika(db: None) -> User:
    """Also deletes."""
    return make_user("mika", "manager")


@pytest.fixture
def oscar(db: None) -> User:
    """Signed in, without any role."""
    return make_user("oscar")


@pytest.fixture
def browser() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client(enforce_csrf_checks=False)
        client.force_login(user)
        return client

    return signed_in


# When ------------------------------------------------------------------------------------------


class Clock:
    """A clock that the test moves; as a callable it is what services take."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Where -----------------------------------------------------------------------------------------


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Running]:
    """A workspace on a real socket, on the test's clock."""
    with serving(clock=lambda: clock.now.timestamp()) as running:
        yield running


class Lab:
    """The workspace `lab` of the dashboard, which is the emulator, and its sync by hand."""

    def __init__(self, emulator: Running, clock: Clock) -> None:
        self.emulator = emulator
        self.clock = clock
        self.workspace = Workspace.objects.get(name="lab")

    def sync(self, seconds: float = 15) -> Workspace:
        """Let `seconds` pass, then take one cycle."""
        self.clock.forward(seconds)
        sync.sync(self.workspace.pk, clock=self.clock)
        self.workspace.refresh_from_db()
        return self.workspace

    def endpoint(self, name: str) -> Endpoint:
        return Endpoint.objects.select_related("workspace", "cause").get(
            workspace=self.workspace, name=name, gone_at=None
        )

    def settle(self) -> None:
        """Cycles until no details are outstanding but of what is in transition."""
        for _ in range(10):
            self.sync()
            if not self.workspace.endpoints.living().filter(document__isnull=True).exists():
                return


@pytest.fixture
def lab(
    db: None, emulator: Running, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Lab:
    return configured(emulator, clock, settings, monkeypatch)


def configured(
    emulator: Running, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Lab:
    """The workspace `lab` in the settings and in the database."""
    monkeypatch.setitem(os.environ, "WORKSPACES", "lab")
    monkeypatch.setitem(os.environ, "WORKSPACE_LAB_HOST", emulator.url)
    monkeypatch.setitem(os.environ, "WORKSPACE_LAB_TOKEN", emulator.token)
    settings.WORKSPACES = ["lab"]
    workspaces.ensure(settings.WORKSPACES)
    return Lab(emulator, clock)
