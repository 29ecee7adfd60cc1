"""A fleet without a workspace behind it: rows made from what an emulator once answered, and the
clock held still at the moment they were read."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, partial
from typing import Any

import pytest
import requests
import time_machine
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from endpoints_app.databricks_api import wire
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.emulator import serving
from endpoints_app.models import Endpoint, Operation, Workspace
from endpoints_app.services import (
    live,
    operations,
    readings,
    status_payload,
    upstream,
    workspaces,
)
from endpoints_app.views import heading
from tests.conftest import Clock, make_user
from tests.views import metric_pages

Document = dict[str, Any]


@pytest.fixture(autouse=True)
def _quick(settings: Any, tmp_path: Any) -> None:
    """Passwords cost nothing here, and no directory of static files is missed."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def ada(db: None, settings: Any) -> User:
    """Manages another workspace, and has no role in `lab`."""
    workspaces.ensure(["lab", "other"])
    settings.WORKSPACES = ["lab", "other"]
    return make_user("ada", "manager in other")


@pytest.fixture
def root(db: None) -> User:
    """The admins' account."""
    return User.objects.create_superuser("root", password="correct horse battery")


@cache
def recorded(at: datetime) -> tuple[Document, ...]:
    """What the emulator answers about each endpoint of its seeded fleet."""
    with serving(clock=at.timestamp) as running, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running.token}"
        url = f"{running.url}/api/2.0/serving-endpoints"
        names = [item["name"] for item in session.get(url).json()["endpoints"]]
        return tuple(session.get(f"{url}/{name}").json() for name in names)


SHOWN = {
    "fraud-scorer": "update_failed",
    "checkout-ranker": "not_ready",
    "kyc-face-match": "unknown",
    "churn": "updating",
    "demand-forecast": "ready_update_failed",
    "basket-recommender": "ready",
    "credit-limit": "ready",  # and updating
    "customer-ltv": "ready",
    "lead-scoring": "ready",
    "price-elasticity": "ready",
    "gpt-4o-proxy": "ready",  # external
    "databricks-gte-large-en": "ready",  # pay-per-token
    "geo-features": "ready",  # feature spec
    "card-ocr-v1": "stopped",
    "vision-defects": "stopped",
}
"""Of the seeded fleet, with their status: every status, and the kinds that differ in what may be
done. All of them would cost each test more and tell it nothing."""


class Fleet:
    """The workspace `lab`, read a moment ago."""

    def __init__(self, clock: Clock, traveller: time_machine.Traveller) -> None:
        self.clock = clock
        self.traveller = traveller
        workspaces.ensure(["lab"])
        self.workspace = Workspace.objects.get(name="lab")
        self.add(*(document for document in recorded(clock.now) if document["name"] in SHOWN))
        self.answered()

    def add(self, *documents: Document) -> None:
        new = [self._sight(self.workspace, copy.deepcopy(document)) for document in documents]
        with live.writing():
            readings.save([], new, [])

    def _sight(self, workspace: Workspace, document: Document) -> Endpoint:
        answer = readings.Answer(wire.Endpoint.parse(document), self.clock.now)
        endpoint = readings.first_sight(workspace, answer.document.name, answer)
        endpoint.next_look_at = None
        return endpoint

    def other(self, *documents: Document) -> Workspace:
        """A second workspace, `other`, with these endpoints."""
        workspaces.ensure(["lab", "other"])
        other = Workspace.objects.get(name="other")
        with live.writing():
            readings.save([], [self._sight(other, d) for d in documents], [])
        Workspace.objects.filter(pk=other.pk).update(observed_at=self.clock.now)
        return other

    def endpoint(self, name: str) -> Endpoint:
        found = Endpoint.objects.select_related("workspace", "cause")
        return found.get(workspace=self.workspace, name=name, gone_at=None)

    def document(self, name: str) -> Document:
        return copy.deepcopy(next(d for d in recorded(START) if d["name"] == name))

    def read(self, document: Document) -> Endpoint:
        """Databricks now says this about the endpoint of that name."""
        row = self.endpoint(document["name"])
        change = readings.take_in(
            row, readings.Answer(wire.Endpoint.parse(document), self.clock.now)
        )
        with live.writing():
            readings.save([row], [], [change])
        return row

    def change(self, name: str) -> Endpoint:
        """Something about it is new."""
        return self.read(self.document(name) | {"description": str(self.clock.now)})

    def bury(self, name: str) -> Endpoint:
        row = self.endpoint(name)
        with live.writing():
            readings.save([row], [], [readings.bury(row, self.clock.now)])
        return row

    def forward(self, seconds: float) -> datetime:
        """Time passes, and nobody reads anything."""
        self.traveller.move_to(self.clock.forward(seconds))
        return self.clock.now

    def answered(self) -> None:
        """A cycle without news."""
        Workspace.objects.filter(pk=self.workspace.pk).update(observed_at=self.clock.now)

    def publish(self) -> None:
        """The writer of the status page comes by."""
        status_payload.publish(now=self.clock.now)

    def ask(self, name: str, kind: str, by: User, **options: Any) -> Operation:
        with transaction.atomic():
            return operations.request(
                self.endpoint(name),
                OperationKind(kind),
                actor=by,
                now=self.clock.now,
                stale=False,
                **options,
            )


