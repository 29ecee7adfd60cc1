"""What people tell of an incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from endpoints_app.models import AuditEntry, IncidentNote
from tests.views.conftest import Fleet
from tests.views.pages import inline, soup, text

URL = "/w/lab/e/churn/incidents/"


@pytest.fixture
def incident(fleet: Fleet) -> str:
    """churn was down for ten minutes; the moment at which that was first seen."""
    fleet.forward(60)
    fleet.read(broken(fleet))
    begun = fleet.clock.now
    fleet.forward(600)
    well = {"ready": "READY", "config_update": "NOT_UPDATING", "suspend": "NOT_SUSPENDED"}
    fleet.read(fleet.document("churn") | {"state": well, "pending_config": None})
    fleet.forward(60)
    fleet.answered()
    return str(int(begun.timestamp()))


def broken(fleet: Fleet) -> dict[str, Any]:
    state = {"ready": "NOT_READY", "config_update": "NOT_UPDATING", "suspend": "NOT_SUSPENDED"}
    return fleet.document("churn") | {"state": state, "pending_config": None}


def page(client: Client) -> BeautifulSoup:
    return soup(client.get(URL))


def test_it_is_told_and_read_by_all_who_see_the_endpoint(
    fleet: Fleet, incident: str, as_otto: Client, as_vera: Client
) -> None:
    assert as_otto.post(URL, {"incident": incident, "text": "A bad model."})["Location"] == URL
    told = text(page(as_vera), f"#incident-{incident}")
    assert "down for 10 min" in told
    assert "A bad model. Otto" in told
    note = IncidentNote.objects.get()
    assert note.incident_start == fleet.clock.now - timedelta(seconds=660)
    assert AuditEntry.objects.get(action="incident told").detail["reason"] == "A bad model."


def test_it_stands_on_the_status_page_without_its_author(
    fleet: Fleet, incident: str, as_otto: Client, settings: Any, client: Client
) -> None:
    as_otto.post(URL, {"incident": incident, "text": "A bad model."})
    settings.STATUS_PAGE_ACCESS = "public"
    fleet.publish()
    shown = client.get("/status/lab/churn/").content.decode()
    assert "A bad model." in shown
    assert "Otto" not in shown


def test_it_is_removed_and_the_record_keeps_it(
    fleet: Fleet, incident: str, as_otto: Client
) -> None:
    as_otto.post(URL, {"incident": incident, "text": "A bad model."})
    pk = IncidentNote.objects.get().pk
    for _ in range(2):
        assert as_otto.post(f"{URL}{pk}/remove/")["Location"] == URL
    assert not IncidentNote.objects.exists()
    assert AuditEntry.objects.get(action="incident note removed").detail["reason"] == "A bad model."
    timeline = text(soup(as_otto.get("/w/lab/e/churn/activity/")), "#timeline")
    assert "Note put on the status page by Otto : “A bad model.”" in timeline
    assert "Note taken off the status page by Otto : “A bad model.”" in timeline


def test_a_note_of_another_endpoint_is_not_removed_from_here(
    fleet: Fleet, incident: str, as_otto: Client
) -> None:
    as_otto.post(URL, {"incident": incident, "text": "A bad model."})
    pk = IncidentNote.objects.get().pk
    as_otto.post(f"/w/lab/e/credit-limit/incidents/{pk}/remove/")
    assert IncidentNote.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "required"), ("ask ada@example.com", "no mail addresses"), ("x" * 1001, "at most 1000")],
)
def test_what_is_wrong_is_said_where_it_is(
    fleet: Fleet, incident: str, as_otto: Client, typed: str, said: str
) -> None:
    response = as_otto.post(URL, {"incident": incident, "text": typed})
    assert response.status_code == 400
    assert said in text(soup(response), ".err-m")
    assert not IncidentNote.objects.exists()


@pytest.mark.parametrize("moment", ["0", "1", "4000000000"])
def test_there_is_no_note_without_an_incident(
    fleet: Fleet, incident: str, as_otto: Client, moment: str
) -> None:
    response = as_otto.post(URL, {"incident": moment, "text": "The disk <was> full"})
    assert response.status_code == 409
    said = text(soup(response), "#astray[role=alert]")
    assert "no such incident" in said
    assert "The disk <was> full" in said, "what was typed is not lost"
    assert not IncidentNote.objects.exists()


def test_a_viewer_reads_and_tells_nothing(
    fleet: Fleet, incident: str, as_vera: Client, as_otto: Client
) -> None:
    as_otto.post(URL, {"incident": incident, "text": "<script>alert(1)</script>"})
    found = page(as_vera)
    assert not found.select("main form")
    assert not inline(found)
    assert as_vera.post(URL, {"incident": incident, "text": "x"}).status_code == 403


def test_what_was_never_down_has_none(fleet: Fleet, as_otto: Client) -> None:
    found = soup(as_otto.get("/w/lab/e/basket-recommender/incidents/"))
    assert "There were none." in text(found, "main")


def test_the_endpoints_page_leads_there(fleet: Fleet, as_vera: Client) -> None:
    assert soup(as_vera.get("/w/lab/e/churn/")).select(f"a[href='{URL}']")
