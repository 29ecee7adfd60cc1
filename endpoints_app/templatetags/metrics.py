"""Charts, drawn: SVG from what `domain/metric_charts.py` has placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from django import template
from django.template.defaultfilters import date as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.domain.charts import Axis, Point, Run, lines, spaced
from endpoints_app.domain.metric_charts import PERCENT, Chart, Line, Missing, Range, columns
from endpoints_app.domain.metric_gaps import Gap
from endpoints_app.services.metrics import Moment, Panel
from endpoints_app.templatetags import operations, times, traces

register = template.Library()

LOW = ("cpu", "memory", "gpu", "gpu_memory", "concurrency")
STYLES = {"errors_5xx": "red", "errors_4xx": "thin", "p50": "thin"}
UNFILLED = ("p50", "p99", "errors_4xx")
WIDE_ENOUGH = 0.08
"""Of a chart's width, for a word in a hole."""

APART = 0.02
"""Of the axis' width, between two marks."""


# Times and numbers -----------------------------------------------------------------------------


def _time(at: datetime, range_: Range) -> str:
    """ "19:10", with the day where several are shown."""
    at = at.astimezone(UTC)
    time = format_date(at, "H:i")
    if range_ in (Range.HOUR, Range.DAY):
        return time
    return f"{format_date(at, _day_format())} {time}"


def _day_format() -> str:
    # Translators: a day without its year, as "22 Nov", in Django's date format.
    return _("j M")


@register.filter
def amount(value: float | Missing | None) -> str:
    """ "1,656", "0.4"; or in a word why there is none."""
    if isinstance(value, Missing):
        return sentences.metrics.missing(value)
    if value is None:
        return "–"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if value >= 0.05 else "< 0.1"


@register.filter
def round_number(value: float) -> int:
    """For the grammar."""
    return round(value)


@register.filter
def share_of(part: float | None, whole: float | None) -> str:
    """ "0.7 %"; empty where there is nothing to divide by."""
    return f"{amount(100 * part / whole)} %" if whole and part is not None else ""


@register.filter
def is_missing(value: object) -> bool:
    return isinstance(value, Missing)


@register.filter
def together(spans: Sequence[Gap]) -> str:
    """How long they lasted in all."""
    return times.duration(
        sum((it.end - it.start for it in spans[1:]), spans[0].end - spans[0].start)
    )


@register.filter
def row_time(at: datetime, range_: Range) -> str:
    return _time(at, range_)


# Words -----------------------------------------------------------------------------------------


@register.filter
def chart_title(chart: Chart) -> str:
    return str(sentences.metrics.TITLES[chart.name])


@register.filter
def chart_unit(chart: Chart) -> str:
    return str(sentences.metrics.UNITS[chart.name])


@register.filter
def chart_columns(chart: Chart) -> list[str]:
    return [sentences.metrics.column(name) for name in columns(chart.name)]


@register.filter
def percent_of(chart: Chart) -> str:
    return " %" if chart.name in PERCENT else ""


@register.filter
def is_low(chart: Chart) -> bool:
    return chart.name in LOW


@register.filter
def scale(chart: Chart) -> list[str]:
    """What is written at the height of the chart, from the top."""
    parts = (1.0, 0.0) if chart.name in LOW else (1.0, 0.5, 0.0)
    return [amount(chart.top * part) for part in parts]


@register.filter
def range_label(range_: Range) -> str:
    return str(sentences.metrics.RANGES[range_])


@register.filter
def in_these(range_: Range) -> str:
    return str(sentences.metrics.IN_THESE[range_])


@register.filter
def point_label(range_: Range) -> str:
    return str(sentences.metrics.POINTS[range_])


@register.filter
def gap_said(gap: Gap, range_: Range) -> str:
    return sentences.metrics.gap(gap, _time(gap.end, range_))


