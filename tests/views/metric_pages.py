"""The Metrics tab of one endpoint: its addresses, rows for it, and how its charts are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup, Tag

from endpoints_app.domain.metrics import MINUTE
from endpoints_app.models import Endpoint, MetricSample
from tests.views.pages import one

if TYPE_CHECKING:  # whose fixtures are made of this
    from tests.views.conftest import Fleet

NAME = "basket-recommender"
PAGE = f"/w/lab/e/{NAME}/metrics/"
PART = f"{PAGE}part/"
CSV = f"{PAGE}metrics.csv"
KEEP = f"{PAGE}keep/"

Sample = Callable[..., None]


def sampler(fleet: Fleet, endpoint: Endpoint) -> Sample:
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
