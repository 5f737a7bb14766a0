"""Bars: stacked, side by side, or each with the line from its P10 to its P90."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from sim.report.charts import BLACK, Chart, Frame, Series, finish
from sim.report.legend import legend
from sim.report.touch import layered, picked

THIN, BAR, GAP_AND_BAR = 14, 18, 26


def stacked_bars(table: pd.DataFrame, series: Sequence[Series], frame: Frame) -> Chart:
    """Return one bar a label, its parts in the order of the series: label, series, value."""
    places = {one.name: place for place, one in enumerate(series)}
    ordered = table.assign(place=table["series"].map(places))
    form = ".1%" if frame.share else ".1f"
    base = _labelled(ordered, series).encode(tooltip=_tips(alt.Tooltip("value:Q", format=form)))
    bars = base.mark_bar(height=BAR, stroke="white", strokeWidth=0.5).encode(
        x=alt.X(
            "value:Q",
            title=frame.title,
            axis=alt.Axis(tickCount=6, format="%" if frame.share else "~r"),
            scale=alt.Scale(domain=[0, 1]) if frame.share else alt.Undefined,
        ),
        order="place:Q",
        opacity=picked(),
    )
    return finish(layered([bars]), GAP_AND_BAR * table["label"].nunique(), frame.message)


def grouped_bars(table: pd.DataFrame, series: Sequence[Series], frame: Frame) -> Chart:
    """Return one bar per label and series, those of a label side by side: label, series, value."""
    some = (table["value"] > 0).any()
    bars = (
        _labelled(table, series)
        .mark_bar()
        .encode(
            x=alt.X(
                "value:Q",
                title=frame.title,
                axis=alt.Axis(tickCount=6),
                scale=alt.Undefined if some else alt.Scale(domain=[0, 1]),
            ),
            yOffset=_side_by_side(series),
            opacity=picked(),
            tooltip=_tips(alt.Tooltip("value:Q", title=" ", format=".2f")),
        )
    )
    return finish(layered([bars]), THIN * len(table), frame.message)


def spanned_bars(table: pd.DataFrame, series: Sequence[Series], frame: Frame) -> Chart:
    """Return one bar a row and a line on it from low to high: label, series, value, low, high.

    Rows of one label stand side by side.
    """
    ends = (alt.Tooltip(f"{end}:Q", format=".1f") for end in ("value", "low", "high"))
    base = _labelled(table, series).encode(tooltip=_tips(*ends))
    if table["label"].duplicated().any():
        base = base.encode(yOffset=_side_by_side(series))
    value = alt.X("value:Q", title=frame.title, axis=alt.Axis(tickCount=6, format="~r"))
    layers: list[alt.Chart] = [
        base.mark_bar().encode(x=value, opacity=picked(0.85)),
        base.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("low:Q", title=frame.title), x2="high:Q", color=alt.value(BLACK)
        ),
    ]
    return finish(layered(layers), BAR * len(table), frame.message)


def _labelled(table: pd.DataFrame, series: Sequence[Series]) -> alt.Chart:
    """Rows in the order of the table, coloured by series."""
    rows, names = list(dict.fromkeys(table["label"])), [one.name for one in series]
    return alt.Chart(table).encode(
        y=alt.Y("label:N", sort=rows, title=None, axis=alt.Axis(labelLimit=320, ticks=False)),
        color=alt.Color(
            "series:N",
            sort=names,
            scale=alt.Scale(domain=names, range=[one.colour for one in series]),
            legend=legend(names, "square", rows),
        ),
    )


def _side_by_side(series: Sequence[Series]) -> alt.YOffset:
    names = [one.name for one in series]
    return alt.YOffset("series:N", sort=names, scale=alt.Scale(domain=names))


def _tips(*figures: alt.Tooltip) -> list[alt.Tooltip]:
    return [alt.Tooltip("label:N", title=" "), alt.Tooltip("series:N", title=" "), *figures]
