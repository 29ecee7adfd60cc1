"""The Metrics tab: our own rows, drawn for whom they are, and no line over a hole."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.metric_charts import Range
from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import (
    AuditEntry,
    ConfigVersion,
    Endpoint,
    MetricSample,
    MetricWatch,
    StatusChange,
)
from endpoints_app.services import metric_grains, metric_samples, metrics
from endpoints_app.views import kept_charts
from tests.views.conftest import Fleet
from tests.views.pages import inline, one, soup, text

NAME = "basket-recommender"
PAGE = f"/w/lab/e/{NAME}/metrics/"
PART = f"{PAGE}part/"
CSV = f"{PAGE}metrics.csv"
KEEP = f"{PAGE}keep/"

Sample = Callable[..., None]


@pytest.fixture
def endpoint(fleet: Fleet) -> Endpoint:
    return fleet.endpoint(NAME)


@pytest.fixture
def sample(fleet: Fleet, endpoint: Endpoint) -> Sample:
    """Rows of the last `minutes`, without those in `but` (minutes ago)."""

    def made(minutes: int = 60, *, but: Iterable[int] = (), step: int = 1, **values: Any) -> None:
        given = {
            "requests": 10.0 * step,
            "errors_4xx": 1.0 * step,
            "errors_5xx": 0.0,
            "cpu": 40.0,
            "memory": 55.0,
            "concurrency": 4.0,
            "latency": [[10, 5.0 * step], [100, 9.0 * step], [None, 10.0 * step]],
        } | values
        skipped = set(but)
        MetricSample.objects.bulk_create(
            MetricSample(
                endpoint=endpoint,
                at=fleet.clock.now - ago * MINUTE,
                minutes=step,
                grain=step,
                **given,
            )
            for ago in range(step, minutes + 1, step)
            if ago not in skipped
        )

    return made


def chart(page: BeautifulSoup, name: str) -> Tag:
    return one(page, f"figure[aria-labelledby=c-{name}]")


def line(page: BeautifulSoup, name: str) -> str:
    """The path of a chart's line."""
    return str(chart(page, name).select("svg.plot svg path:not(.fill)")[-1]["d"])


def points(path: str) -> list[list[tuple[float, float]]]:
    """Its pieces."""
    return [
        [(float(x), float(y)) for x, y in (pair.split() for pair in piece.split("L"))]
        for piece in path.split("M")[1:]
    ]


# What is shown ---------------------------------------------------------------------------------


def test_a_page_of_charts_comes_from_our_own_rows(as_vera: Client, sample: Sample) -> None:
    sample(60)
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    titles = [heading.text for heading in page.select(".chart h3")]
    assert titles == ["Requests", "Errors", "Latency", "CPU", "Memory", "Concurrency"]
    assert one(page, ".tabs a[aria-current=page]:-soup-contains('Metrics')")
    assert one(page, ".tools .tabs a[aria-current=page]").text == "1 h"
    label = str(one(chart(page, "requests"), "svg.plot")["aria-label"])
    assert label == "Requests, per minute: highest 10 at 02:00"
    assert "highest 40 % at" in str(one(chart(page, "cpu"), "svg.plot")["aria-label"])
    assert not inline(page)


def test_gpu_charts_are_there_where_a_gpu_is(as_vera: Client, sample: Sample) -> None:
    sample(60, gpu=80.0, gpu_memory=90.0)
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    assert [heading.text for heading in page.select(".chart h3")][5:7] == ["GPU", "GPU memory"]


@pytest.mark.parametrize("range_", Range)
def test_a_line_has_few_points_whatever_the_range(
    range_: Range, as_vera: Client, sample: Sample
) -> None:
    sample(1440)
    page = soup(as_vera.get(PAGE, {"range": range_.key}))
    for piece in points(line(page, "requests")):
        assert len(piece) <= 302
    assert one(page, ".tools .tabs a[aria-current=page]").text == range_.key.replace(
        "h", " h"
    ).replace("d", " d")


