"""What a request's time goes into: a profile of each page, asked in one process without a socket.

Of the processor's time, without what is waited for. Profiling makes Python slower and leaves C as
it is, so these are shares and no times.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUESTS = 100
PARTS = {
    "SQL": ("sqlite3", "psycopg", "django/db/backends", "SQLite"),
    "writing queries, rows": ("django/db",),
    "Redis": ("redis/", "cache", "socket", "pickle"),
    "templates": ("django/template", "templatetags", "django/utils/html", "translation", "gettext"),
    "gzip": ("zlib", "packing.py"),
    "ours": ("endpoints_app", "dashboard/"),
    "Django's handler and middleware": ("django", "whitenoise", "asgiref"),
}
"""What a function's file, or a builtin's name, says about where it belongs; the first that fits."""


@dataclass(slots=True)
class Shares:
    what: str
    calls: int  # of functions, per request
    percent: dict[str, float]


def run(workspaces: int, endpoints: int) -> list[Shares]:
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone

    from endpoints_app.models import Workspace
    from endpoints_app.services import live
    from endpoints_app.views import endpoint_detail
    from tests.bench import fleet

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from dashboard.wsgi import application  # it looks for the static files at once

    fleet.fill(fleet.names(workspaces), endpoints)
    client = Client()
    client.force_login(fleet.reader())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    fleet.answered(timezone.now())
    lab = Workspace.objects.order_by("pk")[0]
    one = f"/w/{lab.name}/e/{lab.endpoints.living().order_by('name')[0].name}/"

    def ask(path: str) -> None:
        path, _, query = path.partition("?")
        environ = {
            **{"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query},
            **{"SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost"},
            **{"HTTP_COOKIE": cookie, "HTTP_ACCEPT_ENCODING": "gzip"},
            **{"wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http"},
        }
        answer = application(environ, lambda *_: None)
        b"".join(answer)
        answer.close()

    def drawn_anew() -> None:
        endpoint_detail.forget()
        ask(one)

    cursor = live.read_head().cursor(timezone.now())
    asked: list[tuple[str, Callable[[], None]]] = [
        ("refresh, unchanged", lambda: ask(f"/endpoints/changes/?since={cursor}")),
        ("list, first page", lambda: ask("/endpoints/")),
        ("detail overview", lambda: ask(one)),
        ("detail overview, drawn anew", drawn_anew),
        ("status page", lambda: ask("/status/")),
    ]
    return [_shares(what, call) for what, call in asked]


def _shares(what: str, call: Callable[[], None]) -> Shares:
    for _ in range(5):
        call()
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(REQUESTS):
        call()
    profile.disable()
    stats: Any = pstats.Stats(profile)
    spent: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in stats.stats.items():
        part = _part(function)
        if part or not callers:
            spent[part or "the rest"] += own
            continue
        for caller, (_, _, of_caller, _) in callers.items():  # a builtin counts with who called it
            spent[_part(caller) or "the rest"] += of_caller
    whole = sum(spent.values())
    percent = {part: round(100 * spent[part] / whole, 1) for part in [*PARTS, "the rest"]}
    return Shares(what, stats.total_calls // REQUESTS, percent)


def _part(function: tuple[str, int, str]) -> str:
    file, _, name = function
    where = name if file == "~" else file
    return next((part for part, marks in PARTS.items() if any(m in where for m in marks)), "")
