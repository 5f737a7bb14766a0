"""Question 1 of the page: whether the target is reached, and when."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from functools import partial

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.report import uncertainty
from sim.report.annotations import deadlines, inked, level, marked, noted, shades
from sim.report.charts import BLUE, DASHED, DOTTED, GREY, VERMILION, Look, lines
from sim.report.effects import all_known
from sim.report.forecast import as_of, from_then_on, outlook, steps_observed
from sim.report.page import P10_P50_P90, Answer, Figure, Part, Table, figure, table_of
from sim.report.run import Run
from sim.results.tally import rank
from sim.vocabulary.intervals import NORMAL_975, Interval, of_met
from sim.vocabulary.streams import Numbers
from sim.vocabulary.words import Words

FEWEST_FOR_A_SPAN = 10
"""Replications that reached the target, below which nothing is said of the date they reached it."""

FEWEST_FOR_AN_INTERVAL = 30
"""Replications below which the ranks of a quantile's interval lie beyond the first or the last."""

ALIKE_POINTS = 1.0
"""By how much the ends of an interval may lie off a half-width that is said for both sides."""

HEADROOM = 1.3
"""How much higher than the fullest month the chart is: the names of the days need room."""

NARROW_NAME = 60
"""Pixels of a line of a name in a narrow chart whose lines have names on the right."""

BY_DATE = {"at": "day"} | dict.fromkeys(P10_P50_P90, "count")
"""Columns of a table of counts by date, with their units."""


def reached(run: Run) -> Answer:
    """Return whether the target is reached in time, and when."""
    say, target, fan = run.say, run.target, partial(_fan, run)
    title = say("reached.title_no_target" if target is None else "reached.title", target=target)
    if not run.anybody_randomised:
        return Answer("reached", title, say("reached.nobody"))
    if run.count == 1:
        return Answer("reached", title, say("reached.lead_one"), parts=[fan()])
    day, spread = run.recruits_until, say("reached.randomised", **run.spread("randomised"))
    if target is None:
        lead = say("reached.lead_no_target", day=day)
        folded: list[Part] = [_sample_size(run), *_milestones(run)]
        return Answer("reached", title, lead, [spread], [fan()], folded)
    met = run.reached(target)
    times, chance, within = int(met.sum()), float(met.mean()), of_met(met, run.draws)
    counts = {"times": times, "replications": run.count}
    likelihood = say.capital(say.likelihood(chance))
    numbers = say("reached.numbers", likelihood=likelihood, interval=within, **counts)
    known = [*uncertainty.sentence(run, target), *all_known(run, target)]
    if run.is_forecast:
        known = [*outlook(run, target), *known]
    said = [numbers, *known, spread]
    more: list[Part] = [fan(), _sample_size(run)]
    more += [*_milestones(run), _dates(run, target), *_months(run, target)]
    return Answer("reached", title, verdict(run), said, [_curve(run, target, chance)], more)


def verdict(run: Run) -> str:
    """Return the first sentence of the page."""
    say, target, day = run.say, run.target, run.recruits_until
    if not run.anybody_randomised:
        return say("verdict.nobody")
    if target is None:
        return say("verdict.no_target", day=day, **run.spread("randomised"))
    if run.count == 1:
        return say("verdict.one", randomised=run.mean("randomised"), target=target, day=day)
    met = run.reached(target)
    chance = float(met.mean())
    error = error_of(say, chance, of_met(met, run.draws))
    said = say("verdict.target", target=target, day=day, probability=chance, error=error)
    days = np.sort(_days(run, "day_of_target"))
    if len(days := days[np.isfinite(days)]) < FEWEST_FOR_A_SPAN:
        return said
    early, late = (run.date_of_day(_quantile(days, percent)[0]) for percent in (10, 90))
    return said + say("verdict.when", early=early, late=late)


def error_of(say: Words, chance: float, within: Interval) -> str:
    """Return the half-width in points; the interval where its sides are not alike, or reach 0."""
    points = max(1, round(50 * (within.high - within.low)))
    ends = (round(100 * chance) - points, round(100 * chance) + points)
    off = (abs(end - 100 * side) for end, side in zip(ends, within, strict=True))
    if min(ends) < 1 or max(ends) > 99 or max(off) > ALIKE_POINTS:  # noqa: PLR2004  per cent
        return say("verdict.lopsided", interval=within)
    return say("verdict.error_one" if points == 1 else "verdict.error", points=points)


