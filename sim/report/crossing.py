"""The chart of a probability along a lever, and of where it reaches what is needed."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import altair as alt
import pandas as pd

from sim.report.charts import (
    BLACK,
    BLUE,
    DASHED,
    DOTTED,
    HEIGHT,
    SOLID,
    VERMILION,
    Chart,
    finish,
)
from sim.report.legend import legend


class Answered(NamedTuple):
    """The share needed, and the answer with the ends of its interval; None: outside the bracket."""

    needed: float
    value: float | None
    low: float | None
    high: float | None
    is_date: bool


def crossing(
    table: pd.DataFrame,
    answered: Answered,
    named: tuple[str, str, str],
    axes: tuple[str, str],
    message: str,
) -> Chart:
    """Return a line with its band, the share needed as a level line, the answer as an upright one.

    The table has at (a number, of a date its ordinal), value, low, high (shares). `named` are what
    the legend calls the three, `axes` the titles of the axes, along and up.
    """
    curve, needed, solution = named
    kind = "T" if answered.is_date else "Q"
    along = alt.Scale(nice=False) if answered.is_date else alt.Scale(nice=False, zero=False)
    x = alt.X(f"at:{kind}", title=axes[0], scale=along)
    share = alt.Scale(domain=[0, 1])
    y = alt.Y("value:Q", title=axes[1], axis=alt.Axis(format="%"), scale=share)
    drawn = alt.Scale(domain=list(named), range=[BLUE, BLACK, VERMILION])
    dashes = alt.Scale(domain=list(named), range=[SOLID, DASHED, DOTTED])
    key = legend(named, "stroke")
    colour = alt.Color("series:N", sort=list(named), scale=drawn, legend=key)
    dash = alt.StrokeDash("series:N", sort=list(named), scale=dashes, legend=key)
    base = alt.Chart(_placed(table, answered).assign(series=curve)).encode(x=x, color=colour)
    level = alt.Chart(pd.DataFrame({"value": [answered.needed], "series": [needed]}))
    layers = [
        base.mark_area(opacity=0.22).encode(y=alt.Y("low:Q", title=axes[1]), y2="high:Q"),
        base.mark_line(strokeWidth=2, point=True).encode(
            y=y, strokeDash=dash, tooltip=["at", alt.Tooltip("value:Q", format=".1%")]
        ),
        level.mark_rule(strokeWidth=1.5).encode(y=y, color=colour, strokeDash=dash),
    ]
    ends = table["at"].min(), table["at"].max()
    if answered.value is not None or answered.low is not None or answered.high is not None:
        low = ends[0] if answered.low is None else answered.low
        high = ends[1] if answered.high is None else answered.high
        span = pd.DataFrame({"at": [low], "end": [high], "series": [solution]})
        band = alt.Chart(_placed(span, answered)).mark_rect(opacity=0.16)
        layers.append(band.encode(x=x, x2="end", color=colour))
    if answered.value is not None:
        upright = pd.DataFrame({"at": [answered.value], "series": [solution]})
        rule = alt.Chart(_placed(upright, answered)).mark_rule(strokeWidth=2)
        layers.append(rule.encode(x=x, color=colour, strokeDash=dash))
    return finish(alt.layer(*layers), HEIGHT, message)


def _placed(table: pd.DataFrame, answered: Answered) -> pd.DataFrame:
    """The table with ordinals turned into dates, where they are."""
    if not answered.is_date:
        return table
    columns = [name for name in ("at", "end") if name in table]
    dates = {
        name: pd.to_datetime([date.fromordinal(round(each)) for each in table[name]])
        for name in columns
    }
    return table.assign(**dates)
