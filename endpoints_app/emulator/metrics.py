"""The metrics export of an endpoint: Prometheus text, the values of the last full minute.

Families and buckets are those of recorded exports; label names are unpublished, and these are the
ones of public fixtures. Two scrapes of the same minute agree, and hours of them show a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from werkzeug.wrappers import Response

from endpoints_app.emulator import traffic
from endpoints_app.emulator.endpoint import (
    DEPLOYED,
    IDLE_MESSAGE,
    READY,
    Config,
    Endpoint,
    Entity,
)
from endpoints_app.emulator.errors import Refusal
from endpoints_app.emulator.routing import BASE, Call, Route

BRAND_NEW = 300.0  # seconds for which a new endpoint exports nothing
BUCKETS = (
    5, 10, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10000,
    20000, 30000, 60000, 120000, 300000, 600000,
)  # fmt: skip
GPUS = {
    "GPU_SMALL": 1,
    "GPU_MEDIUM": 1,
    "GPU_LARGE": 1,
    "GPU_XLARGE": 1,
    "GPU_XLARGE_8": 8,
    "MULTIGPU_MEDIUM": 4,
}
CONCURRENCY = {"Small": 4, "Medium": 16, "Large": 64}

HELP = {
    "request_count_total": "Requests in the last minute",
    "request_4xx_count_total": "Requests answered with 4xx in the last minute",
    "request_5xx_count_total": "Requests answered with 5xx in the last minute",
    "request_latency_ms": "Round-trip time in milliseconds",
    "model_queue_time_ms": "Time before a replica takes a request, in milliseconds",
    "model_prediction_latency_ms": "Time that the model takes, in milliseconds",
    "cpu_usage_percentage": "CPU usage",
    "mem_usage_percentage": "Memory usage",
    "provisioned_concurrent_requests_total": "Concurrent requests that are provisioned",
    "gpu_usage_percentage": "GPU usage",
    "gpu_memory_usage_percentage": "GPU memory usage",
}

Labels = dict[str, str]
Sample = tuple[str, Labels, float]  # a name without its family's, labels, value


def export(call: Call) -> Response:
    world = call.emulator.world
    endpoint, now = world.get(call.name), world.now()
    config = endpoint.config
    if endpoint.id is None or config is None or now - endpoint.created < BRAND_NEW:
        # The platform has nothing yet, or never will: pay-per-token models, no configuration.
        raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"No metrics for endpoint '{call.name}'.")
    minute = int(now // 60)
    lines: list[str] = []
    for family, samples in _families(endpoint, config, world.seed, minute).items():
        kind = "histogram" if family.endswith("_ms") else "gauge"
        lines += [f"# HELP {family} {HELP[family]}", f"# TYPE {family} {kind}"]
        for suffix, labels, value in samples:
            told = ",".join(f'{name}="{text}"' for name, text in labels.items())
            lines.append(f"{family}{suffix}{{{told}}} {_number(value)} {minute * 60_000}")
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")


def _families(
    endpoint: Endpoint, config: Config, seed: int, minute: int
) -> dict[str, list[Sample]]:
    """What is exported at all; an endpoint where nothing runs counts its requests only."""
    found: dict[str, list[Sample]] = {}
    running = endpoint.ready == READY and not endpoint.stopped
    for entity in config.entities:
        share = config.routes.get(entity.name, 100) / 100
        labels = {"endpoint_name": endpoint.name, "served_model": entity.name}
        random = Random(f"{seed}/{endpoint.name}/{entity.name}/{minute}")
        idle = not running or entity.deployment != DEPLOYED or entity.message == IDLE_MESSAGE
        mean = 60 * share * traffic.per_second(seed, endpoint.name, minute * 60.0)
        requests = 0 if idle else _about(random, mean)
        for family, samples in _requests(requests, random).items():
            found.setdefault(family, []).extend(("", labels, value) for value in samples)
        if idle or entity.fields.get("type") != "UC_MODEL":
            continue
        for family, inside in _latencies(requests, entity, random):
            found.setdefault(family, []).extend(_histogram(inside, labels))
        for family, replica, value in _usage(requests, entity, random):
            found.setdefault(family, []).append(("", labels | replica, value))
    return found


def _about(random: Random, mean: float) -> int:
    return max(0, round(random.gauss(mean, math.sqrt(mean))))


def _requests(requests: int, random: Random) -> dict[str, list[float]]:
    trouble = 8.0 if random.random() < 0.02 else 1.0  # a bad minute now and then
    failed = min(requests, _about(random, requests * 0.002 * trouble))
    return {
        "request_count_total": [requests],
        "request_4xx_count_total": [min(requests - failed, _about(random, requests * 0.01))],
        "request_5xx_count_total": [failed],
    }


def _latencies(
    requests: int, entity: Entity, random: Random
) -> Iterator[tuple[str, tuple[int, float, float]]]:
    """Families of histograms: how many requests, and the middle and spread of their times."""
    typical = 10 ** Random(f"{entity.name}/latency").uniform(1.3, 2.4)
    if entity.on_gpu:
        typical *= 6
    typical *= random.lognormvariate(0, 0.08)
    yield "request_latency_ms", (requests, typical, 0.5)
    yield "model_queue_time_ms", (requests, typical / 12, 0.7)
    yield "model_prediction_latency_ms", (requests, typical * 0.8, 0.5)


def _histogram(inside: tuple[int, float, float], labels: Labels) -> Iterator[Sample]:
    """Buckets of times that are distributed log-normally around the middle."""
    requests, middle, spread = inside
    for edge in BUCKETS:
        share = (1 + math.erf(math.log(edge / middle) / (spread * math.sqrt(2)))) / 2
        yield "_bucket", labels | {"le": str(edge)}, round(requests * share)
    yield "_bucket", labels | {"le": "+Inf"}, requests
    yield "_sum", labels, requests * middle * math.exp(spread**2 / 2)
    yield "_count", labels, requests


def _usage(requests: int, entity: Entity, random: Random) -> Iterator[tuple[str, Labels, float]]:
    size = str(entity.fields.get("workload_size", "Small"))
    most = CONCURRENCY.get(size, 4)
    busy = min(requests / 60 / most, 1.0)
    memory = Random(f"{entity.name}/memory").uniform(28, 74)
    for number in range(1 if size == "Small" else 2):
        replica = {"replica_id": f"replica-{number}"}
        yield "cpu_usage_percentage", replica, min(3 + 85 * busy + random.uniform(0, 4), 100)
        yield "mem_usage_percentage", replica, min(memory + 8 * busy + random.uniform(0, 1), 100)
        for place in range(GPUS.get(str(entity.fields.get("workload_type")), 0)):
            gpu = replica | {"gpu": f"gpu{place}"}
            yield "gpu_usage_percentage", gpu, min(90 * busy + random.uniform(0, 6), 100)
            yield "gpu_memory_usage_percentage", gpu, min(memory + random.uniform(10, 12), 100)
    yield "provisioned_concurrent_requests_total", {}, most


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


ROUTES = [Route("GET", f"{BASE}/{{name}}/metrics", export)]