def _days(run: Run, measure: str) -> NDArray[np.float64]:
    """The day number on which each replication had so many; never is infinite."""
    days = pd.to_numeric(run.replications[measure].replace("never", np.inf))
    return days.fillna(np.inf).to_numpy(dtype=np.float64)


def _quantile(
    ordered: NDArray[np.float64], percent: int, draws: Numbers | None = None
) -> tuple[float, float, float]:
    """The exact quantile of sorted values with its 95 % interval, which assumes no distribution.

    The interval runs between the ranks np ± z √(np(1−p)), as in Conover 1999, section 3.2, wider
    where some values share their draw of the uncertain.
    """
    share, last = percent / 100, len(ordered) - 1
    middle = len(ordered) * share
    alike = 1.0 if draws is None else len(draws) / len(np.unique(draws))
    gap = NORMAL_975 * math.sqrt(middle * (1 - share) * alike)
    ranks = rank(percent, len(ordered)), math.floor(middle - gap), math.ceil(middle + gap) + 1
    value, low, high = (float(ordered[min(max(place - 1, 0), last)]) for place in ranks)
    return value, low, high


def _date(run: Run, day: float) -> str:
    return run.say.day(run.date_of_day(day)) if np.isfinite(day) else run.say("shared.never")


def _milestones(run: Run) -> Iterator[Table]:
    return (_dates(run, number, f"day_of_{number}") for number in run.protocol.milestones)


def _dates(run: Run, number: int, measure: str = "day_of_target") -> Table:
    """The dates by which 10, 50 and 90 of 100 replications have randomised so many."""
    say, days = run.say, np.sort(_days(run, measure))
    found = {percent: _quantile(days, percent, run.draws) for percent in (10, 50, 90)}
    few = say("when.few") if run.count < FEWEST_FOR_AN_INTERVAL else ""
    frame = pd.DataFrame(
        {
            "share": say("when.by", share=percent),
            "at": _date(run, value),
            "interval": few or say.span(_date(run, low), _date(run, high)),
        }
        for percent, (value, low, high) in found.items()
    )
    columns = {"share": "text", "at": "figure", "interval": "figure"}
    return table_of(say, "when", frame, columns, target=number)


def month_ends(run: Run) -> list[date]:
    """Return the last day of each month of the trial, none later than the closing date."""
    firsts = pd.to_datetime(run.tables["enrolment.csv"]["month"]).drop_duplicates().sort_values()
    return [min(end.date(), run.closes) for end in firsts + pd.offsets.MonthEnd(0)]


def growth(run: Run, stage: str, table: str = "enrolment.csv") -> pd.DataFrame:
    """Return at, p10, p50, p90 of those who have reached a stage, from nobody at the opening."""
    months = run.quantities(table, stage=stage)
    ends = pd.to_datetime(pd.Series(month_ends(run)))
    points = months[[*P10_P50_P90]].reset_index(drop=True).assign(at=ends)
    nobody = pd.DataFrame({"at": [pd.Timestamp(run.opens)], "p10": 0.0, "p50": 0.0, "p90": 0.0})
    return pd.concat([nobody, points], ignore_index=True)


def _curve(run: Run, target: int, chance: float) -> Figure:
    """The probability that the target is reached, by date."""
    say, days = run.say, _days(run, "day_of_target")
    rows = []
    for day in (run.opens, *month_ends(run)):
        met = days < (day - run.opens).days + 1
        within = of_met(met, run.draws)
        rows.append((pd.Timestamp(day), met.mean(), *within, met.mean(), within))
    columns = {"at": "day", "probability": "share", "interval": "interval"}
    points = pd.DataFrame(rows, columns=["at", "value", "low", "high", *[*columns][1:]])
    end = say("curve.never", probability=chance, never=1 - chance)
    behind = [*_asked(run, target), *noted(end, run.recruits_until, points["high"].iloc[-1])]
    return figure(
        say,
        "curve",
        partial(lines, unit="share", behind=[*marked(deadlines(run), run.opens), *behind]),
        points,
        columns,
        target=target,
        probability=chance,
        day=run.recruits_until,
    )


