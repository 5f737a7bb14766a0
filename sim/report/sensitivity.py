"""The page of a sensitivity analysis: which assumption matters most, and how well it is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Sized
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.experiments.sensitivity import SIZED_BY
from sim.report.charts import BLUE, GREEN, ORANGE, PURPLE, VERMILION, Chart, Look, intervals
from sim.report.page import (
    Answer,
    Figure,
    Finished,
    Multiples,
    Page,
    Part,
    Table,
    TableRow,
    within,
)
from sim.report.sweep import MOST_LINES, stride
from sim.results import folder
from sim.results.points import DONE, POINTS_TABLE, SENSITIVITY_TABLE
from sim.scenario.sweep import TORNADO
from sim.vocabulary.words import BLANK, NO_BREAK, Words, even

MOST_ROWS, FEWEST_ROWS, MOST_DOTTED = 15, 3, 6
"""Paths of the chart of all, at most and where none is beyond noise; paths with their own chart."""

AT_END = {"low": "ranking.at_low", "high": "ranking.at_high"}
"""What is said of the indices of a tornado."""

GRADED = {
    "assumption": Look(VERMILION),
    "expert": Look(ORANGE),
    "data": Look(PURPLE),
    "literature": Look(BLUE),
    "registry": Look(GREEN),
}


class Shift(NamedTuple):
    """What changes when a number is at its low and at its high; clear: beyond the error of it."""

    at_low: float
    at_high: float
    is_clear: bool


class Tornado(NamedTuple):
    """The effects of each path on `on` (a share, or a measure), and the figure that shows them."""

    on: str
    is_share: bool
    by_path: Mapping[str, Shift]
    figure: Figure
    replications: int


class Ranking(Finished):
    """A finished sensitivity analysis."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a path and index."""
        return folder.csv(self.place / SENSITIVITY_TABLE)

    @property
    def on(self) -> str:
        """What it is the effect on, in words."""
        return self.say.title(self.manifest["on"])

    @property
    def is_share(self) -> bool:
        """Whether that is a target, so that effects are shares of the replications."""
        return self.manifest["on"] in self.scenario.targets

    @property
    def sized_by(self) -> str:
        """The index that is drawn and sorts the paths; of a tornado both of them, and its name."""
        return SIZED_BY.get(self.manifest["kind"], TORNADO)

    @property
    def by_path(self) -> dict[str, pd.DataFrame]:
        """The indices of each path, the path of the largest effect first."""
        ours = self.table
        if self.sized_by != TORNADO:
            ours = ours[ours["index"] == self.sized_by]
        sizes = ours.assign(size=ours["value"].abs()).groupby("path", sort=False)["size"].max()
        of_path = dict(iter(self.table.groupby("path")))
        return {
            path: of_path[path] for path in sizes.sort_values(ascending=False, kind="stable").index
        }

    @cached_property
    def clear(self) -> list[str]:
        """The paths told apart from no effect, that of the largest effect first."""
        ours, beyond = self.table, self.table["ci_low"] * self.table["ci_high"] > 0
        if self.sized_by != TORNADO:
            beyond &= ours["index"] == self.sized_by
        return [path for path in self.by_path if beyond[ours["path"] == path].any()]

    @property
    def verdict(self) -> str:
        """What matters most, in one sentence."""
        say, on = self.say, self.say.capital(self.on)
        if not self.clear:
            return say("ranking.verdict_none", on=on)
        return say("ranking.verdict", on=on, first=self.name(self.clear[0]))


def ranking_page(place: Path, language: str) -> Page:
    """Return the page of a sensitivity analysis."""
    ranking = Ranking(place, language)
    return Page(
        ranking,
        title=ranking.say("ranking.title"),
        verdict=ranking.verdict,
        note=ranking.say("sweep.note", **ranking.counts),
        answers=lambda: [_answer(ranking), ranking.origin()],
        lines=partial(_lines, ranking),
    )


def _answer(ranking: Ranking) -> Answer:
    say, parts = ranking.say, list[Part]([_figure_of_all(ranking)])
    if ranking.sized_by != TORNADO:  # a tornado has two points a path, which are its bars
        names = {path: ranking.name(path) for path in [*ranking.by_path][:MOST_DOTTED]}
        dots = read_dots(ranking.place, [*names], ranking.manifest)
        parts += [multiples(dots, names, ranking.on, say)] if len(dots.table) else []
    lead, title = say("ranking.lead", on=ranking.on), say("ranking.points_title")
    return Answer("ranking", title, lead, list(_warnings(ranking)), parts)


def tornado_of(ranking: Ranking) -> Tornado | None:
    """Return what a tornado says of each number; None of another analysis."""
    if ranking.sized_by != TORNADO:
        return None
    effects = {}
    for path, indices in ranking.by_path.items():
        ends = indices.set_index("index")["value"]
        effects[path] = Shift(ends["low"], ends["high"], path in ranking.clear)
    replications = ranking.manifest["replications"]
    return Tornado(ranking.on, ranking.is_share, effects, _figure_of_all(ranking), replications)