@register.filter
def gap_reason(gap: Gap) -> str:
    return sentences.metrics.gap_reason(gap)


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the legend; a low chart has none."""

    style: str
    said: str


@register.simple_tag
def legend(chart: Chart, panel: Panel) -> list[Key]:
    return [
        Key(STYLES.get(line.metric, ""), said)
        for line in chart.lines
        if not is_low(chart) and (said := _said_of(line, chart, panel))
    ]


def _said_of(line: Line, chart: Chart, panel: Panel) -> str:
    found = line.highest
    if found is None:
        return ""
    cell, highest = found
    if chart.name == "latency":
        middle = median(value for value in line.values if value is not None)
        return _("%(line)s, median %(value)s") % {"line": line.metric, "value": amount(middle)}
    if chart.name == "errors":
        total = getattr(panel.totals, line.metric)
        return f"{line.metric.removeprefix('errors_')} · {amount(total)}"
    return _("%(value)s at the peak, %(time)s") % {
        "value": amount(highest) + percent_of(chart),
        "time": _time(panel.axis.edges(cell)[0], panel.range),
    }


@register.simple_tag
def described(chart: Chart, panel: Panel) -> str:
    """The chart in a sentence: its highest points, and when there is no line."""
    said = []
    for line in chart.lines:
        if found := line.highest:
            cell, highest = found
            name = f"{line.metric.removeprefix('errors_')} " if len(chart.lines) > 1 else ""
            said.append(
                _("%(line)shighest %(value)s at %(time)s")
                % {
                    "line": name,
                    "value": amount(highest) + percent_of(chart),
                    "time": _time(panel.axis.edges(cell)[0], panel.range),
                }
            )
    when: dict[Missing, list[str]] = {Missing.NOT_EXPORTED: [], Missing.NOT_SAMPLED: []}
    for why, run in chart.holes:
        when[why].append(_when(run, panel))
    said += sentences.metrics.holes(when[Missing.NOT_EXPORTED], when[Missing.NOT_SAMPLED])
    return f"{chart_title(chart)}, {chart_unit(chart)}: {'; '.join(said) or '–'}"


def _when(run: Run, panel: Panel) -> str:
    axis = panel.axis
    start, end = axis.edges(run.first)[0], axis.edges(run.end - 1)[1]
    return sentences.metrics.hole(
        _time(start, panel.range),
        _time(end, panel.range),
        from_start=run.first == 0,
        until_now=run.end == len(axis),
    )


# Drawings --------------------------------------------------------------------------------------

GRID = SafeString(
    "".join(f'<line class="g" x2="100%" y1="{y}" y2="{y}"/>' for y in ("0", "50%", "100%"))
)


@register.simple_tag
def plot(chart: Chart, panel: Panel) -> SafeString:
    """The outer svg places by per cent, so that words keep their shape; only the paths stretch."""
    axis = panel.axis
    down = [
        (_percent(axis.place(span.start)), _percent(axis.place(span.end) - axis.place(span.start)))
        for span in panel.totals.not_ready
    ]
    marks = [(_percent(axis.place(mark.at)),) * 2 for mark in panel.marks]
    holes = [_hole(run, axis) for _why, run in chart.holes]
    return format_html(
        '<svg class="plot{}" role="img" aria-label="{}">{}{}{}'
        '<svg width="100%" height="100%" viewBox="0 0 1000 100" preserveAspectRatio="none">{}</svg>'
        "{}{}</svg>",
        " low" if is_low(chart) else "",
        described(chart, panel),
        format_html_join("", '<rect class="down" x="{}" width="{}" height="100%"/>', down),
        GRID,
        format_html_join("", '<line class="ev" x1="{}" x2="{}" y2="100%"/>', marks),
        format_html_join("", "{}", ((_path(line, chart, axis),) for line in chart.lines[::-1])),
        format_html_join("", '<rect x="{}" width="{}" height="100%" fill="url(#hole)"/>', holes),
        _word(chart, axis) if _tells_of_holes(chart, panel) else "",
    )


def _hole(run: Run, axis: Axis) -> tuple[str, str]:
    left, right = axis.place(axis.edges(run.first)[0]), axis.place(axis.edges(run.end - 1)[1])
    return _percent(left), _percent(right - left)


def _tells_of_holes(chart: Chart, panel: Panel) -> bool:
    """The first one does for all that have the same."""
    return chart is panel.charts[0] or chart.holes != panel.charts[0].holes


def _word(chart: Chart, axis: Axis) -> SafeString:
    """In the widest hole, what it is."""
    found = []
    for why, run in chart.holes:
        left, right = axis.place(axis.edges(run.first)[0]), axis.place(axis.edges(run.end - 1)[1])
        found.append((right - left, (left + right) / 2, why))
    width, middle, why = max(found, default=(0.0, 0.0, Missing.NOT_SAMPLED))
    if width < WIDE_ENOUGH:
        return SafeString("")
    return format_html(
        '<text class="alt" x="{}" y="50%" dy="4" text-anchor="middle">{}</text>',
        _percent(middle),
        sentences.metrics.missing(why),
    )


def _path(line: Line, chart: Chart, axis: Axis) -> SafeString:
    pieces = lines(line.values, axis, top=chart.top)
    style = STYLES.get(line.metric, "")
    drawn = SafeString("")
    if pieces and line.metric not in UNFILLED:
        ground = "".join(
            f"M{_x(piece[0])} 100L{_along(piece)}L{_x(piece[-1])} 100z" for piece in pieces
        )
        drawn += format_html('<path class="{}" d="{}"/>', f"fill {style}".strip(), ground)
    if pieces:
        along = "".join(f"M{_along(piece)}" for piece in pieces)
        drawn += format_html('<path class="{}" d="{}"/>', style, along)
    return drawn


def _along(piece: Sequence[Point]) -> str:
    return "L".join(f"{_x(point)} {_number(100 - 100 * point[1])}" for point in piece)


def _x(point: Point) -> str:
    return _number(1000 * point[0])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


@register.simple_tag
def status_lane(panel: Panel) -> SafeString:
    what = _("Status, last %(range)s") % {"range": range_label(panel.range)}
    return traces.trace(panel.spans, what)


@register.simple_tag
def time_axis(panel: Panel) -> SafeString:
    """The clock's own times; every second one gives way on a phone."""
    axis, range_ = panel.axis, panel.range
    texts = []
    for number, at in enumerate(axis.ticks(range_.tick)):
        is_day = range_.tick.days >= 1 or (at.hour, at.minute) == (0, 0)
        said = format_date(at, _day_format() if is_day else "H:i")
        texts.append((_percent(axis.place(at)), "" if number % 2 else "alt", said))
    label = _("Time axis, %(start)s to %(end)s") % {
        "start": times.exact(axis.start),
        "end": times.exact(axis.end),
    }
    return format_html(
        '<svg class="plot" role="img" aria-label="{}">{}</svg>',
        label,
        format_html_join(
            "", '<text x="{}" y="13" text-anchor="middle" class="{}">{}</text>', texts
        ),
    )


