"""A fleet straight into the tables, made of what the emulator would answer: for runs whose subject
is not the workspace."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from endpoints_app.databricks_api import wire
from endpoints_app.domain.metrics import MINUTE, Grain, window
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


@transaction.atomic
def history(*, days: int = 365, share: float = 0.2) -> int:
    """A flip a day on a `share` of the endpoints, for `days`, spread over the hours. Returns how
    many changes."""
    now, random = timezone.now(), Random(7)
    pks = list(Endpoint.objects.living().order_by("pk").values_list("pk", flat=True))
    flipping = pks[:: max(1, round(1 / share))]
    before = StatusChange.objects.count()
    for day in range(days):
        there, back = Status.READY.value, Status.NOT_READY.value
        was, new = (there, back) if day % 2 else (back, there)
        for hour in range(24):
            at = now - timedelta(days=day, hours=hour, seconds=random.randrange(3600))
            values = {"was": was, "now": new, "reason": "", "message": "", "after": at, "at": at}
            _insert(StatusChange, flipping[hour::24], values)
    analyse()
    return StatusChange.objects.count() - before


@transaction.atomic
def metrics(*, days: int = 14, endpoints: int = 100) -> int:
    """What sampling keeps of `endpoints` that are sampled all the time: the last day by minutes,
    and all of it by five and by hours. Returns how many rows."""
    hour = window(timezone.now(), Grain.HOUR)
    ready = Endpoint.objects.living().filter(status="ready").order_by("name")
    sampled = list(ready.values_list("pk", flat=True)[:endpoints])
    MetricWatch.objects.bulk_create(
        MetricWatch(endpoint_id=pk, kept=True, due_at=hour + timedelta(days=1)) for pk in sampled
    )
    latency = [[2**i, min(60.0, 5.0 * i)] for i in range(15)] + [[None, 60.0]]
    for grain, long in ((Grain.MINUTE, 1), (Grain.FIVE, days), (Grain.HOUR, days)):
        for n in range(long * 24 * 60 // grain):
            values = {
                **{"entity": "", "grain": grain, "minutes": grain, "answer": ""},
                "at": hour - (n + 1) * grain * MINUTE,
                "requests": (40.0 + n % 50) * grain,
                **{"errors_4xx": 1.0, "errors_5xx": 0.0, "concurrency": 4.0},
                **{"cpu": 30.0 + n % 40, "memory": 60.0},
                "latency": json.dumps([[bound, number * grain] for bound, number in latency]),
            }
            _insert(MetricSample, sampled, values)
    analyse()
    return MetricSample.objects.count()


def _insert(model: type[Model], endpoints: Sequence[int], values: Mapping[str, Any]) -> None:
    """The same row for each of the endpoints: a year of them in a minute."""
    made = [
        connection.ops.adapt_datetimefield_value(it) if isinstance(it, datetime) else it
        for it in values.values()
    ]
    columns = ", ".join(connection.ops.quote_name(name) for name in ("endpoint_id", *values))
    slots = f"({', '.join(['%s'] * (len(values) + 1))})"
    rows = ", ".join([slots] * len(endpoints))
    statement = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES {rows}"  # noqa: S608 - names are ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [it for pk in endpoints for it in (pk, *made)])