def _lines(ranking: Ranking) -> Iterator[str]:
    """What to mind, and the paths whose effect is beyond noise, for a terminal."""
    yield from _warnings(ranking)
    yield from _ends_lines(ranking) if ranking.sized_by == TORNADO else _index_lines(ranking)


def _ends_lines(ranking: Ranking) -> Iterator[str]:
    """The change at the low and at the high end of each number that has an effect."""
    scale, unit = (100, "points of ") if ranking.is_share else (1, "")
    clear, others = {}, []
    for path, indices in ranking.by_path.items():
        if path in ranking.clear:
            clear[path] = indices.set_index("index")["value"] * scale
        else:
            others.append(indices[["ci_low", "ci_high"]].abs().max().max() * scale)
    if shown := dict(list(clear.items())[:MOST_LINES]):
        yield f"Change, in {unit}“{ranking.on}”, with one number at its low or high"
        ranges = {each.path: (each.low, each.high) for each in ranking.scenario.ranged()}
        titles = even(map(ranking.name, shown))
        for title, (path, ends) in zip(titles, shown.items(), strict=True):
            changes = zip(ranges[path], (ends["low"], ends["high"]), strict=True)
            said = (
                f"{ranking.say.plain(at, 4):>7}: {_changed(ranking, change):>4}"
                for at, change in changes
            )
            yield f"  {title} {' '.join(said)}"
    if (more := len(clear) - len(shown)) > 0:
        yield f"  {more} more: see the page"
    if others:
        largest = max(others)
        bound = within(largest / 100) if ranking.is_share else f"± {largest:.2g}"
        yield f"  {_counted(len(others), clear)}: no effect beyond {bound}"


def _counted(number: int, beside: Sized) -> str:
    noun = "other" if beside else "number"
    return f"{number} {noun}{'s' * (number > 1)}"


def _changed(ranking: Ranking, change: float) -> str:
    if math.isnan(change):
        return BLANK
    return ranking.say.signed(change, ".0f") if ranking.is_share else ranking.say.change(change)


def _index_lines(ranking: Ranking) -> Iterator[str]:
    """The paths that are told apart from no effect, with their indices."""
    say, clear = ranking.say, ranking.clear
    for path in clear[:MOST_LINES]:
        indices = ranking.by_path[path].to_dict("records")
        said = [f"{say.title(one['index'])} {_written(one, say)}" for one in indices]
        yield f"  {ranking.name(path)}: {', '.join(said)}"
    if (more := len(clear) - MOST_LINES) > 0:
        yield f"  {more} more: see the page"
    if others := len(ranking.by_path) - len(clear):
        yield f"  {_counted(others, clear)}: not told apart from no effect"


def _warnings(ranking: Ranking) -> Iterator[str]:
    """What is not to be trusted, and how much of the variance is luck."""
    say, wide = ranking.say, ranking.manifest["too_few_points_for"]
    if wide:
        yield say("ranking.too_few", count=len(wide), all=len(ranking.by_path))
    if ranking.manifest["ignorance"] is not None:
        share, *ends = ranking.manifest["ignorance"]
        span = say.span(*map(say.percent, ends))
        yield say("ranking.ignorance", on=ranking.on, share=share, span=span, luck=1 - share)


def _figure_of_all(ranking: Ranking) -> Figure:
    if ranking.sized_by == TORNADO:
        return _figure_of_ends(ranking)
    say, by_path = ranking.say, ranking.by_path
    grades = {each.path: each.evidence for each in ranking.scenario.ranged()}
    title = say(f"ranking.{ranking.sized_by}", on=ranking.on)
    rows, drawn = [], []
    for path, indices in by_path.items():
        grade, name = say(f"register.{grades[path]}"), ranking.name(path)
        for _, one in indices.iterrows():
            rows.append(
                TableRow([say.capital(name), grade, say.title(one["index"]), _written(one, say)])
            )
        index = indices[indices["index"] == ranking.sized_by].iloc[0]
        ends = {"low": index["ci_low"], "high": index["ci_high"], "value": index["value"]}
        label = say.aside(say.capital(name), grade)
        drawn.append({"label": label, "series": grade, **ends})
    looks = {say(f"register.{grade}"): look for grade, look in GRADED.items()}
    chart = intervals(pd.DataFrame(drawn[:MOST_ROWS]), title, unit="index", looks=looks)
    chart.description = ranking.verdict
    return Figure(title, chart, _table_of_all(say, rows), ranking.verdict)


def _table_of_all(say: Words, rows: Sequence[TableRow]) -> Table:
    columns = ("register.path", "register.evidence", "ranking.index", "ranking.value")
    header = [say(column) for column in columns]
    return Table(say("ranking.table"), header, rows, say("ranking.note"), 3)


