"""The page of a comparison: scenarios side by side, met by the same simulated people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.report import charts, findings, provenance
from sim.report import run as report
from sim.report.charts import STYLES, Frame, Series
from sim.report.page import Answer, Figure, Row, Run, Table, place
from sim.report.rendering import Page
from sim.results import folder
from sim.scenario.load import leaves
from sim.vocabulary.words import BLANK, ENGLISH, Words

Runs = Mapping[str, Run]
"""Finished runs by the names of their scenarios, the baseline first."""

FOLDED_FROM = 12
"""Rows above which the table of inputs is folded away."""

SHOWN = (
    *("randomised", "completed", "day_of_target", "visits_out_of_window", "site_trips"),
    "desk_backlog_peak_hours",
)
"""Measures on the page, before those that targets name; compare.csv has them all."""


class Comparison(NamedTuple):
    """Runs side by side as their folder holds them."""

    runs: Runs
    compared: pd.DataFrame
    manifest: Mapping[str, Any]


def read(finished: Path, language: str = ENGLISH) -> Comparison:
    """Read what the page is made of."""
    manifest = folder.manifest(finished)
    runs = {name: report.read(finished / name, language) for name in manifest["scenarios"]}
    return Comparison(runs, folder.read(finished, "compare.csv"), manifest)


def write(finished: Path, language: str = ENGLISH) -> None:
    """Write `report.html` into a folder of runs side by side, from what the folder holds alone."""
    page(read(finished, language)).write(finished)


def page(comparison: Comparison) -> Page:
    """Return the page of runs side by side."""
    runs, compared, manifest = comparison
    first = next(iter(runs.values()))
    say = first.say
    titled = {say.title(name): run for name, run in runs.items()}
    blanks = {
        "place": place(first.scenario, say),
        "verdict": verdict(titled),
        "replications": say.number(first.count, 0),
        "pages": [(name, say.own(run.scenario.title) or name) for name, run in runs.items()],
        "manifest": manifest,
        "provenance": provenance.of(manifest, say),
    }
    answers = [_inputs(titled, say), _reached(titled, say), _work(titled, say)]
    answers.append(_differences(titled, compared, say))
    return Page("compare.html.j2", say, answers, blanks)


def verdict(runs: Runs) -> str:
    """Return how probable the trial's own target is in each scenario, in one sentence."""
    say = next(iter(runs.values())).say
    chances = [
        say("compare.chance", name=name, probability=_chance(run)) for name, run in runs.items()
    ]
    aims = {(run.target, run.recruits_until) for run in runs.values()}
    (target, day), *others = aims
    if others or target is None:
        return say("compare.verdict", chances=say.clauses(chances))
    return say("compare.verdict_one", target=target, day=say.day(day), chances=say.clauses(chances))


def _chance(run: Run) -> str:
    if run.target is None:
        return run.say.number(run.measure("randomised")["mean"])
    return run.say.percent(float((run.replications["randomised"] >= run.target).mean()))


def _inputs(runs: Runs, say: Words) -> Answer:
    """The inputs that are not the same in all scenarios."""
    rows = list(unlike([dict(leaves(run.scenario)) for run in runs.values()], say))
    table = Table(say("compare.inputs"), [say("compare.path"), *runs], rows, texts=1 + len(runs))
    lead = say("compare.inputs_lead" if rows else "compare.inputs_same", count=len(rows))
    parts, more = ([table], []) if len(rows) <= FOLDED_FROM else ([], [table])
    return Answer("inputs", say("compare.inputs_title"), lead, (), parts if rows else [], more)


def unlike(written: Sequence[Mapping[str, str]], say: Words) -> Iterator[Row]:
    """Yield a row an input that differs, from what each scenario writes by path.

    An entry that only some scenarios have, as a row of the schedule, is one row, however much it
    holds.
    """
    whole: set[str] = set()
    for path in dict.fromkeys(path for values in written for path in values):
        cells = [values.get(path, BLANK) for values in written]
        entry = _entry(path)
        held = [any(_entry(each) == entry for each in values) for values in written]
        if path == entry or all(held):
            if len(set(cells)) > 1:
                yield Row([path, *cells])
        elif entry not in whole:
            whole.add(entry)
            yield Row([entry, *(say("compare.there") if each else BLANK for each in held)])


def _entry(path: str) -> str:
    """The entry of the scenario that a path leads into, as `design.schedule.injections`."""
    return ".".join(path.split(".")[:3])


def _reached(runs: Runs, say: Words) -> Answer:
    """How probable each target is, and how enrolment goes."""
    parts: list[Table | Figure] = []
    targets = dict.fromkeys(
        name for run in runs.values() for name in run.tables["targets.csv"]["target"]
    )
    if targets:
        parts.append(_targets(runs, list(targets), say))
    parts.append(_enrolment(runs, say))
    lead = say("compare.reached_lead", verdict=verdict(runs))
    return Answer("reached", say("compare.reached_title"), lead, (), parts)


def _targets(runs: Runs, targets: Sequence[str], say: Words) -> Table:
    judged = {
        name: {one["target"]: one for _, one in run.tables["targets.csv"].iterrows()}
        for name, run in runs.items()
    }
    rows = [
        Row([say.heading(name), *(_probability(found.get(name), say) for found in judged.values())])
        for name in targets
    ]
    return Table(say("compare.targets"), [say("targets.name"), *runs], rows)


