"""The tables of a forecast alone: the log as it was read, and what it taught."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from sim.results.fold import Results
from sim.results.ignorance import drawn_columns
from sim.scenario.beliefs import MIDDLE
from sim.scenario.logged_person import DATES

_Row = tuple[Any, ...]

OBSERVED = {"participant": int, **dict.fromkeys(DATES, date), "reason": str, "arm": str}
OBSERVED |= {"doses": float, "left_reason": str}
BELIEF = {"path": str, "prior_mean": float, "prior_low": float, "prior_high": float}
BELIEF |= {"prior_worth": float, "seen": float, "of": float, "mean": float, "low": float}
BELIEF |= {"high": float, "learnt": str}


def observed(results: Results) -> Iterator[_Row]:
    """The log as it was read: numbers in place of names."""
    for number, person in enumerate(results.log.people if results.log else ()):
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
