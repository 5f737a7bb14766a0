"""Question 3, closer up: load by day of the year, hours by activity, and what participants bear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import cycle
from operator import itemgetter

import pandas as pd

from sim.report.bars import spanned_bars
from sim.report.charts import BAND, STYLES, Frame, Series
from sim.report.fields import year_field
from sim.report.page import Figure, Row, Run, Table
from sim.vocabulary.clock import WEEKDAYS

BURDEN = ("site_trips", "visits", "site_hours")
ANY_YEAR = 2023


def figures(run: Run, busy: Sequence[str]) -> Iterator[Figure]:
    """Each role's year, what its hours go to, and the burden per participant."""
    staff = [role for role in busy if role in run.scenario.design.staff]
    for role in staff:
        load = run.tables["load.csv"].query("role == @role")
        if load["mean"].sum() > 0:
            yield _year(run, role, load)
    if staff:
        yield from _activities(run, staff)
    if run.anybody_randomised:
        yield _burden(run)


def _year(run: Run, role: str, load: pd.DataFrame) -> Figure:
    """The hours of a role by ISO week and weekday."""
    say, title = run.say, run.say("load.title", role=run.say.heading(role))
    hours = load.pivot_table("mean", "iso_week", "weekday").reindex(columns=list(WEEKDAYS))
    by_day, by_week = hours.mean(), hours.sum(axis=1)
    message = say(
        "load.message",
        weekday=say.title(str(by_day.idxmax())),
        day_hours=say.number(by_day.max()),
        week=by_week.idxmax(),
        week_hours=say.number(by_week.max()),
    )
    cells = (
        load.rename(columns={"iso_week": "week", "mean": "value"})
        .assign(order=load["weekday"].map(WEEKDAYS.index), weekday=load["weekday"].map(say.heading))
        .sort_values(["order", "week"])[["week", "weekday", "value"]]
    )
    # The week in which a month begins, or that follows.
    months = {
        date(ANY_YEAR, month, 4).isocalendar().week: name
        for month, name in enumerate(say.lists["months_short"], 1)
    }
    frame = Frame(say("load.axis"), message, across=say("load.across"))
    rows = [
        Row([str(week), *(say.number(value) for value in hours.loc[week])]) for week in hours.index
    ]
    header = [say("load.week"), *map(say.heading, WEEKDAYS)]
    behind = Table(title, header, rows, say("load.note"))
    return Figure(title, year_field(cells, months, frame), behind)


def _activities(run: Run, staff: Sequence[str]) -> Iterator[Figure]:
    """The hours of each role by task, the most first."""
    say, title, tasks = run.say, run.say("activity.title"), run.tables["activity.csv"]
    ours = tasks[tasks["role"].isin(staff) & (tasks["mean"] > 0)]
    if ours.empty:
        return
    ours = ours.assign(order=ours["role"].map(staff.index)).sort_values(
        ["order", "mean"], ascending=[True, False], kind="stable"
    )
    colours = dict(zip(staff, cycle(STYLES), strict=False))
    series = [Series(say.heading(role), *colours[role]) for role in ours["role"].unique()]
    labels = [
        say.part(say.heading(role), say.title(task))
        for role, task in zip(ours["role"], ours["task"], strict=True)
    ]
    bars = ours.assign(label=labels, series=ours["role"].map(say.heading)).rename(
        columns={**BAND, "p50": "median", "mean": "value"}
    )
    most = max(ours.to_dict("records"), key=itemgetter("mean"))
    whole = ours.loc[ours["role"] == most["role"], "mean"].sum()
    message = say(
        "activity.message",
        task=say.title(most["task"]),
        role=say.title(most["role"]),
        hours=say.number(most["mean"], 0),
        share=say.percent(most["mean"] / whole),
    )
    chart = spanned_bars(
        bars[["label", "series", "value", "low", "high"]],
        series,
        Frame(say("activity.axis"), message),
    )
    shares = ours["mean"] / ours.groupby("role")["mean"].transform("sum")
    rows = [
        Row([label, *(say.number(value) for value in figures), say.percent(share)])
        for label, figures, share in zip(
            labels, ours[["mean", "p10", "p50", "p90"]].to_numpy(), shares, strict=True
        )
    ]
    header = [say("activity.task"), say("shared.mean"), "P10", "P50", "P90", say("activity.share")]
    yield Figure(title, chart, Table(title, header, rows))


def _burden(run: Run) -> Figure:
    """Trips, visits and hours at the site of a participant, by arm."""
    say, title = run.say, run.say("burden.title")
    found = pd.DataFrame(
        {
            "label": say(f"burden.{quantity}"),
            "series": run.arm_title(arm.name),
            **run.measure(f"{quantity}_per_participant_{arm.name}")[["mean", "p10", "p50", "p90"]],
        }
        for quantity in BURDEN
        for arm in run.protocol.arms
    ).dropna(subset="mean")
    arms = list(found["series"].unique())
    series = [Series(arm, *style) for arm, style in zip(arms, cycle(STYLES), strict=False)]
    means = found.pivot_table("mean", "series", "label")
    most = str(means[say("burden.site_trips")].idxmax())
    message = say(
        "burden.message",
        arm=most,
        trips=say.number(means[say("burden.site_trips")][most]),
        hours=say.number(means[say("burden.site_hours")][most]),
    )
    bars = found.rename(columns={**BAND, "p50": "median", "mean": "value"}).drop(columns="median")
    chart = spanned_bars(bars, series, Frame(say("burden.axis"), message))
    rows = [
        Row(
            [
                row["label"],
                row["series"],
                *(say.number(row[name]) for name in ("mean", "p10", "p50", "p90")),
            ]
        )
        for row in found.to_dict("records")
    ]
    header = [say("burden.what"), say("finished.arm"), say("shared.mean"), "P10", "P50", "P90"]
    return Figure(title, chart, Table(title, header, rows, say("burden.note"), texts=2))
