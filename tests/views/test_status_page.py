"""What the status page says, in the twelve points of on-call, and how it turns Unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import (
    Acknowledgement,
    Endpoint,
    IncidentNote,
    Maintenance,
    Operation,
    StatusLink,
    StatusPayload,
    Workspace,
)
from tests.views.conftest import Fleet
from tests.views.pages import soup, text
from tests.views.status_pages import first, head, icon, look

pytestmark = pytest.mark.usefixtures("public")


BAD = ["fraud-scorer", "checkout-ranker"]


# The first sentence ----------------------------------------------------------------------------


def test_all_good(good: Fleet) -> None:
    good.forward(10)
    found = look()

    assert head(found) == "All 8 endpoints that should serve can serve"
    said = text(found, ".verdict.now p")
    assert said.startswith(
        "2 more are stopped on purpose. Databricks last answered 10 s ago (03:00"
    )
    assert found.select(".verdict.now > .tone.good")
    assert text(found, "#abn-h ~ *, section:has(#abn-h) > p").startswith("Nothing.")
    assert text(found, "title") == "Serving status"
    assert "✓" in icon(found)


def test_two_down_says_so_with_numbers_and_a_time(fleet: Fleet) -> None:
    fleet.publish()
    found = look()

    assert head(found) == "2 of 14 endpoints cannot serve, 1 more is unknown"
    assert text(found, "title") == "2 down, 1 unknown · Serving status"
    assert ">2<" in icon(found)
    names = [text(item, "h3") for item in found.select(".abn > li")]
    assert names == ["fraud-scorer", "checkout-ranker", "kyc-face-match", "demand-forecast"]
    first = found.select(".abn > li")[0]
    assert "Does not serve, callers get errors." in " ".join(first.get_text(" ").split())
    assert "Nobody has taken it yet" in first.get_text()
    assert first.select("time[datetime='2026-11-22T03:00:00Z']")
    assert "8 Ready, 1 updating and 2 stopped on purpose" in text(found, "details summary")


def test_nobody_claims_to_know_the_beginning_of_what_was_so_when_first_seen(fleet: Fleet) -> None:
    fleet.publish()
    fleet.forward(30)
    assert "for 30 s or longer Does" in first(look())


def test_since_when_is_said_of_what_was_otherwise_before(fleet: Fleet) -> None:
    seen = fleet.clock.now - timedelta(hours=1)
    Endpoint.objects.filter(name="fraud-scorer").update(first_seen_at=seen)
    fleet.publish()
    fleet.forward(30)
    assert "since 03:00, 30 s Does" in first(look())


def test_a_reader_hears_what_the_tab_shows(fleet: Fleet) -> None:
    """Titles, landmarks and drawings have words."""
    fleet.publish()
    found = look()

    assert len(found.select("h1")) == 2  # one of them hidden until the page has expired
    assert all(drawing["aria-label"] for drawing in found.select("svg[role=img]"))
    for mark in found.select("svg.i"):
        assert mark["aria-hidden"] == "true"
    assert found.select("a.skip[href='#main']")
    assert found.html
    assert found.html["lang"] == "en"


# By the clock ----------------------------------------------------------------------------------


def test_it_turns_unknown_by_the_clock_alone(good: Fleet) -> None:
    before = Client().get("/status/")
    good.forward(44)
    assert head(look()) == "All 8 endpoints that should serve can serve"
    good.forward(2)

    found = look()

    assert head(found) == "Unknown since 03:00 UTC"
    assert text(found, "title") == "Unknown · Serving status"
    assert "?" in icon(found)
    assert not found.select(".tone.good, .badge.good"), "nothing is green while it is stale"
    assert "Our own poller" in text(found, ".verdict.now p")
    assert "10 endpoints of lab" in text(found, ".abn")
    assert "Last known: 8 Ready, 2 stopped on purpose" in text(found, ".abn")
    again = Client().get("/status/", headers={"If-None-Match": before["ETag"]})
    assert again.status_code == 200
    assert Client().get("/status/health").status_code == 504
    assert Client().get("/status.json").json()["verdict"] == "unknown"
    assert "Unknown" in Client().get("/status/badge.svg").content.decode()
    assert "Unknown" in Client().get("/status/lab/customer-ltv/badge.svg").content.decode()


def test_it_turns_unknown_when_its_writer_dies_although_the_workspaces_answer(good: Fleet) -> None:
    """What is shown is as old as what was written, whoever else goes on."""
    for _ in range(5):
        good.forward(10)
        good.answered()

    assert head(look()) == "Unknown since 03:00 UTC"
    assert "silent since 03:00" in text(look(), ".src")

    good.publish()
    assert head(look()) == "All 8 endpoints that should serve can serve"


def test_the_same_moment_is_not_sent_twice(good: Fleet) -> None:
    first = Client().get("/status/")

    second = Client().get("/status/", headers={"If-None-Match": first["ETag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert second["Referrer-Policy"] == "no-referrer"
    assert not second.cookies


def test_an_answer_that_may_be_kept_says_what_is_so_at_its_end(good: Fleet) -> None:
    """It may be shown for two seconds: in them it must not become untrue."""
    good.forward(43)

    response = Client().get("/status/")

    assert response["Cache-Control"] == "public, max-age=2"
    assert "44 s ago" in response.content.decode()


def test_before_the_first_writing_it_knows_nothing_and_says_so(
    fleet: Fleet, as_vera: Client, settings: Any
) -> None:
    assert not StatusPayload.objects.exists()

    assert head(look()) == "Unknown: nothing has been read yet"
    settings.STATUS_PAGE_ACCESS = "login"
    assert head(soup(as_vera.get("/status/"))) == "Unknown: nothing has been read yet"
    settings.STATUS_PAGE_ACCESS = "public"
    assert Client().get("/status/health").status_code == 504
    assert Client().get("/status/lab/").status_code == 404


def test_one_silent_workspace_is_named_and_takes_nothing_from_another(good: Fleet) -> None:
    good.forward(60)
    good.other(good.document("customer-ltv") | {"id": "of-other", "name": "elsewhere"})
    good.publish()
    found = look()

    assert head(found) == "10 of 11 endpoints are unknown"
    said = text(found, ".verdict.now p")
    assert "lab has been silent since 03:00 UTC." in said
    assert [mark["class"] for mark in found.select(".src .badge")] == [
        ["badge", "unknown"],
        ["badge", "good"],
        ["badge", "unknown"],  # our poller: nothing says that it was Databricks
    ]
    assert "lab stopped answering" in text(found, ".tl")
    assert head(look("/status/other/")) == "The 1 endpoint that should serve can serve"


def test_down_counts_among_what_is_known(fleet: Fleet) -> None:
    fleet.forward(60)
    fleet.other(fleet.document("fraud-scorer") | {"id": "of-other"})
    fleet.publish()

    assert head(look()) == "1 of 1 endpoints cannot serve, 15 more are unknown"
    assert Client().get("/status/health").status_code == 503


# Whether somebody is on it, links, planned work ---------------------------------------------------


def test_who_is_on_it_until_when(fleet: Fleet, otto: User) -> None:
    Acknowledgement.objects.create(
        endpoint=fleet.endpoint("fraud-scorer"), role="ML platform on-call", actor=otto,
        actor_name="Otto", at=fleet.clock.now, until=fleet.clock.now + timedelta(minutes=30),
    )  # fmt: skip
    fleet.publish()

    first, second = look().select(".abn > li")[:2]
    assert "On it: ML platform on-call, until 03:30" in " ".join(first.get_text(" ").split())
    assert "Nobody has taken it yet" in second.get_text()

    for _ in range(61):
        fleet.forward(30)
        fleet.answered()
    StatusPayload.objects.update(
        seen_at=fleet.clock.now, sources={str(fleet.workspace.pk): [fleet.clock.now.timestamp(), 0]}
    )
    assert "On it" not in look().select(".abn > li")[0].get_text(), "it expires by the clock"


def test_runbook_and_contact_from_the_endpoint_its_tag_or_the_default(fleet: Fleet) -> None:
    scorer = fleet.endpoint("fraud-scorer")
    StatusLink.objects.create(runbook_url="https://wiki.example/all", contact_name="on-call")
    StatusLink.objects.create(endpoint=scorer, runbook_url="https://wiki.example/fraud")
    fleet.publish()

    first, second = look().select(".abn > li")[:2]
    assert [str(a["href"]) for a in first.select(".links a")] == ["https://wiki.example/fraud"]
    assert "on-call" in text(first, ".links")
    assert [str(a["href"]) for a in second.select(".links a")] == ["https://wiki.example/all"]


def test_planned_work_is_shown_ahead_with_its_zone_and_excuses_while_it_runs(
    fleet: Fleet, otto: User
) -> None:
    now = fleet.clock.now
    window = Maintenance.objects.create(
        title="Moves to a larger size", start=now + timedelta(minutes=10),
        end=now + timedelta(minutes=40), zone="Asia/Tokyo", made_by=otto, made_by_name="Otto",
        made_at=now,
    )  # fmt: skip
    window.endpoints.add(fleet.endpoint("fraud-scorer"))
    fleet.publish()
    ahead = look()
    assert "03:10–03:40 UTC (12:10–12:40 Asia/Tokyo) Moves to a larger size" in text(ahead, ".plan")
    assert head(ahead).startswith("2 of 14")

    fleet.forward(11 * 60)
    fleet.answered()
    fleet.publish()
    running = look()
    assert head(running).startswith("1 of 14")
    assert "Now:" in text(running, ".plan")
    assert "1 more does not serve during planned work." in text(running, ".verdict.now p")
    item = look("/status/lab/fraud-scorer/")
    assert "planned work" in text(item, ".verdict.now")

    Maintenance.objects.update(cancelled_at=fleet.clock.now)
    fleet.publish()
    assert head(look()).startswith("2 of 14")


# What changed ----------------------------------------------------------------------------------


def test_a_deliberate_stop_looks_unlike_a_failure(good: Fleet, otto: User) -> None:
    for name, by_us in (("lead-scoring", True), ("price-elasticity", False)):
        if by_us:
            good.ask(name, "stop", otto)
            Operation.objects.update(state="sent")
        document = good.document(name)
        document["state"] = {"ready": "NOT_READY", "config_update": "NOT_UPDATING",
                             "suspend": "STOPPED"}  # fmt: skip
        good.forward(10)
        good.read(document)
    Operation.objects.update(state="confirmed")
    good.answered()
    good.publish()
    found = look()

    assert head(found) == "All 6 endpoints that should serve can serve"
    lines = [" ".join(li.get_text(" ").split()) for li in found.select(".tl li")]
    assert "03:00 lead-scoring stopped on purpose by an operator" in lines
    assert "03:00 price-elasticity stopped on purpose, outside Serving Desk" in lines
    for li in found.select(".tl li"):
        if "stopped" in li.get_text():
            assert li.select(".tone.off")
    assert "otto" not in str(found).lower()


def test_first_sights_of_a_whole_workspace_are_one_line(fleet: Fleet) -> None:
    fleet.publish()

    (line,) = look().select(".tl li")
    assert "lab 15 endpoints seen for the first time" in " ".join(line.get_text(" ").split())


# Where to look ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (["fraud-scorer", "customer-ltv"], "It is this one endpoint: fraud-scorer."),
        ([*BAD, "customer-ltv"], "Single endpoints are affected; their workspaces answer."),
    ],
)
def test_the_pattern_is_said(left: list[str], said: str, fleet: Fleet) -> None:
    Endpoint.objects.exclude(name__in=left).delete()
    fleet.publish()

    assert said in text(look(), ".verdict.now p")


def test_a_workspace_that_was_asked_and_does_not_answer_is_not_our_poller(good: Fleet) -> None:
    good.forward(60)
    good.other()
    Workspace.objects.filter(name="lab").update(error="Unreachable")
    good.publish()

    assert "It is lab as a whole." in text(look(), ".verdict.now p")
    assert "on time" in text(look(), ".src")


# One endpoint ----------------------------------------------------------------------------------


def test_an_endpoint_has_its_strip_bars_changes_and_incidents_with_notes(
    good: Fleet, otto: User
) -> None:
    broken = good.document("customer-ltv")
    broken["state"] = {"ready": "NOT_READY", "config_update": "NOT_UPDATING",
                       "suspend": "NOT_SUSPENDED"}  # fmt: skip
    good.forward(600)
    start = good.clock.now
    row = good.read(broken)
    good.forward(300)
    good.read(good.document("customer-ltv"))
    good.forward(5)
    good.answered()
    IncidentNote.objects.create(
        endpoint=row, incident_start=start, text="A full disk.", at=good.clock.now, author=otto,
        author_name="Otto",
    )  # fmt: skip
    good.publish()

    found = look("/status/lab/customer-ltv/")

    assert head(found) == "customer-ltv Ready"
    incident = text(found, ".inc li")
    assert "03:10–03:15, down for 5 min" in incident
    assert "A full disk." in incident
    lines = [" ".join(li.get_text(" ").split()) for li in found.select(".tl li")]
    assert lines == [
        "03:15 Ready again",
        "03:10 Not ready, no change asked for",
        "03:00 seen for the first time",
    ]
    strip, bars = found.select("svg[role=img]")
    assert strip["aria-label"] == "customer-ltv, last 24 h: down 1 time, 5 min"
    assert bars["aria-label"] == "customer-ltv, 90 days: 1 day with trouble"
    # Fifteen minutes in all, five of them down; fifteen seconds are 1.7 % of them.
    assert "66 % could serve" in text(found, "figure:nth-of-type(1) .soft")


def test_what_is_not_there_is_not_found(fleet: Fleet) -> None:
    fleet.publish()
    for url in ("/status/lab/nobody/", "/status/nowhere/", "/status/%FF/", "/status/lab/%00/",
                "/status/nowhere/churn/", "/status/lab/nobody/badge.svg"):  # fmt: skip
        assert Client().get(url).status_code == 404, url
