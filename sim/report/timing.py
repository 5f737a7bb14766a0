"""Question 1, closer up: in which month the target is reached, beside the days that matter."""

from __future__ import annotations

from datetime import date

import altair as alt
import numpy as np
import pandas as pd

from sim.report import annotations as backdrop
from sim.report import findings
from sim.report.charts import BLUE, Chart, Frame, dates, finish
from sim.report.page import Figure, Row, Run, Table
from sim.report.touch import TIME

HEADROOM = 1.3
"""How much higher than the highest bar the chart is: the names of the days need room."""


def figure(run: Run, target: int) -> Figure | None:
    """Return the share of simulated trials by the month in which they reach the target.

    None where no trial reaches it.
    """
    days = findings.days_of_target(run.replications)
    reached = days[np.isfinite(days)]
    if not len(reached):
        return None
    say, title, shares = run.say, run.say("timing.title", target=target), _shares(run, reached)
    never = say.percent(1 - len(reached) / run.count)
    fullest = shares.iloc[int(shares["value"].argmax())]
    month, share = say.month(fullest["date"]), say.percent(fullest["value"])
    message = say("timing.message", month=month, share=share, never=never, target=target)
    frame = Frame(say("timing.axis"), message, share=True)
    rows = [
        Row([say.month(at), say.percent(value)])
        for at, value in zip(shares["date"], shares["value"], strict=True)
    ]
    rows.append(Row([say("shared.never"), never]))
    behind = Table(title, [say("timing.month"), say("timing.axis")], rows)
    return Figure(title, _bars(shares, deadlines(run), frame), behind)


def deadlines(run: Run) -> list[tuple[str, date]]:
    """Return the end of recruitment or of the trial, and the latest safe date of each arm."""
    arms = [
        (
            run.say("timing.safe", arm=run.arm_title(arm.name)),
            findings.date_of_day(run.opens, arm.latest_safe_day),
        )
        for arm in run.protocol.arms
        if arm.latest_safe_day >= 0
    ]
    ends = [(run.say("timing.recruits_until"), run.recruits_until)]
    if run.closes > run.recruits_until:
        ends.append((run.say("timing.closes"), run.closes))
    return [*ends, *arms]


def _shares(run: Run, days: np.ndarray) -> pd.DataFrame:
    """From the first month in which a trial gets there to the last: date, to, value."""
    reached = pd.Timestamp(run.opens) + pd.to_timedelta(np.floor(days), unit="D")
    counts = pd.Series(reached.to_period("M")).value_counts().sort_index()
    months = pd.period_range(counts.index[0], counts.index[-1], freq="M")
    return pd.DataFrame(
        {
            "date": months.start_time,
            "to": (months + 1).start_time,
            "value": counts.reindex(months, fill_value=0).to_numpy() / run.count,
        }
    )


def _bars(shares: pd.DataFrame, marks: list[tuple[str, date]], frame: Frame) -> Chart:
    bars = (
        alt.Chart(shares)
        .mark_bar(color=BLUE, stroke="white", clip=True)
        .encode(
            x=dates(),
            x2="to:T",
            y=alt.Y(
                "value:Q",
                title=frame.title,
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domain=[0, HEADROOM * shares["value"].max()]),
            ),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("date:T", title=" ", format="%Y-%m"),
                alt.Tooltip("value:Q", title=" ", format=".1%"),
            ],
        )
    )
    layers = alt.layer(bars, *backdrop.marked(marks, shares["date"].iloc[0].date())).add_params(
        TIME
    )
    return finish(layers, frame.height, frame.message)
