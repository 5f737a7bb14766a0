"""What the replications of a run tell of its assumptions: on which of them an outcome hangs.

First-order shares of the variance are given-data estimates (Plischke, Borgonovo & Smith 2013, Eur J
Oper Res 226:536): straight lines over equally many replications each in the order of what they
drew, corrected for luck as Kelley's epsilon squared is (1935, PNAS 21:554).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.results.fold import DRAWN, Found, Results
from sim.results.periods import Floats
from sim.vocabulary.intervals import NORMAL_975, of_mean, of_met
from sim.vocabulary.streams import TWIN_EVERY, Numbers

FEWEST, FEWEST_KNOWN = 100, 30
"""Replications below which nothing is said of an assumption, and of a rate that is known."""

IN_A_BIN, MOST_BINS, FEWEST_BINS = 100, 10, 3
_PERMUTATIONS, _RESAMPLES, _AT_ONCE = 200, 100, 25
WIDTH = 0.2
"""How far to both sides, in shares of the replications, a local regression looks."""

ENDS = 0.1, 0.9
MOST_IGNORANCE = 0.999
"""Of a probability that is known but for ignorance; at 1 it would be 0 or 1."""

RARE = 0.95
ALL = "assumptions"
"""The path of all that is drawn together."""

RATE_PATH, _RATE_DRAWN = (
    "assumptions.recruitment.candidates_per_month",
    "candidates_per_month_drawn",
)
FIRST_ORDER, LARGEST_BY_LUCK, KNOWN_LOW, KNOWN_HIGH = "S1", "noise", "known_p10", "known_p90"
AT_VALUE = "known"
"""Indices of sensitivity.csv: the share of the variance, what luck alone would reach at most in 95
of 100 runs, and the mean of the outcome were the number known to be at the P10 and P90 of its law.
`known` is that mean were the rate at its value: simulated, where the two are estimates.
"""

_COUNTED = "randomised", "completed"
"""The measures of which it is said beside the targets."""

_Row = tuple[str, str, str, float, float, float]
"""Path, measure, index, value and the ends of its interval."""


class _Sorted(NamedTuple):
    """The replications in the order of what they drew of a number, and where bins begin.

    `drawn` is what they drew, in that order, as standard deviations from the mean: a column.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    drawn: Floats

    @classmethod
    def by(cls, drawn: Floats) -> _Sorted:
        """Sort the replications by what they drew."""
        number, order = len(drawn), np.argsort(drawn, kind="stable")
        bins = max(FEWEST_BINS, min(MOST_BINS, number // IN_A_BIN))
        starts = np.arange(bins) * number // bins
        apart = (drawn[order] - drawn.mean()) / (drawn.std() or 1.0)
        return cls(order, starts, apart[:, None])


def drawn_columns(results: Results) -> dict[str, str]:
    """Return the column of each assumption that replications drew, by its path."""
    rate = {} if results.protocol.rate is None else {RATE_PATH: _RATE_DRAWN}
    return rate | {each.dotted: f"{DRAWN}{each.dotted}" for each in results.protocol.beliefs}


def sensitivity(results: Results) -> Iterator[_Row]:
    """Yield the rows of sensitivity.csv: of each target, those randomised and those who completed.

    None of too few replications, and none of an outcome that is blank or never in one.
    """
    yield from _rate_known(results)
    draws = results.draws
    if draws is None or results.replications < FEWEST:
        return
    columns = drawn_columns(results).items()
    factors = {path: _Sorted.by(results.values(column)) for path, column in columns}
    outcomes = {
        name: results.met(target).astype(np.float64)
        for name, target in results.scenario.targets.items()
    }
    outcomes |= {name: results.values(name) for name in _COUNTED}
    for name, values in outcomes.items():
        if np.isfinite(values).all():
            luck = np.random.default_rng(results.seed)
            for path, index, value, low, high in _effects(values, draws, factors, luck):
                yield path, name, index, value, low, high


def _rate_known(results: Results) -> Iterator[_Row]:
    """Yield each outcome were the rate known."""
    known: Found = results.beside
    if results.protocol.informed is not None or known.replications < FEWEST_KNOWN:
        return
    for name, target in results.scenario.targets.items():
        met = known.met(target)
        yield RATE_PATH, name, AT_VALUE, float(met.mean()), *of_met(met, known.draws)
    for name in _COUNTED:
        values = known.values(name)
        if np.isfinite(values).all():
            yield RATE_PATH, name, AT_VALUE, float(values.mean()), *of_mean(values, known.draws)


def _effects(
    values: Floats, draws: Numbers, factors: Mapping[str, _Sorted], luck: np.random.Generator
) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield the indices of one outcome by path, those of all that is drawn together first."""
    yield ALL, LARGEST_BY_LUCK, _noise(values, factors, luck), math.nan, math.nan
    if (twins := _twins(draws)).size:
        yield ALL, FIRST_ORDER, *ignorance(values, twins)
        ends = spread_of_known(values, twins) if {*values} <= {0.0, 1.0} else (math.nan, math.nan)
        for index, end in zip((KNOWN_LOW, KNOWN_HIGH), ends, strict=True):
            yield ALL, index, end, math.nan, math.nan
    once, found = np.ones((len(values), 1)), values[:, None]
    again = [*resampled(draws, luck)]
    for path, factor in factors.items():
        value = float(_shares(factor, found, once)[0])
        error = _sd(_shares(factor, found, weights) for weights in again)
        yield path, FIRST_ORDER, value, value - NORMAL_975 * error, value + NORMAL_975 * error
        for index, end in zip((KNOWN_LOW, KNOWN_HIGH), ENDS, strict=True):
            value = float(_known(factor, found, once, end)[0])
            error = _sd(_known(factor, found, weights, end) for weights in again)
            yield path, index, value, value - NORMAL_975 * error, value + NORMAL_975 * error


def _sd(parts: Iterator[Floats]) -> float:
    return float(np.concatenate([*parts]).std(ddof=1))


def _twins(draws: Numbers) -> NDArray[np.intp]:
    """Return the places of the replications that have the draw of the one before."""
    return np.flatnonzero(draws[1:] == draws[:-1]) + 1


def ignorance(values: Floats, twins: NDArray[np.intp]) -> tuple[float, float, float]:
    """Return the share of the variance that is ignorance of what is drawn, and its interval.

    It is the covariance of twins, who have the same beliefs and other luck, beside their variance;
    0 where nothing varies.
    """
    apart = values - values.mean()
    products = apart[twins] * apart[twins - 1]
    squares = (apart[twins] ** 2 + apart[twins - 1] ** 2) / 2
    if not (variance := float(squares.mean())):
        return 0.0, math.nan, math.nan
    share = float(products.mean()) / variance
    # Both are of the same pairs, so that the error is that of a ratio.
    error = float((products - share * squares).std(ddof=1)) / variance / math.sqrt(len(twins))
    return share, share - NORMAL_975 * error, share + NORMAL_975 * error


def spread_of_known(met: Floats, twins: NDArray[np.intp]) -> tuple[float, float]:
    """Return between which probabilities 80 of 100 would lie, were all known that is drawn.

    The middle of a beta distribution with the mean of `met` (ones and zeros) and the covariance of
    twins as variance.
    """
    from scipy.special import betaincinv  # noqa: PLC0415  workers never ask

    mean, (share, *_) = float(met.mean()), ignorance(met, twins)
    if not 0 < mean < 1 or share <= 0:
        return mean, mean
    size = 1 / min(share, MOST_IGNORANCE) - 1
    low, high = (float(betaincinv(mean * size, (1 - mean) * size, end)) for end in ENDS)
    return low, high


def _noise(values: Floats, factors: Mapping[str, _Sorted], luck: np.random.Generator) -> float:
    """Return the 95 % point of the largest share of all factors where none has any effect.

    Twins stay together when the outcomes change places.
    """
    number, once = len(values), np.ones((len(values), 1))
    largest = []
    for _ in range(0, _PERMUTATIONS, _AT_ONCE):
        mixed = np.column_stack([values[_mixed(number, luck)] for _ in range(_AT_ONCE)])
        largest.append(np.max([_shares(each, mixed, once) for each in factors.values()], axis=0))
    return float(np.quantile(np.concatenate(largest), RARE, method="higher"))


def _mixed(number: int, luck: np.random.Generator) -> NDArray[np.intp]:
    """Return the places of so many replications in another order, fives kept together."""
    fives = number // TWIN_EVERY
    order = (luck.permutation(fives)[:, None] * TWIN_EVERY + np.arange(TWIN_EVERY)).ravel()
    return np.concatenate([order, np.arange(fives * TWIN_EVERY, number)])


def resampled(draws: Numbers, luck: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each replication counts in resamples of the draws, some columns at a time."""
    number = int(draws.max()) + 1
    for _ in range(0, _RESAMPLES, _AT_ONCE):
        taken = (luck.integers(number, size=number) for _ in range(_AT_ONCE))
        counts = (np.bincount(each, minlength=number)[draws] for each in taken)
        yield np.column_stack([*counts]).astype(np.float64)


def _shares(factor: _Sorted, values: Floats, weights: Floats) -> Floats:
    """Return the share of the variance of each column (replications, columns) that a factor has.

    Values and weights have as many columns, or one of them has a single one.
    """
    weight, drawn = weights[factor.order], factor.drawn
    weighted = weight * values[factor.order]
    counts, sums, first, second, joint = (
        np.add.reduceat(each, factor.starts)
        for each in (weight, weighted, weight * drawn, weight * drawn**2, weighted * drawn)
    )
    counts = np.maximum(counts, 1)
    width, slope = second - first**2 / counts, joint - first * sums / counts
    number, total = weight.sum(axis=0), weighted.sum(axis=0)
    spread = (weighted * values[factor.order]).sum(axis=0) - total**2 / number
    lines = slope**2 / np.where(width > 0, width, np.inf)
    within = spread + total**2 / number - (sums**2 / counts + lines).sum(axis=0)
    within /= number - 2 * len(factor.starts)
    whole = np.where(spread > 0, spread, 1.0) / (number - 1)
    return np.where(spread > 0, 1 - within / whole, 0.0)


def _known(factor: _Sorted, values: Floats, weights: Floats, end: float) -> Floats:
    """Return the mean of each column where the rank of what was drawn is at a share of all.

    A local-linear regression (Fan & Gijbels 1996, Local Polynomial Modelling) on what was drawn,
    near in rank, with Epanechnikov's kernel.
    """
    number = len(factor.order)
    ranks = ((np.arange(number) + 0.5) / number - end)[:, None]
    near = np.flatnonzero(np.abs(ranks) < WIDTH)
    places = factor.order[near]
    apart = factor.drawn[near] - np.quantile(factor.drawn, end)
    weight = (1 - (ranks[near] / WIDTH) ** 2) * weights[places]
    weighted = weight * values[places]
    zeroth, first, second = ((weight * apart**power).sum(axis=0) for power in range(3))
    mean, slope = weighted.sum(axis=0), (weighted * apart).sum(axis=0)
    found: Floats = (second * mean - first * slope) / (zeroth * second - first**2)
    return found
