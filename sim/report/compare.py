"""The page of a comparison: scenarios side by side, met by the same simulated people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial, reduce
from pathlib import Path
from typing import Any

import pandas as pd

from sim.report.changes import Change, Runs, change_lines, changes_of_targets, told
from sim.report.charts import intervals, lines
from sim.report.forecast import dated
from sim.report.page import (
    PAGE,
    Answer,
    Figure,
    Finished,
    Listing,
    Page,
    Part,
    Table,
    TableRow,
    figure,
    table_of,
)
from sim.report.recruitment import growth
from sim.report.run import Run
from sim.report.workload import weeks
from sim.results import folder
from sim.scenario.load import Scenario, leaves
from sim.scenario.titles import called, path_titles
from sim.vocabulary.words import BLANK, Words, words

OF_INTERVAL = ["ci_low", "ci_high"]
"""Columns of the interval of a difference."""

MOST_INPUTS_OPEN = 8
"""Rows above which the table of inputs is folded away."""

SEEN_APART = 0.1
"""By how much of the highest value lines have to differ to be seen apart in a chart."""

TO_EACH_SIDE = 3
"""Differences that the finding of the chart of differences names, to each side."""

AS_A_VERDICT = {"better": "met", "worse": "missed"}
"""As which verdict a change of a target looks."""

BETTER = {
    **dict.fromkeys(("randomised", "completed"), 1),
    **dict.fromkeys(("day_of_target", "visits_out_of_window", "site_trips"), -1),
    "desk_backlog_peak_hours": -1,
}
"""Measures on the page, before those that targets name, and which way is better: 1 up, -1 down.

compare.csv has them all.
"""


class Comparison(Finished):
    """Finished runs side by side."""

    @cached_property
    def runs(self) -> Runs:
        """The runs by the titles of their scenarios."""
        say, names = words(self.language), self.manifest["scenarios"]
        return {say.title(name): Run(self.place / name, self.language) for name in names}

    @cached_property
    def say(self) -> Words:
        """The texts of the language, with what the scenarios call what they name, first come."""
        scenarios = (run.scenario for run in self.runs.values())
        return reduce(lambda say, each: called(each, say), scenarios, words(self.language))

    @cached_property
    def scenario(self) -> Scenario:
        """The baseline."""
        return next(iter(self.runs.values())).scenario


def comparison_page(place: Path, language: str) -> Page:
    """Return the page of runs side by side."""
    comparison = Comparison(place, language)
    say, runs = comparison.say, comparison.runs
    compared, changes = folder.read(place, "compare.csv"), list(changes_of_targets(runs))
    first, *others = told(changes, say) or [chances(runs)]
    pages = Listing("", list(map(_link, runs.values())))
    return Page(
        comparison,
        title=say("compare.title"),
        verdict=dated(next(iter(runs.values())), first),
        note=say("compare.note", **comparison.counts),
        leads=others,
        answers=lambda: [
            _inputs(runs, say),
            _reached(runs, changes, say),
            _differences(runs, compared, say),
            _work(runs, say),
            Answer("pages", say("compare.pages"), parts=[pages], in_contents=False),
            comparison.origin(),
        ],
        lines=partial(change_lines, runs, changes),
    )


def _link(run: Run) -> tuple[str, str]:
    """What a run's page is called, and where it is."""
    return run.say.own(run.scenario.title) or run.place.name, f"{run.place.name}/{PAGE}"


def chances(runs: Runs) -> str:
    """Return how probable the trial's own target is in each scenario, in one sentence."""
    say = next(iter(runs.values())).say
    each = say.clauses(
        say("compare.chance", name=name, probability=_chance(run)) for name, run in runs.items()
    )
    (target, day), *others = {(run.target, run.recruits_until) for run in runs.values()}
    if others or target is None:
        return say("compare.verdict", chances=each)
    return say("compare.verdict_one", target=target, day=day, chances=each)


def _chance(run: Run) -> str:
    if run.target is None:
        return run.say.number(run.mean("randomised"))
    return run.say.percent(float(run.reached(run.target).mean()))


def _inputs(runs: Runs, say: Words) -> Answer:
    """The inputs that are not the same in all scenarios."""
    scenarios = [run.scenario for run in runs.values()]
    names = [path_titles(scenario, say) for scenario in scenarios]
    rows = list(unlike([dict(leaves(scenario)) for scenario in scenarios], names, say))
    table = Table(say("compare.inputs"), [say("compare.path"), *runs], rows, texts=1 + len(runs))
    lead = say("compare.inputs_lead" if rows else "compare.inputs_same", count=len(rows))
    parts, more = ([table], []) if len(rows) <= MOST_INPUTS_OPEN else ([], [table])
    title = say("compare.inputs_title")
    return Answer("inputs", title, lead, parts=parts if rows else [], more=more)


