"""The page of a solution: from which value of a lever on a target is met, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from functools import cached_property, partial
from pathlib import Path

import pandas as pd

from sim.experiments.solve import EVERYWHERE, FOUND, NOT_MONOTONE, NOWHERE, UNDECIDED
from sim.report.charts import BLACK, BLUE, DASHED, DOTTED, VERMILION, Chart, Look, lines
from sim.report.page import (
    Answer,
    Figure,
    Finished,
    Page,
    Table,
    limit,
    table_of,
)
from sim.results import folder
from sim.results.points import POINTS_TABLE, SOLUTION_TABLE
from sim.scenario.levers import DATE, NUMBER, WHOLE
from sim.scenario.schema import Target

VALUES = {NUMBER: "float64", WHOLE: "Int64", DATE: "str"}
SIGNIFICANT = 3
MOST_VALUES = 12
"""Values tried that a terminal shows."""


class Solved(Finished):
    """A finished search."""

    @cached_property
    def answer(self) -> pd.DataFrame:
        """What was found, in one row."""
        kinds = dict.fromkeys(("value", "low", "high"), VALUES[self.manifest["moved_kind"]])
        return folder.csv(self.place / SOLUTION_TABLE, dtype=kinds)

    @cached_property
    def points(self) -> pd.DataFrame:
        """The values tried, a row each."""
        return folder.csv(self.place / POINTS_TABLE, dtype={self.path: str})

    @cached_property
    def steps(self) -> pd.DataFrame:
        """The values tried: at (of a date its ordinal), replications, value, low, high."""
        until = self.manifest["until"]
        ends = {f"{until}_ci_low": "low", f"{until}_ci_high": "high"}
        named = self.points.rename(columns={f"{until}_probability": "value", **ends})
        return named.assign(at=named[self.path].map(self.scale))

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
        """What was moved, in words."""
        return self.name(self.path)

    @property
    def target(self) -> Target:
        """What was asked for."""
        return self.scenario.targets[self.manifest["until"]]

    @property
    def chance(self) -> float:
        """The probability asked for."""
        return self.target.with_probability

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


def solution_page(place: Path, language: str) -> Page:
    """Return the page of a solution."""
    solved = Solved(place, language)
    return Page(
        solved,
        title=solved.say("solve.title"),
        verdict=_dated(solved, answered(solved)),
        note=solved.say("solve.note", **solved.counts | {"points": len(solved.points)}),
        answers=lambda: [_answer(solved), solved.origin()],
        lines=partial(_lines, solved),
    )


def _dated(solved: Solved, said: str) -> str:
    """Return the answer with the day from which it looks ahead, if there is one."""
    day = solved.manifest.get("as_of")
    if day is None:
        return said
    return solved.say("forecast.as_of", day=date.fromisoformat(day), said=said)


def answered(solved: Solved) -> str:
    """Return the answer in one sentence."""
    say = solved.say
    low, high = map(solved.in_words, map(solved.scale, solved.manifest["between"]))
    said = {
        "target": solved.manifest["until"],
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
    said |= {"best" if solved.verdict == NOWHERE else "worst": extreme["value"]}
    key = {NOWHERE: "solve.never", EVERYWHERE: "solve.always"}[solved.verdict]
    return say(key, **said, low=low, high=high, where=solved.in_words(extreme["at"]))


def _lines(solved: Solved) -> Iterator[str]:
    """What to mind, and of the values tried those nearest to the answer, for a terminal."""
    yield from _warnings(solved)
    rows = _table(solved).rows
    steps = solved.steps.sort_values(["at", "replications"], kind="stable")
    away = (steps["value"] - solved.target.with_probability).abs().to_numpy()
    nearest = sorted(
        range(len(rows)), key=lambda row: (-steps["replications"].iloc[row], away[row])
    )
    for row in sorted(nearest[:MOST_VALUES]):
        value, trials, probability, interval, said = rows[row].cells
        yield f"  {value}: {probability} ({interval}) of {trials} trials, {said}"
    if (more := len(rows) - MOST_VALUES) > 0:
        yield f"  {more} more values tried are in {POINTS_TABLE}"


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
    say, target, until = solved.say, solved.target, solved.manifest["until"]
    low, high = map(solved.in_words, map(solved.scale, solved.manifest["between"]))
    asked = {"measure": target.measure, "needed": limit(target, say), "chance": solved.chance}
    lead = say("solve.lead", path=solved.lever, low=low, high=high, **asked)
    title = say("solve.line", target=until, lever=solved.lever)
    figure = Figure(title, _chart(solved), _table(solved))
    return Answer("solution", say("solve.answer"), lead, list(_warnings(solved)), [figure])


def _table(solved: Solved) -> Table:
    """The values tried in order, with their verdicts."""
    steps = solved.steps.sort_values(["at", "replications"], kind="stable")
    wanted = solved.target.with_probability
    said = steps["low"].ge(wanted).map({True: "met", False: "undecided"})
    kinds = said.mask(steps["high"] < wanted, "missed")
    frame = steps.assign(
        at=steps["at"].map(solved.in_words),
        probability=steps["value"],
        interval=list(steps[["low", "high"]].to_numpy()),
        verdict=[solved.say(f"targets.{kind}") for kind in kinds],
        kind=kinds,
    )
    columns = {"at": "text", "replications": "count", "probability": "share"}
    columns |= {"interval": "interval", "verdict": "figure"}
    return table_of(solved.say, "steps", frame, columns, lever=solved.lever)


def _warnings(solved: Solved) -> Iterator[str]:
    if solved.verdict == UNDECIDED:
        yield solved.say("solve.more")
    if solved.manifest["fall"] and solved.verdict != NOT_MONOTONE:
        yield solved.say("solve.falls", **_fall(solved))


def _fall(solved: Solved) -> dict[str, str]:
    """Two values of which the one that should do better does worse."""
    chances = solved.steps.drop_duplicates("at", keep="last").set_index("at")["value"]
    places = zip(("before", "after"), map(solved.scale, solved.manifest["fall"]), strict=True)
    return {
        name: solved.say("solve.at", probability=chances[at], value=solved.in_words(at))
        for name, at in places
    }


def _along(solved: Solved) -> pd.DataFrame:
    """The curve to draw: the values that all replications tried, and beyond them the others."""
    steps, most = solved.steps, solved.steps["replications"].max()
    whole = steps["replications"] == most
    inside = steps["at"].between(steps["at"][whole].min(), steps["at"][whole].max())
    drawn: pd.DataFrame = steps[whole | ~inside].sort_values("at").reset_index(drop=True)
    return drawn[["at", "value", "low", "high"]]


def _chart(solved: Solved) -> Chart:
    """The curve with its band, the share needed as a level line, the answer as an upright one."""
    say, curve = solved.say, _along(solved)
    first, last = curve["at"].min(), curve["at"].max()
    value, low, high = map(solved.figure, ("value", "low", "high"))
    wanted = pd.DataFrame({"at": [first, last], "value": solved.target.with_probability})
    rows = [curve.assign(series=say("solve.band")), wanted.assign(series=say("solve.needed"))]
    answers = []
    if not value is low is high is None:
        edges = [first if low is None else low, last if high is None else high]
        answers.append(pd.DataFrame({"at": edges, "low": 0.0, "high": 1.0}))
    if value is not None:
        answers.append(pd.DataFrame({"at": [value, value], "value": [0.0, 1.0]}))
    rows += [answer.assign(series=say("solve.solution")) for answer in answers]
    drawn = pd.concat(rows, ignore_index=True)
    if solved.manifest["moved_kind"] == DATE:
        ordinals = (date.fromordinal(round(each)) for each in drawn["at"])
        drawn["at"] = pd.to_datetime(list(ordinals))
    looks = [Look(BLUE), Look(BLACK, DASHED), Look(VERMILION, DOTTED)]
    across = say.capital(solved.lever)
    chart = lines(drawn, say("solve.axis"), unit="share", across=across, looks=looks)
    chart.description = answered(solved)
    return chart
