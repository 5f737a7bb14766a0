"""The tables of a forecast alone: the log as it was read, and what it taught."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from math import fsum
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.results.fold import Results
from sim.results.ignorance import drawn_columns
from sim.scenario.beliefs import MIDDLE
from sim.scenario.enrolment_log import EnrolmentLog
from sim.scenario.logged_person import DATES
from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY

_Row = tuple[Any, ...]

_MINUTES_PER_MONTH = DAYS_PER_MONTH * MINUTES_PER_DAY

OBSERVED = {"participant": int, **dict.fromkeys(DATES, date), "reason": str, "arm": str}
OBSERVED |= {"doses": float, "left_reason": str}
BELIEF = {"path": str, "prior_mean": float, "prior_low": float, "prior_high": float}
BELIEF |= {"prior_worth": float, "seen": float, "of": float, "mean": float, "low": float}
BELIEF |= {"high": float, "learnt": str}


CONSTANT = "constant_rate"
FIT = {"check": str, "statistic": float, "p_value": float, "verdict": str}
_SIMULATED, _SEED = 4000, 1
"""Logs of a constant rate beside which the months of one are held."""

_FEWEST_CAME, _ROUNDING = 3, 1e-9
DOUBTFUL, UNLIKELY = 0.05, 0.005
"""Of two checks together: each of them is held to half as much (Bonferroni)."""


def fit(results: Results) -> Iterator[_Row]:
    """Whether those known came as at a constant rate, seasons and disruptions counted in.

    How probable that is, if it may wave, has no p-value.
    """
    informed, protocol = results.protocol.informed, results.protocol
    if informed is not None and informed.pool.waves:
        yield CONSTANT, informed.pool.calm, math.nan, ""
    if informed is None or len(informed.history.people) < _FEWEST_CAME:
        return
    until, recruits_until = informed.history.until, protocol.recruits_until_minutes
    delays = informed.delays

    def expected(moment: float) -> float:
        since = (min(max(moment - delay, 0.0), recruits_until) for delay in delays)
        return fsum(map(protocol.expected_by, since)) / len(delays)

    whole = expected(until)
    came = [expected(moment) for moment in informed.history.known]
    months = int(until // _MINUTES_PER_MONTH)
    ends = [expected(until - place * _MINUTES_PER_MONTH) for place in range(months, -1, -1)]
    counts, _ = np.histogram(came, ends)
    checks = {
        "trend": trend([each / whole for each in came]),
        "uneven_months": unevenness(counts, np.diff(ends)),
        "empty_months": emptiness(counts, np.diff(ends)),
        "longest_gap": longest_gap([each / whole for each in came]),
    }
    for check, (statistic, p_value) in checks.items():
        verdict = "fits"
        if p_value < DOUBTFUL / 2:
            verdict = "doubtful" if p_value >= UNLIKELY / 2 else "does_not_fit"
        yield check, statistic, p_value, verdict


def trend(places: Sequence[float]) -> tuple[float, float]:
    """Return Laplace's statistic of places in [0, 1), positive where later ones are more; its p.

    Cox & Lewis 1966, The Statistical Analysis of Series of Events, section 3.3.
    """
    number = len(places)
    statistic = (fsum(places) / number - 0.5) * math.sqrt(12 * number)
    return statistic, 2 * NormalDist().cdf(-abs(statistic))


def unevenness(counts: NDArray[np.intp], shares: NDArray[np.float64]) -> tuple[float, float]:
    """Return the chi-square of months' counts for their shares, and how often one is as large.

    It is worked out by drawing as many people anew: months of a small trial are too few for the
    distribution of tables.
    """
    months = shares > 0
    if months.sum() <= 1:
        return math.nan, 1.0
    expected = counts.sum() * shares[months] / shares.sum()

    def statistic(found: NDArray[np.intp]) -> NDArray[np.float64]:
        away = (found[..., months] - expected) ** 2 / expected
        return np.asarray(away.sum(axis=-1), np.float64)

    return _as_large(statistic(counts), statistic(_months_anew(counts, shares)))


def emptiness(counts: NDArray[np.intp], shares: NDArray[np.float64]) -> tuple[float, float]:
    """Return how many months had nobody, and how often so many have, of as many people drawn."""
    if counts.sum() == 0 or len(counts) <= 1:
        return math.nan, 1.0
    anew = _months_anew(counts, shares)
    return _as_large(float((counts == 0).sum()), np.asarray((anew == 0).sum(axis=1), np.float64))


def longest_gap(places: Sequence[float]) -> tuple[float, float]:
    """Return the longest part of the time in which nobody came, and how often one is as long."""
    drawn = np.random.default_rng(_SEED).uniform(size=(_SIMULATED, len(places)))
    return _as_large(float(_gaps(np.array([places]))[0]), _gaps(drawn))


def _gaps(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the longest gap of each row of places in [0, 1), the ends counted in."""
    gaps = np.diff(np.sort(places, axis=1), axis=1, prepend=0.0, append=1.0)
    return np.asarray(gaps.max(axis=1), np.float64)


def _months_anew(counts: NDArray[np.intp], shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return months of as many people, drawn many times."""
    luck = np.random.default_rng(_SEED)
    return luck.multinomial(counts.sum(), shares / shares.sum(), _SIMULATED)


def _as_large(seen: float | NDArray[np.float64], drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return what was seen, and the share of those drawn that are as large."""
    as_large = int((drawn >= seen - _ROUNDING).sum())
    return float(seen), (as_large + 1) / (_SIMULATED + 1)


def observed(log: EnrolmentLog | None) -> Iterator[_Row]:
    """The log as it was read: numbers in place of names."""
    for number, person in enumerate(log.people if log else ()):
        said = person._asdict()
        cells = [said[name] for name in OBSERVED if name != "participant"]
        yield (number, *("" if each is None else str(each) for each in cells))


def believed(results: Results) -> Iterator[_Row]:
    """What was believed of each number that is drawn, and what is after the log."""
    informed = results.protocol.informed
    columns = drawn_columns(results)
    for prior, seen, of in informed.lessons if informed else ():
        mean, sd = prior.mean_and_sd
        worth = mean * (1 - mean) / sd**2 - 1 if prior.family == "beta" and sd else math.nan
        drawn = results.values(columns[prior.dotted])
        now = (drawn.mean(), *np.quantile(drawn, MIDDLE))
        ends = map(prior.law.quantile, MIDDLE)
        yield prior.dotted, mean, *ends, worth, seen, of, *now, "yes" if of else "no"