def test_an_unknown_range_is_a_day(as_vera: Client, sample: Sample) -> None:
    sample(5)
    page = soup(as_vera.get(PAGE, {"range": "'><script>"}))
    assert one(page, ".tools .tabs a[aria-current=page]").text == "24 h"


def test_the_line_breaks_at_a_gap_and_never_bridges_it(as_vera: Client, sample: Sample) -> None:
    sample(60, but=range(20, 31))
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    pieces = points(line(page, "requests"))
    assert len(pieces) == 2
    left, right = 1000 * 30 / 60, 1000 * 41 / 60
    assert pieces[0][-1][0] == pytest.approx(left, abs=0.1)
    assert pieces[1][0][0] == pytest.approx(right, abs=0.1)
    holes = chart(page, "requests").select("rect[fill='url(#hole)']")
    assert [(hole["x"], hole["width"]) for hole in holes] == [("50.00%", "18.33%")]
    assert "not sampled from 02:30 to 02:41" in str(
        one(chart(page, "requests"), "svg.plot")["aria-label"]
    )
    assert "Not sampled until 02:41" in text(page, ".tl")
    assert "11 min in 1 span; totals leave it out" in text(page, "aside .facts")


def test_where_databricks_says_nothing_that_is_said(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(60, but=range(11, 21))
    MetricSample.objects.bulk_create(
        MetricSample(endpoint=endpoint, at=fleet.clock.now - ago * MINUTE, answer="NotKnown")
        for ago in range(11, 21)
    )
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    assert "not exported from 02:40 to 02:50" in str(
        one(chart(page, "cpu"), "svg.plot")["aria-label"]
    )
    assert "Nothing exported until 02:50 Databricks answered 404" in text(page, ".tl")
    row = one(page, "#t-cpu tbody tr:-soup-contains('02:40')")
    assert row.select_one("td").text == "not exported"  # type: ignore[union-attr]


def test_an_idle_endpoint_has_requests_and_nothing_else(as_vera: Client, sample: Sample) -> None:
    sample(60, requests=0.0, cpu=None, memory=None, concurrency=None, latency=None)
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    assert not chart(page, "requests").select("rect[fill='url(#hole)']")
    assert "not exported while idle" in chart(page, "cpu").text
    assert "not exported all the time" in str(one(chart(page, "cpu"), "svg.plot")["aria-label"])


def test_a_minute_without_requests_has_no_latency_and_is_no_hole(
    as_vera: Client, sample: Sample
) -> None:
    sample(60, latency=[[10, 0], [None, 0]])
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    assert not chart(page, "latency").select("path")
    assert not chart(page, "latency").select("rect[fill='url(#hole)']")
    assert one(page, "#t-latency tbody tr:first-child td:nth-of-type(1)").text == "–"


def test_percentiles_of_a_longer_time_are_those_of_its_requests(
    as_vera: Client, endpoint: Endpoint, fleet: Fleet
) -> None:
    """Not the mean of the percentiles of its minutes."""
    for ago, fast, slow in ((2, 1000.0, 0.0), (1, 0.0, 10.0)):
        MetricSample.objects.create(
            endpoint=endpoint,
            at=fleet.clock.now - ago * MINUTE,
            requests=fast + slow,
            latency=[[10, fast], [1000, fast + slow], [None, fast + slow]],
        )
    page = soup(as_vera.get(PAGE, {"range": "24h"}))
    (row,) = page.select("#t-latency tbody tr:first-child")
    assert [cell.text for cell in row.select("td")][:2] == ["5", "10"]


def test_red_ground_is_where_it_was_not_ready(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(60)
    Endpoint.objects.filter(pk=endpoint.pk).update(
        first_seen_at=fleet.clock.now - timedelta(days=2)
    )
    for ago, was, now in ((40, "ready", "not_ready"), (20, "not_ready", "ready")):
        StatusChange.objects.create(
            endpoint=endpoint, was=was, now=now, at=fleet.clock.now - ago * MINUTE
        )
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    for each in page.select(".chart"):
        ground = one(each, "rect.down")
        assert (ground["x"], ground["width"]) == ("33.33%", "33.33%")
    assert one(page, ".lane svg.trace rect.bad")
    assert "20 min in 1 span" in text(page, "aside .facts")


def test_operations_and_configs_are_marks_that_lead_to_their_line(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample, otto: User
) -> None:
    sample(60)
    operation = fleet.ask(NAME, "stop", otto, reason="<b>night</b>")
    operation.requested_at = fleet.clock.now - 30 * MINUTE
    operation.save()
    ConfigVersion.objects.create(
        endpoint=endpoint,
        version=77,
        stage="active",
        after=fleet.clock.now - 11 * MINUTE,
        first_seen_at=fleet.clock.now - 10 * MINUTE,
        content={},
        digest="x",
        compared_with=76,
    )
    page = soup(as_vera.get(PAGE, {"range": "1h"}))
    links = page.select(".marks a")
    assert [link["aria-label"] for link in links] == [
        "02:30 Stop asked by Otto",
        "02:50 Config 77",
    ]
    for link in links:
        assert one(page, f".tl li[id='{str(link['href'])[1:]}']")
    assert "done outside Serving Desk" in text(page, ".tl")
    compare = one(page, ".tl a:-soup-contains('Compare 76 and 77')")
    assert compare["href"] == f"/w/lab/e/{NAME}/config/?from=76&to=77"
    assert "&lt;b&gt;night" in str(one(page, ".tl"))
    for each in page.select(".chart"):
        assert [mark["x1"] for mark in each.select("line.ev")] == ["83.33%", "50.00%"]


def test_entities_are_chosen_from_a_list(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(60)
    sample(60, entity="a-1", requests=3.0)
    page = soup(as_vera.get(PAGE, {"range": "1h", "entity": "a-1"}))
    assert one(page, "select[name=entity] option[selected]").text == "a-1"
    assert "highest 3 at" in str(one(chart(page, "requests"), "svg.plot")["aria-label"])
    other = soup(as_vera.get(PAGE, {"range": "1h", "entity": "nobody"}))
    assert "highest 10 at" in str(one(chart(other, "requests"), "svg.plot")["aria-label"])


# States ----------------------------------------------------------------------------------------


def test_who_opens_it_first_watches(as_vera: Client, endpoint: Endpoint, fleet: Fleet) -> None:
    page = soup(as_vera.get(PAGE))
    assert "Now watching; samples come each minute" in text(page, "#metrics")
    assert MetricWatch.objects.get().watched_at == fleet.clock.now
    assert one(page, "#metrics[data-every='5']")
    fleet.forward(60)
    as_vera.get(PAGE)
    assert MetricWatch.objects.get().watched_at == fleet.clock.now - MINUTE, "noted now and then"


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        ("PermissionDenied", "forbidden", "CAN MANAGE on the endpoint is enough"),
        ("TimedOut", "error", "did not answer in time"),
        ("Nonsense", "error", "not its API"),
        ("NotKnown", "empty", "Databricks exports no metrics for it"),
        ("nothing", "empty", "Databricks exports no metrics for it"),
    ],
)
def test_without_any_number_the_panel_says_why(
    answer: str, state: str, said: str, as_vera: Client, endpoint: Endpoint, fleet: Fleet
) -> None:
    MetricSample.objects.create(endpoint=endpoint, at=fleet.clock.now - MINUTE, answer=answer)
    page = soup(as_vera.get(PAGE))
    assert said in text(page, f"#metrics [data-state={state}]")


def test_a_copy_that_grows_old_says_so(as_vera: Client, fleet: Fleet, sample: Sample) -> None:
    sample(60)
    assert not soup(as_vera.get(PAGE)).select("[data-state]")
    fleet.forward(300)
    assert "No newer sample has come" in text(soup(as_vera.get(PAGE)), "[data-state=stale]")
    MetricSample.objects.create(
        endpoint=fleet.endpoint(NAME), at=fleet.clock.now - MINUTE, answer="Throttled"
    )
    assert "it asks us to slow down" in text(soup(as_vera.get(PAGE)), "[data-state=stale]")


def test_a_stopped_endpoint_says_so_and_is_no_old_copy(as_vera: Client, fleet: Fleet) -> None:
    page = soup(as_vera.get("/w/lab/e/card-ocr-v1/metrics/"))
    assert "It is stopped" in text(page, "#metrics [data-state=empty]")
    MetricSample.objects.create(
        endpoint=fleet.endpoint("card-ocr-v1"), at=fleet.clock.now - 30 * MINUTE, requests=1
    )
    assert not soup(as_vera.get("/w/lab/e/card-ocr-v1/metrics/")).select("[data-state]")


def test_an_endpoint_that_is_gone_keeps_its_charts_and_is_not_watched(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(60)
    fleet.bury(NAME)
    url = f"{PAGE}?id={endpoint.uid}"
    page = soup(as_vera.get(url))
    assert chart(page, "requests")
    assert not page.select("#metrics[hx-get]")
    assert not MetricWatch.objects.exists()
    for link in page.select(".tools a"):
        assert f"id={endpoint.uid}" in str(link["href"])
    MetricSample.objects.all().delete()
    assert "It no longer exists" in text(soup(as_vera.get(url)), "[data-state=empty]")


def test_where_there_is_no_room_that_is_said(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_samples, "MOST", 1)
    other = fleet.endpoint("churn")
    MetricWatch.objects.create(endpoint=other, kept=True, due_at=fleet.clock.now)
    assert "It waits for its turn" in text(soup(as_vera.get(PAGE)), "#metrics")


# The fragment ----------------------------------------------------------------------------------


def test_the_fragment_comes_when_something_is_new(
    as_vera: Client, fleet: Fleet, endpoint: Endpoint, sample: Sample
) -> None:
    sample(60)
    url = str(one(soup(as_vera.get(PAGE, {"range": "1h"})), "#metrics")["hx-get"])
    assert as_vera.get(url).status_code == 204
    MetricSample.objects.create(endpoint=endpoint, at=fleet.clock.now, requests=3)
    fleet.forward(61)
    answer = as_vera.get(url)
    fragment = soup(answer)
    assert [tag.get("id") for tag in fragment.find_all(recursive=False)] == ["metrics"]
    assert one(fragment, ".lane")
    assert "range=1h" in str(one(fragment, "#metrics")["hx-get"])


def test_a_table_that_is_open_is_known_by_its_id(as_vera: Client, sample: Sample) -> None:
    sample(60)
    page = soup(as_vera.get(PAGE))
    tables = [table["id"] for table in page.select(".chart details")]
    assert len(set(tables)) == len(tables) == len(page.select(".chart"))


# What it costs ---------------------------------------------------------------------------------


def fortnight(fleet: Fleet, endpoint: Endpoint) -> None:
    """As it is kept: a day of minutes, thirteen days of five minutes."""
    minute = fleet.clock.now - 1440 * MINUTE
    five = fleet.clock.now - timedelta(days=14)
    latency = [[bound, float(i)] for i, bound in enumerate([*range(5, 130, 5), None])]
    values = {"errors_4xx": 0.0, "errors_5xx": 1.0, "cpu": 4.0, "memory": 5.0, "latency": latency}
    MetricSample.objects.bulk_create(
        [
            MetricSample(endpoint=endpoint, at=minute + i * MINUTE, requests=i % 90, **values)
            for i in range(1440)
        ]
        + [
            MetricSample(
                endpoint=endpoint,
                at=five + 5 * i * MINUTE,
                minutes=5,
                requests=400 + 300 * math.sin(i / 60),
                grain=5,
                **values,
            )
            for i in range(13 * 288)
        ],
        batch_size=500,
    )


@pytest.mark.parametrize("range_", ["1h", "24h", "14d"])
def test_a_fortnight_costs_few_queries_and_a_small_page(
    range_: str,
    as_vera: Client,
    fleet: Fleet,
    endpoint: Endpoint,
    cached: None,
    django_assert_max_num_queries: Any,
) -> None:
    """Who asks, and what came last; and where something is new what is drawn of it."""
    fortnight(fleet, endpoint)
    as_vera.get(PAGE)
    metric_grains.roll_up(now=fleet.clock.now)
    kept_charts.forget()
    with django_assert_max_num_queries(11):
        answer = as_vera.get(PAGE, {"range": range_})
    with django_assert_max_num_queries(2):
        again = as_vera.get(PAGE, {"range": range_})
    with django_assert_max_num_queries(2):
        as_vera.get(PART, {"range": range_})
    assert charts_of(again) == charts_of(answer)
    assert len(answer.content) < 150_000
    drawn = sum(len(str(path["d"])) for path in soup(answer).select("svg.plot svg path"))
    assert drawn < 90_000


def charts_of(answer: Any) -> str:
    return str(one(soup(answer), "#metrics"))


@pytest.fixture
def times_drawn(monkeypatch: pytest.MonkeyPatch) -> list[Range]:
    """What was read for charts that were drawn."""
    drawn: list[Range] = []
    read = metrics.read

    def noted(endpoint: Endpoint, range_: Range, **options: Any) -> metrics.Panel:
        drawn.append(range_)
        return read(endpoint, range_, **options)

    monkeypatch.setattr(metrics, "read", noted)
    return drawn


def test_charts_are_drawn_once_for_all_their_readers(
    as_vera: Client, as_otto: Client, sample: Sample, times_drawn: list[Range]
) -> None:
    sample(60)
    seen = {charts_of(reader.get(PAGE)) for reader in (as_vera, as_otto, as_vera)}
    assert len(seen) == 1
    assert times_drawn == [Range.DAY]
    assert not {"Vera", "Otto", "csrf"} & set(re.findall(r"\w+", seen.pop()))
    as_vera.get(PAGE, {"range": "1h"})
    as_vera.get(PAGE, {"range": "1h", "entity": "other"})
    as_vera.get(PAGE, headers={"Accept-Language": "ja"})
    assert times_drawn == [Range.DAY, Range.HOUR, Range.HOUR, Range.DAY]


@pytest.mark.parametrize("what", ["sample", "status", "operation", "keep", "silence", "time"])
def test_charts_are_drawn_anew_when_something_is_new(
    what: str,
    fleet: Fleet,
    endpoint: Endpoint,
    as_vera: Client,
    as_otto: Client,
    otto: User,
    sample: Sample,
    times_drawn: list[Range],
) -> None:
    sample(60)
    before = charts_of(as_vera.get(PAGE))
    fleet.forward(1)
    as_vera.get(PAGE)
    assert len(times_drawn) == 1
    match what:
        case "sample":
            MetricSample.objects.create(endpoint=endpoint, at=fleet.clock.now - MINUTE, requests=3)
        case "status":
            document = fleet.document(NAME)
            document["state"]["ready"] = "NOT_READY"
            fleet.read(document)
        case "operation":
            fleet.ask(NAME, "stop", otto)
        case "keep":
            as_otto.post(KEEP, {"keep": "on"})
        case "silence":
            fleet.forward(50)
        case "time":
            fleet.forward(60)
            fleet.answered()
    after = charts_of(as_vera.get(PAGE))
    assert len(times_drawn) == 2
    assert after != before


def test_charts_are_kept_no_longer_than_they_are_fresh(
    as_vera: Client, fleet: Fleet, sample: Sample
) -> None:
    sample(60)
    fleet.forward(238)
    assert 'data-state="stale"' not in charts_of(as_vera.get(PAGE))
    fleet.forward(3)
    assert 'data-state="stale"' in charts_of(as_vera.get(PAGE))


def test_no_more_charts_are_kept_than_there_is_room_for(
    as_vera: Client, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_charts._kept, "most", 8)
    sample(5)
    for number in range(20):
        as_vera.get(PART, {"entity": str(number)})
    assert len(kept_charts._kept) <= 8


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
