"""Logs of served entities: they tell what happened, grow with the clock, lose their beginning."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from typing import Any

import pytest
import requests

from endpoints_app.emulator import Running, serving
from endpoints_app.emulator.companies import NAMES, load
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"
MINUTE = 60


def read(api: Api, name: str, served: str, log: str = "logs", **options: Any) -> str:
    answer = api.get(f"{B}/{name}/served-models/{served}/{log}", **options)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"logs"}
    text: str = answer.json()["logs"]
    return text


def entity(api: Api, name: str, config: str = "config") -> dict[str, Any]:
    found: dict[str, Any] = api.endpoint(name)[config]["served_entities"][-1]
    return found


def serving_models(api: Api) -> list[tuple[str, str]]:
    """Name and first served entity of the endpoints that have a server log and stay as they are."""
    return [
        (name, item["config"]["served_entities"][0]["name"])
        for name, item in api.listed().items()
        if item["state"]["ready"] == "READY"
        and item["state"]["config_update"] == "NOT_UPDATING"
        and item.get("config", {}).get("served_entities", [{}])[0].get("type") == "UC_MODEL"
    ]


def tell(workspace: Running, name: str, **order: Any) -> requests.Response:
    return requests.post(f"{workspace.url}/_control/logs/{name}", json=order, timeout=10)


@pytest.mark.parametrize("company", NAMES)
def test_the_logs_of_what_failed_show_why(company: str, clock: Clock) -> None:
    troubled = [part for part in load(company).parts if part.trouble]
    with serving(company=company, clock=clock) as workspace, Api(workspace) as api:
        for part in troubled:
            if part.role not in ("build_failed", "update_failed", "not_ready"):
                continue
            config = "config" if part.role == "not_ready" else "pending_config"
            served = entity(api, part.name, config)["name"]
            version = {
                "params": {"config_version": api.endpoint(part.name)[config]["config_version"]}
            }
            build = read(api, part.name, served, "build-logs", **version)
            server = read(api, part.name, served, **version)
            cause = part.trouble.partition(": ")[2].partition(". Please")[0]
            if part.role == "build_failed":
                assert " ".join(part.trouble.split()) in build
                assert "did not complete successfully: exit code: 1" in build
                assert "Container image built" not in build
                assert server == "", "it never came up"
            elif part.role == "update_failed":
                assert "Traceback (most recent call last):" in server
                assert cause in build
                assert cause in server
            else:
                assert "Restart " in server
                assert "memory" in server


def test_a_build_log_grows_while_it_is_built(api: Api, clock: Clock) -> None:
    api.create("new")
    lengths = []
    for _ in range(9):
        lengths.append(len(read(api, "new", "model-1", "build-logs")))
        clock.seconds += MINUTE
    assert lengths == sorted(lengths)
    assert lengths[1] < lengths[3] < lengths[5] < lengths[8]
    text = read(api, "new", "model-1", "build-logs")
    assert "Successfully installed" in text
    assert text.rstrip().removesuffix("\x1b[0m").endswith("model-1 is ready.")
    clock.seconds += 31 * 86400
    assert read(api, "new", "model-1", "build-logs") == "", "kept for thirty days"


def test_a_server_says_nothing_before_it_runs_then_comes_up_and_serves(
    api: Api, clock: Clock
) -> None:
    api.create("new")
    clock.seconds += MINUTE
    assert read(api, "new", "model-1") == ""
    clock.seconds += 6 * MINUTE
    assert "Starting gunicorn" in read(api, "new", "model-1")
    clock.seconds += 10 * MINUTE
    assert "/ping answers 200" in read(api, "new", "model-1")


@pytest.mark.parametrize("company", NAMES)
def test_a_later_reading_goes_on_where_the_one_before_ended(company: str, clock: Clock) -> None:
    kinds = set()
    with serving(company=company, clock=clock, endpoints=60) as workspace, Api(workspace) as api:
        for one in serving_models(api):
            before = read(api, *one)
            assert read(api, *one) == before
            clock.seconds += 20
            after = read(api, *one)
            kept = before[-2000:]
            kinds.add((bool(before), kept in after, after.startswith(before[:50])))
            if before and kept not in after:
                assert len(after) < len(before), "only a log that began anew has nothing in common"
            clock.seconds += 600
    assert (True, True, True) in kinds, "some only grow"
    assert (True, True, False) in kinds, "some lose their beginning"


def test_a_log_that_is_rotated_begins_anew_by_itself(clock: Clock) -> None:
    shrank = 0
    with serving(clock=clock, endpoints=60) as workspace, Api(workspace) as api:
        ready = serving_models(api)
        clock.seconds += 1795 - clock.seconds % 1800
        before = [len(read(api, *one)) for one in ready]
        clock.seconds += 10
        after = [len(read(api, *one)) for one in ready]
        shrank = sum(new < old / 4 for old, new in zip(before, after, strict=True))
    assert 0 < shrank < len(ready) / 2


def test_some_logs_are_cut_within_a_line(clock: Clock) -> None:
    whole = re.compile(r"\[|\d{4}-|\{|  |Trace|Value")
    with serving(clock=clock, endpoints=60) as workspace, Api(workspace) as api:
        firsts = [read(api, *one)[:40] for one in serving_models(api)]
    assert any(not whole.match(first) for first in firsts if first)


def test_the_lines_are_those_of_real_servers(clock: Clock) -> None:
    seen = ""
    with serving(clock=clock, endpoints=60) as workspace, Api(workspace) as api:
        for one in serving_models(api):
            seen += read(api, *one)
    for wanted in ("\x1b[32mINFO", " WARN ", " ERROR ", " DEBUG ", "Traceback (most recent"):
        assert wanted in seen, wanted
    records = [line for line in seen.splitlines() if line.startswith('{"timestamp"')]
    assert records
    assert {json.loads(line)["level"] for line in records} == {"info", "warning", "error"}


@pytest.mark.parametrize(
    "how", [{"params": {"config_version": 23}}, {"json": {"config_version": 23}}]
)
def test_a_version_is_named_in_the_query_or_in_the_body(api: Api, how: dict[str, Any]) -> None:
    name = "demand-forecast"
    pending = api.endpoint(name)["pending_config"]
    assert pending["config_version"] == 23
    assert "holidays" in read(api, name, "demand_forecast-23", **how)
    active = api.get(f"{B}/{name}/served-models/demand_forecast-22/logs", **how)
    assert active.status_code == 404
    assert active.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    ("name", "served", "query", "status", "code"),
    [
        ("nobody", "x", "", 404, "RESOURCE_DOES_NOT_EXIST"),
        (RUNNING, "nobody", "", 404, "RESOURCE_DOES_NOT_EXIST"),
        (RUNNING, "basket_recommender-31", "?config_version=x", 400, "INVALID_PARAMETER_VALUE"),
        ("card-ocr-v1", "card_ocr-1", "", 400, "BAD_REQUEST"),
        ("gpt-4o-proxy", "gpt-4o", "", 400, "BAD_REQUEST"),
        ("geo-features", "geo_features", "", 400, "BAD_REQUEST"),
    ],
)
def test_what_has_no_server_log_is_refused(
    api: Api, name: str, served: str, query: str, status: int, code: str
) -> None:
    if name == "card-ocr-v1":
        served = entity(api, name)["name"]
    answer = api.get(f"{B}/{name}/served-models/{served}/logs{query}")
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text


def test_a_scaled_to_zero_entity_says_nothing_and_a_stopped_one_keeps_its_build_log(
    api: Api,
) -> None:
    idle = entity(api, "customer-ltv")
    assert idle["state"]["deployment_state_message"] == "Scaled to zero"
    assert read(api, "customer-ltv", idle["name"]) == ""
    stopped = entity(api, "card-ocr-v1")["name"]
    assert "Successfully installed" in read(api, "card-ocr-v1", stopped, "build-logs")


# The control path ------------------------------------------------------------------------------


def test_a_log_can_be_told_what_to_be(workspace: Running, api: Api, clock: Clock) -> None:
    served = entity(api, RUNNING)["name"]
    whole = read(api, RUNNING, served)
    tell(workspace, RUNNING, most=100)
    assert read(api, RUNNING, served) == whole[-100:]
    tell(workspace, RUNNING, rotate=True)
    assert read(api, RUNNING, served) == ""
    clock.seconds += 10 * MINUTE
    anew = read(api, RUNNING, served)
    assert anew
    assert anew not in whole
    tell(workspace, RUNNING, says="two\nlines\n", log="build", served=served)
    assert read(api, RUNNING, served, "build-logs") == "two\nlines\n"
    requests.delete(f"{workspace.url}/_control/logs/{RUNNING}", timeout=5)
    assert "two\nlines" not in read(api, RUNNING, served, "build-logs")


@pytest.mark.parametrize(
    "order", [{"most": -1}, {"size": 10**12}, {"says": 1}, {"log": "x"}, {"y": 1}]
)
def test_an_order_that_is_misspelt_is_refused(workspace: Running, order: dict[str, Any]) -> None:
    assert tell(workspace, RUNNING, **order).status_code == 400


def test_fifty_megabytes_are_made_while_they_are_sent(
    workspace: Running, api: Api, clock: Clock
) -> None:
    served = entity(api, RUNNING)["name"]
    tell(workspace, RUNNING, size=50_000_000)
    tracemalloc.start()
    with api.get(f"{B}/{RUNNING}/served-models/{served}/logs", stream=True) as answer:
        length, sent, last = int(answer.headers["Content-Length"]), 0, b""
        for part in answer.iter_content(1 << 20):
            sent += len(part)
            last = part
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == length > 50_000_000
    assert last.endswith(b'"}')
    assert most < 12_000_000
    tell(workspace, RUNNING, size=12_000)
    lines = read(api, RUNNING, served).splitlines()
    assert len(lines) == 100
    clock.seconds += 3
    assert read(api, RUNNING, served).splitlines()[:-3] == lines[3:]


def test_no_log_costs_more_than_a_moment(clock: Clock) -> None:
    with serving(clock=clock, endpoints=200) as workspace, Api(workspace) as api:
        slowest = 0.0
        for name, item in api.listed().items():
            for served in item.get("config", {}).get("served_entities", []):
                began = time.process_time()
                api.get(f"{B}/{name}/served-models/{served['name']}/logs")
                slowest = max(slowest, time.process_time() - began)
    assert slowest < 1
