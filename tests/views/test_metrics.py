"""The Metrics tab: our own rows, drawn for whom they are, and no line over a hole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.metric_charts import Range
from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import (
    ConfigVersion,
    Endpoint,
    MetricSample,
    MetricWatch,
    StatusChange,
)
from endpoints_app.services import metric_samples
from tests.views.conftest import Fleet
from tests.views.metric_pages import (
    NAME,
    PAGE,
    Sample,
    chart,
    line,
    points,
)
from tests.views.pages import inline, one, soup, text

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
