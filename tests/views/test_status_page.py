"""What the status page says, in the twelve points of on-call, and how it turns Unknown."""

from __future__ import annotations

import copy
import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
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
from endpoints_app.services import status_page, status_render
from endpoints_app.services.status_render import Addresses
from tests.views.conftest import Fleet
from tests.views.pages import inline, soup, text

BAD = ["fraud-scorer", "checkout-ranker"]


@pytest.fixture(autouse=True)
def _public(settings: Any) -> None:
    settings.STATUS_PAGE_ACCESS = "public"


@pytest.fixture
def good(fleet: Fleet) -> Fleet:
    """All that should serve does."""
    Endpoint.objects.exclude(status__in=["ready", "stopped"]).delete()
    Endpoint.objects.update(updating=False)
    fleet.publish()
    return fleet


def look(url: str = "/status/", **headers: str) -> BeautifulSoup:
    return soup(Client().get(url, headers=headers))


def first(found: BeautifulSoup) -> str:
    """What needs attention most."""
    return " ".join(found.select(".abn > li")[0].get_text(" ").split())


def head(found: BeautifulSoup) -> str:
    return text(found, ".verdict.now h1")


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


# Twins for machines ----------------------------------------------------------------------------


def test_every_form_tells_how_old_it_is(fleet: Fleet) -> None:
    fleet.publish()
    for url in ("/status/", "/status.json", "/status/feed.atom", "/status/badge.svg",
                "/status/lab/churn/", "/status/lab/churn/badge.svg"):  # fmt: skip
        response = Client().get(url)
        assert response["Desk-Observed-At"] == "2026-11-22T03:00:00+00:00", url
        assert response["Desk-Max-Age"] == "45"
    assert "observed_at 2026-11-22T03:00:00+00:00 max_age 45" in (
        Client().get("/status/badge.svg").content.decode()
    )
    assert Client().get("/status/health").json() == {
        "observed_at": "2026-11-22T03:00:00+00:00",
        "max_age": 45,
        "verdict": "down",
    }


def test_the_health_code_is_the_verdict(good: Fleet) -> None:
    assert Client().get("/status/health").status_code == 200
    good.forward(61)
    document = good.document("customer-ltv")
    document["state"]["ready"] = "NOT_READY"
    good.read(document)
    good.answered()
    good.publish()
    assert Client().get("/status/health").status_code == 503
    assert Client().get("/status/lab/health").status_code == 503


ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_feed_keeps_its_ids_and_tells_none_of_ours(fleet: Fleet, otto: User) -> None:
    Maintenance.objects.create(
        title="Move", start=fleet.clock.now + timedelta(hours=1), workspace=fleet.workspace,
        end=fleet.clock.now + timedelta(hours=2), zone="UTC", made_by=otto, made_by_name="Otto",
        made_at=fleet.clock.now,
    )  # fmt: skip
    fleet.forward(10)
    fleet.answered()
    fleet.publish()
    first = ElementTree.fromstring(Client().get("/status/lab/feed.atom").content)  # noqa: S314
    titles = {entry.findtext(f"{ATOM}title") for entry in first.findall(f"{ATOM}entry")}
    assert titles == {"Planned: Move", "fraud-scorer is down", "checkout-ranker is down"}

    fleet.forward(70)
    fleet.answered()
    fleet.publish()
    later = ElementTree.fromstring(Client().get("/status/lab/feed.atom").content)  # noqa: S314

    ids = [
        [e.findtext(f"{ATOM}id") for e in feed.findall(f"{ATOM}entry")] for feed in (first, later)
    ]
    assert ids[0] == ids[1]
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", str(found)) for found in ids[0])
    updated = [feed.findtext(f"{ATOM}updated") for feed in (first, later)]
    assert updated[0] == updated[1], "nothing happened: nothing is new"
    subtitle = str(first.findtext(f"{ATOM}subtitle"))
    assert "max age 45 s" in subtitle
    assert "goes back 14 days" in subtitle


def test_a_silence_is_news_in_the_feed(good: Fleet) -> None:
    good.forward(60)

    feed = Client().get("/status/feed.atom").content.decode()

    assert "lab has been silent since 03:00 UTC." in feed


# Light, without a script, in both languages -----------------------------------------------------