@register.filter
def moment_icon(moment: Moment) -> str:
    if moment.operation is not None:
        return "user"
    if moment.config is not None:
        return "layers" if moment.config.operation is not None else "eye"
    return "warn"


@register.simple_tag
def marks(panel: Panel) -> SafeString:
    """Links from the axis to the list below it."""
    places = [panel.axis.place(mark.at) for mark in panel.marks]
    drawn = []
    for number in spaced(places, least=APART):
        mark = panel.marks[number]
        drawn.append(
            (
                moment_id(mark),
                f"{_time(mark.at, panel.range)} {mark_said(mark)}",
                _percent(places[number]),
                moment_icon(mark),
            )
        )
    return format_html(
        '<svg class="marks" role="group" aria-label="{}">{}</svg>',
        _("Operations and configs on the axis"),
        format_html_join(
            "",
            '<a href="#{}" aria-label="{}"><svg x="{}" overflow="visible">'
            '<rect x="-12" width="24" height="24" fill="none" pointer-events="all"/>'
            '<use href="#{}" class="i" x="-8" y="4" width="16" height="16"/></svg></a>',
            drawn,
        ),
    )


@register.filter
def moment_id(moment: Moment) -> str:
    if moment.operation is not None:
        return f"operation-{moment.operation.pk}"
    if moment.config is not None:
        return f"config-{moment.config.version}"
    if moment.change is not None:
        return f"change-{moment.change.pk}"
    return f"gap-{int(moment.at.timestamp())}"


@register.filter
def mark_said(mark: Moment) -> str:
    if mark.operation is not None:
        return _("%(verb)s asked by %(name)s") % {
            "verb": operations.verb(mark.operation.kind),
            "name": mark.operation.actor_name,
        }
    if mark.config is not None:
        return _("Config %(version)s") % {"version": mark.config.version}
    return ""
