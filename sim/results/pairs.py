"""Scenarios met by the same simulated people: their measures compared pair by pair."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.vocabulary.intervals import of_mean

COLUMNS = (
    *("measure", "scenario", "baseline_mean", "difference", "ci_low", "ci_high"),
    *("chance_higher", "variance_ratio"),
)
NO_MEASURE = ("replication", "date_of_target")


def differences(replications: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return compare.csv: every scenario's measures against those of the first scenario.

    `replications` holds each scenario's replications.csv, all of one seed and length. The
    difference is scenario minus baseline, its 95 % interval that of the mean of the pairs'
    differences. Only measures of both are compared, over the pairs in which both are known; mean,
    difference and interval are blank where any of these is never. `chance_higher` is the share of
    pairs in which the scenario's value is higher, never counting as later than every day;
    `variance_ratio` is by how much the variance of an unpaired comparison exceeds that of the
    pairs (Law 2015, Simulation Modeling and Analysis, section 11.2), blank where no pair differs.
    """
    baseline, *others = replications
    rows = [
        (measure, other, *_compared(*_pairs(replications[baseline], replications[other], measure)))
        for measure in map(str, replications[baseline])
        if measure not in NO_MEASURE
        for other in others
        if measure in replications[other]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pairs(
    ours: pd.DataFrame, theirs: pd.DataFrame, measure: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both sides of the pairs in which both are known."""
    one, other = (
        pd.to_numeric(table[measure].replace("never", math.inf)).to_numpy(np.float64)
        for table in (ours, theirs)
    )
    known = ~(np.isnan(one) | np.isnan(other))
    return one[known], other[known]


def _compared(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, ...]:
    if not len(ours):
        return (math.nan,) * 6
    higher = float((theirs > ours).mean())
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return math.nan, math.nan, math.nan, math.nan, higher, math.nan
    apart = theirs - ours
    low, high = of_mean(apart)
    ratio = math.nan
    if len(apart) > 1 and apart.var(ddof=1) > 0:
        ratio = float((ours.var(ddof=1) + theirs.var(ddof=1)) / apart.var(ddof=1))
    return float(ours.mean()), float(apart.mean()), low, high, higher, ratio
