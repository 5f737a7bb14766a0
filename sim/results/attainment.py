"""What the numbers randomised tell: how many there may be, and how few are too few for a target."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.results.fold import Results
from sim.results.ignorance import FEWEST, resampled
from sim.results.periods import Floats, Indices
from sim.vocabulary.intervals import of_met
from sim.vocabulary.streams import Numbers

_TAILS = 0.025, 0.975


def sample_size(results: Results) -> Iterator[tuple[float, ...]]:
    """Yield the rows of sample_size.csv: how probable it is that so many or more are randomised.

    Of every number from 1 to the most of any replication, at the closing date, with the 95 %
    interval of simulating.
    """
    randomised, draws = results.values("randomised"), results.draws
    for number in range(1, int(randomised.max(initial=0)) + 1):
        met = randomised >= number
        yield number, met.mean(), *of_met(met, draws)


def triggers(results: Results) -> Iterator[tuple[str | float, ...]]:
    """Yield the rows of triggers.csv: of each decision month, and of all together (month is blank).

    `fewer_than` is the largest number k for which the target is less probable than `below` where
    exactly k - 1 are randomised in the first `month` months, which end with the day `until` (see
    `Clock.days_of_months`). That probability never falls as the number rises: it is the isotonic
    regression of the replications (Barlow et al. 1972, Statistical Inference under Order
    Restrictions), so that it is below for fewer too. Of numbers that no replication had nothing is
    known. k is 0 where no number is few enough, and blank where more randomised go with a target
    that is less probable. Its 95 % interval comes from resamples of the draws.

    `stopped` is the share of replications with fewer, `stopped_of_met` that of those which meet the
    target all the same. No rows of fewer than 100 replications.
    """
    rule, clock = results.scenario.go_no_go, results.protocol.clock
    if rule is None or results.replications < FEWEST:
        return
    met, below = results.met(results.scenario.targets[rule.target]), float(rule.below)
    every, luck = np.zeros(len(met), np.bool_), np.random.default_rng(results.seed)
    draws = np.arange(len(met)) if results.draws is None else results.draws
    for month in results.protocol.decision_months:
        counts = results.values(f"randomised_by_month_{month}").astype(np.intp)
        number, *ends = _fewer_than(counts, met, below, draws, luck)
        stopped = counts < number
        every |= stopped
        until = clock.date_of_day(clock.days_of_months(month) - 1).isoformat()
        yield rule.target, below, month, until, number, *ends, *_stopped(stopped, met)
    yield rule.target, below, math.nan, "", math.nan, math.nan, math.nan, *_stopped(every, met)


def _fewer_than(
    counts: Indices, met: NDArray[np.bool_], below: float, draws: Numbers, luck: np.random.Generator
) -> tuple[float, float, float]:
    """Return below which number randomised the target is out of reach, and its interval."""
    if len(counts) * int(counts @ met) < int(counts.sum()) * int(met.sum()):
        return math.nan, math.nan, math.nan
    number = _largest(counts, met, np.ones(len(counts)), below)
    again = [
        _largest(counts, met, weight, below)
        for weights in resampled(draws, luck)
        for weight in weights.T
    ]
    low, high = np.quantile(again, _TAILS, method="inverted_cdf")
    return number, min(low, number), max(high, number)


def _largest(counts: Indices, met: NDArray[np.bool_], weights: Floats, below: float) -> int:
    """Return one more than the largest number that makes the target less probable; 0 if none does.

    Each replication counts with its weight.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  workers never ask

    number, sums = np.bincount(counts, weights), np.bincount(counts, weights * met)
    seen = np.flatnonzero(number)
    chance = isotonic_regression(sums[seen] / number[seen], weights=number[seen]).x
    return int(seen[chance < below].max(initial=-1)) + 1


def _stopped(stopped: NDArray[np.bool_], met: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share that is stopped, of all and of those that meet the target."""
    return float(stopped.mean()), float(stopped[met].mean()) if met.any() else math.nan
