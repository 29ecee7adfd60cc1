"""The Activity tab: the whole timeline, filtered, paged, as a file."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints_app.models import AuditEntry, Endpoint, Operation, StatusChange
from endpoints_app.services import audit
from tests.conftest import Lab
from tests.services.conftest import BASE
from tests.views.conftest import Fleet
from tests.views.pages import inline, one, soup, text

NAME = "customer-ltv"
URL = f"/w/lab/e/{NAME}/activity/"


def page(client: Client, query: str = "", url: str = URL) -> BeautifulSoup:
    response = client.get(f"{url}{query}")
    assert response.status_code == 200
    return soup(response)


def lines(found: BeautifulSoup) -> list[str]:
    """What each entry says."""
    entries = found.select("#timeline li:not(.day):not(.nothing)")
    return [" ".join(li.get_text(" ").split()) for li in entries]


@pytest.fixture
def lively(fleet: Fleet, otto: User, mika: User) -> Fleet:
    """Stopped by Otto, permissions changed by Mika, then updated by somebody elsewhere."""
    fleet.forward(60)
    fleet.ask(NAME, "stop", otto, reason="idle at night")
    Operation.objects.update(
        state="confirmed",
        outcome="read",
        sending_at=fleet.clock.now + timedelta(seconds=1),
        sent_at=fleet.clock.now + timedelta(seconds=2),
        settled_at=fleet.clock.now + timedelta(seconds=40),
    )
    fleet.forward(60)
    audit.of_endpoint(
        fleet.endpoint(NAME),
        "permissions saved",
        by=mika,
        now=fleet.clock.now,
        detail={
            "reason": "On-call needs to see it",
            "changes": [
                {"kind": "group", "name": "risk-oncall", "before": None, "after": "CAN_VIEW"},
                {"kind": "user", "name": "t@e.com", "before": "CAN_MANAGE", "after": "CAN_QUERY"},
            ],
        },
    )
    fleet.forward(60)
    document = fleet.document(NAME)
    document["config"]["config_version"] += 1
    document["config"]["served_entities"][0]["workload_size"] = "Large"
    fleet.read(document)
    return fleet


def test_who_did_what_and_why_stands_in_one_list(lively: Fleet, as_vera: Client) -> None:
    found = page(as_vera)
    said = lines(found)
    config, permissions, stop = said[0], said[1], said[2]
    version = lively.endpoint(NAME).config_version
    assert f"Config {version} seen" in config
    assert "→ Large" in config
    assert "outside Serving Desk" in config
    assert "Permissions changed by Mika" in permissions
    assert "On-call needs to see it" in permissions
    assert "risk-oncall: no direct grant → CAN VIEW" in permissions
    assert "t@e.com: CAN MANAGE → CAN QUERY" in permissions
    assert "Stop asked by Otto : “idle at night”" in stop
    assert "sent 03:01:02 , settled 03:01:40" in stop
    assert "Done, 40 s" in stop
    assert not inline(found)
    compare = one(found, f"#config-{version} small a")
    assert compare["href"].endswith(f"/config/?from={(version or 0) - 1}&to={version}")
    assert as_vera.get(str(compare["href"])).status_code == 200


def test_what_the_last_thirty_days_come_to_stands_beside_it(lively: Fleet, as_vera: Client) -> None:
    row = lively.endpoint(NAME)
    hour = timedelta(hours=1)
    type(row).objects.filter(pk=row.pk).update(first_seen_at=lively.clock.now - 100 * hour)
    StatusChange.objects.filter(endpoint=row).delete()
    for hours, was, now in ((50, "ready", "update_failed"), (49, "update_failed", "ready")):
        StatusChange.objects.create(
            endpoint=row, was=was, now=now, at=lively.clock.now - hours * hour
        )
    lively.answered()
    said = text(page(as_vera), "aside section:first-child dl")
    assert "Could serve 99.00 %" in said
    assert "New configs 1" in said
    assert "Asked by Otto 1" in said


def test_the_days_are_named(lively: Fleet, as_vera: Client) -> None:
    lively.forward(86_400)
    StatusChange.objects.create(
        endpoint=lively.endpoint(NAME), was="ready", now="stopped", at=lively.clock.now
    )
    days = [h2.get_text(strip=True) for h2 in page(as_vera).select("#timeline .day h2")]
    assert days[0].startswith("Today, ")
    assert days[1].startswith("Yesterday, ")


@pytest.mark.parametrize(
    ("query", "number", "word"),
    [
        ("?type=permissions", 1, "Permissions changed"),
        ("?type=operations", 1, "Stop asked"),
        ("?type=outside", 1, "outside Serving Desk"),
        ("?type=configs", 2, "Config"),
        ("?who=Mika", 1, "Permissions changed"),
        ("?who=Nobody", 0, ""),
        ("?period=24h", 6, "Config"),
        ("?month=2026-11", 6, "Config"),
        ("?month=2026-10", 0, ""),
        ("?type=nonsense&period=x&month=x&before=x&at=x", 6, "Config"),
    ],
)
def test_filters_are_in_the_address(
    query: str, number: int, word: str, lively: Fleet, as_vera: Client
) -> None:
    Operation.objects.update(requested_at=lively.clock.now - timedelta(minutes=2))
    found = page(as_vera, query)
    said = lines(found)
    if number != 6:
        assert len(said) == number
    else:
        assert len(said) >= 5
    assert word in " ".join(said)
    if not said:
        assert "Nothing matches" in text(found, "#timeline")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?type=nonsense&period=x&month=x&before=x&at=x", "type, period, month, before, at"),
        ("?month=2026-13&type=configs", "month"),
    ],
)
def test_what_is_not_understood_is_named_and_filters_nothing(
    query: str, named: str, lively: Fleet, as_vera: Client
) -> None:
    said = text(page(as_vera, query), ".notice")
    assert said == f"Not understood in the address, so it filters nothing: {named}."
    assert not page(as_vera, "?month=2026-11&type=&period=7d").select("main > .notice")


def test_older_entries_are_behind_a_link_and_each_has_its_address(
    lively: Fleet, as_vera: Client
) -> None:
    endpoint = lively.endpoint(NAME)
    StatusChange.objects.bulk_create(
        StatusChange(
            endpoint=endpoint,
            was="ready",
            now="stopped",
            at=lively.clock.now - timedelta(days=1, minutes=n),
        )
        for n in range(120)
    )
    seen: list[str] = []
    query = ""
    for _ in range(9):
        found = page(as_vera, query)
        seen += [str(li["id"]) for li in found.select("#timeline li:not(.day)")]
        older = found.select('#timeline a[rel="next"]')
        if not older:
            break
        query = str(older[0]["href"])
    assert len(seen) == len(set(seen)) >= 125

    entry = page(as_vera, query).select("#timeline li:not(.day)")[0]
    address, _, name = str(entry.select("a.at")[0]["href"]).partition("#")
    assert name == entry["id"]
    assert page(as_vera, address).select("#timeline li:not(.day)")[0]["id"] == name


def test_the_overview_keeps_the_latest_few_and_leads_to_all(lively: Fleet, as_vera: Client) -> None:
    found = page(as_vera, url=f"/w/lab/e/{NAME}/")
    assert "Permissions changed by Mika" in text(found, "#overview ol.tl")
    assert "Config" in text(found, "#overview ol.tl")
    assert URL in [str(a["href"]) for a in found.select("#overview a")]


def test_a_deleted_one_keeps_its_timeline(lively: Fleet, as_vera: Client) -> None:
    row = lively.bury(NAME)
    assert as_vera.get(URL).status_code == 404
    found = page(as_vera, f"?id={row.uid}")
    assert "Deleted, from" in lines(found)[0]
    assert not found.select("[hx-get*=events]")
    for link in found.select("#timeline a.at, nav.tabs a, #timeline small a, .tools .end, aside a"):
        href = str(link["href"])
        if "/w/lab/" in href or href.startswith("?"):
            assert row.uid in href, link
    assert as_vera.get(f"{URL}csv/?id={row.uid}").status_code == 200


# As a file ---------------------------------------------------------------------------------------


def table(client: Client, query: str = "") -> list[list[str]]:
    response = client.get(f"{URL}csv/{query}")
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    body = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def test_the_file_says_what_the_page_says(lively: Fleet, as_vera: Client) -> None:
    head, *rows, missing = table(as_vera)
    assert "own events" in missing[0], "there is no workspace to ask"
    assert head == ["Time (UTC)", "Kind", "What", "Who", "Why", "Details"]
    assert len(rows) == len(lines(page(as_vera)))
    permissions = next(row for row in rows if row[1] == "Permissions")
    assert permissions[0] == "2026-11-22T03:02:00Z"
    assert permissions[2:5] == ["Permissions changed", "Mika", "On-call needs to see it"]
    assert "risk-oncall" in permissions[5]
    assert [row[1] for row in table(as_vera, "?type=permissions")[1:]] == ["Permissions"]


@pytest.mark.parametrize("bad", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "|cmd"])
def test_no_cell_is_a_formula(bad: str, fleet: Fleet, as_vera: Client, mika: User) -> None:
    row = fleet.endpoint(NAME)
    detail = {"reason": bad, "changes": [{"kind": "user", "name": bad}]}
    audit.of_endpoint(row, "permissions saved", by=mika, now=fleet.clock.now, detail=detail)
    AuditEntry.objects.update(actor_name=bad)
    fleet.read(fleet.document(NAME) | {"description": bad})
    for line in table(as_vera)[1:]:
        for cell in line[1:]:
            assert not cell.lstrip().startswith(tuple("=+-@|＝")), cell


# Databricks' own events --------------------------------------------------------------------------

EVENTS = {"method": "GET", "route": f"{BASE}/{{name}}/events"}


class Near:
    """Vera before the workspace of an emulator."""

    def __init__(self, lab: Lab, client: Client) -> None:
        self.lab, self.client = lab, client

    def tell(self, *events: Any, status: int = 200, body: str | None = None) -> None:
        """What the workspace answers from now on."""
        self.lab.emulator.clear_faults()
        self.lab.emulator.fault(
            "status",
            status=status,
            body=json.dumps({"events": list(events)}) if body is None else body,
            content_type="application/json",
            match=EVENTS,
        )

    def asked(self) -> int:
        counts = self.lab.emulator.calls.document()["calls"]
        return int(sum(n for what, n in counts.items() if what.endswith("/events")))

    def get(self, query: str = "") -> BeautifulSoup:
        return page(self.client, query)

    def part(self, query: str = "") -> Any:
        return self.client.get(f"{URL}events/{query}")

    def event(self, ago: float, message: str = "Container is ready.", **fields: Any) -> Any:
        at = int((self.lab.clock.now.timestamp() - ago) * 1000)
        told = {"event_type": "SERVED_ENTITY", "status": "READY", "message": message}
        return {"timestamp": at} | told | fields


def changes_each_minute(endpoint: Endpoint, now: datetime, count: int) -> None:
    StatusChange.objects.bulk_create(
        StatusChange(endpoint=endpoint, was="ready", now="stopped", at=now - timedelta(minutes=n))
        for n in range(count)
    )


@pytest.fixture
def near(lab: Lab, vera: User, browser: Callable[[User], Client], cached: None) -> Iterator[Near]:
    lab.settle()
    with time_machine.travel(lab.clock.now, tick=False):
        yield Near(lab, browser(vera))


def test_the_page_asks_nobody_and_a_script_brings_the_events(near: Near) -> None:
    near.tell(near.event(5))
    found = near.get()
    assert near.asked() == 0
    assert "Container is ready" not in text(found, "#timeline")
    asking = one(found, "[hx-get*=events]")
    assert asking["hx-target"] == "#timeline"

    answer = near.client.get(str(asking["hx-get"]))
    fragment = soup(answer)
    assert [tag.get("id") for tag in fragment.find_all(recursive=False)] == ["timeline"]
    said = lines(fragment)
    assert "SERVED_ENTITY READY" in said[0]
    assert "Container is ready." in said[0]
    assert said[1:] == lines(found)

    again = near.get()  # what was just read is there at once
    assert "Container is ready" in text(again, "#timeline")
    assert not again.select("[hx-get*=events]")
    assert near.asked() == 1


def test_without_a_script_the_address_asks(near: Near) -> None:
    near.tell(near.event(5))
    link = one(near.get(), "p.no-js a")
    assert "Container is ready" in near.client.get(str(link["href"])).content.decode()


def test_events_stand_where_their_time_is_however_they_come(near: Near) -> None:
    order = [near.event(seconds, f"at {seconds}") for seconds in (30, 5, 3600, 90)]
    near.tell(*order, near.event(5, "at 5"))
    said = [line for line in lines(soup(near.part())) if "SERVED_ENTITY" in line]
    assert [line.rpartition("at ")[2] for line in said] == ["5", "30", "90", "3600"]


@pytest.mark.parametrize("status", [404, 403, 400])
def test_a_workspace_without_events_is_asked_once_for_a_while(status: int, near: Near) -> None:
    near.tell(status=status, body='{"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}')
    assert near.part().status_code == 204
    assert near.part().status_code == 204
    found = near.get("?events=1")
    assert near.asked() == 1
    assert not found.select("[hx-get*=events]")
    assert not found.select("[data-state=stale]")
    with time_machine.travel(near.lab.clock.now + timedelta(hours=1), tick=False):
        near.part()
    assert near.asked() == 2


@pytest.mark.parametrize("status", [500, 503, 429])
def test_one_that_does_not_answer_now_is_said_and_the_rest_is_there(
    status: int, near: Near
) -> None:
    near.tell(status=status, body="{}")
    answer = near.part()
    assert answer.status_code == 200
    fragment = soup(answer)
    assert "did not give its own events" in text(fragment, "[data-state=stale]")
    assert lines(fragment) == lines(near.get())


def test_a_workspace_that_hangs_costs_the_part_its_deadline_and_the_page_nothing(
    near: Near,
) -> None:
    near.lab.emulator.fault("latency", seconds=20, match=EVENTS)
    started = time.perf_counter()
    near.get()
    assert near.asked() == 0
    assert near.part().status_code == 200
    assert time.perf_counter() - started < 6


NONSENSE = [
    "",
    "[]",
    "null",
    "<html>",
    '{"events": 5}',
    '{"events": [5, null, {}, {"timestamp": "x"}, {"timestamp": 1e99}]}',
    '{"events": {"a": []}}',
    "{",
]


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_no_event_and_no_trouble_for_the_page(body: str, near: Near) -> None:
    near.tell(body=body)
    assert near.part().status_code in (200, 204)
    assert lines(near.get("?events=1"))


def test_what_an_event_says_is_text_bounded_and_without_credentials(near: Near) -> None:
    bad = "<script>alert(1)</script>"
    secret = "dapi" + "0123456789abcdef" * 2
    near.tell(
        near.event(5, bad, event_type=bad, status=["x"]),
        near.event(6, f"token={secret}"),
        near.event(7, "x" * 100_000),
        *(near.event(8 + n, "many") for n in range(1000)),
    )
    answer = near.part()
    found = soup(answer)
    assert not found.find_all("script")
    assert bad in found.get_text()
    assert secret not in answer.content.decode()
    assert len(lines(found)) < 300
    assert len(answer.content) < 300_000


def test_events_are_not_asked_for_where_a_filter_leaves_them_out(near: Near) -> None:
    near.tell(near.event(5))
    for query in ("?type=permissions", "?who=Mika"):
        assert not near.get(query).select("[hx-get*=events]")
    assert "Container" in text(soup(near.part("?type=events")), "#timeline")


def test_events_fall_on_the_page_they_belong_to(near: Near) -> None:
    """Each on one page, whatever lies between."""
    near.tell(*(near.event(60 * n + 30, f"event {n}") for n in range(100)))
    changes_each_minute(near.lab.endpoint(NAME), near.lab.clock.now, 100)
    query, seen = "?events=1", []
    for _ in range(9):
        found = near.get(query)
        seen += [line.rpartition(" ")[2] for line in lines(found) if "SERVED_ENTITY" in line]
        older = found.select('#timeline a[rel="next"]')
        if not older:
            break
        query = f"{older[0]['href']}&events=1"
    assert seen == [str(n) for n in range(100)]


def events_in(rows: list[list[str]]) -> list[str]:
    return [row[5] for row in rows if row[1] == "Events"]


def test_the_file_has_the_events_too_each_where_its_time_is(near: Near) -> None:
    near.tell(*(near.event(60 * n + 30, f"event {n}") for n in range(0, 600, 6)))
    changes_each_minute(near.lab.endpoint(NAME), near.lab.clock.now, 600)  # more than one page

    _head, *rows = table(near.client)

    assert events_in(rows) == [f"event {n}" for n in range(0, 600, 6)]
    times = [row[0] for row in rows]
    assert times == sorted(times, reverse=True)
    (first, *_) = [row for row in rows if row[1] == "Events"]
    assert first[2:4] == ["SERVED_ENTITY READY", "Databricks"]
    assert [row[1] for row in table(near.client, "?type=events")[1:]] == ["Events"] * 100
    assert near.asked() == 1


def test_a_file_that_leaves_events_out_asks_for_none(near: Near) -> None:
    near.tell(near.event(5))
    for query in ("?type=permissions", "?who=Mika"):
        assert events_in(table(near.client, query)) == []
    assert near.asked() == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_file_says_when_events_may_be_missing(status: int, near: Near) -> None:
    near.tell(status=status, body="{}")
    *rows, last = table(near.client)
    assert "did not give its own events" in last[0]
    assert len(rows) == len(lines(near.get())) + 1


def test_a_file_of_a_workspace_without_events_has_nothing_to_say_of_them(near: Near) -> None:
    near.tell(status=404, body='{"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}')
    assert len(table(near.client)) == len(lines(near.get())) + 1


def test_the_page_costs_few_queries_however_much_happened(
    lively: Fleet, as_vera: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Also without Redis: session and head are four more."""
    changes_each_minute(lively.endpoint(NAME), lively.clock.now, 300)
    page(as_vera)  # Django tries once per process whether the database knows JSON
    with django_assert_max_num_queries(4 + 6):
        page(as_vera)
