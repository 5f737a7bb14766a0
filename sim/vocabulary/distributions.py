"""Distributions as quantile functions: one uniform in, one value out.

Inverse-transform sampling keeps one number a question, so that a changed parameter moves a
person's value and nobody else's. Truncation restricts the uniform to [F(low), F(high)]: a value is
never clamped. Formulas: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import itemgetter
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Floats: TypeAlias = "NDArray[np.float64]"

LEAST_SHARE = 1e-9
"""How little may lie between the ends of a distribution, beside what lies below them."""

Quantile = Callable[[float], float]


@dataclass(frozen=True)
class Distribution:
    """A quantile function on [0, 1) and the value planners would book for (`typical`: the mode)."""

    quantile: Quantile
    typical: float
    is_certain: bool = False


class Hazard:
    """A hazard of something that happens to a person once: constant between knots and after them.

    `is_none` says that it never happens.
    """

    def __init__(self, knots: tuple[tuple[float, float], ...]) -> None:
        """Each knot is a time with the cumulative hazard reached by then, both rising.

        The first is (0, 0). With one knot beside it the time is exponential, else piecewise so. The
        hazard before the last knot holds after it too.
        """
        self.knots = knots
        self._rates = tuple(
            [(high - low) / (end - start) for (start, low), (end, high) in pairwise(knots)]
        )
        self.is_none = not any(self._rates)

    def cumulative(self, time: float) -> float:
        """Return the cumulative hazard at a time: 1 − exp(−it) is the share it has happened to."""
        piece = self._piece(time, itemgetter(0))
        start, reached = self.knots[piece]
        return reached + self._rates[piece] * (time - start)

    def quantile(self, u: float) -> float:
        """Return the time by which it has happened to the share `u`; infinity if it never does."""
        wanted = -math.log1p(-u)
        piece = self._piece(wanted, itemgetter(1))
        start, reached = self.knots[piece]
        rate = self._rates[piece]
        return start + (wanted - reached) / rate if rate else math.inf

    def _piece(self, value: float, of: Callable[[tuple[float, float]], float]) -> int:
        """Return after which knot a time, or a cumulative hazard, lies; never the last knot."""
        return bisect_right(self.knots, value, 1, len(self.knots) - 1, key=of) - 1


def fixed(value: float) -> Distribution:
    """Return the distribution that is always `value`."""
    return Distribution(lambda _u: value, value, is_certain=True)


def uniform(low: float, high: float) -> Distribution:
    """Return the uniform distribution on [low, high]; its middle stands for the mode."""
    return Distribution(lambda u: low + u * (high - low), (low + high) / 2)


def triangular(low: float, mode: float, high: float) -> Distribution:
    """Return the triangular distribution; low == high gives a constant."""
    if low == high:
        return fixed(low)
    rise, fall, span = mode - low, high - mode, high - low
    turn = rise / span

    def quantile(u: float) -> float:
        if u < turn:
            return low + math.sqrt(u * span * rise)
        return high - math.sqrt((1.0 - u) * span * fall)

    return Distribution(quantile, mode)


def normal(mean: float, sd: float, low: float = -math.inf, high: float = math.inf) -> Distribution:
    """Return the normal distribution; `mean` and `sd` are those before truncation."""
    if sd == 0:
        return fixed(mean)
    whole = NormalDist(mean, sd)
    quantile = _truncated(whole.inv_cdf, whole.cdf, low, high)
    return Distribution(quantile, min(max(mean, low), high))


def lognormal(
    median: float, sigma: float, low: float = 0.0, high: float = math.inf
) -> Distribution:
    """Return the log-normal distribution with log-scale standard deviation `sigma`."""
    log_low = math.log(low) if low > 0 else -math.inf
    log_high = math.log(high) if high < math.inf else math.inf
    inner = normal(math.log(median), sigma, log_low, log_high).quantile
    mode = median * math.exp(-(sigma**2))
    return Distribution(lambda u: math.exp(inner(u)), min(max(mode, low), high))


def exponential(mean: float, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Return the exponential distribution."""
    return weibull(1.0, mean, low, high)