def _figure_of_ends(ranking: Ranking) -> Figure:
    """The change at both ends of each range: drawn are those beyond noise, in points."""
    say, by_path, scale = ranking.say, ranking.by_path, 100 if ranking.is_share else 1
    ranged = {each.path: each for each in ranking.scenario.ranged()}
    clear = ranking.clear
    shown = clear[:MOST_ROWS] or [*by_path][:FEWEST_ROWS]
    rows, drawn, bound = [], list[dict[str, Any]](), 0.0
    for path, indices in by_path.items():
        grade, name = say(f"register.{ranged[path].evidence}"), ranking.name(path)
        between = say.span(say.plain(ranged[path].low, 4), say.plain(ranged[path].high, 4))
        label = say.aside(say.part(say.capital(name), between), grade)
        for one in indices.to_dict("records"):
            rows.append(
                TableRow([say.capital(name), grade, say.title(one["index"]), _written(one, say)])
            )
            value, *ends = (one[name] * scale for name in ("value", "ci_low", "ci_high"))
            if path in shown:
                end = {"label": label, "series": say(AT_END[one["index"]])}
                drawn.append({**end, "value": value, "low": ends[0], "high": ends[1]})
            if path not in clear:
                bound = max(bound, *map(abs, ends))
    unit, axis, others = "index", "ranking.axis", "ranking.others"
    if ranking.is_share:
        unit, axis, others = "points", "ranking.axis_points", "ranking.others_points"
    shape = partial(intervals, unit=unit, looks=[Look(BLUE), Look(VERMILION)])
    title = say("ranking.tornado", on=ranking.on)
    chart = shape(pd.DataFrame(drawn), say(axis))
    told = {"count": len(by_path) - len(clear), "bound": say.plain(math.ceil(bound * 10) / 10, 2)}
    detail = say(others, **told) if told["count"] else ""
    chart.description = say.sentences(filter(None, [ranking.verdict, detail]))
    return Figure(title, chart, _table_of_all(say, rows), ranking.verdict, detail)


def _written(one: Mapping[Any, Any] | pd.Series[Any], say: Words) -> str:
    if math.isnan(one["value"]):
        return BLANK
    value, low, high = say.estimate(one["value"], one["ci_low"], one["ci_high"])
    known = not math.isnan(one["ci_low"])
    said = say.aside(value, say("shared.span", low=low, high=high)) if known else value
    return said.replace("-", "−").replace(" ", NO_BREAK)


class Dots(NamedTuple):
    """Finished points of a design: a column a path, value, low and high; and how many there are."""

    table: pd.DataFrame
    all: int
    is_share: bool

    def written(self, value: float, say: Words) -> str:
        """A value as the page writes it."""
        return say.percent(value) if self.is_share else say.plain(value, 4)


def read_dots(finished: Path, paths: Sequence[str], manifest: Mapping[str, Any]) -> Dots:
    """Read the points of a folder with what they are ranked by, evenly chosen if they are many."""
    every, on = manifest["points"], manifest["on"]
    step, held = stride(every), set(folder.csv(finished / POINTS_TABLE, nrows=0))
    is_share = f"{on}_probability" in held
    value = f"{on}_probability" if is_share else f"{on}_mean"
    ends = {f"{on}_ci_low": "low", f"{on}_ci_high": "high", value: "value"}
    table = folder.csv(
        finished / POINTS_TABLE,
        usecols=["point", "status", *paths, *ends],
        skiprows=lambda line: line > 0 and (line - 1) % step > 0,
    )
    done = table[table["status"] == DONE].rename(columns=ends)
    return Dots(done.dropna(subset=["value"]), every, is_share)


def multiples(dots: Dots, names: Mapping[str, str], on: str, say: Words) -> Multiples:
    """Return a chart of the points for each path, by its name, and the table behind them."""
    table, charts = dots.table, list[Chart]()
    span = (0.0, 1.0)
    if not dots.is_share:
        span = (table[["low", "value"]].min().min(), table[["high", "value"]].max().max())
    unit = "share" if dots.is_share else "index"
    for path, name in names.items():
        third = table.sort_values(path, kind="stable")["value"]
        count = -(-len(third) // 3)
        low, high = (dots.written(each.mean(), say) for each in (third[:count], third[-count:]))
        chart = intervals(table.assign(at=table[path]), on, unit=unit, across=name, span=span)
        chart.description = say("ranking.scatter_message", on=on, path=name, low=low, high=high)
        charts.append(chart)
    rows = []
    for row in table.to_dict("records"):
        value, low, high = (dots.written(row[each], say) for each in ("value", "low", "high"))
        cells = [say.plain(row[path], 4) for path in names]
        rows.append(TableRow([str(row["point"]), *cells, say.aside(value, say.span(low, high))]))
    note = "ranking.scatter_some" if stride(dots.all) > 1 else "ranking.scatter_note"
    said = say(note, shown=len(rows), all=dots.all)
    header = [say("ranking.point"), *names.values(), on]
    behind = Table(say("ranking.scatter_table"), header, rows, said)
    return Multiples(say("ranking.scatter", on=on), charts, behind)
