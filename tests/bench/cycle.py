"""What one sync cycle costs beside reading its JSON, whoever sent it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any


@dataclass(slots=True)
class Cycle:
    what: str
    median_ms: float
    ratio: float  # to reading the JSON and deriving statuses alone
    statements: int
    rows_written: int


def run(endpoints: int) -> list[Cycle]:
    from django.core.management import call_command
    from django.utils import timezone

    from endpoints_app.models import Workspace
    from endpoints_app.services import clients, sync
    from tests.bench import fleet

    call_command("migrate", verbosity=0)
    fleet.fill(["lab"], endpoints)
    lab = Workspace.objects.get(name="lab")
    client = Client(documents(endpoints))
    clients.client_for = lambda name: client

    def cycle() -> None:
        Workspace.objects.filter(pk=lab.pk).update(next_list_at=None, rest_until=None)
        sync.sync(lab.pk, clock=timezone.now)

    def looks() -> None:
        later = timezone.now() + timedelta(days=1)
        Workspace.objects.filter(pk=lab.pk).update(next_list_at=later, rest_until=None)
        sync.sync(lab.pk, clock=timezone.now)

    def nothing_is_due() -> None:
        lab.endpoints.update(next_look_at=None)

    def ten_are_due() -> None:
        nothing_is_due()
        some = lab.endpoints.filter(updating=False).order_by("name").values("pk")[:10]
        lab.endpoints.filter(pk__in=list(some.values_list("pk", flat=True))).update(
            next_look_at=timezone.now()
        )

    cycle()  # what changed since the fleet was filled
    nothing_is_due()
    alone = median(client.read_and_derive, 20)
    lines = [
        Cycle("reading and deriving alone", alone, 1.0, 0, 0),
        line("parsing the JSON alone", alone, client.parse, times=20),
        line("unchanged", alone, cycle, times=20),
        line("unchanged, in another order", alone, cycle, before=client.turn),
    ]
    per_cycle, sync.LOOKS_PER_CYCLE = sync.LOOKS_PER_CYCLE, 0
    for changed in (1, 10, 100, endpoints):
        change = partial(client.change, changed)
        lines.append(line(f"{changed} changed, list", alone, cycle, before=change))
    sync.LOOKS_PER_CYCLE = per_cycle

    def ten_changed() -> None:
        client.change(endpoints)
        ten_are_due()

    lines.append(line("10 looks with news", alone, looks, before=ten_changed))
    lines.append(line("10 looks without", alone, looks, before=ten_are_due))
    return lines


def line(
    what: str,
    alone: float,
    call: Callable[[], None],
    *,
    before: Callable[[], None] = lambda: None,
    times: int = 5,
) -> Cycle:
    before()
    statements, rows = counted(call)
    took = []
    for _ in range(times):
        before()
        took.append(timed(call))
    milliseconds = round(statistics.median(took) * 1000, 2)
    return Cycle(what, milliseconds, round(milliseconds / alone, 2), statements, rows)


def documents(endpoints: int) -> list[dict[str, Any]]:
    from endpoints_app.emulator import documents, fleet

    return [documents.summary(it) for it in fleet.seeded(0, endpoints, now=time.time())]


class Client:
    """Answers at once with the bytes that a workspace would send; a GET finds what the list has."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.items = items
        self.changes = 0
        self.body = self._body()

    def _body(self) -> bytes:
        return json.dumps({"endpoints": self.items}).encode()

    def change(self, number: int) -> None:
        self.changes += 1
        for item in self.items[:number]:
            item["description"] = f"changed {self.changes}"
        self.body = self._body()

    def turn(self) -> None:
        """The same endpoints the other way round."""
        self.items.reverse()
        self.body = self._body()

    def list_endpoints(self, *, deadline: float) -> Any:
        from endpoints_app.databricks_api.wire_list import Listing

        return Listing(self.body)

    def parse(self) -> None:
        json.loads(self.body)

    def get_endpoint(self, name: str, *, deadline: float) -> Any:
        from endpoints_app.databricks_api import wire

        return wire.Endpoint.parse(next(it for it in self.items if it["name"] == name))

    def read_and_derive(self) -> None:
        from endpoints_app.domain import status

        for item in self.list_endpoints(deadline=1).read():
            document = item.read()
            status.derive(
                status.Reported(
                    ready=document.state.ready,
                    config_update=document.state.config_update,
                    suspend=document.state.suspend,
                    has_config=document.config is not None,
                )
            )


def timed(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median(call: Callable[[], None], times: int) -> float:
    return round(statistics.median(timed(call) for _ in range(times)) * 1000, 2)


def counted(call: Callable[[], None]) -> tuple[int, int]:
    """SQL statements, and rows of endpoints that got a new revision."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from endpoints_app.models import Endpoint
    from endpoints_app.services import live

    before = live.read_head().revision
    with CaptureQueriesContext(connection) as queries:
        call()
    ours = [q for q in queries if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "REL"))]
    # One statement is the bench's own, which says what is due.
    return max(0, len(ours) - 1), Endpoint.objects.filter(revision__gt=before).count()
