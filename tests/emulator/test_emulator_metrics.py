"""The metrics export: Prometheus text that tells of a day, and silence where nothing runs."""

from __future__ import annotations

from collections import defaultdict

import pytest
from prometheus_client.parser import text_string_to_metric_families

from endpoints_app.emulator import Running, serving
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"
COUNTERS = {"request_count_total", "request_4xx_count_total", "request_5xx_count_total"}
DAY = 86400


def export(api: Api, name: str) -> str:
    headers = {"Accept": "text/plain", "Content-Type": "application/openmetrics-text"}
    answer = api.get(f"{B}/{name}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return answer.text


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


def total(api: Api, name: str, metric: str = "request_count_total") -> float:
    return sum(value for _labels, value in samples(export(api, name))[metric])


def test_a_parser_of_prometheus_reads_all_of_it(api: Api, clock: Clock) -> None:
    text = export(api, RUNNING)
    found = samples(text)
    assert found.keys() >= COUNTERS | {
        "cpu_usage_percentage",
        "mem_usage_percentage",
        "provisioned_concurrent_requests_total",
        "request_latency_ms_bucket",
        "request_latency_ms_sum",
        "request_latency_ms_count",
        "model_queue_time_ms_bucket",
        "model_prediction_latency_ms_bucket",
    }
    stamps = {line.rpartition(" ")[2] for line in text.splitlines() if not line.startswith("#")}
    assert stamps == {str(int(clock.seconds) // 60 * 60_000)}
    assert {labels["endpoint_name"] for labels, _value in found["request_count_total"]} == {RUNNING}
    assert len(found["request_count_total"]) == 2, "one for each served entity"
    for labels, value in found["cpu_usage_percentage"] + found["mem_usage_percentage"]:
        assert 0 <= value <= 100, labels


def test_a_histogram_is_one(api: Api, clock: Clock) -> None:
    clock.seconds += DAY / 2 - clock.seconds % DAY
    found = samples(export(api, "embed-multilingual"))
    edges = [labels["le"] for labels, _value in found["request_latency_ms_bucket"]]
    counts = [value for _labels, value in found["request_latency_ms_bucket"]]
    assert (edges[0], edges[-2:]) == ("5", ["600000", "+Inf"])
    assert counts == sorted(counts)
    assert counts[-1] == counts[-2] == found["request_latency_ms_count"][0][1]
    mean = found["request_latency_ms_sum"][0][1] / counts[-1]
    below = max(count for edge, count in zip(edges[:-1], counts, strict=False) if int(edge) <= mean)
    assert 0.3 * counts[-1] < below < counts[-1]
    assert counts[-1] == found["request_count_total"][0][1] > 0
    assert found["request_latency_ms_sum"][0][1] > 0


def test_two_scrapes_of_a_minute_agree_and_the_next_differs(api: Api, clock: Clock) -> None:
    clock.seconds += 60 - clock.seconds % 60
    first = export(api, RUNNING)
    clock.seconds += 59
    assert export(api, RUNNING) == first
    clock.seconds += 1
    assert export(api, RUNNING) != first


def test_a_day_has_its_rhythm(api: Api, clock: Clock) -> None:
    clock.seconds += DAY - clock.seconds % DAY
    hours = []
    for _ in range(24):
        hours.append(total(api, "embed-multilingual"))
        clock.seconds += 3600
    assert max(hours) > 2 * min(hours)
    assert hours.index(max(hours)) in range(9, 18)


def test_gpus_are_counted_from_gpu0(api: Api) -> None:
    found = samples(export(api, "credit-limit"))
    assert {labels["gpu"] for labels, _value in found["gpu_usage_percentage"]} == {"gpu0"}
    assert found["gpu_memory_usage_percentage"]
    assert "gpu_usage_percentage" not in samples(export(api, RUNNING))


def test_several_gpus(api: Api, clock: Clock) -> None:
    entity = {"entity_name": "a.b.c", "entity_version": "1", "workload_type": "MULTIGPU_MEDIUM"}
    api.create("new", config={"served_entities": [entity | {"workload_size": "Small"}]})
    clock.seconds += 3600
    found = samples(export(api, "new"))
    gpus = {labels["gpu"] for labels, _value in found["gpu_usage_percentage"]}
    assert gpus == {"gpu0", "gpu1", "gpu2", "gpu3"}


@pytest.mark.parametrize("name", ["customer-ltv", "card-ocr-v1", "gpt-4o-proxy", "geo-features"])
def test_where_no_server_runs_only_requests_are_counted(api: Api, name: str) -> None:
    assert samples(export(api, name)).keys() == COUNTERS
    if name in ("customer-ltv", "card-ocr-v1"):
        assert total(api, name) == 0


@pytest.mark.parametrize(
    "name", ["nobody", "fraud-scorer", "pricing-sandbox", "databricks-gte-large-en"]
)
def test_where_there_is_nothing_it_is_not_found(api: Api, name: str) -> None:
    answer = api.get(f"{B}/{name}/metrics")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_new_endpoint_exports_after_a_while(clock: Clock) -> None:
    with serving(time_scale=0.1, clock=clock) as workspace, Api(workspace) as api:
        api.create("new")
        clock.seconds += 60
        assert api.state("new")[0] == "READY"
        assert api.get(f"{B}/new/metrics").status_code == 404
        clock.seconds += 300
        assert samples(export(api, "new"))["request_count_total"]


def test_a_scrape_costs_little(workspace: Running, api: Api) -> None:
    assert len(export(api, RUNNING)) < 40_000
