"""The page of a sweep: how probable each target is at each point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from sim.report.charts import field, lines
from sim.report.page import (
    Answer,
    Figure,
    Finished,
    Page,
    Part,
    Table,
    TableRow,
    percent_within,
    within,
)
from sim.results import folder
from sim.results.points import DONE, POINTS_TABLE

PROBABILITY = "_probability"
ALL_IN_ONE_FIELD = 2
MOST_LINES = 15
"""Points that a terminal shows."""

MOST_POINTS = 1000
"""Points a page shows; its charts take no more, and nobody reads more rows."""


class Swept(Finished):
    """A finished sweep."""

    @cached_property
    def points(self) -> pd.DataFrame:
        """A row a point; what was varied is as written."""
        return folder.csv(self.place / POINTS_TABLE, dtype=dict.fromkeys(self.paths, str))

    @property
    def done(self) -> pd.DataFrame:
        """The points that could be simulated."""
        return self.points[self.points["status"] == DONE]

    @property
    def paths(self) -> list[str]:
        """What was varied."""
        return list(self.manifest["varied"])

    @cached_property
    def names(self) -> dict[str, str]:
        """What was varied, in words."""
        return {path: self.name(path) for path in self.paths}

    @property
    def targets(self) -> list[str]:
        """The targets, in the order of the scenario."""
        every = map(str, self.points)
        return [name.removesuffix(PROBABILITY) for name in every if name.endswith(PROBABILITY)]

    @property
    def spread_of_first(self) -> str:
        """Between which points the first target's probability lies, in one sentence."""
        if not self.targets:
            return self.say("sweep.no_target")
        return _spread(self, self.targets[0]) if len(self.done) else self.say("sweep.none_done")


def sweep_page(place: Path, language: str) -> Page:
    """Return the page of a sweep."""
    sweep = Swept(place, language)
    return Page(
        sweep,
        title=sweep.say("sweep.title"),
        verdict=sweep.spread_of_first,
        note=sweep.say("sweep.note", **sweep.counts),
        answers=lambda: [_chances(sweep), sweep.origin()],
        lines=partial(_lines, sweep),
    )


def stride(points: int) -> int:
    """Return so that every how-manieth of so many points is shown."""
    return -(-points // MOST_POINTS)


def _spread(sweep: Swept, name: str) -> str:
    """Where a target is least and most probable."""
    ranked = sweep.done.sort_values(f"{name}{PROBABILITY}", kind="stable")
    ends = (ranked.iloc[0], ranked.iloc[-1])
    low, high = (end[f"{name}{PROBABILITY}"] for end in ends)
    worst, best = (_where(sweep, end) for end in ends)
    return sweep.say("sweep.verdict", target=name, low=low, worst=worst, high=high, best=best)


def _lines(sweep: Swept) -> Iterator[str]:
    """A line a point, of many points some, for a terminal; none where there is no target."""
    if not sweep.targets:
        return
    say, every = sweep.say, sweep.points
    shown = every[:: -(-len(every) // MOST_LINES)]
    if len(sweep.done):
        half = max(
            float((sweep.done[f"{name}_ci_high"] - sweep.done[f"{name}_ci_low"]).max()) / 2
            for name in sweep.targets
        )
        yield f"{say.listing(map(say.heading, sweep.targets))} ({within(half)} at most)"
    places = [_where(sweep, point) for _, point in shown.iterrows()]
    width = max(map(len, places))
    for place, (_, point) in zip(places, shown.iterrows(), strict=True):
        chances = [say.percent(point[f"{name}{PROBABILITY}"]) for name in sweep.targets]
        said = " ".join(f"{chance:>7}" for chance in chances)
        yield f"  {place:{width}} {said if point['status'] == DONE else say('sweep.failed')}"
    if (more := len(every) - len(shown)) > 0:
        yield f"  {more} more points are in {POINTS_TABLE}"


def _chances(sweep: Swept) -> Answer:
    say, every = sweep.say, len(sweep.points)
    shown = sweep.points[:: stride(every)]
    header = [*map(say.capital, sweep.names.values()), *map(say.heading, sweep.targets)]
    rows = [TableRow(_cells(sweep, point), point["status"]) for _, point in shown.iterrows()]
    note = "sweep.points_note" if len(rows) == every else "sweep.points_some"
    said = say(note, shown=len(rows), all=every)
    table = Table(say("sweep.points"), header, rows, said, len(sweep.paths))
    lead = say("sweep.lead", paths=say.listing(sweep.names.values()))
    parts: list[Part] = [*_figures(sweep, shown[shown["status"] == DONE], table)]
    return Answer("points", say("sweep.points_title"), lead, parts=parts or [table])


def _cells(sweep: Swept, point: pd.Series[Any]) -> list[str]:
    failed = sweep.say("sweep.failed")
    chances = (
        _chance(sweep, point, name) if point["status"] == DONE else failed for name in sweep.targets
    )
    return [*(point[path] for path in sweep.paths), *chances]


def _chance(sweep: Swept, point: pd.Series[Any], name: str) -> str:
    ends = (point[f"{name}_{end}"] for end in ("probability", "ci_low", "ci_high"))
    return percent_within(sweep.say, *ends)


def _where(sweep: Swept, point: pd.Series[Any]) -> str:
    return sweep.say.listing(f"{name} {point[path]}" for path, name in sweep.names.items())


def _figures(sweep: Swept, done: pd.DataFrame, table: Table) -> Iterator[Figure]:
    """A line a target along one path; over two a field for each target; over more none.

    A field of which points are left out has holes, and is not drawn.
    """
    say, paths = sweep.say, sweep.paths
    if done.empty or not sweep.targets or len(paths) > ALL_IN_ONE_FIELD:
        return
    drawn = {
        name: done.assign(value=done[f"{name}{PROBABILITY}"], series=say.heading(name)).rename(
            columns={f"{name}_ci_low": "low", f"{name}_ci_high": "high"}
        )
        for name in sweep.targets
    }
    if len(paths) == 1:
        named = ("at", "value", "low", "high", "series")
        every = pd.concat(each.assign(at=_scale(each[paths[0]])) for each in drawn.values())
        across = sweep.names[paths[0]]
        chart = lines(every[[*named]], say("sweep.axis"), unit="share", across=across)
        chart.description = sweep.spread_of_first
        yield Figure(say("sweep.line"), chart, table)
    elif stride(len(sweep.points)) == 1:
        across, down = (sweep.names[path] for path in paths)
        shape = partial(field, title=say("sweep.axis"), across=across, down=down)
        for name, each in drawn.items():
            chart = shape(each.rename(columns=dict(zip(paths, ("across", "down"), strict=True))))
            chart.description = _spread(sweep, name)
            yield Figure(say("sweep.field", target=name), chart, table)


def _scale(values: pd.Series[Any]) -> pd.Series[Any]:
    """The values of a path as numbers or dates where all of them are, else as written."""
    with suppress(ValueError):
        return pd.to_numeric(values)
    with suppress(ValueError):
        return pd.to_datetime(values, format="%Y-%m-%d")
    return values
