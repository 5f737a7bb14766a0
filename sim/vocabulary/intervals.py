"""95 % confidence intervals: of a mean by Student's t, of a share by Wilson's score."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

UPPER_TAIL = 0.975
NORMAL_975 = 1.959963984540054


class Interval(NamedTuple):
    """The ends of an interval; both nan where there is none."""

    low: float
    high: float


def of_mean(values: NDArray[np.float64]) -> Interval:
    """Mean ± t · sd / √n, blank below two values: one replication says nothing about luck."""
    sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return of_mean_and_sd(float(values.mean()) if len(values) else math.nan, sd, len(values))


def of_mean_and_sd(mean: float, sd: float, number: int) -> Interval:
    """The same of values of which only the mean and the standard deviation (n - 1) are known."""
    if number < 2:  # noqa: PLR2004
        return Interval(math.nan, math.nan)
    half = float(stdtrit(number - 1, UPPER_TAIL) * sd / math.sqrt(number))
    return Interval(mean - half, mean + half)


def of_paired_shares(gained: int, lost: int, pairs: int) -> Interval:
    """Interval of the difference of two shares seen in the same pairs, (gained - lost) / pairs.

    Wald's after half a pair is added to each of the four cells (Agresti & Min 2005, Stat Med
    24:729): it keeps a width where no pair differs.
    """
    number, up, down = pairs + 2, gained + 0.5, lost + 0.5
    middle = (up - down) / number
    half = NORMAL_975 * math.sqrt(up + down - (up - down) ** 2 / number) / number
    return Interval(middle - half, middle + half)


def of_share(successes: int, number: int) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); from 0 to 1 where nothing was counted."""
    from scipy.stats import binomtest  # noqa: PLC0415  a second to import, and workers never ask

    if number == 0:
        return Interval(0.0, 1.0)
    return Interval(*binomtest(successes, number).proportion_ci(0.95, "wilson"))
