"""What the page of a forecast says beside that of a run: where the trial stands, and lessons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sim.report.page import Answer, table_of
from sim.report.run import Run
from sim.results.fold import meets
from sim.results.forecast import CONSTANT
from sim.results.pairs import draws_in
from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.intervals import Interval, of_met

FEW_MOVED = 8
"""Numbers that stand open; those that the log moved least are folded."""


def as_of(run: Run) -> date:
    """Return the last day of which the log was read."""
    return date.fromisoformat(run.manifest["as_of"])


def steps_observed(log: pd.DataFrame, opens: date, until: date) -> pd.DataFrame:
    """Return how many an observed.csv has randomised, `at` the days on which there were more.

    From nobody at the opening to the last day that is known.
    """
    days = sorted(map(pd.Timestamp, filter(None, log["randomised"])))
    ends = (pd.Timestamp(opens), pd.Timestamp(max(until, opens)))
    values = [0, *range(1, len(days) + 1), len(days)]
    return pd.DataFrame({"at": [ends[0], *days, ends[1]], "value": values})


def from_then_on(points: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return at, p10, p50, p90 of a fan that begins with those observed by the last day of them."""
    today = seen.tail(1).assign(**dict.fromkeys(("p10", "p50", "p90"), seen["value"]))
    ahead: pd.DataFrame = points[points["at"] > today["at"].iloc[0]]
    return pd.concat([today.drop(columns="value"), ahead], ignore_index=True)


def dated(run: Run, said: str) -> str:
    """Return a sentence about the future, of a forecast with the day from which it looks ahead."""
    if not run.is_forecast:
        return said
    return run.say("forecast.as_of", day=as_of(run), said=said)


def then(run: Run, name: str) -> tuple[float, Interval]:
    """Return how probable a target was as the trial was planned, with its interval."""
    target, planned = run.scenario.targets[name], run.as_planned
    values = pd.to_numeric(planned[target.measure].replace("never", np.inf))
    met = meets(target, values.to_numpy(np.float64))
    return float(met.mean()), of_met(met, draws_in(planned))


def outlook(run: Run, target: int) -> Iterator[str]:
    """Yield how probable the number to randomise was as planned, and the pace that it takes now."""
    say, planned = run.say, run.as_planned
    met = (planned["randomised"] >= target).to_numpy()
    within = of_met(met, draws_in(planned))
    yield say("outlook.then", share=float(met.mean()), interval=within, count=len(planned))
    census = run.tables["census.csv"].set_index("stage")["people_now"]
    now = int(census[census.index.isin(["in_follow_up", "left", "completed"])].sum())
    months = ((run.recruits_until - as_of(run)).days) / DAYS_PER_MONTH
    if now < target and months > 0:
        low, high = (run.replications["randomised"].quantile(share) for share in (0.1, 0.9))
        ends = {"mean": run.mean("randomised"), "low": float(low), "high": float(high)}
        pace = {name: (value - now) / months for name, value in ends.items()}
        yield say("outlook.pace", target=target, needed=(target - now) / months, **pace)


def forecast(run: Run) -> Iterator[Answer]:
    """Yield where the trial stood on the day of the forecast, and what its log has taught."""
    yield _census(run)
    yield _learnt(run)


def _census(run: Run) -> Answer:
    """How many were how far, and how many of them get further."""
    say, table = run.say, run.tables["census.csv"]
    title = say("forecast.stood", day=as_of(run))
    level = say(f"forecast.{run.manifest['log_level']}")
    if table.empty:
        return Answer("census", title, say("census.nobody"), [level], in_contents=False)
    arms = [run.arm_title(arm) if arm else "" for arm in table["arm"].fillna("")]
    reached = [
        say("census.spread", mean=each["mean"], low=each["p10"], high=each["p90"])
        if each["stage"] in {"candidate", "consented", "in_follow_up"}
        else ""
        for each in table.to_dict("records")
    ]
    frame = table.assign(
        at=[say(f"census.{stage}") for stage in table["stage"]], arm=arms, reached=reached
    )
    columns = {"at": "text", "arm": "text", "people_now": "count", "reached": "figure"}
    now = table.groupby("stage")["people_now"].sum().to_dict()
    randomised = sum(now.get(stage, 0) for stage in ("in_follow_up", "left", "completed"))
    inside = sum(now.get(stage, 0) for stage in ("candidate", "consented"))
    lead = say("census.lead", people=sum(now.values()), randomised=randomised, inside=inside)
    shown = [table_of(say, "census", frame, columns, day=as_of(run))]
    return Answer("census", title, lead, [level, *_fit(run)], shown, in_contents=False)


