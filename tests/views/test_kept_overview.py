"""An overview is drawn once for many readers, and never says what is no longer true."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.status_links import Links
from endpoints_app.models import Endpoint, LogSnapshot, Operation, Outage
from endpoints_app.services import (
    acknowledging,
    audit,
    incident_notes,
    live,
    logs,
    metric_samples,
    operations,
    schema,
    status_links,
)
from endpoints_app.views import endpoint_detail
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

NAME = "fraud-scorer"  # which is down
WELL = "basket-recommender"


def url(name: str = NAME) -> str:
    return f"/w/lab/e/{name}/"


def words(client: Client, name: str = NAME) -> str:
    return text(soup(client.get(url(name))), "main")


# While nothing is told -------------------------------------------------------------------------


def test_it_is_drawn_once_while_the_workspace_answers_that_nothing_is_new(
    fleet: Fleet, as_vera: Client, headings_made: list[str]
) -> None:
    fleet.forward(2 * 3600)  # what is younger tells minutes
    for _ in range(30):
        fleet.forward(15)
        fleet.answered()
        shown = one(soup(as_vera.get(url(WELL))), "aside section:last-of-type dd:last-of-type")
        assert shown.get_text() == f"{fleet.clock.now:%Y-%m-%d %H:%M:%S} UTC", "read just now"
    assert len(headings_made) == 1


def test_what_is_read_of_one_by_itself_may_be_newer_than_the_list(
    fleet: Fleet, as_vera: Client
) -> None:
    now = fleet.forward(5)
    fleet.change(WELL)
    assert f"{now:%H:%M:%S} UTC" in words(as_vera, WELL)
    fleet.forward(5)
    assert f"Observed at {now:%Y-%m-%d %H:%M:%S} UTC" in words(as_vera, WELL)


def test_each_role_and_language_has_its_own_and_all_who_share_it_one(
    fleet: Fleet, as_vera: Client, as_otto: Client, as_mika: Client, headings_made: list[str]
) -> None:
    for _ in range(2):
        for client in (as_vera, as_otto, as_mika):
            for language in ("en", "ja"):
                client.get(url(), headers={"Accept-Language": language})
    assert len(headings_made) == 6


def test_a_process_keeps_so_many_and_no_more(
    fleet: Fleet, as_vera: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_detail._kept.shelf, "most", 4)
    for name in Endpoint.objects.values_list("name", flat=True):
        as_vera.get(url(name))
    assert 1 <= len(endpoint_detail._kept) <= 4


STEPS = (1, 8, 20, 31, 60, 61, 300, 580, 1200, 1300, 3 * 3600, 40, 10 * 3600, 6 * 3600, 4 * 3600)


@pytest.mark.parametrize("name", [NAME, WELL, "card-ocr-v1", "credit-limit"])
def test_it_says_what_one_drawn_anew_would_say_whatever_the_time(
    name: str, fleet: Fleet, as_vera: Client, otto: User
) -> None:
    """But for seconds, which are told to the nearest ten."""
    endpoint = fleet.endpoint(name)
    if name == NAME:
        acknowledging.acknowledge(
            endpoint, role="ops", note="", lasting=timedelta(hours=3), by=otto, now=fleet.clock.now
        )
    else:
        fleet.forward(600)
        fleet.read(fleet.document(name) | {"state": {"ready": "NOT_READY"}})
        fleet.forward(600)
        fleet.read(fleet.document(name))

    for step in STEPS:
        fleet.forward(step)
        fleet.answered()
        kept = words(as_vera, name)
        endpoint_detail.forget()
        anew = words(as_vera, name)
        assert re.sub(r"\d+ s\b", "… s", kept) == re.sub(r"\d+ s\b", "… s", anew)


# What is told is there with the next request -----------------------------------------------------


def note(action: str) -> Callable[[Fleet, User], None]:
    def tell(fleet: Fleet, by: User) -> None:
        audit.of_endpoint(fleet.endpoint(NAME), action, by=by, now=fleet.clock.now, detail={})

    return tell


def ask(fleet: Fleet, by: User) -> None:
    fleet.ask(NAME, "stop", by)


def withdraw(fleet: Fleet, by: User) -> None:
    operations.withdraw(Operation.objects.get(), by=by, now=fleet.clock.now)


def acknowledge(fleet: Fleet, by: User) -> None:
    acknowledging.acknowledge(
        fleet.endpoint(NAME),
        **{"role": "The night shift", "note": "", "lasting": timedelta(minutes=45.5)},
        **{"by": by, "now": fleet.clock.now},
    )


def clear(fleet: Fleet, by: User) -> None:
    acknowledging.clear(fleet.endpoint(NAME), by=by, now=fleet.clock.now)


def reading(**news: Any) -> Callable[[Fleet, User], None]:
    return lambda fleet, by: void(fleet.read(fleet.document(NAME) | news))


def another_version(fleet: Fleet, by: User) -> None:
    document = fleet.document(NAME)
    document["pending_config"]["config_version"] = 4711
    fleet.read(document)


def keep_logs(fleet: Fleet, by: User) -> None:
    told = {"config_version": 7, "taken_at": fleet.clock.now, "entity": "scorer", "log": "build"}
    logs._keep(fleet.endpoint(NAME), [LogSnapshot(endpoint=fleet.endpoint(NAME), **told)])


def read_schema(fleet: Fleet, by: User) -> None:
    schema._keep(fleet.endpoint(NAME), 7, "{}", fleet.clock.now)


def tell_incident(fleet: Fleet, by: User) -> None:
    now = fleet.clock.now
    incident_notes.add(fleet.endpoint(NAME), now, "A broken wheel", by=by, now=now)


def link(fleet: Fleet, by: User) -> None:
    wanted = status_links.Wanted(Links("https://runbook.example"), fleet.endpoint(NAME).pk)
    status_links.save(None, wanted, by=by, now=fleet.clock.now)


def keep_metrics(fleet: Fleet, by: User) -> None:
    metric_samples.keep(fleet.endpoint(NAME), True, by=by, now=fleet.clock.now)


def void(_: object) -> None:
    """What came of it does not matter here."""


def nothing(fleet: Fleet, by: User) -> None:
    """What follows needs nothing before it."""


@pytest.mark.parametrize(
    ("before", "news", "said", "unsaid"),
    [
        (nothing, reading(state={"ready": "READY"}), "serve? Yes", "serve? No"),
        (nothing, reading(description="Another purpose"), "Another purpose", ""),
        (nothing, reading(tags=[{"key": "team", "value": "owls"}]), "team owls", ""),
        (nothing, reading(effective_budget_policy_id="policy-9"), "policy-9", ""),
        (nothing, reading(permission_level="CAN_QUERY"), "CAN QUERY", ""),
        (nothing, another_version, "Config 4711", ""),
        (nothing, ask, "Stop asked by", ""),
        (ask, withdraw, "Withdrawn", "expires at"),
        (nothing, acknowledge, "The night shift", "Nobody has taken it"),
        (acknowledge, clear, "Nobody has taken it", "On it:"),
        (nothing, keep_logs, "Logs kept", ""),
        (nothing, read_schema, "Query schema of config 7", ""),
        (nothing, tell_incident, "A broken wheel", ""),
        (nothing, link, "status links saved", ""),
        (nothing, keep_metrics, "metrics kept", ""),
        (nothing, note("permissions saved"), "Permissions changed", ""),
        (nothing, note("permissions refused"), "refused the change", ""),
        (nothing, note("budget policy changed"), "Budget policy changed", ""),
        (nothing, note("request sent"), "its outcome is not known", ""),
        (note("request sent"), note("request answered"), "Request answered", "is not known"),
    ],
)
def test_news_is_there_with_the_next_request_and_on_open_pages(
    before: Callable[[Fleet, User], None],
    news: Callable[[Fleet, User], None],
    said: str,
    unsaid: str,
    fleet: Fleet,
    as_vera: Client,
    otto: User,
) -> None:
    fleet.forward(60)
    fleet.answered()
    before(fleet, otto)
    page = soup(as_vera.get(url()))
    poll = one(page, "#poll")
    assert said not in text(page, "main")
    assert unsaid in text(page, "main")

    news(fleet, otto)

    shown = words(as_vera)
    told = as_vera.get(f"{poll['hx-get']}&since={poll['data-cursor']}")
    for found in (shown, " ".join(soup(told).get_text(" ").split())):
        assert said in found
        assert not unsaid or unsaid not in found


def test_one_that_is_gone_is_not_found_and_its_successor_is_shown(
    fleet: Fleet, as_vera: Client
) -> None:
    words(as_vera)
    fleet.bury(NAME)
    assert as_vera.get(url()).status_code == 404
    fleet.add(fleet.document(NAME) | {"id": "the-successor"})
    assert "the-succ" in words(as_vera)


def test_what_is_recorded_of_a_former_one_its_successor_tells_too(
    fleet: Fleet, as_vera: Client, otto: User
) -> None:
    former = fleet.bury(NAME)
    fleet.add(fleet.document(NAME) | {"id": "the-successor"})
    assert "Permissions changed" not in words(as_vera)

    audit.of_endpoint(former, "permissions saved", by=otto, now=fleet.clock.now, detail={})

    assert "Permissions changed" in words(as_vera)


def test_who_lost_their_role_is_shown_nothing_more(fleet: Fleet, as_otto: Client) -> None:
    assert as_otto.get(url()).status_code == 200
    User.objects.get(username="otto").groups.clear()
    assert as_otto.get(url()).status_code == 404


# What the clock alone changes ------------------------------------------------------------------


def test_silence_turns_it_unknown_and_an_answer_back(
    fleet: Fleet, as_vera: Client, settings: Any, otto: User
) -> None:
    assert "Can it serve? Yes" in words(as_vera, WELL)
    silent_since = fleet.clock.now
    fleet.forward(settings.STALE_SECONDS)
    assert "Can it serve? Yes" in words(as_vera, WELL), "not yet"
    fleet.forward(1)
    assert "Can it serve? Unknown" in words(as_vera, WELL)
    acknowledging.acknowledge(
        fleet.endpoint(WELL),
        **{"role": "ops", "note": "", "lasting": timedelta(hours=1)},
        **{"by": otto, "now": fleet.clock.now},
    )
    assert "On it: ops" in words(as_vera, WELL)

    now = fleet.forward(3)
    fleet.answered()
    with live.writing():  # as the sync notes it
        Outage.objects.create(workspace=fleet.workspace, start=silent_since, end=now)
        acknowledging.found_well(fleet.workspace.pk, now)

    back = words(as_vera, WELL)
    assert "Can it serve? Yes" in back
    assert "Databricks did not answer from" in back
    assert "On it" not in back


def test_nobody_is_on_it_any_longer_than_they_said(
    fleet: Fleet, as_vera: Client, otto: User
) -> None:
    acknowledge(fleet, otto)
    for seconds, said in ((0, "On it:"), (2729, "On it:"), (1, "Nobody has taken it")):
        fleet.forward(seconds)
        fleet.answered()
        assert said in words(as_vera)


def test_an_outcome_goes_with_its_time(fleet: Fleet, as_vera: Client, otto: User) -> None:
    fleet.forward(7)  # no other time on it is due with it
    ask(fleet, otto)
    withdraw(fleet, otto)
    for seconds, shown in ((0, True), (119, True), (1, False)):
        fleet.forward(seconds)
        fleet.answered()
        assert bool(soup(as_vera.get(url())).select("#strip [data-operation]")) is shown


def test_today_is_over_at_midnight(fleet: Fleet, as_vera: Client) -> None:
    fleet.forward(607)  # no other time on it is due with it
    fleet.read(fleet.document(WELL) | {"state": {"ready": "NOT_READY"}})
    fleet.forward(21 * 3600 - 607 - 5)
    fleet.answered()
    assert "Today, 22 November" in words(as_vera, WELL)
    fleet.forward(5)
    assert "Yesterday, 22 November" in words(as_vera, WELL)


# Odd ones ---------------------------------------------------------------------------------------


def test_what_looks_like_the_place_of_a_time_is_text(fleet: Fleet, as_vera: Client) -> None:
    mark = endpoint_detail.READ_AT
    fleet.read(fleet.document(NAME) | {"description": mark, "task": mark})
    for _ in range(2):
        shown = words(as_vera)
        assert f"Description {mark}" in shown
        assert f"Observed at {fleet.clock.now:%Y-%m-%d %H:%M:%S} UTC" in shown
