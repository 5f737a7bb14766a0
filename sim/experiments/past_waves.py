"""Where the rate of candidates waves: draws of it, and of its past, that fit when people came."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from sim.scenario.history import History
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY
from sim.vocabulary.distributions import fixed
from sim.vocabulary.wave_filter import Filter, months_of
from sim.vocabulary.waves import Wave, WavePath

_Floats = NDArray[np.float64]

_LEAST = 1e-12
"""Candidates expected in a month in which none can be known, but somebody is."""


class PathDraws(NamedTuple):
    """Draws of rates and paths, their weights, and the months of exposure of each."""

    rates: _Floats
    paths: list[WavePath]
    log_weights: _Floats
    exposures: _Floats


class Months(NamedTuple):
    """When people came to be known, in months counted back from the day of the forecast.

    `delays` are days from becoming a candidate to being known, equally probable. Candidates' months
    are earlier by the mean of them, so that who is known of a month came, on the whole, in one.
    `recruited` is the day on which recruitment ended, or that of the forecast.
    """

    days: tuple[int, ...]
    until: float
    recruited: float
    delays: _Floats

    @classmethod
    def of(cls, history: History, delays: _Floats, recruited: float) -> Months:
        """Return the months of a history; delays, and the end of recruitment, in minutes."""
        days = tuple(int(moment // MINUTES_PER_DAY) for moment in history.known)
        until, recruited = history.until / MINUTES_PER_DAY, recruited / MINUTES_PER_DAY
        return cls(days, until, recruited, delays / MINUTES_PER_DAY)

    @property
    def counts(self) -> list[int]:
        """How many came to be known in each month, the oldest first."""
        months = -int(months_of(np.zeros(1), self.until)[0])
        known = months_of(np.array(self.days, np.float64), self.until) + months
        counts: list[int] = np.bincount(known, minlength=months).tolist()
        return counts

    @property
    def lag(self) -> float:
        """The mean delay in days, no longer than the trial so far."""
        return min(float(self.delays.mean()), self.until)

    @property
    def under_way(self) -> int:
        """How many months of candidates have begun of whom, on the whole, nobody is known yet."""
        return math.ceil(self.lag / DAYS_PER_MONTH)

    @property
    def ends(self) -> float:
        """The day on which the last month of candidates ends that has begun."""
        return self.until - self.lag + self.under_way * DAYS_PER_MONTH

    def known(self, by_day: _Floats) -> _Floats:
        """Return how many known of each month (rows) came in each month of candidates (columns).

        Of those expected `by_day`, were the rate one.
        """
        rows = np.arange(-len(self.counts), 1)
        columns = np.arange(int(months_of(np.zeros(1), self.ends)[0]), 1)
        end = min(self.recruited, self.until)
        of_known, of_candidates = (
            np.minimum(np.maximum(np.ceil(ends + months * DAYS_PER_MONTH), 0.0), end)
            for ends, months in ((self.until, rows), (self.ends, columns))
        )
        of_known = of_known[:, None] - self.delays
        low = np.maximum(of_known[:-1, None], of_candidates[None, :-1, None])
        high = np.minimum(of_known[1:, None], of_candidates[None, 1:, None])
        ours = np.interp(np.maximum(low, high), np.arange(len(by_day)), by_day)
        ours -= np.interp(low, np.arange(len(by_day)), by_day)
        known: _Floats = ours.mean(axis=2)
        return known


def path_draws(protocol: Protocol, months: Months, share: float, size: int, seed: int) -> PathDraws:
    """Return draws of the rate and of its path, if the share of candidates that is known is given.

    They come from a filter for which each month of those known has the factor of one month of
    candidates. Weights make up for that (importance sampling), for delays differ.
    """
    if protocol.waves is None:
        raise ValueError(protocol.waves)
    luck, counts = np.random.default_rng(seed), months.counts
    by_day = np.array(protocol.expected_candidates)
    known = months.known(by_day) * share
    exposures = known.sum(axis=1)
    rate = protocol.rate or fixed(protocol.candidates_per_month)
    told = Filter(counts, exposures, rate, protocol.waves)
    drawn = told.draws(size, luck)
    sizes = np.array([wave.size for wave in drawn.waves])[:, None]
    of_candidates = _of_candidates(months, known.shape[1], drawn.waves, drawn.deviations, luck)
    paths = [
        WavePath(wave, tuple(deviations), months.ends)
        for wave, deviations in zip(drawn.waves, of_candidates.tolist(), strict=True)
    ]
    weights = np.full(size, told.log_probability)
    whole = np.full(size, float(exposures.sum()))
    if not months.delays.any():
        daily = np.diff(by_day)[np.minimum(np.array(months.days, np.intp), len(by_day) - 2)]
        return PathDraws(
            drawn.rates, paths, weights + np.log(np.maximum(daily * share, _LEAST)).sum(), whole
        )
    rates, seen = drawn.rates[:, None], np.array(counts)
    factors = np.exp(sizes * drawn.deviations - sizes**2 / 2)
    weights -= (xlogy(seen, rates * factors) - rates * factors * exposures).sum(axis=1)
    expected = rates * (np.exp(sizes * of_candidates - sizes**2 / 2) @ known.T)
    weights += (xlogy(seen, np.maximum(expected, _LEAST)) - expected).sum(axis=1)
    return PathDraws(drawn.rates, paths, weights, whole)


def _of_candidates(
    months: Months,
    number: int,
    waves: list[Wave],
    deviations: _Floats,
    luck: np.random.Generator,
) -> _Floats:
    """Return the deviations of so many months of candidates: those filtered, and later ones."""
    filtered = number - months.under_way
    path = [*deviations.T[deviations.shape[1] - filtered :]]
    persistence = np.array([wave.persistence for wave in waves])
    for _ in range(months.under_way):
        before, kept = (path[-1], persistence) if path else (0.0, np.zeros(len(waves)))
        path.append(kept * before + np.sqrt(1 - kept**2) * luck.normal(size=len(waves)))
    return np.column_stack(path)
