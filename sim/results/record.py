"""What forecasts of one trial said of days that have come since, and what came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.results import folder, forecast
from sim.results.pairs import as_numbers
from sim.results.tables import INTERVAL, PERCENTS_OF_RECORD, TABLES
from sim.results.tally import rank
from sim.scenario.enrolment_log import EnrolmentLog
from sim.scenario.load import Scenario
from sim.scenario.schema import Target

_Row = tuple[Any, ...]
_UNKNOWN = (math.nan,) * len(PERCENTS_OF_RECORD)


def record_of(
    forecasts: Mapping[str, Path], scenario: Scenario, log: EnrolmentLog
) -> dict[str, pd.DataFrame]:
    """Return record.csv of finished forecasts by their days, and the log they are held against.

    A row is of how many are randomised by a later day, or of a target: its probability, and on
    which day it is met (`never` is later than every day) where the scenario has that as a measure.
    """
    rows = list[_Row]()
    for day, place in forecasts.items():
        replications = folder.read(place, "replications.csv")
        later = (on for on in dict.fromkeys([*forecasts, str(log.as_of)]) if on > day)
        rows += [_number(day, on, replications, log) for on in later]
        for target in folder.read(place, "targets.csv").to_dict("records"):
            rows.append(_target(day, target, scenario, replications, log))
    tables = {"record.csv": rows, "observed.csv": forecast.observed(log)}
    return {name: TABLES[name].frame(each) for name, each in tables.items()}


def _number(day: str, on: str, replications: pd.DataFrame, log: EnrolmentLog) -> _Row:
    """How many are randomised by a later day."""
    said = _quantiles(replications[f"randomised_by_{on}"])
    came = float(sum(str(each) <= on for each in _randomised(log)))
    return (day, on, "", "randomised", *_UNKNOWN[:3], *said, came, *inside(said, came, came))


def _target(
    day: str,
    target: Mapping[Any, Any],
    scenario: Scenario,
    replications: pd.DataFrame,
    log: EnrolmentLog,
) -> _Row:
    """How probable a target is, and on which day it is met."""
    name = target["target"]
    measure, number = _day_of(scenario.targets[name], scenario)
    known = (day, "", name, measure, *(target[each] for each in ("probability", *INTERVAL)))
    if not number:
        return (*known, *_UNKNOWN, math.nan, "", "")
    opens, days = scenario.design.trial.opens, _randomised(log)
    said = _quantiles(replications[measure])
    came = float((days[number - 1] - opens).days) if len(days) >= number else math.nan
    return (*known, *said, came, *inside(said, came, float((log.as_of - opens).days)))


def _randomised(log: EnrolmentLog) -> list[date]:
    return sorted(each.randomised for each in log.people if each.randomised is not None)


def _quantiles(values: pd.Series[Any]) -> list[float]:
    ordered = np.sort(as_numbers(values))
    places = (rank(percent, len(ordered)) - 1 for percent in PERCENTS_OF_RECORD.values())
    return [float(ordered[place]) for place in places]


def inside(said: Sequence[float], came: float, until: float) -> tuple[str, str]:
    """Return whether what came lies in the middle 80 and 95 %; blank where it is not known yet.

    What has not come `until` now will come later.
    """
    outer_low, low, _, high, outer_high = said
    verdicts = []
    for least, most in ((low, high), (outer_low, outer_high)):
        if math.isnan(came):
            verdicts.append("no" if most <= until else "")
        else:
            verdicts.append("yes" if least <= came <= most else "no")
    first, second = verdicts
    return first, second


def _day_of(target: Target, scenario: Scenario) -> tuple[str, int]:
    """Return the measure of the day on which a target is met and how many are then randomised.

    Of a target that has no such day it is its own measure, and 0.
    """
    trial = scenario.design.trial
    days = {f"day_of_{number}": int(number) for number in trial.milestones}
    if trial.target is not None:
        days = {"day_of_target": int(trial.target), **days}
    for measure, number in days.items():
        asked = target.measure == "randomised" and float(target.at_least or 0) == number
        if target.measure == measure or asked:
            return measure, number
    return target.measure, 0
