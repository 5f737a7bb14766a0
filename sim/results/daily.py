"""Days, not weeks: load by day of the year, hours by task, and doses by the kind of their day."""

from __future__ import annotations

from collections import Counter

from sim.results.periods import Almanac, Floats
from sim.results.replication import Reading
from sim.results.tally import Cell
from sim.vocabulary.clock import MINUTES_PER_DAY, WEEKDAYS
from sim.vocabulary.eventlog import VisitOutcome

KINDS_OF_DAY = ("working_day", "weekend", "holiday")
DOSE_QUANTITIES = ("planned", "on_the_day", "moved", "missed", "given")
"""Doses planned for such a day and what became of them, and doses given on such a day."""


def load_cells(almanac: Almanac) -> list[Cell]:
    """Each day of the year and role: ISO week, weekday, role."""
    return [
        (week, WEEKDAYS[weekday], resource.name)
        for resource in almanac.protocol.resources
        for week, weekday in almanac.year.places
    ]


def load(reading: Reading) -> Floats:
    """Hours of work begun on that day of the year: the mean over the years of the run."""
    return reading.workload.by_day_of_year.ravel()


def activity(reading: Reading) -> Counter[Cell]:
    """Hours worked in the run: role, task."""
    resources = reading.almanac.protocol.resources
    return Counter(
        {
            (resources[resource].name, task): hours
            for (resource, task), hours in reading.workload.by_task.items()
        }
    )


def dose_cells(almanac: Almanac) -> list[Cell]:
    """Each product, kind of day and quantity."""
    return [
        (product.name, kind, quantity)
        for product in almanac.protocol.products
        for kind in KINDS_OF_DAY
        for quantity in DOSE_QUANTITIES
    ]


def doses(reading: Reading) -> Counter[Cell]:
    """Doses whose day came, by the kind of the planned day; those given also by that of theirs.

    The day came when the visit was held or is known to be missed: planned = on_the_day + moved +
    missed.
    """
    protocol, counts = reading.almanac.protocol, Counter[Cell]()
    kinds, last = protocol.kinds_of_day, len(protocol.kinds_of_day) - 1
    fates = Counter(
        (
            visit.arm,
            kinds[min(visit.planned_day, last)],
            kinds[int(visit.time // MINUTES_PER_DAY)],
            VisitOutcome.MOVED if visit.outcome == VisitOutcome.OUT_OF_WINDOW else visit.outcome,
        )
        for visit in reading.dose_visits
    )
    for (arm, planned_kind, kind, fate), times in fates.items():
        product = protocol.products[protocol.arms[arm].product].name
        counts[product, planned_kind, "planned"] += times
        counts[product, planned_kind, fate] += times
        if fate != VisitOutcome.MISSED:
            counts[product, kind, "given"] += times
    return counts
