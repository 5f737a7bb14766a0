"""The page of a solution: from which value of a lever on a target is met, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.experiments.solve import EVERYWHERE, FOUND, NOT_MONOTONE, NOWHERE, UNDECIDED
from sim.report import provenance
from sim.report.charts import Chart
from sim.report.crossing import Answered, crossing
from sim.report.page import Answer, Figure, Row, Table, limit, place
from sim.report.rendering import Page
from sim.results import folder
from sim.results.points import POINTS_TABLE, SOLUTION_TABLE
from sim.scenario.levers import DATE, NUMBER, WHOLE
from sim.scenario.load import Scenario, load
from sim.scenario.schema import Target
from sim.vocabulary.words import ENGLISH, Words, words

VALUES = {NUMBER: "float64", WHOLE: "Int64", DATE: "str"}
SIGNIFICANT = 3


class Solved(NamedTuple):
    """A finished search as its folder holds it."""

    scenario: Scenario
    answer: pd.DataFrame
    points: pd.DataFrame
    manifest: Mapping[str, Any]
    say: Words

    @property
    def verdict(self) -> str:
        """What the search ended with."""
        return str(self.answer["verdict"].iloc[0])

    @property
    def path(self) -> str:
        """What was moved."""
        return str(self.manifest["moved"])

    @property
    def lever(self) -> str:
        """What was moved, in words: the last name of its path, or two if it is but one word."""
        *_, above, last = ["", *self.path.split(".")]
        title = self.say.title(last)
        if not above or " " in words().title(last):
            return title
        return self.say("format.compound", whole=self.say.title(above), part=title)

    @property
    def target(self) -> Target:
        """What was asked for."""
        return self.scenario.targets[self.manifest["until"]]

    @property
    def chance(self) -> str:
        """The probability asked for."""
        return self.say.percent(self.target.with_probability)

    def figure(self, name: str) -> float | None:
        """A figure of the answer as a number, of a date its ordinal; None where there is none."""
        cell = self.answer[name].iloc[0]
        return None if pd.isna(cell) else self.scale(cell)

    def scale(self, cell: object) -> float:
        """A value of the lever as a number, of a date its ordinal."""
        if self.manifest["moved_kind"] == DATE:
            return date.fromisoformat(str(cell)).toordinal()
        return float(str(cell))

    def in_words(self, value: float) -> str:
        """A value of the lever as the page writes it."""
        if self.manifest["moved_kind"] == DATE:
            return self.say.day(date.fromordinal(round(value)))
        return f"{value:,.12g}"


def read(finished: Path, language: str = ENGLISH) -> Solved:
    """Read what the page is made of."""
    manifest = folder.manifest(finished)
    values = dict.fromkeys(("value", "low", "high"), VALUES[manifest["moved_kind"]])
    answer = pd.read_csv(finished / SOLUTION_TABLE, dtype=values)
    points = pd.read_csv(finished / POINTS_TABLE, dtype={manifest["moved"]: str})
    return Solved(load(finished / folder.SCENARIO), answer, points, manifest, words(language))


def write(finished: Path, language: str = ENGLISH) -> None:
    """Write `report.html` into the folder of a solution, from what the folder holds alone."""
    page(read(finished, language)).write(finished)


def page(solved: Solved) -> Page:
    """Return the page of a solution."""
    say, manifest = solved.say, solved.manifest
    note = say(
        "solve.note",
        points=say.number(len(solved.points), 0),
        replications=say.number(manifest["replications"], 0),
        seed=manifest["seed"],
    )
    blanks = {
        "title": say("solve.title"),
        "place": place(solved.scenario, solved.say),
        "verdict": verdict(solved),
        "note": note,
        "manifest": manifest,
        "provenance": provenance.of(manifest, say),
    }
    return Page("solve.html.j2", solved.say, [_answer(solved)], blanks)


def verdict(solved: Solved) -> str:
    """Return the answer in one sentence."""
    say = solved.say
    low, high = map(solved.in_words, map(solved.scale, solved.manifest["between"]))
    said = {
        "target": say.heading(solved.manifest["until"]),
        "chance": solved.chance,
        "lever": solved.lever,
    }
    if solved.verdict == FOUND:
        value, *ends = _rounded(solved)
        return say(f"solve.{_sought(solved)}", **said, value=value, span=say.span(*ends))
    if solved.verdict == NOT_MONOTONE:
        return say("solve.not_monotone", **said, **_fall(solved))
    if solved.verdict == UNDECIDED:
        return say("solve.undecided", **said, span=_open_span(solved, low, high))
    ranked = _along(solved).sort_values("value", kind="stable")
    extreme = ranked.iloc[-1 if solved.verdict == NOWHERE else 0]
    said |= {"best" if solved.verdict == NOWHERE else "worst": say.percent(extreme["value"])}
    key = {NOWHERE: "solve.never", EVERYWHERE: "solve.always"}[solved.verdict]
    return say(key, **said, low=low, high=high, where=solved.in_words(extreme["at"]))


def lines(solved: Solved) -> Iterator[str]:
    """Yield the verdict, what to mind, and a line a value tried, for a terminal."""
    yield verdict(solved)
    yield from _warnings(solved)
    for row in _rows(solved):
        value, trials, probability, interval, said = row.cells
        yield f"  {value}: {probability} ({interval}) of {trials} simulated trials, {said}"


def _sought(solved: Solved) -> str:
    """Which side of the value meets the target, as the catalogue names it."""
    if solved.manifest["moved_kind"] == DATE:
        return "sought_later" if solved.manifest["rising"] else "sought_earlier"
    return "sought_more" if solved.manifest["rising"] else "sought_less"


def _rounded(solved: Solved) -> list[str]:
    """The value, the low and the high end of an answer that was found, as they are said.

    A number is said to the first digit of half the interval's width: the value rounded to the side
    that meets the target, the interval outwards.
    """
    figures = [solved.figure(name) for name in ("value", "low", "high")]
    value, low, high = (math.nan if figure is None else figure for figure in figures)
    if solved.manifest["moved_kind"] != NUMBER:
        return [solved.in_words(each) for each in (value, low, high)]
    unit = 10.0 ** math.floor(math.log10((high - low) / 2 or abs(value) / 10.0**SIGNIFICANT or 1.0))
    sides = (math.ceil if solved.manifest["rising"] else math.floor, math.floor, math.ceil)
    return [
        solved.in_words(side(round(each / unit, 6)) * unit)
        for side, each in zip(sides, (value, low, high), strict=True)
    ]


def _open_span(solved: Solved, first: str, last: str) -> str:
    """What an undecided answer leaves open, in words: on one side it is bounded, or on none."""
    say, rising = solved.say, solved.manifest["rising"]
    low, high = (_outwards(solved, name) for name in ("low", "high"))
    said = {"chance": solved.chance}
    if not (low or high):
        return say("solve.anywhere", **said, low=first, high=last)
    if low:
        return say("solve.missed_to" if rising else "solve.met_to", **said, bound=low, end=last)
    return say("solve.met_from" if rising else "solve.missed_from", **said, bound=high, end=first)


def _outwards(solved: Solved, name: str) -> str:
    """An end of the interval to three digits, rounded away from what lies within."""
    end = solved.figure(name)
    if end is None or solved.manifest["moved_kind"] != NUMBER:
        return "" if end is None else solved.in_words(end)
    unit = 10.0 ** (math.floor(math.log10(abs(end) or 1.0)) - SIGNIFICANT + 1)
    side = math.floor if name == "low" else math.ceil
    return solved.in_words(side(round(end / unit, 6)) * unit)


def _answer(solved: Solved) -> Answer:
    say, target = solved.say, solved.target
    header = [say.heading(solved.lever), say("solve.trials"), say("solve.probability")]
    table = Table(
        say("solve.steps"),
        [*header, say("solve.interval"), say("targets.verdict")],
        list(_rows(solved)),
        say("solve.steps_note"),
    )
    low, high = map(solved.in_words, map(solved.scale, solved.manifest["between"]))
    lead = say(
        "solve.lead",
        path=solved.path,
        measure=say.title(target.measure),
        needed=limit(target, say),
        chance=solved.chance,
        low=low,
        high=high,
    )
    heading = say.title(solved.manifest["until"])
    title = say("solve.line", target=heading, lever=solved.lever)
    figure = Figure(title, _chart(solved), table)
    return Answer("solution", say("solve.answer"), lead, list(_warnings(solved)), [figure])


def _warnings(solved: Solved) -> Iterator[str]:
    if solved.verdict == UNDECIDED:
        yield solved.say("solve.more")
    if solved.manifest["fall"] and solved.verdict != NOT_MONOTONE:
        yield solved.say("solve.falls", **_fall(solved))


def _fall(solved: Solved) -> dict[str, str]:
    """Two values of which the one that should do better does worse."""
    table = solved.points.drop_duplicates(solved.path, keep="last").set_index(solved.path)
    probability = table[f"{solved.manifest['until']}_probability"]
    said = [
        solved.say(
            "solve.at",
            probability=solved.say.percent(probability.loc[value]),
            value=solved.in_words(solved.scale(value)),
        )
        for value in solved.manifest["fall"]
    ]
    return dict(zip(("before", "after"), said, strict=True))


def _rows(solved: Solved) -> Iterator[Row]:
    name, wanted = solved.manifest["until"], solved.target.with_probability
    order = solved.points.assign(at=solved.points[solved.path].map(solved.scale))
    for _, step in order.sort_values(["at", "replications"], kind="stable").iterrows():
        low, high = step[f"{name}_ci_low"], step[f"{name}_ci_high"]
        said = "met" if low >= wanted else "missed" if high < wanted else "undecided"
        cells = [
            solved.in_words(solved.scale(step[solved.path])),
            solved.say.number(step["replications"], 0),
            solved.say.percent(step[f"{name}_probability"]),
            solved.say.span(solved.say.percent(low), solved.say.percent(high)),
            solved.say(f"targets.{said}"),
        ]
        yield Row(cells, said)


def _along(solved: Solved) -> pd.DataFrame:
    """The curve to draw: the values that all replications tried, and beyond them the others."""
    name, points = solved.manifest["until"], solved.points
    table = pd.DataFrame(
        {
            "at": points[solved.path].map(solved.scale),
            "value": points[f"{name}_probability"],
            "low": points[f"{name}_ci_low"],
            "high": points[f"{name}_ci_high"],
        }
    )
    whole = points["replications"] == points["replications"].max()
    inside = table["at"].between(table["at"][whole].min(), table["at"][whole].max())
    drawn: pd.DataFrame = table[whole | ~inside].sort_values("at").reset_index(drop=True)
    return drawn


def _chart(solved: Solved) -> Chart:
    say = solved.say
    wanted, is_date = solved.target.with_probability, solved.manifest["moved_kind"] == DATE
    value, low, high = map(solved.figure, ("value", "low", "high"))
    answered = Answered(wanted, value, low, high, is_date)
    named = (say("solve.band"), say("solve.needed"), say("solve.solution"))
    axes = (say.heading(solved.lever), say("solve.axis"))
    return crossing(_along(solved), answered, named, axes, verdict(solved))
