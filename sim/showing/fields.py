"""A field of the year: weeks across, weekdays down, the darker the more."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from sim.showing.charts import BLUE, SKY, Chart, Frame, finish

CELL = 22
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
