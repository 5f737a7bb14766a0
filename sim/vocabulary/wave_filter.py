"""What counts of months tell of the level and the waves of a rate.

Counts are Poisson given the rate: a state-space model for counts (West, Harrison & Migon 1985, J Am
Stat Assoc 80:73), here on a grid, so that its filter is exact (Kitagawa 1987, J Am Stat Assoc
82:1032).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.distributions import Distribution
from sim.vocabulary.waves import Wave, WaveLaw

_Floats = NDArray[np.float64]
_Places = NDArray[np.intp]

_LEVELS, _DEVIATIONS, _FURTHEST = 76, 25, 3.0
"""Of how many levels the filter knows, and of how many deviations, and how far these reach."""

_LOGITS = np.linspace(-14, 14, 561)
_BELOW, _ABOVE = 4.5, 3.0
"""How far the levels reach from the middle one at most, on the log scale."""

_LEAST_RATE = 1e-12


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