def unlike(
    written: Sequence[Mapping[str, str]], names: Sequence[Callable[[str], str]], say: Words
) -> Iterator[TableRow]:
    """Yield a row an input that differs, from what each scenario writes by path.

    An entry that only some scenarios have, as a row of the schedule, is one row, however much it
    holds. It is called as in the first that has it.
    """
    whole: set[str] = set()
    for path in dict.fromkeys(path for values in written for path in values):
        cells = [say.title(values.get(path, BLANK)) for values in written]
        entry = _entry(path)
        held = [any(_entry(each) == entry for each in values) for values in written]
        if path == entry or all(held):
            if len(set(cells)) > 1:
                name = next(
                    name for name, values in zip(names, written, strict=True) if path in values
                )
                yield TableRow([say.capital(name(path)), *cells])
        elif entry not in whole:
            whole.add(entry)
            there = (say("compare.there") if each else BLANK for each in held)
            yield TableRow([say.capital(names[held.index(True)](entry)), *there])


def _entry(path: str) -> str:
    """The entry of the scenario that a path leads into, as `design.schedule.injections`."""
    return ".".join(path.split(".")[:3])


def _reached(runs: Runs, changes: Sequence[Change], say: Words) -> Answer:
    """How probable each target is, what changes in it, and how enrolment goes."""
    rows = pd.DataFrame(
        {
            "target": each.target,
            "scenario": each.scenario,
            "before": each.before,
            "after": each.after,
            "points": say.aside(*each.points(say)),
            "verdict": say(f"compare.{(word := _word(*each.within, 1))}"),
            "kind": f"target {AS_A_VERDICT.get(word, '')}".strip(),
        }
        for each in changes
    )
    units = {"target": "name", "scenario": "scenario", "before": "share", "after": "share"}
    units |= {"points": "figure", "verdict": "figure"}
    baseline = next(iter(runs))
    table = [table_of(say, "changes", rows, units, baseline=baseline)] if len(rows) else []
    lead = say("compare.reached_lead" if table else "compare.reached_alone", verdict=chances(runs))
    said, drawn = _enrolment(runs, say)
    parts: list[Part] = [*table, *drawn]
    return Answer("reached", say("compare.reached_title"), lead, said, parts)


def _enrolment(runs: Runs, say: Words) -> tuple[list[str], list[Figure]]:
    """The middle of those randomised by month, and the span of the first scenario.

    A sentence where the lines would lie on each other, else a chart.
    """
    grown = {name: growth(run, "randomised") for name, run in runs.items()}
    ends = say.clauses(
        f"{name} {say.number(each['p50'].iloc[-1], 0)}" for name, each in grown.items()
    )
    middles = _by_date(grown, "p50")
    if not _are_apart(middles[[*grown]]):
        return [say("enrolment.message", ends=ends)], []
    baseline, *others = (each.assign(series=name) for name, each in grown.items())
    drawn = pd.concat([baseline, *(each.drop(columns=["p10", "p90"]) for each in others)])
    columns = {"at": "day", **dict.fromkeys(grown, "number")}
    medians = figure(say, "enrolment", lines, drawn, columns, behind=middles, ends=ends)
    return [], [_headed(medians, grown)]


def _are_apart(values: pd.DataFrame) -> bool:
    """Whether the columns, a scenario each, differ anywhere by enough to be seen in a chart."""
    drawn = values.to_numpy(dtype=float)
    return bool((drawn.max(axis=1) - drawn.min(axis=1)).max() > SEEN_APART * drawn.max())


def _work(runs: Runs, say: Words) -> Answer:
    """The hours asked of each role in its busiest week, and week by week where they differ."""
    busy = {
        role: {
            name: run
            for name, run in runs.items()
            if role in run.scenario.design.staff and len(weeks(run, role, "asked_hours"))
        }
        for run in runs.values()
        for role in run.scenario.design.staff
        if run.mean(_busiest(role)) > 0
    }
    if not busy:
        return Answer("work", say("compare.work_title"), say("work.nobody"))
    most = pd.DataFrame(
        {name: run.mean(_busiest(role)) for name, run in having.items()}
        for role, having in busy.items()
    ).reindex(columns=[*runs])
    rows = [
        TableRow([say.heading(role), *map(say.number, hours)])
        for role, hours in zip(busy, most.to_numpy(), strict=True)
    ]
    table = Table(say("compare.busiest"), [say("shared.role"), *runs], rows)
    figures = [
        _week(having, role, say)
        for (role, having), (_, hours) in zip(busy.items(), most.iterrows(), strict=True)
        if _are_apart(hours.to_frame().T)
    ]
    return Answer(
        "work", say("compare.work_title"), say("compare.work_lead"), parts=[table, *figures]
    )


def _busiest(role: str) -> str:
    """The measure of the hours asked of a role in its busiest week."""
    return f"{role}_asked_hours_busiest_week"


def _week(runs: Runs, role: str, say: Words) -> Figure:
    asked = {name: weeks(run, role, "asked_hours") for name, run in runs.items()}
    means = [each[["at"]].assign(value=each["mean"], series=name) for name, each in asked.items()]
    most = say.clauses(
        f"{name} {say.number(run.mean(_busiest(role)))}" for name, run in runs.items()
    )
    means_of_weeks = figure(
        say,
        "asked",
        partial(lines, height=200),
        pd.concat(means),
        {"at": "day", **dict.fromkeys(asked, "number")},
        behind=_by_date(asked, "mean"),
        role=role,
        most=most,
    )
    return _headed(means_of_weeks, asked)


