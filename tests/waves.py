"""Whether the filter of waves is calibrated, and sharper than a constant rate: on true waves.

`python -m tests.waves TRUTHS SEED` draws levels and waves as the filter believes them, cuts their
counts after 16 months, and forecasts from there. Of each quantity it prints the chi-square's
p-value of the truth's rank among draws (Talts et al. 2018, arXiv:1804.06788), how many truths lie
in the middle 80 and 95 %, and the mean CRPS (Gneiting & Raftery 2007, J Am Stat Assoc 102:359),
each beside that of a constant rate with the same prior.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.distributions import gamma
from sim.vocabulary.wave_filter import Filter, months_of
from sim.vocabulary.waves import WaveLaw, WavePath

Floats = NDArray[np.float64]

CUT, MONTHS, AHEAD = 487, 16, 366
"""Days until the cut, which are whole months, and days of which there is a forecast."""

RATE, SHAPE = 1.34, 4.0
LAW = WaveLaw(0.5, 0.2)
DRAWS, BINS = 63, 16
NEXT = 5
"""When so many more have come is a quantity too."""

MONTHLY = np.arange(CUT + AHEAD + 1) / DAYS_PER_MONTH
DAYS = np.arange(CUT)


class Figures(NamedTuple):
    """What is found of one quantity: of waves, and of a constant rate."""

    p_value: tuple[float, float]
    in_80: tuple[float, float]
    in_95: tuple[float, float]
    crps: tuple[float, float]


def truth(luck: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the rate of each day, in people a month, and how many come on it."""
    path = WavePath(LAW.wave(luck.random()))
    expected = np.array(path.waved(MONTHLY.tolist(), lambda _: luck.random()))
    daily = np.diff(expected) * luck.gamma(SHAPE, RATE / SHAPE)
    return daily * DAYS_PER_MONTH, luck.poisson(daily).astype(np.float64)


def ahead(rates: Floats, came: Floats, luck: np.random.Generator) -> dict[str, float]:
    """Return what a forecast is asked for, of the days from the cut on."""
    later = came[CUT:]
    upto = later.cumsum()
    waited = float(np.searchsorted(upto, NEXT)) + luck.random()
    return {
        "next 3 months": float(later[:91].sum()),
        "next 12 months": float(later[:365].sum()),
        "days to five more": min(waited, AHEAD + luck.random()),
        "rate now": rates[CUT],
        "rate in a year": rates[CUT + 364],
    }


def forecast(came: Floats, law: WaveLaw, luck: np.random.Generator) -> dict[str, Floats]:
    """Return draws of each quantity, after the days before the cut."""
    month = months_of(DAYS, CUT) + MONTHS
    counts = np.bincount(month, came[:CUT], MONTHS).astype(int).tolist()
    told = Filter(counts, np.bincount(month, minlength=MONTHS) / DAYS_PER_MONTH, _RATE, law)
    drawn, found = told.draws(DRAWS, luck), defaultdict[str, list[float]](list)
    for rate, wave, deviations in zip(drawn.rates, drawn.waves, drawn.deviations, strict=True):
        path = WavePath(wave, tuple(deviations), CUT)
        expected = np.array(path.waved(MONTHLY.tolist(), lambda _: luck.random()))
        daily = np.diff(expected) * rate
        each = ahead(daily * DAYS_PER_MONTH, luck.poisson(daily).astype(np.float64), luck)
        for name, value in each.items():
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}


_RATE = gamma(RATE, SHAPE)


def crps(draws: Floats, value: float) -> float:
    """Return the continuous ranked probability score of draws."""
    apart = np.abs(draws[:, None] - draws).sum() / (2 * len(draws) * (len(draws) - 1))
    return float(np.abs(draws - value).mean() - apart)


def place(draws: Floats, value: float, luck: np.random.Generator) -> float:
    """Return the place of a value among draws, uniform in [0, 1); those alike are in any order."""
    less, same = int((draws < value).sum()), int((draws == value).sum())
    return (less + luck.random() * (same + 1)) / (len(draws) + 1)


@cache
def figures(truths: int, seed: int) -> dict[str, Figures]:
    """Return what is found of each quantity."""
    luck = np.random.default_rng(seed)
    places, scores = defaultdict[str, list[Floats]](list), defaultdict[str, list[Floats]](list)
    for _ in range(truths):
        rates, came = truth(luck)
        both = [forecast(came, law, luck) for law in (LAW, LAW._replace(calm=1.0))]
        for name, value in ahead(rates, came, luck).items():
            places[name].append(np.array([place(each[name], value, luck) for each in both]))
            scores[name].append(np.array([crps(each[name], value) for each in both]))
    return {name: _of(np.array(places[name]), np.array(scores[name])) for name in places}


def _of(places: Floats, scores: Floats) -> Figures:
    p_value, p_constant = (
        float(stats.chisquare(np.histogram(each, BINS, (0, 1))[0]).pvalue) for each in places.T
    )
    (in_80, constant_80), (in_95, constant_95) = (
        (np.abs(places - 0.5) < share / 2).mean(axis=0).tolist() for share in (0.8, 0.95)
    )
    inside = ((in_80, constant_80), (in_95, constant_95))
    mean, constant = scores.mean(axis=0).tolist()
    return Figures((p_value, p_constant), *inside, (mean, constant))


if __name__ == "__main__":
    print("quantity: p; in the middle 80 %, 95 %; CRPS: of waves, of a constant rate")  # noqa: T201
    for name, found in figures(int(sys.argv[1]), int(sys.argv[2])).items():
        print(name, *(np.round(each, 3) for each in found))  # noqa: T201
