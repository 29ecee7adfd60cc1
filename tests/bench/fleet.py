"""A fleet straight into the tables, made of what the emulator would answer: for runs whose subject
is not the workspace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from endpoints_app.databricks_api import wire
from endpoints_app.domain.status import Status
from endpoints_app.emulator import documents, fleet
from endpoints_app.models import Endpoint, MetricSample, MetricWatch, StatusChange, Workspace
from endpoints_app.services import live, readings, status_payload, workspaces
from tests.prepare_desk import PASSWORD


def names(count: int) -> list[str]:
    return ["lab"] if count == 1 else [f"lab-{number}" for number in range(count)]


def fill(names: Sequence[str], endpoints: int) -> None:
    """`endpoints` in each workspace, read in full a moment ago; nothing is due."""
    now = timezone.now()
    workspaces.ensure(list(names))
    for seed, name in enumerate(names):
        workspace = Workspace.objects.get(name=name)
        new = []
        for made in fleet.seeded(seed, endpoints, now=time.time()):
            item = wire.Endpoint.parse(documents.summary(made))
            row = readings.first_sight(workspace, made.name, readings.Answer(item, now, thin=True))
            details = wire.Endpoint.parse(documents.detailed(made))
            readings.take_in(row, readings.Answer(details, now))
            row.fingerprint = readings.fingerprint(item.raw)
            row.first_seen_at = now - timedelta(days=400)
            row.next_look_at = None
            new.append(row)
        with live.writing():
            readings.save([], new, [])
    StatusChange.objects.update(at=now - timedelta(days=400))
    answered(now)
    analyse()


def answered(at: datetime) -> None:
    """As if every workspace had just answered."""
    Workspace.objects.update(observed_at=at, next_list_at=at + timedelta(days=1))
    status_payload.publish(now=at)


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def reader(name: str = "viewer") -> User:
    """Somebody who sees everything and may change nothing."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, password=PASSWORD)
        user.groups.set([Group.objects.get(name="viewer")])
    return user


def change(workspace: Workspace) -> None:
    """One row is another one."""
    row = workspace.endpoints.living().order_by("name").last()
    assert row is not None
    row.owner = f"owner {row.revision}"
    with live.writing():
        readings.save([row], [], [])


def change_all(workspace: Workspace) -> None:
    """Every row is another one."""
    rows = list(workspace.endpoints.living())
    for row in rows:
        row.owner = f"owner {row.revision}"
    with live.writing():
        readings.save(rows, [], [])


def history(*, days: int = 365, share: float = 0.2, batch: int = 5_000) -> int:
    """A flip a day on a `share` of the endpoints, for `days`. Returns how many changes."""
    now, random = timezone.now(), Random(7)
    pks = list(Endpoint.objects.living().order_by("pk").values_list("pk", flat=True))
    flipping = pks[:: max(1, round(1 / share))]
    made: list[StatusChange] = []
    count = 0
    for day in range(days):
        at = now - timedelta(days=day, seconds=random.randrange(3600))
        for pk in flipping:
            there, back = Status.READY.value, Status.NOT_READY.value
            was, new = (there, back) if day % 2 else (back, there)
            made.append(StatusChange(endpoint_id=pk, was=was, now=new, after=at, at=at))
        if len(made) >= batch:
            count += len(StatusChange.objects.bulk_create(made, batch_size=500))
            made = []
    count += len(StatusChange.objects.bulk_create(made, batch_size=500))
    analyse()
    return count


def metrics(*, days: int = 14, endpoints: int = 100) -> int:
    """What sampling keeps of `endpoints` that are sampled all the time: the last day by minutes,
    the days before by five of them. Returns how many rows."""
    minute = timezone.now().replace(second=0, microsecond=0)
    by_minutes = [(minute - timedelta(minutes=n), 1) for n in range(1, 24 * 60)]
    rolled_up = [
        (minute - timedelta(days=1, minutes=5 * n), 5) for n in range((days - 1) * 24 * 12)
    ]
    sampled = Endpoint.objects.living().filter(status="ready").order_by("name")[:endpoints]
    count = 0
    for endpoint in sampled.only("pk"):
        MetricWatch.objects.create(endpoint=endpoint, kept=True, due_at=minute + timedelta(days=1))
        made = [
            MetricSample(
                endpoint=endpoint,
                at=at,
                minutes=minutes,
                requests=60.0 * minutes,
                errors_4xx=1.0,
                errors_5xx=0.0,
                concurrency=4.0,
                cpu=35.0,
                memory=60.0,
                latency=[[10, 20.0], [50, 50.0], [250, 59.0], [None, 60.0]],
                grain=minutes,
            )
            for at, minutes in by_minutes + rolled_up
        ]
        count += len(MetricSample.objects.bulk_create(made, batch_size=500))
    analyse()
    return count
