"""Luck and ignorance apart: what the target's probability owes to not knowing the true rate."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from sim.report import charts
from sim.report.charts import Frame
from sim.report.page import Figure, Row, Run, Table
from sim.vocabulary.intervals import Interval, of_share

RATE, FIRST = "candidates_per_month_drawn", "randomised_first_six_months"
FEWEST = 30
"""Replications below which nothing is split into parts."""

NEAREST = 5
"""One in so many replications, those whose rate lies nearest, stands for a rate that is known."""


class Part(NamedTuple):
    """Some of the replications: the lowest and highest value in them, and how many succeed."""

    low: float
    high: float
    chance: float
    interval: Interval


def figures(run: Run, target: int) -> list[Figure]:
    """Return what is luck and what ignorance, and what six months would teach, if it can be said.

    Nothing where the rate is known, where all replications end alike, or where there are few.
    """
    if not _split(run, target):
        return []
    return [_apart(run, target), *_taught(run, target)]


def sentence(run: Run, target: int) -> str:
    """Return the probability with the rate known beside that with it uncertain; or nothing."""
    if not _split(run, target):
        return ""
    known, every = _known(run, target), _part(run.replications, RATE, target)
    return run.say(
        "ignorance.sentence",
        rate=run.say.number(_believed(run)),
        known=run.say.percent(known.chance),
        interval=run.say.span(*map(run.say.percent, known.interval)),
        uncertain=run.say.percent(every.chance),
    )


def _split(run: Run, target: int) -> bool:
    """Whether rates differ, and outcomes too, in enough replications to set them apart."""
    rate, reached = run.replications[RATE], run.replications["randomised"] >= target
    differ = rate.max() > rate.min() and reached.any() and not reached.all()
    return run.count >= FEWEST and bool(differ)


def _believed(run: Run) -> float:
    """The mean of what is believed of the rate, in candidates a month."""
    return float(run.scenario.assumptions.recruitment.candidates_per_month)


def _known(run: Run, target: int) -> Part:
    """Those whose drawn rate lies nearest to the mean: a nearest-neighbour estimate.

    Within them only luck is left, as far as the rate goes (given the rate candidates come as a
    Poisson process, Anisimov and Fedorov 2007).
    """
    distance = (run.replications[RATE] - _believed(run)).abs().sort_values(kind="stable")
    nearest = distance.index[: len(distance) // NEAREST]
    return _part(run.replications.loc[nearest], RATE, target)


def _part(replications: pd.DataFrame, column: str, target: int) -> Part:
    times, every = int((replications["randomised"] >= target).sum()), len(replications)
    values = replications[column]
    return Part(values.min(), values.max(), times / every, of_share(times, every))


def thirds(replications: pd.DataFrame, column: str, target: int) -> list[Part]:
    """Return the replications in thirds by a column; ties stay together, so parts may be fewer."""
    ranks = replications[column].rank(method="max", pct=True)
    place = (ranks > 1 / 3).astype(int) + (ranks > 2 / 3).astype(int)
    return [_part(ours, column, target) for _, ours in replications.groupby(place)]


def _apart(run: Run, target: int) -> Figure:
    """The rate uncertain, known to be as believed, and in each third of what is believed."""
    say, title = run.say, run.say("ignorance.title", target=target)
    every, known = _part(run.replications, RATE, target), _known(run, target)
    parts = thirds(run.replications, RATE, target)
    rate = say.number(_believed(run))
    labels = [say("ignorance.uncertain", rate=rate), say("ignorance.known", rate=rate)]
    labels += [
        say("ignorance.third", low=say.number(part.low), high=say.number(part.high))
        for part in parts
    ]
    message = say(
        "ignorance.message",
        target=target,
        low=say.percent(parts[0].chance),
        high=say.percent(parts[-1].chance),
    )
    note = say("ignorance.note", low=say.number(known.low), high=say.number(known.high))
    return _figure(run, title, message, labels, [every, known, *parts], note)


def _taught(run: Run, target: int) -> list[Figure]:
    """The probability by how many are randomised in the first six months."""
    say, parts = run.say, thirds(run.replications, FIRST, target)
    if len(parts) == 1:
        return []
    labels = [
        say("ignorance.first", count=say.span(say.number(part.low, 0), say.number(part.high, 0)))
        for part in parts
    ]
    message = say(
        "ignorance.taught",
        target=target,
        few=say.span(say.number(parts[0].low, 0), say.number(parts[0].high, 0)),
        many=say.span(say.number(parts[-1].low, 0), say.number(parts[-1].high, 0)),
        low=say.percent(parts[0].chance),
        high=say.percent(parts[-1].chance),
    )
    return [_figure(run, say("ignorance.taught_title"), message, labels, parts)]


def _figure(  # noqa: PLR0913, PLR0917  each is another word of the same figure
    run: Run, title: str, message: str, labels: list[str], parts: list[Part], note: str = ""
) -> Figure:
    say = run.say
    table = pd.DataFrame(
        {
            "label": labels,
            "probability": [part.chance for part in parts],
            "ci_low": [part.interval.low for part in parts],
            "ci_high": [part.interval.high for part in parts],
        }
    )
    rows = [
        Row([label, say.percent(part.chance), say.span(*map(say.percent, part.interval))])
        for label, part in zip(labels, parts, strict=True)
    ]
    header = [say("ignorance.given"), say("shared.probability"), say("shared.interval")]
    chart = charts.dots(table, Frame(say("shared.probability"), message))
    return Figure(title, chart, Table(title, header, rows, note))
