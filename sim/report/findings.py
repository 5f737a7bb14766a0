"""What the tables of a run say: the small calculations on which sentences and charts rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results.tally import rank
from sim.vocabulary.intervals import of_share

Z = 1.959963984540054


class Quantile(NamedTuple):
    """A quantile over the replications and the order statistics that hold it in 95 % of cases."""

    percent: int
    value: float
    low: float
    high: float


def days_of_target(replications: pd.DataFrame) -> NDArray[np.float64]:
    """Return the day number on which each replication met its target, sorted; never is infinite."""
    days = pd.to_numeric(replications["day_of_target"].replace("never", np.inf))
    return np.sort(days.fillna(np.inf).to_numpy(dtype=np.float64))


def quantile(ordered: NDArray[np.float64], percent: int) -> Quantile:
    """Return the exact quantile of sorted values with its interval, which assumes no distribution.

    The interval runs between the ranks np ± z √(np(1−p)), as in Conover 1999, section 3.2.
    """
    share, last = percent / 100, len(ordered) - 1
    middle = len(ordered) * share
    gap = Z * math.sqrt(middle * (1 - share))
    ranks = rank(percent, len(ordered)), math.floor(middle - gap), math.ceil(middle + gap) + 1
    value, low, high = (float(ordered[min(max(place - 1, 0), last)]) for place in ranks)
    return Quantile(percent, value, low, high)


def reached_by(ordered: NDArray[np.float64], dates: Sequence[date], opens: date) -> pd.DataFrame:
    """Return date, value, low, high: the share that met the target by the end of each date."""
    rows = []
    for day in dates:
        times = int(np.count_nonzero(ordered < (day - opens).days + 1))
        rows.append((pd.Timestamp(day), times / len(ordered), *of_share(times, len(ordered))))
    return pd.DataFrame(rows, columns=["date", "value", "low", "high"])


def month_ends(enrolment: pd.DataFrame, closes: date) -> list[date]:
    """Return the last day of each month of the table, none later than the closing date."""
    firsts = pd.to_datetime(enrolment["month"]).drop_duplicates().sort_values()
    return [min(end.date(), closes) for end in firsts + pd.offsets.MonthEnd(0)]


def growth(enrolment: pd.DataFrame, stage: str, opens: date, closes: date) -> pd.DataFrame:
    """Return date, p10, p50, p90 of those who have reached a stage, from nobody at the opening."""
    months = enrolment[enrolment["stage"] == stage].sort_values("month")
    ends = pd.to_datetime(pd.Series(month_ends(months, closes)))
    points = months[["p10", "p50", "p90"]].reset_index(drop=True).assign(date=ends)
    nobody = pd.DataFrame({"date": [pd.Timestamp(opens)], "p10": 0.0, "p50": 0.0, "p90": 0.0})
    return pd.concat([nobody, points], ignore_index=True)


def date_of_day(opens: date, day: float) -> date:
    """Return the date of a day number."""
    return opens + timedelta(days=math.floor(day))
