"""When a simulated number agrees with a formula.

A comparison counts only if it is sharp: one that could not have failed raises instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

SHARP = 0.02
LIKELY = 0.001


def agrees(samples: ArrayLike, expected: float) -> bool:
    """Say whether the mean of independent samples is within three standard errors of a value.

    The 95 % half-width must be at most 2 % of the value, or 0.02 for the probability that yes/no
    samples estimate.
    """
    values = np.asarray(samples)
    error = float(values.std(ddof=1)) / np.sqrt(values.size)
    half_width, allowed = 1.96 * error, SHARP * (1 if values.dtype == bool else abs(expected))
    assert half_width <= allowed, f"± {half_width:.4g} is too blunt for {expected:.4g}"
    return bool(abs(values.mean() - expected) < 3 * error)


def fits(samples: ArrayLike, law: Any) -> bool:  # noqa: ANN401 -- a frozen law of scipy.stats
    """Say whether samples may come from a law: chi-square for counts, else Kolmogorov-Smirnov."""
    values = np.asarray(samples)
    if not hasattr(law, "pmf"):
        return bool(stats.kstest(values, law.cdf).pvalue > LIKELY)
    cuts = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1]))
    expected = np.diff(law.cdf(cuts), prepend=0.0, append=1.0) * values.size
    observed = np.bincount(np.searchsorted(cuts, values), minlength=expected.size)
    assert expected.min() >= 5, "too few samples for the chi-square test"
    return bool(stats.chisquare(observed, expected).pvalue > LIKELY)


def uncorrelated(first: ArrayLike, second: ArrayLike) -> bool:
    """Say whether the correlation of two samples is within three standard errors of 0."""
    correlation = np.corrcoef(np.asarray(first), np.asarray(second))[0, 1]
    return bool(abs(correlation) * np.sqrt(np.asarray(first).size) < 3)