def test_all_of_it_weighs_less_than_50_kb(fleet: Fleet) -> None:
    """Page, style, scripts, as they travel; and a fleet in which forty are down."""
    scorer = fleet.document("fraud-scorer")
    fleet.add(*(scorer | {"name": f"failing-{i:03}", "id": f"{i:032}"} for i in range(300)))
    fleet.publish()

    page = Client().get("/status/", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    found = BeautifulSoup(gzip.decompress(page.content), "html.parser")
    assert len(found.select(".abn > li")) == 40
    assert "264 more endpoints need attention." in str(found)
    parts = [len(page.content)]
    for tag in found.select("link[rel=stylesheet], script[src]"):
        path = str(tag.get("href") or tag.get("src")).removeprefix("/static/").partition("?")[0]
        place = finders.find(path)
        assert place, path
        parts.append(len(gzip.compress(Path(place).read_bytes(), 6)))
    assert len(parts) == 4
    assert sum(parts) < 50_000, parts


def test_a_large_fleet_is_a_short_page(fleet: Fleet) -> None:
    """Ten thousand: the healthy are a count, and the plain list has pages."""
    model = fleet.endpoint("customer-ltv")
    model.document = None
    rows = []
    for i in range(10_000):
        row = copy.copy(model)
        row.pk, row.name, row.uid = None, f"model-{i:05}", f"{i:032}"
        rows.append(row)
    Endpoint.objects.bulk_create(rows, batch_size=500)
    fleet.publish()

    page = Client().get("/status/", headers={"Accept-Encoding": "gzip"})
    listed = Client().get("/status/?show=all&page=3", headers={"Accept-Encoding": "gzip"})

    assert len(page.content) < 10_000
    assert len(listed.content) < 20_000
    rows = BeautifulSoup(gzip.decompress(listed.content), "html.parser")
    assert len(rows.select(".all li")) == 500
    assert "1001–1500 of 10015" in text(rows, "main header")


def test_without_a_script_it_renews_itself_and_says_it_all(fleet: Fleet) -> None:
    fleet.publish()
    found = look()

    refresh = found.select("head noscript meta[http-equiv=refresh]")
    assert [tag["content"] for tag in refresh] == ["30"]
    main = found.select("main")[0]
    assert (main["hx-get"], main["hx-select"], main["hx-swap"]) == (
        "/status/",
        "#main",
        "outerHTML",
    )
    assert not inline(found)
    assert not found.select("form, input, button")
    for tag in found.select("script[src], link[href], img"):
        assert str(tag.get("src") or tag.get("href")).startswith(("/", "data:image/svg+xml,"))


def test_it_speaks_the_readers_language_or_the_one_asked_for(fleet: Fleet) -> None:
    fleet.publish()
    japanese = "14 件中 2 件のエンドポイントが応答できません。ほかに 1 件が不明です"

    assert head(look(**{"Accept-Language": "ja,en;q=0.5"})) == japanese
    assert head(look("/status/?lang=ja")) == japanese
    assert head(look("/status/?lang=en", **{"Accept-Language": "ja"})).startswith("2 of 14")
    assert head(look("/status/?lang=xx", **{"Accept-Language": "fr"})).startswith("2 of 14")
    found = look("/status/?lang=ja")
    assert found.html
    assert found.html["lang"] == "ja"
    assert [str(a["href"]) for a in found.select(".nav a[hreflang]")] == ["?lang=en"]
    assert "Not ready (Update failed)" in str(found), "the labels stay as Databricks has them"


def test_names_are_text_wherever_they_stand(fleet: Fleet) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    fleet.add(fleet.document("fraud-scorer") | {"name": hostile, "id": "1" * 32})
    fleet.publish()

    for url in ("/status/", "/status/lab/", "/status/?show=all", "/status/feed.atom"):
        assert b"<img" not in Client().get(url).content, url
    link = next(str(a["href"]) for a in look().select("h3 a") if "img" in str(a["href"]))
    assert head(look(link)).startswith(hostile)
    ElementTree.fromstring(Client().get(f"{link}badge.svg").content)  # noqa: S314


# Outside of a request --------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_static_page_stands_alone_and_is_neutral_by_itself(
    language: str, good: Fleet, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(1):
        payload = status_page.read_public()
        page = status_page.build(payload, "", good.clock.now)
    assert page is not None
    written = status_render.page(
        page, language, Addresses(pages=False, other_language="x.html"), static=True
    )
    found = BeautifulSoup(written, "html.parser")

    assert found.html
    assert found.html["lang"] == language
    assert found.html["class"] == ["still"], "neutral until its script has found it fresh"
    assert int(str(found.html["data-valid"])) == int(good.clock.now.timestamp()) + 45
    assert not found.select("script[src], link[rel=stylesheet], [hx-get]")
    assert found.select("head > noscript > meta[http-equiv=refresh]")
    links = [str(a["href"]) for a in found.select("a[href]")]
    assert set(links) <= {"#main", "", "status.json", "x.html"}
    assert "Valid until 2026-11-22 03:00:45 UTC" in written or language == "ja"
    assert "2026-11-22 03:00:45 UTC" in written, "the time until which it is valid"


def icon(found: BeautifulSoup) -> str:
    from urllib.parse import unquote

    return unquote(str(found.select("#icon")[0]["href"]))
