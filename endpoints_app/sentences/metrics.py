"""Metrics and their gaps in words."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from endpoints_app.domain.metric_charts import Missing, Range
from endpoints_app.domain.metric_gaps import Gap
from endpoints_app.domain.metrics import NOTHING
from endpoints_app.sentences import troubles

TITLES: dict[str, Promise | str] = {
    "requests": gettext_lazy("Requests"),
    "errors": gettext_lazy("Errors"),
    "latency": gettext_lazy("Latency"),
    "cpu": "CPU",
    "memory": gettext_lazy("Memory"),
    "gpu": "GPU",
    "gpu_memory": gettext_lazy("GPU memory"),
    "concurrency": gettext_lazy("Concurrency"),
}

UNITS: dict[str, Promise | str] = {
    "requests": gettext_lazy("per minute"),
    "errors": gettext_lazy("per minute"),
    "latency": "ms",
    "cpu": gettext_lazy("%, mean of the replicas"),
    "memory": gettext_lazy("%, mean of the replicas"),
    "gpu": gettext_lazy("%, mean of the GPUs"),
    "gpu_memory": gettext_lazy("%, mean of the GPUs"),
    "concurrency": gettext_lazy("at once, provisioned"),
}

COLUMNS: dict[str, Promise | str] = {
    "total requests": gettext_lazy("Requests"),
    "highest requests": gettext_lazy("Highest per minute"),
    "total errors_5xx": "5xx",
    "total errors_4xx": "4xx",
    "highest errors_5xx": gettext_lazy("Highest 5xx per minute"),
    "mean p50": "p50",
    "mean p99": "p99",
    "highest p99": gettext_lazy("Highest p99"),
}

RANGES: dict[Range, Promise] = {
    Range.HOUR: gettext_lazy("1 h"),
    Range.DAY: gettext_lazy("24 h"),
    Range.WEEK: gettext_lazy("7 d"),
    Range.FORTNIGHT: gettext_lazy("14 d"),
}

IN_THESE: dict[Range, Promise] = {
    Range.HOUR: gettext_lazy("In this hour"),
    Range.DAY: gettext_lazy("In these 24 hours"),
    Range.WEEK: gettext_lazy("In these 7 days"),
    Range.FORTNIGHT: gettext_lazy("In these 14 days"),
}

POINTS: dict[Range, Promise] = {
    Range.HOUR: gettext_lazy("a point is a minute"),
    Range.DAY: gettext_lazy("a point is five minutes"),
    Range.WEEK: gettext_lazy("a point is an hour"),
    Range.FORTNIGHT: gettext_lazy("a point is two hours"),
}


def column(name: str) -> str:
    """The head of a table's column."""
    how = name.split()[0]
    return str(COLUMNS.get(name) or (_("Mean") if how == "mean" else _("Highest")))


def missing(why: Missing) -> str:
    """What stands where a number would."""
    return _("not exported") if why is Missing.NOT_EXPORTED else _("not sampled")


def gap(gap: Gap, until: str) -> str:
    """ "Nothing exported until 23:10": `until` is the time of its end."""
    if gap.not_exported:
        return (
            _("Nothing exported since")
            if gap.until_now
            else _("Nothing exported until %(time)s") % {"time": until}
        )
    return (
        _("Not sampled since")
        if gap.until_now
        else _("Not sampled until %(time)s") % {"time": until}
    )


def gap_reason(gap: Gap) -> str:
    if gap.why == NOTHING:
        return _("Databricks answered with no metrics")
    if gap.not_exported:
        return _("Databricks answered 404")
    if gap.why == "not_sampled":
        return _("nobody watched it, or Serving Desk did not run")
    if gap.why == "stopped":
        return _("it was stopped: nothing ran that could export any")
    return _("Databricks was asked: %(what)s") % {"what": troubles.error(gap.why)}


def holes(not_exported: Sequence[str], not_sampled: Sequence[str]) -> list[str]:
    """Of a chart: "not exported from 20:55 to 23:10 and since 02:34"."""
    said = []
    if not_exported:
        said.append(_("not exported %(when)s") % {"when": _few(not_exported)})
    if not_sampled:
        said.append(_("not sampled %(when)s") % {"when": _few(not_sampled)})
    return said


def _few(times: Sequence[str]) -> str:
    """The first few of them."""
    said = _(", ").join(times[:3])
    more = len(times) - 3
    if more <= 0:
        return said
    told = ngettext("%(said)s and %(n)s more time", "%(said)s and %(n)s more times", more)
    return told % {"said": said, "n": more}


def hole(start: str, end: str, *, from_start: bool, until_now: bool) -> str:
    """When a chart has no line."""
    if from_start and until_now:
        return _("all the time")
    if until_now:
        return _("since %(start)s") % {"start": start}
    if from_start:
        return _("until %(end)s") % {"end": end}
    return _("from %(start)s to %(end)s") % {"start": start, "end": end}
