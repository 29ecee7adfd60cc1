"""Who keeps metrics and who takes them away as a file."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import (
    AuditEntry,
    Endpoint,
    MetricSample,
    MetricWatch,
)
from endpoints_app.services import metric_samples
from tests.views.conftest import Fleet
from tests.views.metric_pages import (
    CSV,
    KEEP,
    NAME,
    PAGE,
    PART,
    Sample,
)
from tests.views.pages import one, soup, text

# Who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [PAGE, PART, CSV])
def test_who_has_no_role_here_finds_nothing(
    url: str, as_oscar: Client, browser: Any, ada: User, sample: Sample
) -> None:
    sample(5)
    assert as_oscar.get(url).status_code == 404
    assert browser(ada).get(url).status_code == 404
    assert not MetricWatch.objects.exists(), "who may not look does not watch"


def test_an_operator_keeps_metrics_and_that_is_recorded(
    as_otto: Client, endpoint: Endpoint, otto: User
) -> None:
    button = one(soup(as_otto.get(PAGE)), "#keep")
    assert button["value"] == "on"
    answer = as_otto.post(f"{KEEP}?range=7d", {"keep": "on"})
    assert answer["Location"] == f"{PAGE}?range=7d"
    assert MetricWatch.objects.get().kept
    page = soup(as_otto.get(PAGE))
    assert one(page, "#keep")["value"] == "off"
    assert "whether or not somebody looks" in text(page, "#keep-why")
    as_otto.post(KEEP, {"keep": "off"})
    assert not MetricWatch.objects.get().kept
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor_id", "endpoint")
    assert list(entries) == [
        ("metrics kept", otto.pk, NAME),
        ("metrics no longer kept", otto.pk, NAME),
    ]


def test_a_viewer_has_no_switch(as_vera: Client, endpoint: Endpoint) -> None:
    assert not soup(as_vera.get(PAGE)).select("#keep")
    answer = as_vera.post(KEEP, {"keep": "on"})
    assert answer.status_code == 403
    assert "you need the role operator" in answer.content.decode()
    assert not MetricWatch.objects.filter(kept=True).exists()


def test_the_switch_takes_on_and_off(as_otto: Client, endpoint: Endpoint) -> None:
    assert as_otto.post(KEEP, {"keep": "maybe"}).status_code == 400
    assert as_otto.post(KEEP).status_code == 400
    assert as_otto.get(KEEP).status_code == 405


def test_more_than_can_be_sampled_are_not_kept(
    as_otto: Client, fleet: Fleet, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_samples, "MOST", 1)
    other = fleet.endpoint("churn")
    MetricWatch.objects.create(endpoint=other, kept=True, due_at=fleet.clock.now)
    answer = as_otto.post(KEEP, {"keep": "on"})
    assert answer.status_code == 409
    assert "of 1 endpoints are kept already" in text(soup(answer), "[role=alert]")
    assert not AuditEntry.objects.exists()


# The file --------------------------------------------------------------------------------------


def file(client: Client, **asked: str) -> list[dict[str, str]]:
    answer = client.get(CSV, asked)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body)))


def test_the_file_has_every_row_of_the_range(as_vera: Client, sample: Sample) -> None:
    sample(90)
    rows = file(as_vera, range="1h")
    assert len(rows) in (60, 61, 65)
    assert rows[-1]["from_utc"] == "2026-11-22T02:59:00Z"
    assert (rows[-1]["requests"], rows[-1]["gpu"], rows[-1]["answer"]) == ("10.0", "", "")
    assert rows[-1]["latency_p50_ms"] == "10.0"
    assert len(file(as_vera, range="24h")) == 90


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_file_is_a_formula(
    sign: str, as_vera: Client, fleet: Fleet, endpoint: Endpoint
) -> None:
    entity = f"{sign}cmd|'/c calc'!A1"
    MetricSample.objects.create(
        endpoint=endpoint, at=fleet.clock.now - MINUTE, entity=entity, requests=1
    )
    (row,) = file(as_vera, range="1h", entity=entity)
    assert row["entity"] == f"'{entity}"


def test_an_answer_is_in_the_file(as_vera: Client, fleet: Fleet, endpoint: Endpoint) -> None:
    MetricSample.objects.create(endpoint=endpoint, at=fleet.clock.now - MINUTE, answer="TimedOut")
    (row,) = file(as_vera, range="1h")
    assert (row["answer"], row["requests"]) == ("TimedOut", "")


def test_a_hostile_entity_is_only_text(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(5)
    sample(5, entity='"><script>alert(1)</script>')
    page = as_vera.get(PAGE)
    assert not re.search(r"<script>alert", page.content.decode())
    assert "<script>alert(1)" in one(soup(page), "select[name=entity]").text
