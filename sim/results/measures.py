"""The numbers of one replication: a log in, a measure by name out.

A measure is nan where it has no meaning in a replication (the utilisation of unlimited staff, the
wait for a visit nobody had) and infinite where it never happened (the day a missed target is met).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase

from sim.results import burden, supply
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.results.workload import share
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import EventLog, Milestone, Moment, VisitOutcome

Measured = Iterator[tuple[str, float]]

DESK_WORKING_DAYS = 5
"""Working days within which desk work is in time."""

# The first pattern that fits gives the unit.
UNITS = {
    "*_hours": "hours",
    "*_hours_busiest_week": "hours",
    "*_hours_never_randomised": "hours",
    "desk_oldest_days": "days",
    "desk_share_in_time": "share",
    "mean_wait_hours_*": "hours",
    "*_utilisation": "share",
    "dose_intensity_*": "share",
    "doses_*": "doses",
    "units_*": "units",
    "releases_failed_*": "orders",
    "vials_*": "vials",
    "stockouts_*": "doses",
    "stockout_days_*": "days",
    "events_*": "events",
    "unscheduled_visits": "visits",
    "day_of_target": "day",
    "last_visit_day": "day",
    "visits*": "visits",
    "site_trips*": "trips",
    "site_hours_*": "hours",
    "candidates_per_month_drawn": "people a month",
    "*": "people",
}


def measure(log: EventLog, protocol: Protocol) -> dict[str, float]:
    """Every measure of one replication, in the order of the tables."""
    return measures_of(Reading(log, Almanac.of(protocol)))


def measures_of(reading: Reading) -> dict[str, float]:
    """Every measure of a log that is being read anyway."""
    return dict(_measured(reading))


def names(protocol: Protocol) -> list[str]:
    """The measures of a protocol: those of a run in which nothing happened."""
    return list(measure(EventLog(0.0), protocol))


def unit(name: str) -> str:
    """The unit of a measure."""
    return next(unit for pattern, unit in UNITS.items() if fnmatchcase(name, pattern))


def _measured(reading: Reading) -> Measured:
    yield from _screening(reading)
    yield from _participants(reading)
    yield from _days(reading)
    yield from _visits(reading)
    yield from _doses(reading)
    yield from supply.totals(reading)
    yield from _work(reading)
    yield from _dose_intensity(reading)
    yield from _in_time(reading)
    yield from _waits(reading)
    yield from _burden(reading)
    yield "candidates_per_month_drawn", reading.log.candidates_per_month_drawn


def _screening(reading: Reading) -> Measured:
    yield "candidates", float(reading.count(Milestone.CANDIDATE))
    for milestone in (
        Milestone.NOT_ELIGIBLE_ON_CHART,
        Milestone.NOT_CONSENTING,
        Milestone.CONSENTED,
        Milestone.SCREENED,
        Milestone.SCREEN_FAILED,
        Milestone.WITHDREW_IN_SCREENING,
        Milestone.TURNED_AWAY,
    ):
        yield milestone.name.lower(), float(reading.count(milestone))
    yield "still_in_screening", float(reading.still_in_screening)


def _participants(reading: Reading) -> Measured:
    protocol = reading.almanac.protocol
    randomised, completed, left = (
        reading.arms(milestone)
        for milestone in (Milestone.RANDOMISED, Milestone.COMPLETED, Milestone.LEFT)
    )
    endings = Counter(reading.ending_of.values())
    for name, arms in (("randomised", randomised), ("completed", completed)):
        yield name, float(len(arms))
        for index, arm in enumerate(protocol.arms):
            yield f"{name}_{arm.name}", float(arms.count(index))
    yield "left", float(len(left))
    for reason in protocol.reasons:
        yield f"left_{reason.name}", float(endings["left", reason.name])
    events = Counter(moment.detail for moment in reading.moments[Milestone.UNSCHEDULED_EVENT])
    for event in protocol.events:
        yield f"events_{event.name}", float(events[event.name])
    yield "stopped_treatment", float(reading.count(Milestone.STOPPED_TREATMENT))
    yield "still_in_follow_up", float(len(randomised) - len(completed) - len(left))


def _days(reading: Reading) -> Measured:
    """Day numbers from 0; without a target its day is blank, with one not reached it is never."""
    protocol = reading.almanac.protocol
    days = sorted(_day(reading, moment) for moment in reading.moments[Milestone.RANDOMISED])
    target = protocol.target
    if target is None:
        yield "day_of_target", math.nan
    else:
        yield "day_of_target", days[target - 1] if len(days) >= target else math.inf
    half_year = _first_six_months(protocol.clock.opens)
    yield "randomised_first_six_months", float(sum(day < half_year for day in days))
    held = [visit.time for visit in reading.visits if not visit.is_missed]
    yield "last_visit_day", max(held) // MINUTES_PER_DAY if held else math.nan


def _first_six_months(opens: date) -> int:
    """How many days lie between the opening and the same day of the month six months later.

    Where that month is too short, the days run over into the next.
    """
    month = opens.month + 5
    year, month = opens.year + month // 12, month % 12 + 1
    return (date(year, month, 1) - opens).days + opens.day - 1


def _visits(reading: Reading) -> Measured:
    outcomes = Counter(visit.outcome for visit in reading.visits)
    yield "visits", float(outcomes.total() - outcomes[VisitOutcome.MISSED])
    yield "visits_out_of_window", float(outcomes[VisitOutcome.OUT_OF_WINDOW])
    yield "unscheduled_visits", float(reading.count(Milestone.UNSCHEDULED_EVENT))
    yield "site_trips", float(sum(visit.is_journey for visit in reading.log.visits))


def _doses(reading: Reading) -> Measured:
    arms, products = reading.almanac.protocol.arms, reading.almanac.protocol.products
    missed = Counter(arms[visit.arm].product for visit in reading.dose_visits if visit.is_missed)
    for index, product in enumerate(products):
        units = [amount for given, amount in reading.doses if given == index]
        yield f"doses_{product.name}", float(len(units))
        yield f"doses_missed_{product.name}", float(missed[index])
        yield f"units_{product.name}", math.fsum(units)


def _work(reading: Reading) -> Measured:
    work = reading.workload
    utilisation = share(work.on_duty.sum(axis=1), work.available.sum(axis=1))
    candidates = {moment.person for moment in reading.moments[Milestone.CANDIDATE]}
    in_vain = work.worked_for(candidates - reading.arm_of.keys())
    for index, resource in enumerate(reading.almanac.protocol.resources):
        yield f"{resource.name}_hours", float(work.worked[index].sum())
        yield f"{resource.name}_asked_hours_busiest_week", float(work.asked[index].max())
        yield f"{resource.name}_utilisation", float(utilisation[index])
        yield f"{resource.name}_overtime_hours", float(work.overtime[index].sum())
        yield f"{resource.name}_hours_never_randomised", float(in_vain[index])
    yield "desk_backlog_peak_hours", work.backlog_peak
    yield "desk_oldest_days", work.oldest_on_desk
    yield "desk_share_in_time", work.desk_share_within(DESK_WORKING_DAYS)


def _dose_intensity(reading: Reading) -> Measured:
    """Doses given as a share of all that the plans of those randomised to the product hold."""
    protocol = reading.almanac.protocol
    given = Counter(product for product, _ in reading.doses)
    planned = Counter[int]()
    for arm in map(protocol.arms.__getitem__, reading.arm_of.values()):
        planned[arm.product] += sum(visit.is_dose for visit in arm.visits)
    for index, product in enumerate(protocol.products):
        intensity = given[index] / planned[index] if planned[index] else math.nan
        yield f"dose_intensity_{product.name}", intensity


def _in_time(reading: Reading) -> Measured:
    """How many of each arm were randomised early enough to complete."""
    arms = reading.almanac.protocol.arms
    in_time = Counter(
        moment.detail
        for moment in reading.moments[Milestone.RANDOMISED]
        if _day(reading, moment) <= arms[moment.detail].latest_safe_day
    )
    for index, arm in enumerate(arms):
        yield f"randomised_in_time_{arm.name}", float(in_time[index])


def _waits(reading: Reading) -> Measured:
    """Waits are those of visits held."""
    waits = defaultdict[str, list[float]](list)
    for visit in reading.log.visits:
        if not visit.is_missed:
            waits[visit.visit].append(visit.wait)
    for name in reading.almanac.protocol.visit_names:
        yield f"mean_wait_hours_{name}", _mean(waits[name]) / MINUTES_PER_HOUR


def _burden(reading: Reading) -> Measured:
    """Blank for an arm nobody is in."""
    means = burden.per_participant(reading)
    for quantity, by_arm in zip(burden.QUANTITIES, means, strict=True):
        for arm, mean in zip(reading.almanac.protocol.arms, by_arm, strict=True):
            yield f"{quantity}_per_participant_{arm.name}", float(mean)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _day(reading: Reading, moment: Moment) -> float:
    """The day number of a moment; the closing instant is still on the last day."""
    return float(min(moment.time // MINUTES_PER_DAY, reading.almanac.protocol.clock.days - 1))
