"""The page of a sensitivity analysis: which assumption matters most, and how well it is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.experiments.sensitivity import SIZED_BY
from sim.report import charts, provenance, scattering
from sim.report.charts import BLUE, GREEN, ORANGE, PURPLE, SOLID, VERMILION, Frame, Series
from sim.report.page import (
    Answer,
    Effect,
    Figure,
    Joined,
    Multiples,
    Row,
    Table,
    in_words,
    place,
)
from sim.report.rendering import Page
from sim.report.scattering import Dots
from sim.results import folder
from sim.results.points import SENSITIVITY_TABLE
from sim.scenario.load import Scenario, load
from sim.scenario.sweep import TORNADO
from sim.vocabulary.words import BLANK, ENGLISH, NO_BREAK, Words, words

SHOWN = 15
COLOURS = {
    "assumption": VERMILION,
    "expert": ORANGE,
    "data": PURPLE,
    "literature": BLUE,
    "registry": GREEN,
}


class Ranking(NamedTuple):
    """A finished sensitivity analysis as its folder holds it."""

    scenario: Scenario
    table: pd.DataFrame
    manifest: Mapping[str, Any]
    say: Words
    dots: Dots | None = None
    """What came out at each point; a tornado has two a path, which are its bars."""

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
    def sized(self) -> pd.Series[Any]:
        """The size of each path's effect, the largest first."""
        ours = self.table
        if self.sized_by != TORNADO:
            ours = ours[ours["index"] == self.sized_by]
        sizes = ours.assign(size=ours["value"].abs()).groupby("path", sort=False)["size"].max()
        return sizes.sort_values(ascending=False, kind="stable")


def read(finished: Path, language: str = ENGLISH) -> Ranking:
    """Read what the page is made of."""
    table, manifest = pd.read_csv(finished / SENSITIVITY_TABLE), folder.manifest(finished)
    ranking = Ranking(load(finished / folder.SCENARIO), table, manifest, words(language))
    if ranking.sized_by == TORNADO:
        return ranking
    paths = ranking.sized.index[: scattering.CHARTS]
    return ranking._replace(dots=scattering.read(finished, [*paths], manifest))


def write(finished: Path, language: str = ENGLISH) -> None:
    """Write `report.html` into the folder, from what the folder holds alone."""
    page(read(finished, language)).write(finished)


def page(ranking: Ranking) -> Page:
    """Return the page of a sensitivity analysis."""
    manifest = ranking.manifest
    blanks = {
        "title": ranking.say("ranking.title"),
        "place": place(ranking.scenario, ranking.say),
        "verdict": verdict(ranking),
        "replications": ranking.say.number(manifest["replications"], 0),
        "points": ranking.say.number(manifest["points"], 0),
        "manifest": manifest,
        "provenance": provenance.of(manifest, ranking.say),
    }
    return Page("sweep.html.j2", ranking.say, [_answer(ranking)], blanks)


def verdict(ranking: Ranking) -> str:
    """Return in one sentence what matters most."""
    say, on = ranking.say, ranking.say.capital(ranking.on)
    sizes = ranking.sized
    if not sizes.iloc[0] > 0:
        return say("ranking.verdict_none", on=on)
    return say("ranking.verdict", on=on, first=in_words(sizes.index[0], say))


def lines(ranking: Ranking) -> Iterator[str]:
    """Yield the verdict, what to mind, and a line a path, for a terminal."""
    yield verdict(ranking)
    yield from _warnings(ranking)
    for path in ranking.sized.index:
        ours = ranking.table[ranking.table["path"] == path]
        said = [f"{one['index']} {_figure(one, ranking.say)}" for _, one in ours.iterrows()]
        yield f"  {path}: {', '.join(said)}"


def joined(finished: Path, language: str) -> Joined:
    """Return what a run has to know of the analysis; of a tornado also its effects."""
    ranking = read(finished, language)
    said = Joined(finished.name, verdict(ranking), ranking.manifest)
    if ranking.sized_by != TORNADO:
        return said
    return replace(
        said,
        on=ranking.on,
        is_share=ranking.is_share,
        effects={path: _effect(ranking, path) for path in ranking.sized.index},
        figure=_figure_of_all(ranking),
    )


