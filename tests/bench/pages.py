"""What pages and polls cost, one reader asking without pause."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

from tests.bench.measuring import Line, measure, server


def run(workspaces: int, endpoints: int, *, seconds: float, history: bool = False) -> list[Line]:
    """In a process of its own, whose settings name an empty database."""
    from django.core.management import call_command
    from django.db.models import Count
    from django.test import Client
    from django.utils import timezone

    from dashboard import programs
    from endpoints_app.models import Endpoint, MetricWatch, Workspace
    from endpoints_app.services import live
    from tests.bench import fleet

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    names = fleet.names(workspaces)
    fleet.fill(names, endpoints)
    if history:
        fleet.history()
        fleet.metrics()
    client = Client()
    client.force_login(fleet.reader())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    lab = Workspace.objects.get(name=names[0])
    before = live.read_head().cursor(timezone.now())
    fleet.change(lab)
    fleet.answered(timezone.now())
    cursor = live.read_head().cursor(timezone.now())
    named = lab.endpoints.living().order_by("name").values_list("name", flat=True)
    ready = Endpoint.objects.living().filter(status="ready", workspace=lab)
    one = ready.annotate(flips=Count("changes")).order_by("-flips", "name")[0]
    tabs = f"/w/{lab.name}/e/{one.name}/"
    last = -(-workspaces * endpoints // 100)
    words = ["a", "e", "or", "fr", "ti", "rank", "score", "de", "jp", "v2"]
    sorts = ["status", "-name", "owner", "-changed"]
    asked: list[tuple[str, str | list[str]]] = [
        ("refresh, unchanged", f"/endpoints/changes/?since={cursor}"),
        ("refresh, one row changed", f"/endpoints/changes/?since={before}"),
        ("list, first page", "/endpoints/"),
        ("list, last page by name", f"/endpoints/?sort=name&page={last}"),
        ("list, a word and a status", "/endpoints/?q=e&status=ready&sort=-changed"),
        (
            "list, 200 addresses in turn",
            [
                f"/endpoints/?q={word}&sort={sort}&page={number}"
                for number in range(1, 6)
                for word in words
                for sort in sorts
            ],
        ),
        ("detail overview", tabs),
        (
            "detail, 200 endpoints in turn",
            [f"/w/{lab.name}/e/{name}/" for name in named[:200]],
        ),
        ("detail refresh, unchanged", f"{tabs}changes/?since={cursor}"),
        ("activity", f"{tabs}activity/"),
        ("configuration", f"{tabs}config/"),
        ("operations", "/operations/"),
        ("status page", "/status/"),
        ("status.json", "/status.json"),
        ("status page of an endpoint", f"/status/{lab.name}/{one.name}/"),
    ]
    if history:
        sampled = MetricWatch.objects.select_related("endpoint__workspace")[0].endpoint
        charts = f"/w/{sampled.workspace.name}/e/{sampled.name}/metrics/"
        asked += [
            ("metrics, an hour", f"{charts}?range=1h"),
            ("metrics, 14 days", f"{charts}?range=14d"),
        ]
    directory = Path(os.environ["VAR_DIR"])
    bare_port, port = programs.free_port(), programs.free_port()
    env = dict(os.environ)
    with (
        server("tests.bench.bare", bare_port, env, directory) as bare,
        server("dashboard.wsgi", port, env, directory) as web,
    ):
        lines = [measure(bare, bare_port, "bare view, before", "/", seconds=seconds)]
        for what, paths in asked:
            queries = count_queries(client, paths if isinstance(paths, str) else paths[0])
            lines.append(
                measure(web, port, what, paths, cookie=cookie, queries=queries, seconds=seconds)
            )
        lines.append(measure(bare, bare_port, "bare view, after", "/", seconds=seconds))
    base = (lines[0].median_ms + lines[-1].median_ms) / 2
    for line in lines:
        line.ratio = round(line.median_ms / base, 1)
    return lines


def count_queries(client: Any, path: str) -> int:
    """Of most readers: who is the first in a while reads the head too, or what is drawn for all."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = []
    for _ in range(5):
        with CaptureQueriesContext(connection) as queries:
            client.get(path, headers={"Host": "localhost"})
        asked.append(len(queries))
    return statistics.median_low(asked)
