"""Question 3 of the page: who works how much, and when."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle

import pandas as pd

from sim.report import charts, loading, supply
from sim.report.charts import BLUE, DASHED, DOTTED, GREEN, GREY, SOLID, STYLES, Frame, Series
from sim.report.page import Answer, Figure, Part, Row, Run, Table
from sim.results.measures import DESK_WORKING_DAYS

LOW = 190
WEEKLY = {"asked_hours": "p50", "worked_hours": "p50", "available_hours": "mean"}


def answer(run: Run) -> Answer:
    """Return who works how much, and when."""
    say, title = run.say, run.say("work.title")
    roles = list(run.tables["workload.csv"]["role"].drop_duplicates())
    busy = [role for role in roles if (_quantity(run, role, "asked_hours")["mean"] > 0).any()]
    never = list(_never_there(run, roles))
    if not busy:
        return Answer("work", title, say("work.nobody"), never)
    lead, *paragraphs = [*_sentences(run, busy), *never]
    tightest, *others = sorted(busy, key=lambda role: -_used(run, role))
    more: list[Part] = [
        _roles(run, roles),
        *(_week(run, role) for role in others),
        *_waiting(run, busy),
        *supply.parts(run),
        *loading.figures(run, busy),
    ]
    return Answer("work", title, lead, paragraphs, [_week(run, tightest)], more)


def _used(run: Run, role: str) -> float:
    """The share of its hours that a role works; a room, and a role without limit, comes last."""
    used = float(run.measure(f"{role}_utilisation")["mean"])
    return used if role in run.scenario.design.staff and not math.isnan(used) else -1.0


def _sentences(run: Run, busy: list[str]) -> Iterator[str]:
    """Which role is the tightest, if any role's hours are limited, and how the desks keep up."""
    say, staff = run.say, [role for role in busy if role in run.scenario.design.staff]
    tightest = max(staff, key=lambda role: _used(run, role), default=None)
    if tightest is not None and _used(run, tightest) >= 0:
        share = say.percent(_used(run, tightest))
        yield say("work.lead", role=say.title(tightest), utilisation=share)
        busiest = f"{tightest}_asked_hours_busiest_week"
        yield say("work.busiest_week", **_spread(run, busiest))
    else:
        yield say("work.lead_free")
    yield say("work.backlog", **_spread(run, "desk_backlog_peak_hours"))
    in_time = run.measure("desk_share_in_time")["mean"]
    if not math.isnan(in_time):
        oldest = _spread(run, "desk_oldest_days")
        yield say("work.desk", share=say.percent(in_time), days=DESK_WORKING_DAYS, **oldest)


def _never_there(run: Run, roles: list[str]) -> Iterator[str]:
    """Whom tasks ask for without a single hour of theirs in the whole trial."""
    asked = {member for team in run.scenario.design.tasks.values() for member in team}
    absent = [
        run.say.title(role)
        for role in roles
        if role in asked and (_quantity(run, role, "available_hours")["mean"] == 0).all()
    ]
    if absent:
        yield run.say("work.never_there", roles=run.say.listing(absent))


def _spread(run: Run, name: str) -> dict[str, str]:
    """A measure's mean, P10 and P90 as blanks of a text."""
    measure = run.measure(name)
    ends = {"mean": "mean", "low": "p10", "high": "p90"}
    return {blank: run.say.number(measure[column]) for blank, column in ends.items()}


def _roles(run: Run, roles: list[str]) -> Table:
    """Hours of each role over the whole run."""
    say = run.say
    rows = [
        Row(
            [
                say.heading(role),
                _available(run, role),
                _hours(run, f"{role}_hours", 0),
                say.percent(run.measure(f"{role}_utilisation")["mean"]),
                _hours(run, f"{role}_asked_hours_busiest_week", 1),
                _hours(run, f"{role}_overtime_hours", 1),
                _in_vain(run, role),
            ]
        )
        for role in roles
    ]
    columns = ("role", "available", "worked", "utilisation", "busiest", "overtime", "in_vain")
    header = [say(f"work.{column}") for column in columns]
    return Table(say("work.roles"), header, rows, say("work.roles_note"))


def _hours(run: Run, name: str, digits: int) -> str:
    measure = run.measure(name)
    mean, low, high = (run.say.number(measure[name], digits) for name in ("mean", "p10", "p90"))
    return mean if mean == low == high else run.say.aside(mean, run.say.span(low, high))


