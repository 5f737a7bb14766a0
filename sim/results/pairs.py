"""Scenarios of the same simulated people: the differences between them, pair by pair."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results.fold import DRAWN
from sim.results.tables import TABLES
from sim.vocabulary.intervals import of_mean
from sim.vocabulary.streams import Numbers


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
    draws = {other: draws_in(replications[baseline], replications[other]) for other in others}
    rows = [
        (
            measure,
            other,
            *_compared(replications[baseline][measure], replications[other][measure], draws[other]),
        )
        for measure in map(str, replications[baseline])
        if measure not in TABLES["replications.csv"].columns and not measure.startswith(DRAWN)
        for other in others
        if measure in replications[other]
    ]
    return TABLES["compare.csv"].frame(rows)


def draws_in(*replications: pd.DataFrame) -> Numbers | None:
    """Return which draw of the uncertain each replication had; None where all are independent.

    Of several replications.csv that which has the fewest: in the others no more are alike.
    """
    known = [each["draw"] for each in replications if each["draw"].notna().all()]
    fewest = min(known, key=pd.Series.nunique, default=None)
    return None if fewest is None else fewest.to_numpy(np.intp)


def as_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column of replications.csv as numbers: nan is blank, infinity never."""
    return pd.to_numeric(column.replace("never", math.inf)).to_numpy(np.float64)


def _compared(one: pd.Series, other: pd.Series, draws: Numbers | None) -> tuple[float, ...]:
    ours, theirs = as_numbers(one), as_numbers(other)
    known = ~(np.isnan(ours) | np.isnan(theirs))
    ours, theirs = ours[known], theirs[known]
    if not len(ours):
        return (math.nan,) * 6
    higher = float((theirs > ours).mean())
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return math.nan, math.nan, math.nan, math.nan, higher, math.nan
    apart = theirs - ours
    low, high = of_mean(apart, None if draws is None else draws[known])
    ratio = math.nan
    if len(apart) > 1 and apart.var(ddof=1) > 0:
        ratio = float((ours.var(ddof=1) + theirs.var(ddof=1)) / apart.var(ddof=1))
    return float(ours.mean()), float(apart.mean()), low, high, higher, ratio