def _headed(drawn: Figure, names: Iterable[str]) -> Figure:
    """A figure whose table is headed by names as they are written."""
    header = [drawn.table.header[0], *names]
    return drawn._replace(table=drawn.table._replace(header=header))


def _by_date(tables: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """A column of each scenario by date."""
    wide = {name: table.set_index("at")[column] for name, table in tables.items()}
    return pd.DataFrame(wide).rename_axis("at").reset_index()


def _differences(runs: Runs, compared: pd.DataFrame, say: Words) -> Answer:
    """What each scenario changes against the first, pair by pair."""
    baseline, better = next(iter(runs)), BETTER | _wishes(runs)
    hours = (f"{role}_hours" for role in runs[baseline].scenario.design.staff)
    frame = pd.concat(compared[compared["measure"] == measure] for measure in [*better, *hours])
    ends = frame[OF_INTERVAL].to_numpy()
    written = [_written(say, *each) for each in frame[["difference", *OF_INTERVAL]].to_numpy()]
    frame = frame.assign(
        difference=[value for value, _ in written],
        interval=[span for _, span in written],
        verdict=[
            say(f"compare.{_word(low, high, better.get(measure, 0))}")
            for measure, (low, high) in zip(frame["measure"], ends, strict=True)
        ],
    )
    columns = {"measure": "name", "scenario": "scenario", "baseline_mean": "number"}
    columns |= {"difference": "figure", "interval": "figure", "chance_higher": "share"}
    columns |= {"verdict": "figure"}
    drawn = _dots(runs[baseline], compared, better, say)
    lead, title = (
        say("compare.differences_lead", baseline=baseline),
        say("compare.differences_title"),
    )
    if drawn.empty:
        parts: list[Part] = [table_of(say, "differences", frame, columns, baseline=baseline)]
    else:
        told: Any = {"behind": frame, "message": _clearest(drawn, say), "baseline": baseline}
        parts = [figure(say, "differences", intervals, drawn, columns, **told)]
    return Answer("differences", title, lead, parts=parts)


def _dots(
    baseline: Run, compared: pd.DataFrame, better: Mapping[str, int], say: Words
) -> pd.DataFrame:
    """Differences that have a better side, in standard deviations of the first scenario's trials.

    What is better is positive (Glass's delta). What does not vary has no such unit.
    """
    rows = []
    for each in compared.dropna(subset=["difference"]).to_dict("records"):
        measure, scenario = str(each["measure"]), say.title(str(each["scenario"]), "scenario")
        sd = float(baseline.measure(measure)["sd"]) if measure in better else 0.0
        if sd > 0:
            unit = better[measure] / sd
            low, high = sorted((each["ci_low"] * unit, each["ci_high"] * unit))
            value, _ = _written(say, each["difference"], low / unit, high / unit)
            label = say.aside(say.title(measure), value)
            rows.append(
                {"label": label, "series": scenario, "order": [*better].index(measure),
                 "value": each["difference"] * unit, "low": low, "high": high}
            )  # fmt: skip
    drawn = pd.DataFrame(rows)
    return drawn.sort_values("order", kind="stable") if rows else drawn


def _clearest(drawn: pd.DataFrame, say: Words) -> str:
    """What is clearly better and what clearly worse, the largest differences first."""
    rows = drawn.sort_values("value", key=abs, ascending=False, kind="stable").to_dict("records")
    named = {
        "better": [each for each in rows if each["low"] > 0],
        "worse": [each for each in rows if each["high"] < 0],
    }
    said = [
        say(
            f"differences.{word}",
            names=say.clauses(
                say.part(each["series"], each["label"]) for each in some[:TO_EACH_SIDE]
            ),
        )
        for word, some in named.items()
        if some
    ]
    return say.sentences(said) or say("differences.none")


def _written(say: Words, difference: float, low: float, high: float) -> tuple[str, str]:
    """A difference with its sign and its interval, both with the digits that count."""
    if pd.isna(difference):
        return BLANK, BLANK
    value, *ends = say.estimate(difference, *sorted((low, high)))
    sign = "+" if difference > 0 and value.strip("0.") else ""
    return f"{sign}{value}", BLANK if pd.isna(low) else say.span(*ends)


def _wishes(runs: Runs) -> dict[str, int]:
    """Which way each measure of a target is wanted to go: 1 up, -1 down."""
    targets = (target for run in runs.values() for target in run.scenario.targets.values())
    return {
        target.measure: 1 if target.at_most is None else -1
        for target in targets
        if (target.at_least is None) != (target.at_most is None)
    }


def _word(low: float, high: float, wish: int) -> str:
    """What the interval of a difference says, for somebody who wants it to go one way."""
    if not low > 0 and not high < 0:
        return "no_difference"
    if not wish:
        return "more" if low > 0 else "less"
    return "better" if (low > 0) == (wish > 0) else "worse"
