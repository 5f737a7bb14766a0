"""What came out at each point of a design against the numbers that matter most, side by side."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.report import charts
from sim.report.charts import Chart, Frame
from sim.report.page import Multiples, Row, Table
from sim.results.points import DONE, POINTS_TABLE
from sim.vocabulary.words import Words

CHARTS, HEIGHT = 6, 200
MOST_POINTS = 1000
"""Points a page shows; its charts take no more, and nobody reads more rows."""


class Dots(NamedTuple):
    """Finished points of a design: a column a path, value, low and high; and how many there are."""

    table: pd.DataFrame
    all: int
    is_share: bool


def read(finished: Path, paths: Sequence[str], manifest: Mapping[str, Any]) -> Dots:
    """Read the points of a folder with what they are ranked by, evenly chosen if they are many."""
    every, on = manifest["points"], manifest["on"]
    held = set(pd.read_csv(finished / POINTS_TABLE, nrows=0))
    is_share = f"{on}_probability" in held
    value = f"{on}_probability" if is_share else f"{on}_mean"
    ends = {f"{on}_ci_low": "low", f"{on}_ci_high": "high", value: "value"}
    step = stride(every)
    table = pd.read_csv(
        finished / POINTS_TABLE,
        usecols=["point", "status", *paths, *ends],
        skiprows=lambda line: line > 0 and (line - 1) % step > 0,
    )
    done = table[table["status"] == DONE].rename(columns=ends)
    return Dots(done.dropna(subset=["value"]), every, is_share)


def stride(points: int) -> int:
    """Return so that every how-manieth of so many points is shown."""
    return -(-points // MOST_POINTS)


def multiples(dots: Dots, names: Mapping[str, str], on: str, say: Words) -> Multiples:
    """Return a chart for each of the first paths, by their names, and the table behind them."""
    few = dict(list(names.items())[:CHARTS])
    title = say("ranking.scatter", on=on)
    drawn = [_chart(dots, path, name, on, say) for path, name in few.items()]
    return Multiples(title, drawn, _table(dots, few, on, say))


def _chart(dots: Dots, path: str, name: str, on: str, say: Words) -> Chart:
    table = dots.table
    third = table.sort_values(path, kind="stable")["value"]
    count = -(-len(third) // 3)
    low, high = (_said(dots, part.mean(), say) for part in (third[:count], third[-count:]))
    message = say("ranking.scatter_message", on=on, path=name, low=low, high=high)
    span = (0.0, 1.0)
    if not dots.is_share:
        span = (table[["low", "value"]].min().min(), table[["high", "value"]].max().max())
    frame = Frame(on, message, share=dots.is_share, height=HEIGHT, across=name, span=span)
    return charts.scatter(table[["value", "low", "high"]].assign(at=table[path]), frame)


def _table(dots: Dots, names: Mapping[str, str], on: str, say: Words) -> Table:
    rows = [
        Row([str(row["point"]), *(f"{row[path]:.4g}" for path in names), _in_words(dots, row, say)])
        for row in dots.table.to_dict("records")
    ]
    note = "ranking.scatter_some" if stride(dots.all) > 1 else "ranking.scatter_note"
    said = say(note, shown=say.number(len(rows), 0), all=say.number(dots.all, 0))
    return Table(
        say("ranking.scatter_table"), [say("ranking.point"), *names.values(), on], rows, said
    )


def _in_words(dots: Dots, row: Mapping[Hashable, Any], say: Words) -> str:
    value, low, high = (_said(dots, row[each], say) for each in ("value", "low", "high"))
    return say.aside(value, say.span(low, high))


def _said(dots: Dots, value: float, say: Words) -> str:
    return say.percent(value) if dots.is_share else f"{value:.4g}"