START = Clock().now


@pytest.fixture
def fleet(db: None, clock: Clock, settings: Any) -> Iterator[Fleet]:
    settings.WORKSPACES = ["lab"]
    recorded(START)  # outside the held clock: it speaks over sockets
    with time_machine.travel(clock.now, tick=False) as traveller:
        yield Fleet(clock, traveller)


@pytest.fixture
def as_vera(fleet: Fleet, vera: User, browser: Callable[[User], Client]) -> Client:
    return browser(vera)


@pytest.fixture
def as_otto(fleet: Fleet, otto: User, browser: Callable[[User], Client]) -> Client:
    return browser(otto)


@pytest.fixture
def as_mika(fleet: Fleet, mika: User, browser: Callable[[User], Client]) -> Client:
    return browser(mika)


@pytest.fixture
def as_oscar(fleet: Fleet, oscar: User, browser: Callable[[User], Client]) -> Client:
    return browser(oscar)


@pytest.fixture
def viewer(vera: User, browser: Callable[[User], Client]) -> Client:
    """Before a workspace that answers, so without a fleet."""
    return browser(vera)


@pytest.fixture
def manager(mika: User, browser: Callable[[User], Client]) -> Client:
    """Likewise."""
    return browser(mika)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no failure."""
    monkeypatch.setattr(upstream, "page_call", partial(upstream.page_call, seconds=20))


@pytest.fixture
def cached(settings: Any) -> None:
    """A cache that answers, as Redis does when it is there; each test's is its own."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid.uuid4().hex}}


@pytest.fixture
def public(settings: Any) -> None:
    """The status page is for everybody."""
    settings.STATUS_PAGE_ACCESS = "public"


@pytest.fixture
def good(fleet: Fleet) -> Fleet:
    """All that should serve does."""
    Endpoint.objects.exclude(status__in=["ready", "stopped"]).delete()
    Endpoint.objects.update(updating=False)
    fleet.publish()
    return fleet


@pytest.fixture
def endpoint(fleet: Fleet) -> Endpoint:
    """The one whose metrics are looked at."""
    return fleet.endpoint(metric_pages.NAME)


@pytest.fixture
def sample(fleet: Fleet, endpoint: Endpoint) -> metric_pages.Sample:
    return metric_pages.sampler(fleet, endpoint)


@pytest.fixture
def headings_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of which endpoint a heading was made, and with it all that is kept beside one."""
    made: list[str] = []
    of = heading.of

    def noted(request: Any, endpoint: Any) -> dict[str, Any]:
        made.append(endpoint.name)
        return of(request, endpoint)

    monkeypatch.setattr(heading, "of", noted)
    return made
