"""The rate of candidates comes in waves: each month has its level times a factor of mean 1.

The logarithm of month t's factor is s·z_t − s²/2, where the deviation z is a stationary
autoregressive series of variance 1: z_t = φ·z_(t−1) + √(1 − φ²)·e_t. With s = 0 the rate is
constant, with φ = 0 a month tells nothing of the next, with φ near 1 the rate drifts slowly, and
always it returns to its level.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from statistics import fmean
from typing import NamedTuple

from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.distributions import normal

_SIZES = (0.2, 0.4, 0.6, 0.9)
_PERSISTENCES = (0.0, 0.6, 0.85, 0.95, 0.985)

_LEVELLED = 36
"""The first months, whose mean is drawn beforehand."""

_innovation = normal(0.0, 1.0).quantile


class Wave(NamedTuple):
    """How a rate waves: the standard deviation s of its logarithm, and the correlation φ."""

    size: float
    persistence: float

    def factor(self, deviation: float) -> float:
        """Return by what a month multiplies the level."""
        return math.exp(self.size * deviation - self.size**2 / 2)

    def after(self, deviation: float, u: float) -> float:
        """Return the deviation of the month after one, by a number in [0, 1)."""
        return self.persistence * deviation + math.sqrt(1 - self.persistence**2) * _innovation(u)


CALM = Wave(0.0, 0.0)


class WaveLaw(NamedTuple):
    """What is believed of how a rate waves: it is calm, or its size is half-normal of scale `sd`.

    The size is one of four, and the persistence one of five, which are equally probable.
    """

    sd: float
    calm: float

    def each(self) -> Iterator[tuple[Wave, float]]:
        """Yield every wave there may be, the calm first, and how probable it is."""
        yield CALM, self.calm
        nearest = min(_SIZES)
        weights = [math.exp((nearest**2 - size**2) / (2 * self.sd**2)) for size in _SIZES]
        share = (1 - self.calm) / (len(_PERSISTENCES) * math.fsum(weights))
        for size, weight in zip(_SIZES, weights, strict=True):
            for persistence in _PERSISTENCES:
                yield Wave(size, persistence), weight * share

    def wave(self, u: float) -> Wave:
        """Return the wave that a number in [0, 1) draws."""
        waves, upto = _cumulated(self)
        return waves[min(bisect_right(upto, u * upto[-1]), len(waves) - 1)]


@cache
def _cumulated(law: WaveLaw) -> tuple[list[Wave], list[float]]:
    each = [*law.each()]
    return [wave for wave, _ in each], [*accumulate(probability for _, probability in each)]


@cache
def _pulls(persistence: float, months: int) -> tuple[tuple[float, ...], float]:
    """Return how far each deviation goes with the mean of the first, and the variance of that."""
    together = [
        fmean(persistence ** abs(month - other) for other in range(_LEVELLED))
        for month in range(months)
    ]
    variance = fmean(together[:_LEVELLED])
    return tuple(each / variance for each in together), variance


class WavePath(NamedTuple):
    """The deviations of the first months of a wave, of which the last ends as day `ends` begins.

    The first is that of day 0, and the months after them are to come. A `level` in [0, 1) says how
    high the mean of three years of those is, where it is drawn beforehand; however long a trial
    recruits, a month is the same.
    """

    wave: Wave
    deviations: tuple[float, ...] = ()
    ends: float = 0.0
    level: float | None = None

    def waved(self, expected: Sequence[float], ask: Callable[[int], float]) -> Sequence[float]:
        """Return the candidates expected by each day, the factors of months counted in.

        `expected` is as if the rate were one. Months that are to come are drawn one by one, by
        numbers in [0, 1) of which `ask` says the n-th, from 0.
        """
        if not self.wave.size:
            return expected
        months = [
            math.floor((day - self.ends) / DAYS_PER_MONTH) for day in range(len(expected) - 1)
        ]
        deviations = [*self.deviations]
        for number in range(max(months[-1] + 1, 0 if self.level is None else _LEVELLED)):
            # The first deviation of all is that of a series that has gone on for ever.
            wave = self.wave if deviations else Wave(self.wave.size, 0.0)
            deviations.append(wave.after(deviations[-1] if deviations else 0.0, ask(number)))
        if self.level is not None:
            deviations = self._levelled(deviations)
        factors = [self.wave.factor(each) for each in deviations]
        known = len(self.deviations)
        daily = (
            (high - low) * factors[month + known]
            for month, (low, high) in zip(months, pairwise(expected), strict=True)
        )
        return [0.0, *accumulate(daily)]

    def _levelled(self, deviations: Sequence[float]) -> list[float]:
        """Return deviations that are to come, with the mean that the level draws.

        They are as normal deviations are, given their mean (Hoffman & Ribak 1991, Astrophys J
        380:L5): where means are spread evenly, so is what most moves the number of candidates.
        """
        pulls, variance = _pulls(self.wave.persistence, len(deviations))
        mean = math.sqrt(variance) * _innovation(self.level or 0.0)
        away = mean - fmean(deviations[:_LEVELLED])
        return [each + pull * away for each, pull in zip(deviations, pulls, strict=True)]