def _fit(run: Run) -> Iterator[str]:
    """Whether people came as at a constant rate, in a sentence for each doubt, or in one."""
    say, rows = run.say, run.tables["fit.csv"].to_dict("records")
    waves = run.scenario.assumptions.recruitment.waves
    checks = [row for row in rows if row["check"] != CONSTANT]
    doubts = [row for row in checks if row["verdict"] != "fits"]
    yield from constant_rate(run)
    if checks and not doubts:
        yield say("fit.fits" if waves is None else "fit.by_chance")
    for row in doubts:
        how = say(f"fit.{row['verdict']}")
        which = row["check"] if row["check"] != "trend" or row["statistic"] > 0 else "falling"
        yield say(f"fit.{which}", how=how)
    if doubts:
        yield say("fit.one_rate" if waves is None else "fit.waves")


def constant_rate(run: Run) -> Iterator[str]:
    """How likely it is that the rate does not wave, in a sentence, where it may."""
    waves, table = run.scenario.assumptions.recruitment.waves, run.tables["fit.csv"]
    for now in table.loc[table["check"] == CONSTANT, "statistic"]:
        if waves is not None:
            yield run.say("fit.constant", now=now, before=float(waves.calm))


def _learnt(run: Run) -> Answer:
    """What was believed at the opening and what is now, those first that moved most."""
    say, table = run.say, run.tables["beliefs.csv"]
    title = say("forecast.taught")
    if table.empty or not (table["learnt"] == "yes").any():
        return Answer("learnt", title, say("learnt.nothing"), in_contents=False)
    width = (table["prior_high"] - table["prior_low"]).where(lambda each: each > 0)
    moved = ((table["mean"] - table["prior_mean"]).abs() / width).fillna(0.0)
    table = table.assign(moved=moved).sort_values("moved", ascending=False, kind="stable")
    frame = table.assign(
        assumption=table["path"].map(run.name).map(say.capital),
        plan=[_spread(run, row, "prior_") for row in table.to_dict("records")],
        now=[_spread(run, row) for row in table.to_dict("records")],
        seen=[_seen(run, row) if row["of"] else "" for row in table.to_dict("records")],
    )
    columns = {"assumption": "text", "plan": "figure", "seen": "figure", "now": "figure"}
    taught = frame[frame["learnt"] == "yes"]
    parts = [table_of(say, "learnt", taught.head(FEW_MOVED), columns)]
    rest = pd.concat([taught.iloc[FEW_MOVED:], frame[frame["learnt"] == "no"]])
    more = [] if rest.empty else [table_of(say, "unlearnt", rest, columns)]
    first = frame.iloc[0]
    lead = say("learnt.lead", name=first["assumption"], plan=first["plan"], now=first["now"])
    return Answer("learnt", title, lead, parts=parts, more=more, in_contents=False)


def _seen(run: Run, row: Mapping[Any, Any]) -> str:
    """How many were seen of how many, and as how many the plan counts if that can be said."""
    said = {"seen": row["seen"], "of": float(f"{row['of']:.3g}")}
    if math.isnan(row["prior_worth"]):
        return run.say("learnt.seen_of", **said)
    return run.say("learnt.seen_of_worth", **said, worth=row["prior_worth"])


def _spread(run: Run, row: Mapping[Any, Any], which: str = "") -> str:
    """A mean and the middle 90 % in a cell."""
    mean, low, high = run.say.estimate(*(row[which + end] for end in ("mean", "low", "high")))
    return run.say.aside(mean, run.say.span(low, high))