def weibull(shape: float, scale: float, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Return the Weibull distribution: F(x) = 1 − exp(−(x/scale)^shape)."""
    if scale == 0:
        return fixed(0.0)

    def cdf(x: float) -> float:
        return -math.expm1(-((x / scale) ** shape)) if x > 0 else 0.0

    def inverse(u: float) -> float:
        return float(scale * (-math.log1p(-u)) ** (1.0 / shape))

    mode = scale * ((shape - 1) / shape) ** (1 / shape) if shape > 1 else 0.0
    return Distribution(_truncated(inverse, cdf, low, high), min(max(mode, low), high))


def gamma(mean: float, shape: float, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Return the gamma distribution with the given mean and shape (variance mean²/shape)."""
    from sim.vocabulary.special import gammainc, gammaincinv  # noqa: PLC0415 -- slow, and seldom needed

    scale = mean / shape
    if scale == 0:
        return fixed(0.0)
    quantile = _truncated(
        lambda u: scale * float(gammaincinv(shape, u)),
        lambda x: float(gammainc(shape, max(x, 0.0) / scale)),
        low,
        high,
    )
    return Distribution(quantile, min(max((shape - 1) * scale, low), high))


def beta(mean: float, size: float, low: float = 0.0, high: float = 1.0) -> Distribution:
    """Return the beta distribution with shapes `mean · size` and `(1 − mean) · size`.

    It is what is known of a share after so many people (`size`) were seen; `mean` is that before
    truncation.
    """
    from sim.vocabulary.special import betainc, betaincinv  # noqa: PLC0415 -- slow, and seldom needed

    shapes = mean * size, (1 - mean) * size
    quantile = _truncated(
        lambda u: float(betaincinv(*shapes, u)), lambda x: float(betainc(*shapes, x)), low, high
    )
    mode = (shapes[0] - 1) / (size - 2) if min(shapes) > 1 else float(mean >= 1 / 2)
    return Distribution(quantile, min(max(mode, low), high))


def empirical(values: tuple[float, ...], weights: tuple[float, ...] | None = None) -> Distribution:
    """Return the distribution that takes the given values with the given (or equal) weights."""
    pairs = sorted(zip(values, weights or (1.0,) * len(values), strict=True))
    ordered = [value for value, _ in pairs]
    steps = list(accumulate(weight for _, weight in pairs))
    total, last = steps[-1], len(ordered) - 1
    heaviest = max(pairs, key=lambda pair: pair[1])[0]
    return Distribution(lambda u: ordered[min(bisect_right(steps, u * total), last)], heaviest)


def bernoulli(probability: float) -> Distribution:
    """Return 1.0 with the given probability, else 0.0."""
    return Distribution(lambda u: float(u < probability), float(probability >= 1 / 2))


FAMILIES: dict[str, Callable[..., Distribution]] = {
    "fixed": fixed,
    "uniform": uniform,
    "triangular": triangular,
    "normal": normal,
    "lognormal": lognormal,
    "exponential": exponential,
    "weibull": weibull,
    "gamma": gamma,
    "empirical": empirical,
}
"""The families by the names that scenarios use."""


def rounded(inner: Distribution) -> Distribution:
    """Return `inner` rounded to whole numbers."""
    quantile = inner.quantile
    return Distribution(lambda u: float(round(quantile(u))), float(round(inner.typical)))


_CELLS, _ALMOST = 4000, 1e-9


@lru_cache(maxsize=64)
def _cells(law: Distribution) -> tuple[_Floats, _Floats]:
    """Return the ends and the middles of cells that are equally probable."""
    import numpy as np  # noqa: PLC0415  no replication of a plan asks

    ends = [law.quantile(min(max(n / _CELLS, _ALMOST), 1 - _ALMOST)) for n in range(_CELLS + 1)]
    return np.array(ends), np.array([law.quantile((n + 0.5) / _CELLS) for n in range(_CELLS)])


def updated(prior: Distribution, log_likelihood: Callable[[_Floats], _Floats]) -> Distribution:
    """Return what is believed of a number after something was seen: Bayes' rule on a grid.

    `log_likelihood` says of an array of values how probable that was at each of them.
    """
    import numpy as np  # noqa: PLC0415  no replication of a plan asks

    ends, middles = _cells(prior)
    told = log_likelihood(middles)
    weights = np.exp(told - told.max())
    upto = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    return Distribution(
        lambda u: float(np.interp(u, upto, ends)), float(middles[int(weights.argmax())])
    )


def _truncated(
    inverse: Quantile, cdf: Callable[[float], float], low: float, high: float
) -> Quantile:
    """Return the quantile function of what lies between `low` and `high`.

    The uniform is kept inside (0, 1), where every inverse is finite. Raises ValueError where too
    little lies between them for a float to tell its parts from one another.
    """
    bottom = cdf(low) if low > -math.inf else 0.0
    share = (cdf(high) if high < math.inf else 1.0) - bottom
    if share <= LEAST_SHARE * bottom:
        raise ValueError(share)
    smallest, largest = 1e-300, 1.0 - 1e-16

    def quantile(u: float) -> float:
        inside = bottom + u * share
        if not smallest < inside < largest:
            inside = min(max(inside, smallest), largest)
        value = inverse(inside)
        # Rounding error only: the uniform already lies inside.
        return value if low <= value <= high else min(max(value, low), high)

    return quantile