def _effect(ranking: Ranking, path: str) -> Effect:
    ends = ranking.table[ranking.table["path"] == path].set_index("index")
    known = ends["ci_low"] * ends["ci_high"] > 0
    return Effect(ends["value"]["low"], ends["value"]["high"], bool(known.any()))


def _answer(ranking: Ranking) -> Answer:
    say, on = ranking.say, ranking.on
    lead, title = say("ranking.lead", on=on), say("ranking.points_title")
    parts: list[Figure | Multiples] = [_figure_of_all(ranking)]
    if ranking.dots is not None and len(ranking.dots.table):
        names = {path: in_words(path, say) for path in ranking.sized.index}
        parts.append(scattering.multiples(ranking.dots, names, on, say))
    return Answer("ranking", title, lead, list(_warnings(ranking)), parts)


def _figure_of_all(ranking: Ranking) -> Figure:
    say, on = ranking.say, ranking.on
    grades = {each.path: each.evidence for each in ranking.scenario.ranged()}
    rows = [
        Row([path, say(f"register.{grades[path]}"), _index(ranking, one), _figure(one, say)])
        for path in ranking.sized.index
        for _, one in ranking.table[ranking.table["path"] == path].iterrows()
    ]
    header = [say("register.path"), say("register.evidence"), say("ranking.index")]
    table = Table(
        say("ranking.table"), [*header, say("ranking.value")], rows, say("ranking.note"), 3
    )
    return Figure(say(f"ranking.{ranking.sized_by}", on=on), _chart(ranking, grades), table)


def _warnings(ranking: Ranking) -> Iterator[str]:
    """What is not to be trusted, and how much of the variance is luck."""
    say, wide = ranking.say, ranking.manifest["too_few_points_for"]
    if wide:
        yield say("ranking.too_few", count=len(wide), all=len(ranking.sized))
    if ranking.manifest["luck"] is not None:
        luck = ranking.manifest["luck"]
        shares = {"luck": say.percent(luck), "ignorance": say.percent(1 - luck)}
        yield say("ranking.luck", on=ranking.on, **shares)


def _chart(ranking: Ranking, grades: Mapping[str, str]) -> charts.Chart:
    say, is_tornado = ranking.say, ranking.sized_by == TORNADO
    first = list(ranking.sized.index[:SHOWN])
    rows = []
    for path in first:
        ours = ranking.table[ranking.table["path"] == path].set_index("index")
        grade = say(f"register.{grades[path]}")
        row = {"label": say.aside(in_words(path, say), grade), "series": grade}
        if is_tornado:
            ends = ours["value"]
            rows.append({**row, "low": min(ends.min(), 0.0), "high": max(ends.max(), 0.0)})
        else:
            one = ours.loc[ranking.sized_by]
            low, high = one["ci_low"], one["ci_high"]
            rows.append({**row, "low": low, "high": high, "value": one["value"]})
    met = {row["series"] for row in rows}
    graded = [Series(say(f"register.{name}"), each, SOLID) for name, each in COLOURS.items()]
    message = say("ranking.message", first=say.listing(in_words(path, say) for path in first[:5]))
    title = say(f"ranking.{ranking.sized_by}", on=ranking.on)
    frame = Frame(title, message, share=is_tornado and ranking.is_share)
    return charts.spans(pd.DataFrame(rows), [one for one in graded if one.name in met], frame)


def _index(ranking: Ranking, one: pd.Series[Any]) -> str:
    """The name of an index; the ends of a range have words, the others are symbols."""
    name = str(one["index"])
    return ranking.say.title(name) if ranking.sized_by == TORNADO else name


def _figure(one: pd.Series[Any], say: Words) -> str:
    if math.isnan(one["value"]):
        return BLANK
    value, low, high = (f"{one[name]:.3g}" for name in ("value", "ci_low", "ci_high"))
    known = not math.isnan(one["ci_low"])
    said = say.aside(value, say("shared.span", low=low, high=high)) if known else value
    return said.replace("-", "−").replace(" ", NO_BREAK)
