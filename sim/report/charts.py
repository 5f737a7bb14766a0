"""Charts: a small aggregated table in, an altair chart out. Nothing here reads a file.

Every chart is as wide as its container, carries its message as alternative text, and tells its
series apart by dash as well as by colour (the palette Okabe and Ito made for colour-blind readers).
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Literal, NamedTuple

import altair as alt
import pandas as pd

from sim.report.legend import legend
from sim.report.touch import layered, picked

BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
SKY, PURPLE, GREY, BLACK = "#56B4E9", "#CC79A7", "#6B7280", "#1F2933"
SOLID, DASHED, DOTTED, DASH_DOT = [1, 0], [7, 4], [2, 3], [9, 3, 2, 3]
STYLES = [
    (BLUE, SOLID),
    (VERMILION, DASHED),
    (GREEN, DOTTED),
    (PURPLE, DASH_DOT),
    (ORANGE, SOLID),
    (SKY, DASHED),
    (BLACK, DOTTED),
    (GREY, DASH_DOT),
]
FONT = (
    "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, "
    "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)
BAND = {"p10": "low", "p50": "value", "p90": "high"}
"""How the columns of a table of quantiles are named when they are drawn."""

MOMENT = (
    "timeFormat(datum.value, date(datum.value) > 1 ? '%m-%d' : "
    "month(datum.value) == 0 ? '%Y' : '%b')"
)
"""The label of a date on an axis: a year, a month of it or, in a chart of few weeks, a day."""

HEIGHT, ROW_HEIGHT, BAR_HEIGHT = 280, 30, 14
NARROW = 44
"""Letters in a line of an axis title beneath bars that long names leave little room."""
LEVELS = " · "
"""What stands between the parts of a path; in a narrow chart each has a line of its own."""
Chart = alt.LayerChart | alt.FacetChart
"""What `alt.layer` gives; ours are never faceted."""

DATE_WIDTH = 60
"""Pixels from one date of an axis to the next, about: all have room, and no year is left out."""


class Series(NamedTuple):
    """How one series of a chart is named and drawn."""

    name: str
    colour: str
    dash: list[int]


class Frame(NamedTuple):
    """What a chart's value axis counts, and the chart's message for those who cannot see it.

    `share` reads values as shares of 1; `steps` holds each value until the
    next; the height is in pixels; `across` names the other axis where it is no date; `span` is what
    a scatter's values lie between.
    """

    title: str
    message: str
    share: bool = False
    steps: bool = False
    height: int = HEIGHT
    across: str = ""
    span: tuple[float, float] = (0, 1)


def finish(chart: Chart, height: int, message: str) -> Chart:
    """The chart at its height in pixels, as wide as its container, with its alternative text."""
    finished: Chart = (
        chart.properties(width="container", height=height, description=message)
        .configure(font=FONT, background="white", autosize={"type": "fit-x", "contains": "padding"})
        .configure_view(stroke=None)
        .configure_axisTemporal(tickCount=alt.expr(f"width / {DATE_WIDTH}"))
        .configure_axis(
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelColor="#4B5563",
            titleColor="#4B5563",
            gridColor="#E5E7EB",
            domainColor="#9CA3AF",
            tickColor="#9CA3AF",
        )
        .configure_legend(
            orient="top",
            title=None,
            labelFontSize=12,
            labelColor=BLACK,
            labelLimit=420,
            symbolSize=260,
            symbolStrokeWidth=2.5,
            columnPadding=24,
            offset=8,
        )
    )
    return finished


def colour(series: Sequence[Series]) -> alt.Color:
    """The colours of the series, and their legend."""
    names = [one.name for one in series]
    return alt.Color(
        "series:N",
        sort=names,
        scale=alt.Scale(domain=names, range=[one.colour for one in series]),
        legend=legend(names, "stroke"),
    )


def _dash(series: Sequence[Series]) -> alt.StrokeDash:
    names = [one.name for one in series]
    return alt.StrokeDash(
        "series:N",
        sort=names,
        scale=alt.Scale(domain=names, range=[one.dash for one in series]),
        legend=legend(names, "stroke"),
    )


def dates() -> alt.X:
    """The axis of a column of dates."""
    axis = alt.Axis(grid=False, labelOverlap=True, labelExpr=MOMENT)
    return alt.X("date:T", title=None, axis=axis)


def _tips(frame: Frame) -> list[alt.Tooltip]:
    form = ".1%" if frame.share else ".1f"
    return [
        alt.Tooltip("series:N", title=" "),
        alt.Tooltip("date:T", title=" ", format="%Y-%m-%d"),
        alt.Tooltip("value:Q", title=" ", format=form),
    ]


def over_time(
    lines: pd.DataFrame,
    bands: pd.DataFrame,
    series: Sequence[Series],
    frame: Frame,
    behind: Sequence[alt.Chart] = (),
) -> Chart:
    """Return lines (date, value, series) over bands (date, low, high, series), if there are any.

    What lies `behind` both shares their axis of dates: spans of time, days marked.
    """
    axis = alt.Axis(format="%" if frame.share else "~r", tickCount=5)
    highest = max(
        table[end].max() for table, end in ((lines, "value"), (bands, "high")) if len(table)
    )
    scale = alt.Scale(domain=[0, 1]) if frame.share or not highest > 0 else alt.Scale(zero=True)
    shape: Literal["step-after", "linear"] = "step-after" if frame.steps else "linear"
    value = alt.Y("value:Q", title=frame.title, axis=axis, scale=scale)
    band = (
        alt.Chart(bands)
        .mark_area(clip=True, interpolate=shape)
        .encode(
            x=dates(),
            y=alt.Y("low:Q", title=frame.title),
            y2="high:Q",
            color=colour(series),
            opacity=picked(0.22),
        )
    )
    line = (
        alt.Chart(lines)
        .mark_line(strokeWidth=2, clip=True, interpolate=shape)
        .encode(
            x=dates(), y=value, color=colour(series), strokeDash=_dash(series), opacity=picked()
        )
    )
    touch = (
        alt.Chart(lines)
        .mark_point(opacity=0, size=80, clip=True)
        .encode(x=dates(), y=value, tooltip=_tips(frame))
    )
    layers = [line, touch] if bands.empty else [band, line, touch]
    return finish(layered([*layers, *behind], time=True), frame.height, frame.message)


def along(table: pd.DataFrame, series: Sequence[Series], frame: Frame) -> Chart:
    """Return lines with their 95 % bands along an axis: at, value, low, high (shares), series.

    `at` is a number, a date or a word; words keep the order of the table.
    """
    if pd.api.types.is_numeric_dtype(table["at"]):
        x = alt.X("at:Q", title=frame.across, scale=alt.Scale(zero=False))
    elif pd.api.types.is_datetime64_any_dtype(table["at"]):
        x = alt.X("at:T", title=frame.across)
    else:
        x = alt.X("at:N", title=frame.across, sort=list(dict.fromkeys(table["at"])))
    share = alt.Scale(domain=[0, 1])
    value = alt.Y("value:Q", title=frame.title, axis=alt.Axis(format="%"), scale=share)
    base = alt.Chart(table)
    band = base.mark_area().encode(
        x=x,
        y=alt.Y("low:Q", title=frame.title, scale=share),
        y2="high:Q",
        color=colour(series),
        opacity=picked(0.22),
    )
    line = base.mark_line(strokeWidth=2, point=True).encode(
        x=x,
        y=value,
        color=colour(series),
        strokeDash=_dash(series),
        opacity=picked(),
        tooltip=["series:N", "at", alt.Tooltip("value:Q", format=".1%")],
    )
    return finish(layered([band, line]), frame.height, frame.message)


def scatter(table: pd.DataFrame, frame: Frame) -> Chart:
    """Return a dot a row with its 95 % interval: at (a number), value, low, high.

    A chart beside others of the same values: the axis of values is the same in each that has the
    same `frame.span`.
    """
    value = alt.Scale(domain=list(frame.span), zero=False)
    base = alt.Chart(table).encode(
        x=alt.X(
            "at:Q",
            title=frame.across.split(LEVELS),
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=4),
        )
    )
    axis = alt.Axis(format="%" if frame.share else "~r", tickCount=5)
    spans = base.mark_rule(strokeWidth=1, opacity=0.25, color=BLUE).encode(
        y=alt.Y("low:Q", title=frame.title, scale=value, axis=axis), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=30, opacity=0.7, color=BLUE).encode(
        y=alt.Y("value:Q", title=frame.title, scale=value),
        tooltip=["at:Q", alt.Tooltip("value:Q", format=".1%" if frame.share else ".4~g")],
    )
    return finish(alt.layer(spans, points), frame.height, frame.message)


def spans(table: pd.DataFrame, series: Sequence[Series], frame: Frame) -> Chart:
    """Return a bar from low to high per row, coloured by series: label, low, high, series.

    Where the table has a `value`, it is a point on its bar.
    """
    rows, names = list(dict.fromkeys(table["label"])), [one.name for one in series]
    palette = alt.Scale(domain=names, range=[one.colour for one in series])
    base = alt.Chart(table).encode(
        y=alt.Y("label:N", sort=rows, title=None, axis=alt.Axis(labelLimit=420, ticks=False)),
        color=alt.Color("series:N", sort=names, scale=palette, legend=legend(names, beside=rows)),
        opacity=picked(),
        tooltip=["label:N", "series:N", *(alt.Tooltip(f"{end}:Q") for end in ("low", "high"))],
    )
    title = wrap(frame.title, NARROW)
    x = alt.X("low:Q", title=title, axis=alt.Axis(format="+%" if frame.share else "~g"))
    layers: list[alt.Chart] = [base.mark_bar(height=BAR_HEIGHT).encode(x=x, x2="high:Q")]
    if "value" in table:
        layers = [
            base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q"),
            base.mark_point(filled=True, size=80).encode(x="value:Q"),
        ]
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color=GREY).encode(x="at:Q")
    return finish(layered([*layers, zero]), ROW_HEIGHT * len(rows), frame.message)


def dots(table: pd.DataFrame, frame: Frame) -> Chart:
    """A point with its 95 % interval per row: label, probability, ci_low, ci_high (shares of 1)."""
    rows = list(table["label"])
    y = alt.Y("label:N", sort=rows, title=None, axis=alt.Axis(labelLimit=360, ticks=False))
    base = alt.Chart(table).encode(y=y)
    span = base.mark_rule(strokeWidth=2, color=BLUE).encode(
        x=alt.X(
            "ci_low:Q",
            title=frame.title,
            axis=alt.Axis(format="%", tickCount=5),
            scale=alt.Scale(domain=[0, 1]),
        ),
        x2="ci_high:Q",
    )
    point = base.mark_point(filled=True, size=90, color=BLUE, opacity=1).encode(
        x="probability:Q",
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("probability:Q", title=" ", format=".1%"),
        ],
    )
    return finish(alt.layer(span, point), ROW_HEIGHT * len(rows), frame.message)
