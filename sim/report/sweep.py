"""The page of a sweep: how probable each target is at each point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.report import charts, provenance
from sim.report.charts import STYLES, Chart, Frame, Series
from sim.report.fields import heat_map
from sim.report.page import Answer, Figure, Row, Table, place
from sim.report.rendering import Page
from sim.report.scattering import stride
from sim.results import folder
from sim.results.points import DONE, POINTS_TABLE
from sim.scenario.load import Scenario, load
from sim.vocabulary.words import ENGLISH, Words, words

PROBABILITY = "_probability"
ALL_IN_ONE_FIELD = 2


class Sweep(NamedTuple):
    """A finished sweep as its folder holds it."""

    scenario: Scenario
    points: pd.DataFrame
    manifest: Mapping[str, Any]
    say: Words

    @property
    def paths(self) -> list[str]:
        """What was varied."""
        return list(self.manifest["varied"])

    @property
    def targets(self) -> list[str]:
        """The targets, in the order of the scenario."""
        every = map(str, self.points)
        return [name.removesuffix(PROBABILITY) for name in every if name.endswith(PROBABILITY)]


def read(finished: Path, language: str = ENGLISH) -> Sweep:
    """Read what the page is made of."""
    manifest = folder.manifest(finished)
    points = pd.read_csv(finished / POINTS_TABLE, dtype=dict.fromkeys(manifest["varied"], str))
    return Sweep(load(finished / folder.SCENARIO), points, manifest, words(language))


def write(finished: Path, language: str = ENGLISH) -> None:
    """Write `report.html` into the folder of a sweep, from what the folder holds alone."""
    page(read(finished, language)).write(finished)


def page(sweep: Sweep) -> Page:
    """Return the page of a sweep."""
    say, manifest = sweep.say, sweep.manifest
    blanks = {
        "title": say("sweep.title"),
        "place": place(sweep.scenario, sweep.say),
        "verdict": verdict(sweep),
        "replications": say.number(manifest["replications"], 0),
        "points": say.number(len(sweep.points), 0),
        "manifest": manifest,
        "provenance": provenance.of(manifest, say),
    }
    return Page("sweep.html.j2", sweep.say, [_chances(sweep)], blanks)


def verdict(sweep: Sweep) -> str:
    """Return between which points the first target's probability lies, in one sentence."""
    say = sweep.say
    if not sweep.targets:
        return say("sweep.no_target")
    return _spread(sweep, sweep.targets[0]) if len(_done(sweep)) else say("sweep.none_done")


def _done(sweep: Sweep) -> pd.DataFrame:
    return sweep.points[sweep.points["status"] == DONE]


def _spread(sweep: Sweep, name: str) -> str:
    """Where a target is least and most probable."""
    ranked = _done(sweep).sort_values(f"{name}{PROBABILITY}", kind="stable")
    ends = (ranked.iloc[0], ranked.iloc[-1])
    low, high = (sweep.say.percent(end[f"{name}{PROBABILITY}"]) for end in ends)
    worst, best = (_where(sweep, end) for end in ends)
    target = sweep.say.heading(name)
    return sweep.say("sweep.verdict", target=target, low=low, worst=worst, high=high, best=best)


def lines(sweep: Sweep) -> Iterator[str]:
    """Yield the verdict and a line a point, for a terminal."""
    yield verdict(sweep)
    for _, point in sweep.points.iterrows():
        said = [
            f"{name} {_chance(point, name, sweep.say)}"
            for name in sweep.targets
            if point["status"] == DONE
        ]
        yield f"  {_where(sweep, point)}: {', '.join(said) or point['status']}"


def _chances(sweep: Sweep) -> Answer:
    say = sweep.say
    shown = sweep._replace(points=sweep.points[:: stride(len(sweep.points))])
    header = [*sweep.paths, *map(say.heading, sweep.targets)]
    rows = [
        Row([*(point[path] for path in sweep.paths), *_cells(sweep, point)], point["status"])
        for _, point in shown.points.iterrows()
    ]
    note = "sweep.points_note" if len(rows) == len(sweep.points) else "sweep.points_some"
    said = say(note, shown=say.number(len(rows), 0), all=say.number(len(sweep.points), 0))
    table = Table(say("sweep.points"), header, rows, said, len(sweep.paths))
    figures = _figures(shown, table)
    lead = say("sweep.lead", paths=say.listing(sweep.paths))
    return Answer("points", say("sweep.points_title"), lead, (), figures or [table])


def _cells(sweep: Sweep, point: pd.Series[Any]) -> list[str]:
    if point["status"] != DONE:
        return [sweep.say("sweep.failed")] * len(sweep.targets)
    return [_chance(point, name, sweep.say) for name in sweep.targets]


def _chance(point: pd.Series[Any], name: str, say: Words) -> str:
    low, high = say.percent(point[f"{name}_ci_low"]), say.percent(point[f"{name}_ci_high"])
    return say.aside(say.percent(point[f"{name}{PROBABILITY}"]), say.span(low, high))


def _where(sweep: Sweep, point: pd.Series[Any]) -> str:
    last = {path: sweep.say.title(path.rpartition(".")[2]) for path in sweep.paths}
    return sweep.say.listing(f"{name} {point[path]}" for path, name in last.items())


def _figures(sweep: Sweep, table: Table) -> list[Figure]:
    """A line a target along one path; over two a field for each target; over more none.

    A field of which points are left out has holes, and is not drawn.
    """
    done = _done(sweep)
    if done.empty or not sweep.targets or len(sweep.paths) > ALL_IN_ONE_FIELD:
        return []
    if len(sweep.paths) > 1 and len(sweep.points) < sweep.manifest["points"]:
        return []
    if len(sweep.paths) == 1:
        return [Figure(sweep.say("sweep.line"), _line(sweep, done), table)]
    return [
        Figure(sweep.say("sweep.field", target=sweep.say.heading(name)), field, table)
        for name, field in ((name, _field(sweep, done, name)) for name in sweep.targets)
    ]


def _line(sweep: Sweep, done: pd.DataFrame) -> Chart:
    (path,), say = sweep.paths, sweep.say
    parts = [
        pd.DataFrame(
            {
                "at": _scale(done[path]),
                "value": done[f"{name}{PROBABILITY}"],
                "low": done[f"{name}_ci_low"],
                "high": done[f"{name}_ci_high"],
                "series": say.heading(name),
            }
        )
        for name in sweep.targets
    ]
    named = zip(map(say.heading, sweep.targets), cycle(STYLES), strict=False)
    series = [Series(name, *style) for name, style in named]
    frame = Frame(say("sweep.axis"), verdict(sweep), share=True, across=path)
    return charts.along(pd.concat(parts), series, frame)


def _field(sweep: Sweep, done: pd.DataFrame, name: str) -> Chart:
    across, down = sweep.paths
    field = pd.DataFrame(
        {"across": done[across], "down": done[down], "value": done[f"{name}{PROBABILITY}"]}
    )
    return heat_map(field, Frame(down, _spread(sweep, name), share=True, across=across))


def _scale(values: pd.Series[Any]) -> pd.Series[Any]:
    """The values of a path as numbers or dates where all of them are, else as written."""
    for read_as in (pd.to_numeric, pd.to_datetime):
        try:
            return read_as(values)
        except ValueError:
            continue
    return values