def _probability(target: pd.Series[Any] | None, say: Words) -> str:
    if target is None:
        return BLANK
    span = say.span(say.percent(target["ci_low"]), say.percent(target["ci_high"]))
    return say.aside(say.percent(target["probability"]), span)


def _enrolment(runs: Runs, say: Words) -> Figure:
    """The middle of those randomised by month, and the span of the first scenario."""
    grown = {
        name: findings.growth(run.tables["enrolment.csv"], "randomised", run.opens, run.closes)
        for name, run in runs.items()
    }
    baseline = next(iter(grown))
    lines = pd.concat([each.assign(series=name) for name, each in grown.items()])
    band = grown[baseline].assign(series=baseline)
    ends = {name: say.number(each["p50"].iloc[-1], 0) for name, each in grown.items()}
    listed = say.clauses(f"{name} {end}" for name, end in ends.items())
    frame = Frame(say("compare.enrolment_axis"), say("compare.enrolment_message", ends=listed))
    chart = charts.over_time(
        lines.rename(columns=charts.BAND), band.rename(columns=charts.BAND), _styled(runs), frame
    )
    return Figure(
        say("compare.enrolment"), chart, _by_date(grown, "p50", say("compare.enrolment"), say)
    )


def _work(runs: Runs, say: Words) -> Answer:
    """The hours asked of each role, week by week."""
    roles = dict.fromkeys(
        role for run in runs.values() for role in run.scenario.design.staff if _asked(run, role)
    )
    figures = [_week(runs, role, say) for role in roles]
    lead = say("compare.work_lead" if figures else "work.nobody")
    return Answer("work", say("compare.work_title"), lead, (), figures)


def _asked(run: Run, role: str) -> bool:
    return bool(run.measure(f"{role}_asked_hours_busiest_week")["mean"] > 0)


def _week(runs: Runs, role: str, say: Words) -> Figure:
    weeks = {name: hours for name, run in runs.items() if len(hours := _hours(run, role))}
    lines = pd.concat([each.assign(series=name) for name, each in weeks.items()])
    most = {
        name: say.number(runs[name].measure(f"{role}_asked_hours_busiest_week")["mean"])
        for name in weeks
    }
    listed = say.clauses(f"{name} {hours}" for name, hours in most.items())
    message = say("compare.week_message", role=say.heading(role), most=listed)
    title = say("compare.week", role=say.heading(role))
    frame = Frame(say("compare.week_axis"), message, height=200)
    chart = charts.over_time(
        lines.rename(columns={"mean": "value"}), lines.iloc[:0], _styled(weeks), frame
    )
    return Figure(title, chart, _by_date(weeks, "mean", title, say))


def _hours(run: Run, role: str) -> pd.DataFrame:
    """The hours asked of a role: date and quantiles, a row a week."""
    every = run.tables["workload.csv"]
    ours = every[(every["role"] == role) & (every["quantity"] == "asked_hours")]
    return ours.assign(date=pd.to_datetime(ours["week"]))


def _by_date(tables: Mapping[str, pd.DataFrame], column: str, title: str, say: Words) -> Table:
    """A column of each scenario by date."""
    wide = pd.DataFrame({name: table.set_index("date")[column] for name, table in tables.items()})
    rows = [
        Row([say.day(day.date()), *(say.number(value) for value in values)])
        for day, values in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return Table(title, [say("shared.date"), *tables], rows)


def _styled(names: Mapping[str, object]) -> list[Series]:
    return [Series(name, *style) for name, style in zip(names, cycle(STYLES), strict=False)]


def _differences(runs: Runs, compared: pd.DataFrame, say: Words) -> Answer:
    """What each scenario changes against the first, pair by pair."""
    baseline, wishes = next(iter(runs)), _wishes(runs)
    shown = [*dict.fromkeys((*SHOWN, *wishes))]
    shown += [f"{role}_hours" for role in runs[baseline].scenario.design.staff]
    rows = [
        Row(list(_difference(one, wishes.get(measure, 0), say)))
        for measure in shown
        for _, one in compared[compared["measure"] == measure].iterrows()
    ]
    columns = ("measure", "scenario", "mean", "difference", "interval", "higher", "verdict_column")
    header = [say(f"compare.{column}", baseline=baseline) for column in columns]
    table = Table(say("compare.differences"), header, rows, say("compare.differences_note"), 2)
    lead = say("compare.differences_lead", baseline=baseline)
    return Answer("differences", say("compare.differences_title"), lead, (), [table])


def _wishes(runs: Runs) -> dict[str, int]:
    """Which way each measure of a target is wanted to go: 1 up, -1 down."""
    targets = (target for run in runs.values() for target in run.scenario.targets.values())
    return {
        target.measure: 1 if target.at_most is None else -1
        for target in targets
        if (target.at_least is None) != (target.at_most is None)
    }


def _difference(one: pd.Series[Any], wish: int, say: Words) -> Iterator[str]:
    yield say.heading(one["measure"])
    yield say.title(one["scenario"])
    yield say.number(one["baseline_mean"])
    yield f"{one['difference']:+,.2f}" if pd.notna(one["difference"]) else BLANK
    low, high = one["ci_low"], one["ci_high"]
    yield say.span(say.number(low, 2), say.number(high, 2)) if pd.notna(low) else BLANK
    yield say.percent(one["chance_higher"])
    if not low > 0 and not high < 0:
        yield say("compare.no_difference")
    elif not wish:
        yield say("compare.more" if low > 0 else "compare.less")
    else:
        yield say("compare.better" if (low > 0) == (wish > 0) else "compare.worse")
