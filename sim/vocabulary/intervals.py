"""95 % confidence intervals: of a mean by Student's t, of a share by Wilson's score.

Replications whose uncertain rate is stratified are not independent; see `Draws`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

from sim.vocabulary.streams import STREAMS, Numbers

UPPER_TAIL = 0.975
NORMAL_975 = 1.959963984540054
ENOUGH, FEW = 400, 20
"""Replications, and of these met or not met, from which on a share is like any other mean."""


class Interval(NamedTuple):
    """The ends of an interval; both nan where there is none."""

    low: float
    high: float


def of_mean(values: NDArray[np.float64], draws: Numbers | None = None) -> Interval:
    """Mean ± t · its error, blank below two values: one replication says nothing about luck.

    `draws` says of each value which draw of the uncertain it had. Where these are not independent
    the means of their streams are, with the values of a stream weighing as much as they are many
    (a ratio estimate: Cochran 1977, Sampling Techniques, section 6.3).
    """
    if len(values) < 2:  # noqa: PLR2004
        return Interval(math.nan, math.nan)
    groups, error = _error(values, draws)
    mean, half = float(values.mean()), float(stdtrit(groups - 1, UPPER_TAIL)) * error
    return Interval(mean - half, mean + half)


def effective_number(values: NDArray[np.float64], draws: Numbers | None = None) -> int:
    """How many independent values would have a mean as precise; 0 of none."""
    number = len(values)
    if draws is None or number < 2 or not (spread := float(values.var(ddof=1))):  # noqa: PLR2004
        return number
    _, error = _error(values, draws)
    return round(spread / error**2) if error > 0 else number


def _error(values: NDArray[np.float64], draws: Numbers | None) -> tuple[int, float]:
    """How many independent groups two values or more are in, and the error of their mean."""
    number = len(values)
    if draws is None:
        return number, float(values.std(ddof=1)) / math.sqrt(number)
    streams = draws % STREAMS
    sizes, sums = np.bincount(streams), np.bincount(streams, values)
    groups = int(np.count_nonzero(sizes))
    if groups < 2:  # noqa: PLR2004  twins alone
        return groups, math.nan
    apart = (sums - sizes * values.mean()) / number
    return groups, math.sqrt(groups / (groups - 1) * float(apart @ apart))


def of_paired_met(
    before: NDArray[np.bool_], after: NDArray[np.bool_], draws: Numbers | None = None
) -> Interval:
    """Interval of the difference of two shares met in the same pairs, after - before.

    Where `draws` are not independent it is that of a mean, or, of fewer than 400 pairs or 20 that
    differ, that of as many pairs as there are draws.
    """
    gained, lost = np.count_nonzero(after & ~before), np.count_nonzero(before & ~after)
    pairs = len(before)
    if draws is not None and pairs >= ENOUGH and gained + lost >= FEW:
        return of_mean(after.astype(np.float64) - before, draws)
    independent = pairs if draws is None else len(np.unique(draws))
    return of_paired_shares(gained * independent / pairs, lost * independent / pairs, independent)


def of_paired_shares(gained: float, lost: float, pairs: float) -> Interval:
    """Interval of the difference of two shares seen in the same pairs, (gained - lost) / pairs.

    Wald's after half a pair is added to each of the four cells (Agresti & Min 2005, Stat Med
    24:729): it keeps a width where no pair differs.
    """
    number, up, down = pairs + 2, gained + 0.5, lost + 0.5
    middle = (up - down) / number
    half = NORMAL_975 * math.sqrt(up + down - (up - down) ** 2 / number) / number
    return Interval(middle - half, middle + half)


def of_met(met: NDArray[np.bool_], draws: Numbers | None = None) -> Interval:
    """Interval of the share met: Wilson's, or where `draws` are not independent that of a mean.

    Below 400 values, or 20 met or not met, those of Clopper & Pearson (1934, Biometrika 26:404) on
    the number of draws stand in for that.
    """
    times, number = int(np.count_nonzero(met)), len(met)
    if draws is None:
        return of_share(times, number)
    if are_enough(times, number):
        low, high = of_mean(met.astype(np.float64), draws)
        return Interval(max(low, 0.0), min(high, 1.0))
    return of_few(times, number, len(np.unique(draws)))


def are_enough(times: int, number: int) -> bool:
    """Whether so many values, so many of them met, have a share that is like any other mean."""
    return number >= ENOUGH and FEW <= times <= number - FEW


def of_few(times: int, number: int, independent: int) -> Interval:
    """Interval of a share of values of which so many are independent, Clopper & Pearson's."""
    seen = independent * times / number if number else 0.0
    return Interval(
        float(betaincinv(seen, independent - seen + 1, 1 - UPPER_TAIL)) if times else 0.0,
        float(betaincinv(seen + 1, independent - seen, UPPER_TAIL)) if times < number else 1.0,
    )


def of_share(successes: int, number: int) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); from 0 to 1 where nothing was counted."""
    from scipy.stats import binomtest  # noqa: PLC0415  a second to import, and workers never ask

    if number == 0:
        return Interval(0.0, 1.0)
    return Interval(*binomtest(successes, number).proportion_ci(0.95, "wilson"))
