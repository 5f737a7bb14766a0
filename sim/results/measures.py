"""The numbers of one replication: a log in, a value for each measure of the catalogue out.

A measure is nan where it has no meaning in a replication (the utilisation of unlimited staff, the
wait for a visit nobody had) and infinite where it never happened (the day a missed target is met).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import compress

import numpy as np

from sim.results import supply
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import EventLog, Milestone, VisitOutcome
from sim.vocabulary.measures import CATALOGUE

One = Callable[[Reading], float]
Each = Callable[[Reading], Iterable[float]]
"""A measure's value, or one for each arm, product … of the catalogue's row, in their order."""

DESK_WORKING_DAYS = 5
"""Working days within which desk work is in time."""

HALF_A_YEAR = 6


def measure(log: EventLog, protocol: Protocol) -> dict[str, float]:
    """Every measure of one replication, in the order of the tables."""
    return measures_of(Reading(log, Almanac.of(protocol)))


def measures_of(reading: Reading) -> dict[str, float]:
    """Every measure of a log that is being read anyway."""
    return dict(zip(reading.almanac.protocol.measures, _values(reading), strict=True))


def _values(reading: Reading) -> Iterator[float]:
    for row in CATALOGUE:
        if row.of:
            for together in zip(*(EACH[name](reading) for name in row.units), strict=True):
                yield from map(float, together)
        else:
            yield from (float(ONE[name](reading)) for name in row.units)


def _number(milestone: Milestone) -> One:
    return lambda reading: reading.count(milestone)


def _by_arm(milestone: Milestone) -> Each:
    return lambda reading: _times(
        reading.arms(milestone), range(len(reading.almanac.protocol.arms))
    )


def _by_name(milestone: Milestone, named: str) -> Each:
    """How often a milestone was met for each of what the protocol has under `named`."""
    return lambda reading: _times(
        (moment.detail for moment in reading.moments[milestone]),
        (each.name for each in getattr(reading.almanac.protocol, named)),
    )


def _times(occurred: Iterable[Hashable], of: Iterable[Hashable]) -> list[int]:
    """How often each of these occurred."""
    return list(map(Counter(occurred).__getitem__, of))


def _still_in_follow_up(reading: Reading) -> int:
    out = reading.count(Milestone.COMPLETED) + reading.count(Milestone.LEFT)
    return reading.count(Milestone.RANDOMISED) - out


def _arm_imbalance(reading: Reading) -> float:
    """By how many the largest arm exceeds the smallest."""
    sizes = [*_by_arm(Milestone.RANDOMISED)(reading)]
    return max(sizes) - min(sizes)


def _day_of_target(reading: Reading) -> float:
    """Day numbers from 0; without a target its day is blank, with one not reached it is never."""
    target = reading.almanac.protocol.target
    return math.nan if target is None else next(_days_of(reading, [target]))


def _days_of(reading: Reading, numbers: Iterable[int]) -> Iterator[float]:
    """The days on which so many are randomised."""
    days = np.sort(reading.days_randomised)
    for number in numbers:
        yield days[number - 1] if len(days) >= number else math.inf


def _by_months(reading: Reading, numbers: Iterable[int]) -> Iterator[int]:
    """How many are randomised in the first so many months."""
    for days in map(reading.almanac.protocol.clock.days_of_months, numbers):
        yield (reading.days_randomised < days).sum()


def _by_days_ahead(reading: Reading) -> Iterator[int]:
    """How many are randomised through each day on which a forecast is held against what came."""
    informed = reading.almanac.protocol.informed
    for last in informed.history.ahead if informed else ():
        yield (reading.days_randomised <= last).sum()


def _last_visit_day(reading: Reading) -> float:
    times = reading.visits.time[reading.visits.is_planned & reading.visits.is_held]
    return float(times.max()) // MINUTES_PER_DAY if len(times) else math.nan


def _unscheduled_visits(reading: Reading) -> int:
    events = {event.name for event in reading.almanac.protocol.events}
    return sum(map(events.__contains__, compress(reading.visits.row, reading.visits.is_held)))


def _doses_missed(reading: Reading) -> Iterator[int]:
    yield from reading.visits.gives[~reading.visits.is_held].sum(axis=0)


def _dose_intensity(reading: Reading) -> Iterable[float]:
    """Doses given as a share of all that the plans of those randomised hold of the product.

    A dose counted from a visit that was missed is in nobody's plan.
    """
    given = np.bincount(reading.doses[0], minlength=len(reading.almanac.protocol.products))
    planned = reading.courses.due.sum(axis=1) @ reading.almanac.gives[:-1]
    return given / np.where(planned > 0, planned, np.nan)


def _in_time(reading: Reading) -> list[int]:
    """How many of each arm were randomised early enough to complete."""
    arms = reading.almanac.protocol.arms
    randomised = zip(reading.arm_of.values(), reading.days_randomised, strict=True)
    in_time = (arm for arm, day in randomised if day <= arms[arm].latest_safe_day)
    return _times(in_time, range(len(arms)))


def _in_vain(reading: Reading) -> Iterable[float]:
    is_candidate = np.zeros(len(reading.arms_of_people), np.bool_)
    is_candidate[[moment.person for moment in reading.moments[Milestone.CANDIDATE]]] = True
    return reading.workload.worked_for(is_candidate & (reading.arms_of_people < 0))


def _waits(reading: Reading) -> Iterator[float]:
    """Waits are those of visits held."""
    waits = defaultdict[str, list[float]](list)
    visits = reading.visits
    for name, wait in compress(
        zip(visits.visit, visits.wait.tolist(), strict=True), visits.is_held
    ):
        waits[name].append(wait)
    for name in reading.almanac.protocol.visit_names:
        yield _mean(waits[name]) / MINUTES_PER_HOUR


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


NAMES = {name for row in CATALOGUE for name in row.units}
ONE: dict[str, One] = {
    # A measure that has the name of a milestone is how many met it.
    **{name: _number(each) for each in Milestone if (name := each.name.lower()) in NAMES},
    "candidates": _number(Milestone.CANDIDATE),
    "still_in_screening": lambda reading: reading.still_in_screening,
    "still_in_follow_up": _still_in_follow_up,
    "arm_imbalance": _arm_imbalance,
    "day_of_target": _day_of_target,
    "randomised_first_six_months": lambda reading: next(_by_months(reading, [HALF_A_YEAR])),
    "last_visit_day": _last_visit_day,
    "visits": lambda reading: reading.courses.held.sum(),
    "visits_out_of_window": lambda reading: (
        reading.visits.came_to(VisitOutcome.OUT_OF_WINDOW) & reading.visits.is_planned
    ).sum(),
    "unscheduled_visits": _unscheduled_visits,
    "site_trips": lambda reading: reading.visits.is_journey.sum(),
    "desk_backlog_peak_hours": lambda reading: reading.workload.backlog_peak,
    "desk_oldest_days": lambda reading: reading.workload.oldest_on_desk,
    "desk_share_in_time": lambda reading: reading.workload.desk_share_within(DESK_WORKING_DAYS),
    "candidates_per_month_drawn": lambda reading: reading.log.candidates_per_month_drawn,
}
EACH: dict[str, Each] = {
    "randomised_{}": _by_arm(Milestone.RANDOMISED),
    "completed_{}": _by_arm(Milestone.COMPLETED),
    "left_{}": _by_name(Milestone.LEFT, "reasons"),
    "day_of_{}": lambda reading: _days_of(reading, reading.almanac.protocol.milestones),
    "randomised_by_month_{}": lambda reading: _by_months(
        reading, reading.almanac.protocol.decision_months
    ),
    "events_{}": _by_name(Milestone.UNSCHEDULED_EVENT, "events"),
    "doses_missed_{}": _doses_missed,
    **{f"{quantity.measure}_{{}}": quantity.totals for quantity in supply.MEASURED},
    "stockout_days_{}": supply.days_empty,
    "randomised_by_{}": _by_days_ahead,
    "{}_hours": lambda reading: reading.workload.worked.sum(axis=1),
    "{}_asked_hours_busiest_week": lambda reading: reading.workload.asked.max(axis=1),
    "{}_utilisation": lambda reading: reading.workload.utilisation_of_run,
    "{}_overtime_hours": lambda reading: reading.workload.overtime.sum(axis=1),
    "{}_hours_never_randomised": _in_vain,
    "dose_intensity_{}": _dose_intensity,
    "randomised_in_time_{}": _in_time,
    "mean_wait_hours_{}": _waits,
    "visits_per_participant_{}": lambda reading: reading.burden[0],
    "site_trips_per_participant_{}": lambda reading: reading.burden[1],
    "site_hours_per_participant_{}": lambda reading: reading.burden[2],
}

if unmatched := NAMES ^ (ONE.keys() | EACH.keys()):
    raise RuntimeError(f"a measure has no value or a value no name: {sorted(unmatched)}")