def _in_vain(run: Run, role: str) -> str:
    """The share of a role's hours that goes to people who are never randomised."""
    every = run.measure(f"{role}_hours")["mean"]
    in_vain = run.measure(f"{role}_hours_never_randomised")["mean"]
    return run.say.percent(in_vain / every if every else math.nan)


def _available(run: Run, role: str) -> str:
    hours = _quantity(run, role, "available_hours")["mean"]
    return (
        run.say.number(hours.sum(), 0)
        if len(hours) and hours.notna().all()
        else run.say("work.unlimited")
    )


def _quantity(run: Run, role: str, quantity: str) -> pd.DataFrame:
    """One role's weeks of one quantity: date, mean, p10, p50, p90."""
    weeks = run.tables["workload.csv"]
    ours = weeks[(weeks["role"] == role) & (weeks["quantity"] == quantity)]
    return ours.assign(date=pd.to_datetime(ours["week"])).sort_values("date")


def _week(run: Run, role: str) -> Figure:
    """The hours asked of a role and worked by it, week by week, under the hours available."""
    say, title = run.say, run.say("work.week_title", role=run.say.heading(role))
    series = [
        Series(say("work.asked_series"), BLUE, SOLID),
        Series(say("work.worked_series"), GREEN, DOTTED),
        Series(say("work.available_series"), GREY, DASHED),
    ]
    asked, worked, available = (_quantity(run, role, quantity) for quantity in WEEKLY)
    lines = pd.concat(
        [
            weeks.assign(value=weeks[column], series=one.name)
            for weeks, column, one in zip(
                (asked, worked, available), WEEKLY.values(), series, strict=True
            )
        ]
    )
    chart = charts.over_time(
        lines.dropna(subset="value")[["date", "value", "series"]],
        asked.assign(low=asked["p10"], high=asked["p90"], series=series[0].name)[
            ["date", "low", "high", "series"]
        ],
        series if available["mean"].notna().any() else series[:2],
        Frame(say("work.axis"), _message(run, role, available), steps=True, height=LOW),
    )
    return Figure(title, chart, _weeks_table(run, title, asked, worked, available))


def _message(run: Run, role: str, available: pd.DataFrame) -> str:
    peak = run.say.number(run.measure(f"{role}_asked_hours_busiest_week")["mean"])
    ordinary = available["mean"].median()
    if math.isnan(ordinary):
        return run.say("work.week_message_free", peak=peak)
    return run.say("work.week_message", peak=peak, available=run.say.number(ordinary))


def _weeks_table(run: Run, title: str, *quantities: pd.DataFrame) -> Table:
    """The weeks of a role: what was asked (P10, P50, P90), worked and available."""
    say = run.say
    asked, worked, available = (
        weeks.set_index("date")[["mean", "p10", "p50", "p90"]] for weeks in quantities
    )
    weeks = asked[["p10", "p50", "p90"]].assign(worked=worked["p50"], available=available["mean"])
    rows = [
        Row([say.day(week), *(say.number(hours) for hours in weeks.loc[week])])
        for week in weeks.index
    ]
    names = [f"{say('work.asked')} {quantile}" for quantile in ("P10", "P50", "P90")]
    header = [say("shared.week"), *names, say("work.worked"), say("work.available")]
    return Table(title, header, rows)


def _waiting(run: Run, roles: list[str]) -> Iterator[Figure]:
    """The desk work left waiting, for the roles that ever have any."""
    say, title = run.say, run.say("work.waiting")
    backlogs = {role: _quantity(run, role, "backlog_hours") for role in roles}
    backlogs = {role: weeks for role, weeks in backlogs.items() if (weeks["p90"] > 0).any()}
    if not backlogs:
        return
    series = [
        Series(say.title(role), *style)
        for role, style in zip(backlogs, cycle(STYLES), strict=False)
    ]
    points = pd.concat(
        [
            weeks.assign(series=one.name)
            for weeks, one in zip(backlogs.values(), series, strict=True)
        ]
    ).rename(columns=charts.BAND)
    largest = max(backlogs, key=lambda role: float(backlogs[role]["p90"].max()))
    peak = say.number(backlogs[largest]["p90"].max())
    message = say("work.waiting_message", role=say.title(largest), peak=peak)
    chart = charts.over_time(points, points, series, Frame(say("work.waiting_axis"), message))
    rows = [
        Row(
            [
                say.heading(role),
                *(say.number(weeks[quantile].max()) for quantile in ("p10", "p50", "p90")),
            ]
        )
        for role, weeks in backlogs.items()
    ]
    header = [say("work.role"), *(say("work.highest", quantile=q) for q in ("P10", "P50", "P90"))]
    yield Figure(title, chart, Table(title, header, rows))
