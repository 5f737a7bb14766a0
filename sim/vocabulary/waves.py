"""The rate of candidates comes in waves: each month has its level times a factor of mean 1.

The logarithm of month t's factor is s·z_t − s²/2, where the deviation z is a stationary
autoregressive series of variance 1: z_t = φ·z_(t−1) + √(1 − φ²)·e_t. With s = 0 the rate is
constant, with φ = 0 a month tells nothing of the next, with φ near 1 the rate drifts slowly, and
always it returns to its level. Counts are Poisson given the rate: a state-space model for counts
(West, Harrison & Migon 1985, J Am Stat Assoc 80:73), here on a grid, so that its filter is exact
(Kitagawa 1987, J Am Stat Assoc 82:1032).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.distributions import Distribution, normal

_Floats = NDArray[np.float64]
_Places = NDArray[np.intp]

_SIZES = (0.2, 0.4, 0.6, 0.9)
_PERSISTENCES = (0.0, 0.6, 0.85, 0.95, 0.985)

_LEVELS, _DEVIATIONS, _FURTHEST = 76, 25, 3.0
"""Of how many levels the filter knows, and of how many deviations, and how far these reach."""

_LOGITS = np.linspace(-14, 14, 561)
_BELOW, _ABOVE = 4.5, 3.0
"""How far the levels reach from the middle one at most, on the log scale."""

_LEAST_RATE = 1e-12

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


class WavePath(NamedTuple):
    """The deviations of the first months of a wave, of which the last ends as day `ends` begins.

    The first is that of day 0, and the months after them are to come.
    """

    wave: Wave
    deviations: tuple[float, ...] = ()
    ends: float = 0.0

    def waved(self, expected: Sequence[float], ask: Callable[[int], float]) -> Sequence[float]:
        """Return the candidates expected by each day, the factors of months counted in.

        `expected` is as if the rate were one. Months that are to come are drawn one by one, by
        numbers in [0, 1) of which `ask` says the n-th, from 0.
        """
        if not self.wave.size:
            return expected
        months = months_of(np.arange(len(expected) - 1), self.ends)
        deviations = [*self.deviations]
        for number in range(int(months[-1]) + 1):
            # The first deviation of all is that of a series that has gone on for ever.
            wave = self.wave if deviations else Wave(self.wave.size, 0.0)
            deviations.append(wave.after(deviations[-1] if deviations else 0.0, ask(number)))
        factors = np.array([self.wave.factor(each) for each in deviations])
        daily = np.diff(expected) * factors[months + len(self.deviations)]
        return [0.0, *np.cumsum(daily).tolist()]


def months_of(days: _Floats | _Places, ends: float) -> _Places:
    """Return the month of each day, counted from day `ends` on: it begins before the day does.

    Months before are negative.
    """
    return np.floor((days - ends) / DAYS_PER_MONTH).astype(np.intp)


class _Grid(NamedTuple):
    """The levels of a law: how much of it lies below the ends of each, and its rate.

    `logs` are the logarithms of the law's quantiles at `_LOGITS`.
    """

    upto: _Floats
    rates: _Floats
    logs: _Floats

    def rates_at(self, shares: _Floats) -> _Floats:
        """Return the quantiles of the law at some shares."""
        inside = np.clip(shares, 1e-6, 1 - 1e-6)
        return np.exp(np.interp(np.log(inside / (1 - inside)), _LOGITS, self.logs))


@lru_cache(maxsize=64)
def _grid(law: Distribution) -> _Grid:
    shares = 1 / (1 + np.exp(-_LOGITS))
    logs = np.log([max(law.quantile(float(share)), _LEAST_RATE) for share in shares])
    middle = logs[len(logs) // 2]
    low, high = max(logs[0], middle - _BELOW), min(logs[-1], middle + _ABOVE)
    if high <= low:
        return _Grid(np.array([0.0, 1.0]), np.exp([middle]), logs)
    ends = np.linspace(low, high, _LEVELS + 1)
    upto = np.interp(ends, logs, shares)
    upto[0], upto[-1] = 0.0, 1.0
    return _Grid(upto, np.exp((ends[1:] + ends[:-1]) / 2), logs)


class Believed(NamedTuple):
    """Draws of what the filter believes: a level, a wave and its path (draws, months) each."""

    rates: _Floats
    waves: list[Wave]
    deviations: _Floats


class Filter:
    """What counts of months tell of the level and the waves of a rate: exactly, on a grid.

    Of each month, the oldest first, there is how many came and how many would be expected, were the
    rate one. `log_probability` is that of the counts, but for what does not depend on the rate:
    of each month rate^count · exp(−rate · exposure).
    """

    def __init__(
        self, counts: Sequence[int], exposures: _Floats, rate: Distribution, waves: WaveLaw
    ) -> None:
        """Filter the months."""
        each = [*waves.each()]
        self._waves = [wave for wave, _ in each]
        self._grid = _grid(rate)
        sizes = np.array([wave.size for wave in self._waves])[:, None, None]
        self._deviations = np.linspace(-_FURTHEST, _FURTHEST, _DEVIATIONS)
        self._steps, stationary = _steps()
        logs = np.log(self._grid.rates)[:, None] + sizes * self._deviations - sizes**2 / 2
        rates = np.exp(logs)
        levels = np.diff(self._grid.upto)[:, None] * stationary
        believed = np.array([probability for _, probability in each])[:, None, None] * levels
        self.log_probability = 0.0
        self._filtered: list[_Floats] = []
        for month, (count, exposure) in enumerate(zip(counts, exposures, strict=True)):
            if month:
                believed = believed @ self._steps
            told = count * logs - exposure * rates
            most = float(told[believed > 0].max())
            believed = believed * np.exp(np.minimum(told - most, 0.0))
            whole = float(believed.sum())
            believed /= whole
            self.log_probability += most + math.log(whole)
            self._filtered.append(believed)

    @property
    def calm(self) -> float:
        """How probable it is that the rate is constant."""
        return float(self._filtered[-1][0].sum())

    def draws(self, size: int, luck: np.random.Generator) -> Believed:
        """Draw so many rates and paths, from the newest month back to the oldest.

        Godsill, Doucet & West 2004, J Am Stat Assoc 99:156.
        """
        last = self._filtered[-1]
        upto = np.cumsum(last.ravel())
        places = np.searchsorted(upto, (np.arange(size) + luck.random(size)) / size * upto[-1])
        wave, level, now = np.unravel_index(np.minimum(places, last.size - 1), last.shape)
        ends = self._grid.upto
        shares = ends[level] + luck.random(size) * (ends[level + 1] - ends[level])
        path = np.empty((size, len(self._filtered)), np.intp)
        path[:, -1] = now
        for month in range(len(self._filtered) - 2, -1, -1):
            before = self._filtered[month][wave, level] * self._steps[wave, :, path[:, month + 1]]
            path[:, month] = _chosen(before, luck)
        waves = [self._waves[each] for each in wave]
        return Believed(self._grid.rates_at(shares), waves, self._deviations[path])


def _chosen(weights: _Floats, luck: np.random.Generator) -> _Places:
    """Return a place of each row, drawn by its weights."""
    upto = np.cumsum(weights, axis=1)
    aimed = luck.random(len(weights)) * upto[:, -1]
    places: _Places = np.minimum((upto < aimed[:, None]).sum(axis=1), weights.shape[1] - 1)
    return places


@cache
def _steps() -> tuple[_Floats, _Floats]:
    """Return of each wave how probable a step from one deviation to another is; the stationary law.

    Of no wave is it narrower than 0.7 of the grid's step, so that means and variances are exact.
    """
    grid = np.linspace(-_FURTHEST, _FURTHEST, _DEVIATIONS)
    waves = WaveLaw(1.0, 0.5).each()
    persistence = np.array([wave.persistence for wave, _ in waves])[:, None, None]
    apart = (grid - persistence * grid[:, None]) / np.sqrt(1 - persistence**2)
    steps = np.exp(-(apart**2) / 2)
    stationary = np.exp(-(grid**2) / 2)
    return steps / steps.sum(axis=2, keepdims=True), stationary / stationary.sum()
