"""How many pages are open is nothing to the workspaces: only the sync asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.services import sync
from tests.conftest import Lab

LIST = "GET /api/2.0/serving-endpoints"
GET = f"{LIST}/{{name}}"
PAGES = ["/endpoints/", "/operations/", "/w/lab/e/credit-limit/", "/status/"]


@pytest.fixture
def watched(lab: Lab) -> Iterator[Lab]:
    """A workspace of which all is known, and pages that share its clock."""
    lab.settle()
    with time_machine.travel(lab.clock.now):
        yield lab


class Page:
    """What the script of an open page asks for, with the cursor it was given last."""

    def __init__(self, client: Client, url: str) -> None:
        self.client, self.url, self.cursor = client, url, ""

    def poll(self) -> int:
        answer = self.client.get(self.url, {"since": self.cursor})
        self.cursor = answer.headers.get("Desk-Cursor", self.cursor)
        return answer.status_code


@pytest.mark.parametrize("viewers", [1, 20])
def test_the_workspace_is_asked_the_same_by_one_viewer_and_by_many(
    viewers: int, cached: None, watched: Lab, vera: User, browser: Callable[[User], Client]
) -> None:
    """What is in transition is looked at between the lists, once for everybody."""
    clients = [browser(vera) for _ in range(viewers)]
    polls = ["/endpoints/changes/", "/operations/changes/", "/w/lab/e/credit-limit/changes/"]
    open_pages = [Page(client, url) for client in clients for url in polls]
    watched.emulator.calls.clear()

    answers = [client.get(url).status_code for client in clients for url in PAGES]
    for _ in range(3):
        for seconds in (2, 2, 15):
            with time_machine.travel(watched.clock.forward(seconds)):
                sync.sync(watched.workspace.pk, clock=watched.clock)
                answers += [page.poll() for page in open_pages]

    assert set(answers) <= {200, 204}
    asked = {route: n for route, n in watched.emulator.calls.counts.items() if "/api/" in route}
    assert asked == {LIST: 3, GET: 30}
