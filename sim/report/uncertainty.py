"""Luck and ignorance apart: what the target's probability owes to not knowing the true rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from sim.report.charts import intervals
from sim.report.page import Figure, figure
from sim.report.run import Run
from sim.results.ignorance import FEWEST_KNOWN
from sim.results.pairs import draws_in
from sim.vocabulary.intervals import Interval, of_met

RATE, FIRST_SIX_MONTHS = "candidates_per_month_drawn", "randomised_first_six_months"


class Group(NamedTuple):
    """Some of the replications: the lowest and highest value in them, and how many succeed."""

    low: float
    high: float
    chance: float
    interval: Interval


def luck_apart(run: Run, target: int) -> list[Figure]:
    """Return what is luck and what ignorance, and what six months would teach, if it can be said.

    Nothing where the rate is known, where all replications end alike, or where there are few.
    """
    return [_apart(run, target), *_taught(run, target)] if _is_split(run, target) else []


def sentence(run: Run, target: int) -> list[str]:
    """Return the probability with the rate known beside that with it uncertain; or nothing."""
    if not _is_split(run, target):
        return []
    say, known, every = run.say, _known(run, target), _group(run.replications, RATE, target)
    return [
        say(
            "ignorance.sentence",
            rate=_believed(run),
            known=known.chance,
            interval=known.interval,
            count=len(run.rate_known),
            uncertain=every.chance,
        )
    ]


def _is_split(run: Run, target: int) -> bool:
    """Whether rates differ, and outcomes too, in enough replications to set them apart."""
    if run.is_forecast:
        return False
    rate, reached = run.replications[RATE], run.reached(target)
    differ = rate.max() > rate.min() and reached.any() and not reached.all()
    return run.count >= FEWEST_KNOWN and bool(differ)


def _believed(run: Run) -> float:
    """The mean of what is believed of the rate, in candidates a month."""
    return float(run.scenario.assumptions.recruitment.candidates_per_month)


def _known(run: Run, target: int) -> Group:
    """The first replications once more, with the rate at its value and the same people.

    Only luck is left in them, as far as the rate goes (given the rate candidates come as a Poisson
    process, Anisimov and Fedorov 2007).
    """
    return _group(run.rate_known, RATE, target)


def _group(replications: pd.DataFrame, column: str, target: int) -> Group:
    met, values = (replications["randomised"] >= target).to_numpy(), replications[column]
    interval = of_met(met, draws_in(replications))
    return Group(values.min(), values.max(), met.mean(), interval)


def _thirds(run: Run, column: str, target: int) -> list[Group]:
    """The replications in thirds by a column; ties stay together, so there may be fewer."""
    ranks = run.replications[column].rank(method="max", pct=True)
    place = (ranks > 1 / 3).astype(int) + (ranks > 2 / 3).astype(int)
    return [_group(ours, column, target) for _, ours in run.replications.groupby(place)]


def _apart(run: Run, target: int) -> Figure:
    """The rate uncertain, known to be as believed, and in each third of what is believed."""
    say, rate, known = run.say, _believed(run), _known(run, target)
    every, thirds = _group(run.replications, RATE, target), _thirds(run, RATE, target)
    labels = [say("ignorance.uncertain", rate=rate), say("ignorance.known", rate=rate)]
    labels += [say("ignorance.third", low=third.low, high=third.high) for third in thirds]
    said = {"count": len(run.rate_known)}
    return _figure(run, target, "ignorance", labels, [every, known, *thirds], thirds, said)


def _taught(run: Run, target: int) -> list[Figure]:
    """The probability by how many are randomised in the first six months."""
    thirds = _thirds(run, FIRST_SIX_MONTHS, target)
    if len(thirds) == 1:
        return []
    counts = [(each.low, each.high) for each in thirds]
    labels = [run.say("taught.first", count=count) for count in counts]
    said = {"few": counts[0], "many": counts[-1]}
    return [_figure(run, target, "taught", labels, thirds, thirds, said)]


def half_year(run: Run, target: int) -> Iterator[str]:
    """Yield what the first six months will tell of the target, in a sentence, if they tell any."""
    if not _is_split(run, target):
        return
    thirds = _thirds(run, FIRST_SIX_MONTHS, target)
    if len(thirds) > 1:
        few, many = thirds[0], thirds[-1]
        yield run.say(
            "box.half_year",
            few=(few.low, few.high),
            low=few.chance,
            many=(many.low, many.high),
            high=many.chance,
        )


def _figure(  # noqa: PLR0913, PLR0917  each is another word of the same figure
    run: Run,
    target: int,
    key: str,
    labels: Sequence[str],
    groups: Sequence[Group],
    thirds: Sequence[Group],
    said: Mapping[str, Any],
) -> Figure:
    frame = pd.DataFrame(
        {
            "label": label,
            "given": label,
            "value": group.chance,
            "low": group.interval.low,
            "high": group.interval.high,
            "probability": group.chance,
            "interval": group.interval,
        }
        for label, group in zip(labels, groups, strict=True)
    )
    low, high = thirds[0].chance, thirds[-1].chance
    columns = {"given": "text", "probability": "share", "interval": "interval"}
    shape = partial(intervals, unit="share")
    return figure(run.say, key, shape, frame, columns, target=target, low=low, high=high, **said)
