"""The charts of an endpoint, drawn once for all who look at the same, and kept while they are true.

They hold nothing of a person. What they show is named by the endpoint's revision, by the newest
sample and by what keeps its workspace silent; what the clock adds comes at their pace. As
with rows of the list (kept_rows.py) the process that drew them keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString
from django.utils.translation import get_language

from endpoints_app.domain.metric_charts import Range
from endpoints_app.services.live import Head
from endpoints_app.services.metric_samples import Watched
from endpoints_app.services.roster import Version
from endpoints_app.services.shelf import Shelf

LONGEST = timedelta(minutes=1)
"""A pixel of an hour's chart is four seconds, and browsers ask each twenty or more."""

UNSETTLED = timedelta(seconds=5)
"""What says that there is nothing, or nothing new, is to change soon."""


@dataclass(frozen=True, slots=True)
class Drawn:
    html: SafeString
    version: str  # equal for equal charts
    entity: str
    entities: Sequence[str]  # to choose from
    at: datetime
    true_until: datetime


_kept: Shelf[Hashable, Drawn] = Shelf(most=200)
"""Of up to seventy kilobytes each."""


def drawn(key: Hashable, now: datetime, draw: Callable[[], Drawn]) -> Drawn:
    found = _kept.get(key)
    if found is not None and found.at <= now < found.true_until:
        return found
    return _kept.put(key, draw())


def forget() -> None:
    _kept.clear()


def key_of(
    version: Version, range_: Range, entity: str, watched: Watched, head: Head, now: datetime
) -> Hashable:
    """All that charts show besides the time."""
    silent = [
        (source.observed_at if source.is_stale(now) else None, source.unread[-1:])
        for source in head.sources
        if source.pk == version.workspace
    ]
    return (
        head.epoch,
        get_language(),
        version,
        range_,
        entity,
        watched.key,
        *silent,
    )
