"""How much is asked of an endpoint: a daily rhythm that logs and metrics agree on."""

from __future__ import annotations

import math
from functools import lru_cache
from random import Random

DAY = 86400.0


@lru_cache(maxsize=4096)
def _habit(seed: int, name: str) -> tuple[float, float, float]:
    """Requests per second at noon, the share of them at night, and the hour of most requests."""
    random = Random(f"{seed}/{name}/traffic")
    return random.lognormvariate(0.6, 1.0), random.uniform(0.04, 0.3), random.uniform(10, 16)


def per_second(seed: int, name: str, at: float) -> float:
    """The mean rate at a moment; UTC is everybody's time of day, and weekends are quieter."""
    most, night, peak = _habit(seed, name)
    hour = at % DAY / 3600
    day = (1 + math.cos((hour - peak) / 24 * 2 * math.pi)) / 2
    weekend = 0.55 if int(at // DAY + 4) % 7 in (0, 6) else 1.0  # the epoch began on a Thursday
    return most * (night + (1 - night) * day**2) * weekend
