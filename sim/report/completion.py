"""Question 2 of the page: whether participants finish by the end date, and where they are lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from sim.report.annotations import deadlines, marked
from sim.report.charts import BLUE, DASHED, GREEN, ORANGE, SKY, Look, bars, lines
from sim.report.consort import flow
from sim.report.page import Answer, Figure, Part, Table, figure, table_of
from sim.report.participants import lives
from sim.report.recruitment import growth
from sim.report.run import Run
from sim.report.visits import causes, doses, windows

LOOKS_OF_FAILURES = {
    "failed_any": Look(SKY),
    "failed_first": Look(BLUE),
    "failed_only": Look(ORANGE),
}


def completion(run: Run) -> Answer:
    """Return whether participants finish in time, and where they are lost."""
    say, more = run.say, list(_more(run))
    shown: list[Part] = [flow(run)]
    title = say("finished.title", day=run.closes)
    if not run.anybody_randomised:
        return Answer("finished", title, say("finished.nobody"), (), shown, more)
    means = {name: run.mean(name) for name in ("randomised", "completed")}
    lead = say("finished.lead", day=run.closes, **means)
    if len(run.tables["visits.csv"]):
        shown += [windows(run), *causes(run)]
    more = [_completion(run), *more]
    return Answer("finished", title, lead, list(_paragraphs(run)), shown, more)


def _paragraphs(run: Run) -> Iterator[str]:
    say = run.say
    if run.count > 1:
        yield say("finished.span", **run.spread("completed"))
    yield say("finished.still", still=run.mean("still_in_follow_up"), left=run.mean("left"))
    last_safe = min((arm.latest_safe_day for arm in run.protocol.arms), default=0)
    days = (run.recruits_until - run.opens).days - last_safe
    if days > 0:
        yield say("finished.too_late", day=run.recruits_until, days=days)


def _more(run: Run) -> Iterator[Part]:
    yield from lives(run)
    if run.protocol.randomisation.strata:
        yield _balance(run)
    yield _safe_dates(run)
    if len(run.tables["funnel.csv"]):
        yield _funnel(run)
    if run.protocol.screening.rescreening is not None:
        yield _attempts(run)
    if run.anybody_randomised:
        yield from doses(run)


def _balance(run: Run) -> Table:
    """How many of each stratum are randomised to each arm."""
    say, scheme, counts = run.say, run.protocol.randomisation, run.tables["balance.csv"]
    said = scheme.named_groups(say.title, say.texts["balance.without"])
    names = dict(zip(scheme.named_groups().values(), said.values(), strict=True))
    frame = pd.DataFrame(
        {
            "stratum": names[row["stratum"]],
            "arm": run.arm_title(row["arm"]),
            "mean": row["mean"],
            "middle": [row["p10"], row["p90"]],
        }
        for row in counts.to_dict("records")
    )
    columns = {"stratum": "text", "arm": "text", "mean": "number", "middle": "counts"}
    return table_of(say, "balance", frame, columns)


def _safe_dates(run: Run) -> Table:
    """Until when each arm may randomise, and how many are randomised by then and later."""
    say = run.say
    frame = pd.DataFrame(
        {
            "arm": run.arm_title(arm.name),
            "safe_day": say.day(run.date_of_day(arm.latest_safe_day))
            if arm.latest_safe_day >= 0
            else say("safe.before_opening"),
            "every": run.measure(f"randomised_{arm.name}")["mean"],
            "in_time": run.measure(f"randomised_in_time_{arm.name}")["mean"],
        }
        for arm in run.protocol.arms
    )
    frame["late"] = frame["every"] - frame["in_time"]
    columns = {"arm": "text", "safe_day": "figure", "in_time": "number", "late": "number"}
    return table_of(say, "safe", frame, columns)


def _completion(run: Run) -> Figure:
    """Participants randomised and completed by month."""
    say, grown = run.say, {stage: growth(run, stage) for stage in ("randomised", "completed")}
    drawn = pd.concat(
        each.assign(series=say(f"completion_series.{stage}")) for stage, each in grown.items()
    )
    behind = (
        grown["completed"]
        .add_prefix("completed_")
        .assign(at=grown["randomised"]["at"], randomised_p50=grown["randomised"]["p50"])
    )
    counts = ("randomised_p50", "completed_p10", "completed_p50", "completed_p90")
    marks, looks = marked(deadlines(run), run.opens), [Look(BLUE), Look(GREEN, DASHED)]
    return figure(
        say,
        "completion",
        partial(lines, looks=looks, behind=marks),
        drawn,
        {"at": "day", **dict.fromkeys(counts, "count")},
        behind=behind,
        day=run.closes,
        **{stage: each["p50"].iloc[-1] for stage, each in grown.items()},
    )


def _attempts(run: Run) -> Table:
    """What came of each attempt at screening: those with which nobody ever ended are left out."""
    long = run.tables["attempts.csv"]
    wide = long.pivot(index="attempt", columns="box", values="mean")  # noqa: PD010  no aggregation is meant
    boxes = [box for box in long["box"].unique() if wide[box].any()]
    columns = {"attempt": "text", **dict.fromkeys(boxes, "number")}
    return table_of(run.say, "attempts", wide.reset_index(), columns)


def _funnel(run: Run) -> Figure:
    """How many candidates each criterion stops, and how many it alone would stop."""
    say, steps = run.say, run.tables["funnel.csv"]
    named = {name: say(f"funnel.{name}") for name in LOOKS_OF_FAILURES}
    long = steps.assign(label=steps["step"].map(say.title)).rename(columns=named)
    worst = steps.iloc[int(steps["failed_first"].argmax())]
    return figure(
        say,
        "funnel",
        partial(bars, looks=list(LOOKS_OF_FAILURES.values())),
        long.melt("label", list(named.values()), "series", "value"),
        {
            "step": "name",
            **dict.fromkeys(("reached", *LOOKS_OF_FAILURES), "number"),
            "share_failing": "share",
        },
        behind=steps,
        message="" if worst["failed_first"] > 0 else say("funnel.none"),
        name=worst["step"],
        share=worst["share_failing"],
    )
