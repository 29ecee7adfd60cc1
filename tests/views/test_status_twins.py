"""The status page for machines: how old each form is, and what its code says."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import (
    Maintenance,
)
from tests.views.conftest import Fleet

pytestmark = pytest.mark.usefixtures("public")


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
