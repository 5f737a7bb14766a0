"""Fields, the darker the more: a year of weeks and weekdays, a grid of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from sim.report.charts import BLUE, ROW_HEIGHT, SKY, Chart, Frame, finish

CELL = 22
LIGHT_BELOW = 0.75
"""Up to this value black is read more easily on the blues than white: the contrast is above 4.5."""

SHADES = ["#F1F4F8", SKY, BLUE, "#062F4F"]


def year_field(table: pd.DataFrame, named: Mapping[int, str], frame: Frame) -> Chart:
    """Return a cell for each day of the year: week, weekday, value.

    Weekdays keep the order of the table; the weeks that are `named` carry their number and name.
    """
    names = ",".join(f"'{week}':'{name}'" for week, name in named.items())
    below = alt.Axis(
        values=list(named),
        labelExpr=f"[datum.label, {{{names}}}[datum.label]]",
        labelAngle=0,
        labelOverlap=False,
        ticks=False,
        domain=False,
    )
    days = list(dict.fromkeys(table["weekday"]))
    cells = (
        alt.Chart(table)
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("week:O", title=frame.across, axis=below),
            y=alt.Y("weekday:N", title=None, sort=days, axis=alt.Axis(ticks=False, domain=False)),
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(range=SHADES, domainMin=0),
                legend=alt.Legend(
                    title=frame.title, orient="top", gradientLength=220, tickCount=4, format="~r"
                ),
            ),
            tooltip=["week:O", "weekday:N", alt.Tooltip("value:Q", title=" ", format=".2f")],
        )
    )
    return finish(alt.layer(cells), CELL * len(days), frame.message)


def heat_map(table: pd.DataFrame, frame: Frame) -> Chart:
    """Return a field of shares with the figure in each cell: across, down, value."""
    cells = alt.Chart(table).encode(
        x=alt.X(
            "across:N",
            title=frame.across,
            sort=list(dict.fromkeys(table["across"])),
            axis=alt.Axis(labelAngle=0, labelOverlap=True),
        ),
        y=alt.Y("down:N", title=frame.title, sort=list(dict.fromkeys(table["down"]))[::-1]),
    )
    colour = alt.Color(
        "value:Q", scale=alt.Scale(domain=[0, 1], scheme="blues"), legend=alt.Legend(format="%")
    )
    fields = cells.mark_rect().encode(
        color=colour, tooltip=["across:N", "down:N", alt.Tooltip("value:Q", format=".1%")]
    )
    is_dark = alt.when(f"datum.value > {LIGHT_BELOW}")
    ink = is_dark.then(alt.value("white")).otherwise(alt.value("black"))
    figures = cells.mark_text().encode(text=alt.Text("value:Q", format=".0%"), color=ink)
    height = max(frame.height, ROW_HEIGHT * table["down"].nunique())
    return finish(alt.layer(fields, figures), height, frame.message)
