"""From how few randomised on one would stop: the rule of `go_no_go` in words, and as a chart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from sim.report.charts import intervals
from sim.report.page import Answer, Figure, figure
from sim.report.run import Run
from sim.results.ignorance import FEWEST
from sim.scenario.schema import GoNoGo

_Row = dict[Any, Any]
"""What triggers.csv says of a month."""

EVERY_TRIAL = 1.0


def go_no_go(run: Run) -> Iterator[Answer]:
    """Yield what the rule says, how often it stops the trial and what that costs, if it is asked.

    Of too few replications it says that they are.
    """
    if (rule := run.scenario.go_no_go) is None:
        return
    say, table, asked = run.say, run.tables["triggers.csv"], _asked(run, rule)
    title = say("go_no_go.title", **asked)
    if table.empty:
        yield Answer("go_no_go", title, say("go_no_go.few", fewest=FEWEST))
        return
    lead = rule_said(run) or say("go_no_go.none", **asked)
    (together,) = table[table["month"].isna()].to_dict("records")
    stopped, lost = together["stopped"], together["stopped_of_met"]
    costs = say("go_no_go.costs" if lost > 0 else "go_no_go.in_vain", lost=lost, **asked)
    said = [say("go_no_go.stops", stopped=stopped, costs=costs)] if stopped else []
    yield Answer("go_no_go", title, lead, said, [_figure(run, asked)])


def rule_said(run: Run, months: Collection[int] | None = None) -> str:
    """Return the rule in a sentence or two, at the ends of all its months or of some of them.

    An empty text where there is no rule, and where no number is so low that one would stop.
    """
    if (rule := run.scenario.go_no_go) is None:
        return ""
    say, asked = run.say, _asked(run, rule)
    rows = [row for row in _rows(run) if months is None or row["month"] in months]
    few = [row for row in rows if row["fewer_than"] > 0 and row["stopped"] < EVERY_TRIAL]
    every = [str(row["month"]) for row in rows if row["stopped"] == EVERY_TRIAL]
    either, said = say("format.either"), []
    if few:
        keys = ["first", *["further"] * (len(few) - 1)]
        rules = (say(f"go_no_go.{key}", **row) for key, row in zip(keys, few, strict=True))
        said.append(say("go_no_go.rule", rules=either.join(rules), **asked))
    if every:
        said.append(say("go_no_go.always", months=either.join(every), **asked))
    return say.sentences(said)


def goal_of(run: Run, name: str) -> str:
    """Return what a target is called in a sentence: a number to randomise by that number."""
    target = run.scenario.targets[name]
    if target.measure == "randomised" and target.at_least is not None:
        return run.say("go_no_go.number", number=float(target.at_least))
    return run.say("go_no_go.named", name=name)


def _asked(run: Run, rule: GoNoGo) -> dict[str, Any]:
    """What the rule is about, and below which probability one would stop: blanks of its texts."""
    return {"goal": goal_of(run, rule.target), "below": float(rule.below)}


def _rows(run: Run) -> list[_Row]:
    """The rule, month by month."""
    table = run.tables["triggers.csv"].dropna(subset="month")
    return [{**row, "month": int(row["month"])} for row in table.to_dict("records")]


def _figure(run: Run, asked: dict[str, Any]) -> Figure:
    """What is randomised by the end of each month, beside the number below which one would stop."""
    say, drawn, told = run.say, list[_Row](), list[_Row]()
    for row in _rows(run):
        month = say("triggers.end", month=row["month"], day=pd.Timestamp(row["until"]))
        found = run.measure(f"randomised_by_month_{row['month']}")
        spread = {"value": found["p50"], "low": found["p10"], "high": found["p90"]}
        drawn.append({"label": month, "series": say("triggers.simulated"), **spread})
        ends = row["ci_low"], row["ci_high"]
        if row["fewer_than"] > 0 and row["stopped"] < EVERY_TRIAL:
            number = {"value": row["fewer_than"], "low": ends[0], "high": ends[1]}
            drawn.append({"label": month, "series": say("triggers.rule"), **number})
        told.append({**row, "by": month, "few": _few(run, row), "interval": ends})
    columns = {"by": "text", "few": "figure", "interval": "counts"}
    columns |= {"stopped": "share", "stopped_of_met": "share"}
    frames = (pd.DataFrame(drawn), pd.DataFrame(told))
    return figure(say, "triggers", intervals, frames[0], columns, behind=frames[1], **asked)


def _few(run: Run, row: _Row) -> str:
    """The number below which one would stop, in a cell."""
    if row["stopped"] == EVERY_TRIAL:
        return run.say("triggers.any")
    if row["fewer_than"] == 0:
        return run.say("triggers.no_number")
    return run.say.number(row["fewer_than"], 0)
