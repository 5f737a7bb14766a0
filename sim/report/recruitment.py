"""Question 1 of the page: whether the target is reached, and when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sim.report import annotations as backdrop
from sim.report import charts, findings, timing, uncertainty
from sim.report.charts import BLUE, DASHED, SOLID, VERMILION, Frame, Series
from sim.report.page import Answer, Figure, Part, Row, Run, Table
from sim.vocabulary.intervals import Interval, of_share
from sim.vocabulary.words import Words

FEWEST_FOR_A_SPAN = 10
"""Replications that reached the target, below which nothing is said of the date they reached it."""


def answer(run: Run) -> Answer:
    """Return whether the target is reached in time, and when."""
    say, target = run.say, run.target
    title = (
        say("reached.title_no_target") if target is None else say("reached.title", target=target)
    )
    if not run.anybody_randomised:
        return Answer("reached", title, say("reached.nobody"))
    if run.count == 1:
        return Answer("reached", title, say("reached.lead_one"), (), [_fan(run)])
    first = _fan(run) if target is None else _curve(run, target)
    more = [] if target is None else list(_more(run, target))
    return Answer("reached", title, _lead(run), list(_paragraphs(run)), [first], more)


def verdict(run: Run) -> str:
    """Return the first sentence of the page."""
    say, target, day = run.say, run.target, run.say.day(run.recruits_until)
    if not run.anybody_randomised:
        return say("verdict.nobody")
    randomised = run.measure("randomised")
    if target is None:
        low, high = say.number(randomised["p10"], 0), say.number(randomised["p90"], 0)
        return say("verdict.no_target", low=low, high=high, day=day)
    if run.count == 1:
        return say(
            "verdict.one", randomised=say.number(randomised["mean"], 0), target=target, day=day
        )
    chance, interval = _reached(run, target)
    values = {"probability": say.percent(chance), "error": _error(say, chance, interval)}
    return say("verdict.target", target=target, day=day, **values) + _when(run)


def note(run: Run) -> str:
    """Return how to read the first sentence; nothing where it claims no more than it saw."""
    return run.say("verdict.note") if run.anybody_randomised and run.count > 1 else ""


def _reached(run: Run, target: int) -> tuple[float, Interval]:
    """The share of replications that randomise so many, and its interval."""
    times = int((run.replications["randomised"] >= target).sum())
    return times / run.count, of_share(times, run.count)


def _error(say: Words, chance: float, interval: Interval) -> str:
    """The half-width in percentage points; at 0 and 1, where it has but one side, the interval."""
    if chance in (0.0, 1.0):
        return say("verdict.lopsided", interval=say.span(*map(say.percent, interval)))
    return say("verdict.error", points=say.number(max(1.0, 50 * (interval.high - interval.low)), 0))


def _when(run: Run) -> str:
    """Between which dates the middle 80 of 100 of the replications that get there do so."""
    days = findings.days_of_target(run.replications)
    days = days[np.isfinite(days)]
    if len(days) < FEWEST_FOR_A_SPAN:
        return ""
    early, late = (_date(run, findings.quantile(days, percent).value) for percent in (10, 90))
    return run.say("verdict.when", early=early, late=late)


def _date(run: Run, day: float) -> str:
    if not np.isfinite(day):
        return run.say("shared.never")
    return run.say.day(findings.date_of_day(run.opens, day))


def _lead(run: Run) -> str:
    say, day = run.say, run.say.day(run.recruits_until)
    if run.target is None:
        return say("reached.lead_no_target", day=day)
    likelihood = say.likelihood(_reached(run, run.target)[0])
    return say("reached.lead", target=run.target, day=day, likelihood=likelihood)


def _paragraphs(run: Run) -> Iterator[str]:
    say = run.say
    if run.target is not None:
        chance, interval = _reached(run, run.target)
        yield say(
            "reached.numbers",
            times=say.number(round(chance * run.count), 0),
            replications=say.number(run.count, 0),
            probability=say.percent(chance),
            interval=say.span(*map(say.percent, interval)),
        )
    randomised = run.measure("randomised")
    low, high = say.number(randomised["p10"], 0), say.number(randomised["p90"], 0)
    if run.target is not None:
        yield from filter(None, [uncertainty.sentence(run, run.target)])
    yield say("reached.randomised", mean=say.number(randomised["mean"]), low=low, high=high)


def _more(run: Run, target: int) -> Iterator[Part]:
    yield _fan(run)
    yield _dates(run, target)
    when = timing.figure(run, target)
    if when is not None:
        yield when


def _dates(run: Run, target: int) -> Table:
    """The dates by which 10, 50 and 90 of 100 replications reach the target."""
    say, days = run.say, findings.days_of_target(run.replications)
    rows = [
        Row(
            [
                say("reached.when_row", share=at.percent),
                _date(run, at.value),
                say.span(_date(run, at.low), _date(run, at.high)),
            ]
        )
        for at in (findings.quantile(days, percent) for percent in (10, 50, 90))
    ]
    header = [say("reached.when_share"), say("shared.date"), say("shared.interval")]
    return Table(say("reached.when", target=target), header, rows, say("reached.when_note"))


def _curve(run: Run, target: int) -> Figure:
    """The probability that the target is reached, by date."""
    say, title = run.say, run.say("reached.curve", target=target)
    dates = [run.opens, *findings.month_ends(run.tables["enrolment.csv"], run.closes)]
    points = findings.reached_by(findings.days_of_target(run.replications), dates, run.opens)
    series = Series(say("reached.curve_series"), BLUE, SOLID)
    message = say(
        "reached.curve_message",
        target=target,
        probability=say.percent(_reached(run, target)[0]),
        day=say.day(run.recruits_until),
    )
    drawn = points.assign(series=series.name)
    frame = Frame(say("shared.probability"), message, share=True)
    rows = [
        Row([say.day(date), say.percent(value), say.span(say.percent(low), say.percent(high))])
        for date, value, low, high in points.itertuples(index=False)
    ]
    header = [say(f"shared.{column}") for column in ("date", "probability", "interval")]
    chart = charts.over_time(
        drawn, drawn, [series], frame, backdrop.marked(timing.deadlines(run), run.opens)
    )
    return Figure(title, chart, Table(title, header, rows))


def _fan(run: Run) -> Figure:
    """Participants randomised by month, against the straight line needed."""
    say, title = run.say, run.say("reached.fan")
    points = findings.growth(run.tables["enrolment.csv"], "randomised", run.opens, run.closes)
    series = [Series(say("reached.median"), BLUE, SOLID)]
    lines = [points.assign(value=points["p50"], series=series[0].name)]
    low, median, high = (say.number(points[name].iloc[-1], 0) for name in ("p10", "p50", "p90"))
    message = say("reached.fan_message", day=say.day(run.closes), median=median, low=low, high=high)
    if run.target is not None:
        until = say.day(run.recruits_until)
        needed = Series(say("reached.needed", target=run.target, day=until), VERMILION, DASHED)
        series.append(needed)
        lines.append(_needed(run, run.target, needed.name))
    chart = charts.over_time(
        pd.concat(lines),
        points.assign(low=points["p10"], high=points["p90"], series=series[0].name),
        series,
        Frame(say("reached.axis"), say.sentences([message, *backdrop.legend(run)])),
        backdrop.shades(run),
    )
    rows = [
        Row([say.day(date), *(say.number(count, 0) for count in counts)])
        for date, *counts in points[["date", "p10", "p50", "p90"]].itertuples(index=False)
    ]
    return Figure(title, chart, Table(title, [say("shared.date"), "P10", "P50", "P90"], rows))


def _needed(run: Run, target: int, name: str) -> pd.DataFrame:
    """The straight line from nobody at the opening to the target on the last day of recruitment."""
    ends = [pd.Timestamp(run.opens), pd.Timestamp(run.recruits_until)]
    return pd.DataFrame({"date": ends, "value": [0.0, float(target)], "series": name})