def _sample_size(run: Run) -> Figure:
    """The probability of every number randomised, or more, at the end."""
    table = run.tables["sample_size.csv"]
    say, chance = run.say, table["probability"]
    points = pd.DataFrame(
        {
            "at_least": table["at_least"],
            "at": table["at_least"],
            "probability": chance,
            "value": chance,
            "low": table["ci_low"],
            "high": table["ci_high"],
            "interval": list(zip(table["ci_low"], table["ci_high"], strict=True)),
        }
    )
    # The probability falls from row to row, and the first is that of one participant.
    likely, half = (int((chance >= least).sum()) for least in (0.9, 0.5))
    shape = partial(lines, unit="share", across=say("sample.across"))
    columns = {"at_least": "count", "probability": "share", "interval": "interval"}
    return figure(say, "sample", shape, points, columns, likely=likely, half=half, day=run.closes)


def _asked(run: Run, target: int) -> Iterator[alt.Chart]:
    """The level of the probability asked for, where a target asks for so many randomised."""
    for each in run.scenario.targets.values():
        if each.measure == "randomised" and float(each.at_least or 0) == target:
            asked = float(each.with_probability)
            yield from level(run.say("curve.asked", asked=asked), asked, run.opens)
            return


def _fan(run: Run) -> Figure:
    """Participants randomised by month, against the straight line needed.

    Of a forecast: those observed, the fan from then on, and the median of the plan.
    """
    say, points, behind = run.say, growth(run, "randomised"), shades(run)
    columns, looks, past = BY_DATE, [Look(BLUE)], list[alt.Chart]()
    drawn = points.assign(series=say("fan.median"))
    if run.is_forecast:
        until = min(as_of(run), run.closes)
        seen = steps_observed(run.tables["observed.csv"], run.opens, until)
        ink = inked(seen, say("fan.observed"), seen.tail(1), run.opens, run.closes)
        past = [*ink, *_today(run)]
        plan = growth(run, "randomised", "enrolment_as_planned.csv")[["at", "p50"]]
        drawn = pd.concat(
            [
                from_then_on(points, seen).assign(series=say("fan.forecast")),
                plan.assign(series=say("fan.planned")),
            ]
        )
        points, columns = points.assign(plan=plan["p50"]), columns | {"plan": "count"}
        looks.append(Look(GREY, DOTTED))
    if run.target is not None:
        ends = [pd.Timestamp(run.opens), pd.Timestamp(run.recruits_until)]
        name = say("fan.needed", target=run.target)
        needed = pd.DataFrame({"at": ends, "p50": [0.0, run.target], "series": name})
        drawn = pd.concat([drawn, needed])
        looks.append(Look(VERMILION, DASHED))
    low, median, high = (points[name].iloc[-1] for name in P10_P50_P90)
    message = say("fan.message", day=run.closes, median=median, low=low, high=high)
    return figure(
        say,
        "fan",
        partial(lines, looks=looks, behind=[*behind.layers, *past]),
        drawn,
        columns,
        behind=points,
        message=message,
        detail=say.sentences(behind.said),
    )


def _today(run: Run) -> list[alt.Chart]:
    """The day from which a forecast looks ahead: the band begins there."""
    named = [(run.say("fan.as_of", day=as_of(run)), as_of(run))]
    return marked(named, run.opens, run.closes, NARROW_NAME)


def _months(run: Run, target: int) -> Iterator[Figure]:
    """The share of simulated trials by the month in which they reach the target, if any does."""
    days = _days(run, "day_of_target")
    days = days[np.isfinite(days)]
    if not len(days):
        return
    say, never = run.say, 1 - len(days) / run.count
    when = pd.Timestamp(run.opens) + pd.to_timedelta(np.floor(days), unit="D")
    counts = pd.Series(when.to_period("M")).value_counts().sort_index()
    months = pd.period_range(counts.index[0], counts.index[-1], freq="M")
    shares = counts.reindex(months, fill_value=0).to_numpy() / run.count
    fullest = int(shares.argmax())
    # A month lasts until the next begins, the last one too.
    edges = [*months.start_time, (months[-1] + 1).start_time]
    steps = pd.DataFrame({"at": edges, "value": [*shares, shares[-1]]})
    named = [*map(say.month, months.start_time), say("shared.never")]
    behind = pd.DataFrame({"month": named, "share": [*shares, never]})
    yield figure(
        say,
        "timing",
        partial(
            lines,
            unit="share",
            steps=True,
            span=(0, HEADROOM * shares.max()),
            behind=marked(deadlines(run), edges[0].date()),
        ),
        steps.assign(low=0.0, high=steps["value"]),
        {"month": "text", "share": "share"},
        behind=behind,
        month=months[fullest].start_time,
        share=shares[fullest],
        never=never,
        target=target,
    )
