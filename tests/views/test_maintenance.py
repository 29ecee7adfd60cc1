"""Planned work: listed, planned in the writer's own time, changed, ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import AuditEntry, Maintenance
from endpoints_app.models import Fleet as FleetRow
from tests.views.conftest import Fleet
from tests.views.pages import inline, soup, text

LIST, PLAN = "/status-desk/maintenance/", "/status-desk/maintenance/plan/"
WORK = {
    "title": "lead-scoring moves to a larger size",
    "note": "Expect 5xx.",
    "zone": "Europe/Berlin",
    "start": "2026-11-23T06:00",
    "end": "2026-11-23T06:30",
    "scope": "workspace",
    "workspace": "lab",
}


def planned(client: Client, **how: Any) -> Maintenance:
    response = client.post(PLAN, WORK | how)
    assert response.status_code == 302, text(soup(response), "main")
    return Maintenance.objects.latest("pk")


def wrong(client: Client, **how: Any) -> str:
    response = client.post(PLAN, WORK | how)
    assert response.status_code == 400
    assert not Maintenance.objects.exists()
    return " ".join(tag.get_text(" ", strip=True) for tag in soup(response).select(".err-m"))


def test_it_is_entered_in_ones_own_zone_and_listed_in_both(
    fleet: Fleet, as_otto: Client, as_vera: Client
) -> None:
    before = FleetRow.objects.get().revision
    window = planned(as_otto)

    assert (window.start, window.end) == (
        datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 5, 30, tzinfo=UTC),
    )
    row = text(soup(as_vera.get(LIST)), f"#window-{window.pk}")
    assert "2026-11-23 05:00 – 05:30 UTC 2026-11-23 06:00 – 06:30 Europe/Berlin" in row
    assert "All of lab" in row
    assert "Otto" in row
    assert AuditEntry.objects.get(action="work planned").workspace == "lab"
    assert FleetRow.objects.get().revision > before


def test_the_answer_says_how_much_it_covers(fleet: Fleet, as_otto: Client) -> None:
    response = as_otto.post(PLAN, WORK, follow=True)
    assert "It covers 15 endpoints today." in text(soup(response), ".notice")


def test_by_tag_and_by_endpoint(fleet: Fleet, as_otto: Client) -> None:
    tag = fleet.endpoint("churn").tag_lines.split("\n")[1]
    window = planned(as_otto, scope="tag", tag=tag, workspace="")
    assert (window.workspace, window.tag, window.endpoints.count()) == (None, tag, 0)
    pks = [fleet.endpoint(name).pk for name in ("churn", "credit-limit")]
    window = planned(as_otto, scope="endpoints", endpoints=pks)
    assert (window.workspace, window.tag) == (None, "")
    assert sorted(window.endpoints.values_list("pk", flat=True)) == sorted(pks)


def test_windows_may_overlap(fleet: Fleet, as_otto: Client) -> None:
    planned(as_otto)
    planned(as_otto)
    assert Maintenance.objects.count() == 2


# Clocks that jump ------------------------------------------------------------------------------


def test_a_time_that_clocks_skip_is_refused_with_the_next_one(
    fleet: Fleet, as_otto: Client
) -> None:
    said = wrong(as_otto, start="2027-03-28T02:30", end="2027-03-28T04:00")
    assert "Clocks in Europe/Berlin skip 02:30 on 2027-03-28" in said
    assert "03:30" in said


def test_a_time_that_comes_twice_is_asked_about_and_the_answer_counts(
    fleet: Fleet, as_otto: Client
) -> None:
    twice = {"start": "2027-10-31T02:30", "end": "2027-10-31T05:00"}
    response = as_otto.post(PLAN, WORK | twice)
    assert response.status_code == 400
    page = soup(response)
    assert "show 02:30 twice" in text(page, "#id_start-error")
    assert "the second time, UTC+1" in page.get_text()

    first = planned(as_otto, **twice, start_which="first")
    second = planned(as_otto, **twice, start_which="second")
    assert first.start == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert second.start == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    again = soup(as_otto.get(f"{LIST}{second.pk}/"))
    assert again.select("[name=start]")[0]["value"] == "2027-10-31T02:30"
    kept = as_otto.post(f"{LIST}{second.pk}/", WORK | twice | {"start_which": "second"})
    assert kept.status_code == 302


# What is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "ask ada@example.com"}, "no mail addresses"),
        ({"note": "see https://wiki"}, "no addresses"),
        ({"zone": "Berlin"}, "Europe/Berlin"),
        ({"start": "tomorrow"}, "2026-11-28 06:00"),
        ({"start": "2026-11-23T06:00+01:00"}, "2026-11-28 06:00"),
        ({"start": "0001-01-01T00:00"}, "2026-11-28 06:00"),
        ({"end": "2026-11-23T06:00"}, "ends before it begins"),
        ({"end": "2026-12-30T06:00"}, "At most 31 days"),
        ({"start": "2026-11-20T06:00"}, "more than a day ago"),
        ({"start": "2026-11-22T01:00", "end": "2026-11-22T02:00"}, "That is past"),
        ({"workspace": ""}, "Choose one workspace"),
        ({"workspace": "prod"}, "not one of the available choices"),
        ({"scope": "tag", "tag": ""}, "Give a tag"),
        ({"scope": "endpoints"}, "at least one endpoint"),
        ({"scope": "endpoints", "endpoints": ["999999"]}, "not one of the available choices"),
        ({"scope": "fleet"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(
    fleet: Fleet, as_otto: Client, how: dict[str, Any], said: str
) -> None:
    assert said in wrong(as_otto, **how)


def test_nothing_typed_is_lost(fleet: Fleet, as_otto: Client) -> None:
    pk = str(fleet.endpoint("churn").pk)
    page = soup(as_otto.post(PLAN, WORK | {"title": "", "scope": "endpoints", "endpoints": [pk]}))
    assert page.select("[name=note]")[0].get_text() == "Expect 5xx."
    assert page.select("[name=start]")[0]["value"] == WORK["start"]
    assert [box["value"] for box in page.select("[name=endpoints][checked]")] == [pk]


# Later -----------------------------------------------------------------------------------------


def test_it_is_changed_until_it_is_over(fleet: Fleet, as_otto: Client) -> None:
    window = planned(as_otto)
    url = f"{LIST}{window.pk}/"
    page = soup(as_otto.get(url))
    assert page.select("[name=start]")[0]["value"] == "2026-11-23T06:00"
    as_otto.post(url, WORK | {"end": "2026-11-23T08:00"})
    window.refresh_from_db()
    assert window.end == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

    fleet.forward(2 * 86_400)
    assert as_otto.get(url)["Location"] == LIST
    as_otto.post(url, WORK | {"title": "never was"})
    window.refresh_from_db()
    assert window.title == WORK["title"]


def test_what_has_not_begun_is_cancelled_and_stays_listed_as_such(
    fleet: Fleet, as_otto: Client
) -> None:
    window = planned(as_otto)
    for _ in range(2):
        assert as_otto.post(f"{LIST}{window.pk}/cancel/")["Location"] == LIST
    window.refresh_from_db()
    assert window.cancelled_at == fleet.clock.now
    assert "canceled" in text(soup(as_otto.get(LIST)), f"#window-{window.pk}")
    assert AuditEntry.objects.filter(action="planned work cancelled").count() == 1


def test_what_has_begun_ends_now_and_what_it_covered_stays(fleet: Fleet, as_otto: Client) -> None:
    window = planned(as_otto, start="2026-11-22T03:30")
    as_otto.post(f"{LIST}{window.pk}/cancel/")
    window.refresh_from_db()
    assert (window.cancelled_at, window.end) == (None, fleet.clock.now)


# Who -------------------------------------------------------------------------------------------


def test_a_viewer_reads_and_plans_nothing(fleet: Fleet, as_otto: Client, as_vera: Client) -> None:
    window = planned(as_otto)
    page = soup(as_vera.get(LIST))
    assert not page.select(f"a[href='{PLAN}'], a[href='{LIST}{window.pk}/']")
    for url in (PLAN, f"{LIST}{window.pk}/"):
        assert as_vera.get(url).status_code == as_vera.post(url, WORK).status_code == 403
    assert as_vera.post(f"{LIST}{window.pk}/cancel/").status_code == 403


def test_of_another_workspace_one_sees_and_chooses_nothing(
    fleet: Fleet, as_otto: Client, ada: User, browser: Any
) -> None:
    fleet.other(fleet.document("churn") | {"name": "theirs"})
    window, elsewhere = planned(as_otto), browser(ada)
    assert not soup(elsewhere.get(LIST)).select(f"#window-{window.pk}")
    assert elsewhere.get(f"{LIST}{window.pk}/").status_code == 404
    page = soup(elsewhere.get(PLAN))
    assert "lab/" not in page.select("#choices")[0].get_text()
    assert "all workspaces" not in page.select("[name=workspace]")[0].get_text()
    pk = fleet.endpoint("churn").pk
    for how in (
        {},
        {"scope": "tag", "tag": "team", "workspace": ""},
        {"scope": "endpoints", "endpoints": [pk]},
    ):
        assert elsewhere.post(PLAN, WORK | how).status_code == 400


def test_it_may_begin_from_an_endpoint(fleet: Fleet, as_otto: Client) -> None:
    page = soup(as_otto.get(PLAN, {"endpoint": "lab/churn"}))
    checked = [box["value"] for box in page.select("[name=endpoints][checked]")]
    assert checked == [str(fleet.endpoint("churn").pk)]
    assert page.select("[value=endpoints]")[0].has_attr("checked")


def test_ones_last_zone_is_offered(fleet: Fleet, as_otto: Client) -> None:
    assert soup(as_otto.get(PLAN)).select("[name=zone]")[0]["value"] == "UTC"
    planned(as_otto)
    assert soup(as_otto.get(PLAN)).select("[name=zone]")[0]["value"] == "Europe/Berlin"


def test_words_of_others_are_words(fleet: Fleet, as_otto: Client) -> None:
    planned(as_otto, title="<script>alert(1)</script>")
    page = soup(as_otto.get(LIST))
    assert not inline(page)
    assert "<script>alert(1)</script>" in page.get_text()
