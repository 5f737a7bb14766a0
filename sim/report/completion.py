"""Question 2 of the page: whether participants finish by the end date, and where they are lost."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sim.report import annotations as backdrop
from sim.report import charts, consort, findings, lives, timing
from sim.report import visits as complying
from sim.report.bars import grouped_bars
from sim.report.charts import BLUE, DASHED, GREEN, ORANGE, SKY, SOLID, Frame, Series
from sim.report.page import Answer, Figure, Part, Row, Run, Table
from sim.scenario.protocol import Arm

MOVES = ("moved", "out_of_window", "missed")
"""Outcomes that have a cause."""

FAILURES = ("failed_any", "failed_first", "failed_only")


def answer(run: Run) -> Answer:
    """Return whether participants finish in time, and where they are lost."""
    say, closes = run.say, run.say.day(run.closes)
    title, more = say("finished.title", day=closes), list(_more(run))
    if not run.anybody_randomised:
        return Answer("finished", title, say("finished.nobody"), (), (), more)
    means = {name: say.number(run.measure(name)["mean"]) for name in ("randomised", "completed")}
    lead = say("finished.lead", day=closes, **means)
    return Answer("finished", title, lead, list(_paragraphs(run)), [_completion(run)], more)


def _paragraphs(run: Run) -> Iterator[str]:
    say, completed = run.say, run.measure("completed")
    if run.count > 1:
        low, high = (say.number(completed[quantile], 0) for quantile in ("p10", "p90"))
        yield say("finished.span", low=low, high=high)
    still, left = (say.number(run.measure(name)["mean"]) for name in ("still_in_follow_up", "left"))
    yield say("finished.still", still=still, left=left)
    last_safe = min((arm.latest_safe_day for arm in run.protocol.arms), default=0)
    days = (run.recruits_until - run.opens).days - last_safe
    if days > 0:
        yield say("finished.too_late", day=say.day(run.recruits_until), days=days)


def _more(run: Run) -> Iterator[Part]:
    yield consort.figure(run)
    yield from lives.figures(run)
    yield _safe_dates(run)
    if len(run.tables["funnel.csv"]):
        yield _funnel(run)
    if run.anybody_randomised and len(run.tables["visits.csv"]):
        yield from complying.figures(run)
        yield from _causes(run)


def _safe_dates(run: Run) -> Table:
    """Until when each arm may randomise, and how many are randomised by then and later."""
    say = run.say
    rows = [Row([run.arm_title(arm.name), *_safe_cells(run, arm)]) for arm in run.protocol.arms]
    header = [say(f"finished.{column}") for column in ("arm", "safe_day", "in_time", "late")]
    return Table(say("finished.safe"), header, rows, say("finished.safe_note"))


def _safe_cells(run: Run, arm: Arm) -> list[str]:
    every = run.measure(f"randomised_{arm.name}")["mean"]
    in_time = run.measure(f"randomised_in_time_{arm.name}")["mean"]
    shown = run.say("finished.before_opening")
    if arm.latest_safe_day >= 0:
        shown = run.say.day(findings.date_of_day(run.opens, arm.latest_safe_day))
    return [shown, run.say.number(in_time), run.say.number(every - in_time)]


def _completion(run: Run) -> Figure:
    """Participants randomised and completed by month."""
    say, title, enrolment = run.say, run.say("finished.fan"), run.tables["enrolment.csv"]
    series = [
        Series(say("finished.randomised"), BLUE, SOLID),
        Series(say("finished.completed"), GREEN, DASHED),
    ]
    randomised, completed = (
        findings.growth(enrolment, stage, run.opens, run.closes)
        for stage in ("randomised", "completed")
    )
    points = pd.concat(
        [randomised.assign(series=series[0].name), completed.assign(series=series[1].name)]
    ).rename(columns=charts.BAND)
    message = say(
        "finished.fan_message",
        day=say.day(run.closes),
        randomised=say.number(randomised["p50"].iloc[-1], 0),
        completed=say.number(completed["p50"].iloc[-1], 0),
    )
    marks = backdrop.marked(timing.deadlines(run), run.opens)
    chart = charts.over_time(points, points, series, Frame(say("finished.axis"), message), marks)
    columns = ["p50_randomised", "p10", "p50", "p90"]
    beside = completed.assign(p50_randomised=randomised["p50"])
    rows = [
        Row([say.day(point["date"]), *(say.number(point[column], 0) for column in columns)])
        for point in beside.to_dict("records")
    ]
    heads = [f"{say.heading('completed')} {quantile}" for quantile in ("P10", "P50", "P90")]
    header = [say("shared.date"), f"{say.heading('randomised')} P50", *heads]
    return Figure(title, chart, Table(title, header, rows))


def _funnel(run: Run) -> Figure:
    """How many candidates each criterion stops, and how many it alone would stop."""
    say, title, steps = run.say, run.say("finished.funnel"), run.tables["funnel.csv"]
    colours = dict(zip(FAILURES, (SKY, BLUE, ORANGE), strict=True))
    series = [Series(say(f"finished.{name}"), colours[name], SOLID) for name in FAILURES]
    bars = steps.assign(label=steps["step"].map(say.title)).rename(
        columns=dict(zip(FAILURES, (one.name for one in series), strict=True))
    )
    long = bars.melt("label", [one.name for one in series], "series", "value")
    frame = Frame(say("finished.funnel_axis"), _worst(run))
    rows = [
        Row(
            [
                say.heading(step["step"]),
                *(say.number(step[column]) for column in ("reached", *FAILURES)),
                say.percent(step["share_failing"]),
            ]
        )
        for step in steps.to_dict("records")
    ]
    header = [say(f"finished.{name}") for name in ("step", "reached", *FAILURES, "share")]
    behind = Table(title, header, rows, say("finished.funnel_note"))
    return Figure(title, grouped_bars(long, series, frame), behind)


def _worst(run: Run) -> str:
    """Which step stops most candidates."""
    steps = run.tables["funnel.csv"].sort_values("failed_first", ascending=False, kind="stable")
    worst = steps.to_dict("records")[0]
    if not worst["failed_first"] > 0:
        return run.say("finished.funnel_none")
    share = run.say.percent(worst["share_failing"])
    return run.say("finished.funnel_message", name=run.say.heading(worst["step"]), share=share)


def _causes(run: Run) -> Iterator[Table]:
    """What moved visits inside their window, put them outside it, or made them missed."""
    say, visits = run.say, run.tables["visits.csv"]
    caused = visits[visits["outcome"].isin(MOVES)]
    means = caused.groupby(["reason", "outcome"])["mean"].sum()
    totals = caused.groupby("reason")["mean"].sum().sort_values(ascending=False, kind="stable")
    if totals.empty:
        return
    rows = [
        Row([say.heading(reason), *(say.number(means.get((reason, how), 0.0)) for how in MOVES)])
        for reason in map(str, totals.index)
    ]
    header = [say("finished.cause"), *(say(f"finished.{name}") for name in MOVES)]
    yield Table(say("finished.causes"), header, rows, say("finished.causes_note"))
