"""The tables that count over replications: their columns, and what is read off every log."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from sim.results import supply
from sim.results.measures import ONE
from sim.results.periods import KINDS_OF_DAY, Almanac, Floats
from sim.results.replication import OUT_OF_SCREENING, OUTCOMES, Reading
from sim.results.tally import COUNT, HOURS, SHARE, Cell, Counts, Grain, Tally
from sim.scenario.history import KnownPerson
from sim.vocabulary.clock import WEEKDAYS
from sim.vocabulary.eventlog import Milestone, VisitOutcome

STAGES = {
    "candidates": Milestone.CANDIDATE,
    "consented": Milestone.CONSENTED,
    "screened": Milestone.SCREENED,
    "randomised": Milestone.RANDOMISED,
    "completed": Milestone.COMPLETED,
}
BOXES = (
    "candidates",
    "not_eligible_on_chart",
    "not_consenting",
    "screen_failed",
    "withdrew_in_screening",
    "turned_away",
    "still_in_screening",
    "randomised",
)
"""The boxes of the flow of everyone, by the names of their measures."""

BOXES_OF_ARM = {  # the first of every arm, the others of those in which something is given
    "randomised": Milestone.RANDOMISED,
    "received_first_dose": Milestone.DOSE,
    "stopped_treatment": Milestone.STOPPED_TREATMENT,
}
FAILURES = ("reached", "failed_first", "failed_any", "failed_only")
P05_TO_P95 = (5, 10, 50, 90, 95)
HOURS_A_WEEK = ("available", "worked", "asked", "overtime", "backlog")
"""What the workload has of each role and week, by the names of its matrices."""

DOSE_QUANTITIES = ("planned", "on_the_day", "moved", "missed", "given")
"""Doses planned for such a day and what became of them, and doses given on such a day."""


class Gauge(NamedTuple):
    """What is read off a log: its grain, one log's counts, the cells known beforehand if any."""

    grain: Grain | Callable[[Almanac], Grain]
    read: Callable[[Reading], Counts]
    cells: Callable[[Almanac], list[Cell]] = lambda _: []

    def tally(self, almanac: Almanac) -> Tally:
        """An empty tally for what this gauge reads."""
        grain = self.grain if isinstance(self.grain, Grain) else self.grain(almanac)
        return Tally(grain, self.cells(almanac))


class Counted(NamedTuple):
    """A table that counts over replications: a row a cell, with its mean and quantiles.

    The keys are the columns that name a cell, with their kinds. Cells that are `discovered` come in
    the order of the protocol, all others in that of their gauge.
    """

    keys: Mapping[str, type]
    gauges: Sequence[Gauge]
    percents: Sequence[int] = (10, 50, 90)
    discovered: bool = False


def _enrolment_cells(almanac: Almanac) -> list[Cell]:
    return [(month, stage) for stage in STAGES for month in almanac.months.labels]


def _enrolment(reading: Reading) -> Floats:
    """How many had reached each stage by the end of each month."""
    months = reading.almanac.months
    when = [months.index(reading.times(milestone)) for milestone in STAGES.values()]
    return np.concatenate([np.cumsum(np.bincount(w, minlength=len(months))) for w in when]) * 1.0


def _funnel_cells(almanac: Almanac) -> list[Cell]:
    return [(step, failure) for step in _funnel_steps(almanac) for failure in FAILURES]


def _funnel_steps(almanac: Almanac) -> list[str]:
    """The criteria in the order they are judged, with consent and withdrawal in their places."""
    plan, names = almanac.protocol.screening, list[str]()
    for place, step in enumerate(plan.steps):
        names += ["consent"] * (place == plan.asking)
        names += [each.name for each in almanac.protocol.criteria if each.at == step.name]
    return [*names, "withdrawal"]


def _funnel(reading: Reading) -> Counter[Cell]:
    """Failures are judged on all criteria of a step, for everyone who reached it."""
    criteria = reading.almanac.protocol.criteria
    refused, consented = reading.count(Milestone.NOT_CONSENTING), reading.count(Milestone.CONSENTED)
    counts = _alone("consent", refused + consented, refused)
    counts += _alone("withdrawal", consented, reading.count(Milestone.WITHDREW_IN_SCREENING))
    reached = Counter[str]()
    for detail, times in Counter(each.detail for each in reading.moments[Milestone.JUDGED]).items():
        step, failing = detail
        reached[step] += times
        here = [criteria[index].name for index in failing if criteria[index].at == step]
        for place, name in enumerate(here):
            counts[name, "failed_any"] += times
            counts[name, "failed_first"] += times * (place == 0)
            counts[name, "failed_only"] += times * (len(failing) == 1)
    counts.update({(c.name, "reached"): reached[c.at] for c in criteria})
    return counts


def _alone(step: str, reached: int, failed: int) -> Counter[Cell]:
    """A step that is reached by itself: whoever fails there fails nothing else."""
    numbers = {failure: reached if failure == "reached" else failed for failure in FAILURES}
    return Counter({(step, failure): number for failure, number in numbers.items()})


def _flow_cells(almanac: Almanac) -> list[Cell]:
    protocol = almanac.protocol
    steps = protocol.screening.from_consent
    failing = [criterion.name for criterion in protocol.criteria if criterion.at in steps]
    caps = protocol.randomisation.caps
    reasons = {"screen_failed": failing, "turned_away": ["", *caps]}
    cells: list[Cell] = [(box, "", why) for box in BOXES for why in reasons.get(box, [""])]
    for arm in protocol.arms:
        boxes = BOXES_OF_ARM if arm.has_doses else list(BOXES_OF_ARM)[:1]
        cells += [(box, arm.name, "") for box in boxes]
        cells += [("left", arm.name, reason.name) for reason in protocol.reasons]
        cells += [(box, arm.name, "") for box in ("completed", "still_in_follow_up")]
    return cells


def _flow(reading: Reading) -> Counter[Cell]:
    """The boxes of the CONSORT diagram."""
    arms, criteria = reading.almanac.protocol.arms, reading.almanac.protocol.criteria
    by_reason = ("screen_failed", "turned_away")
    whole = {(box, "", ""): ONE[box](reading) for box in BOXES if box not in by_reason}
    counts = Counter[Cell](whole)
    for moment in reading.moments[Milestone.SCREEN_FAILED]:
        counts["screen_failed", "", criteria[moment.detail].name] += 1
    for moment in reading.moments[Milestone.TURNED_AWAY]:
        counts["turned_away", "", moment.detail or ""] += 1
    for box, milestone in BOXES_OF_ARM.items():
        counts.update((box, arms[arm].name, "") for arm in reading.arms(milestone))
    for person, (box, reason) in reading.ending_of.items():
        counts[box, arms[reading.arm_of[person]].name, reason] += 1
    return counts


def _attempt_cells(almanac: Almanac) -> list[Cell]:
    again = almanac.protocol.screening.rescreening
    return [
        (number + 1, box) for number in range(1 + (again.times if again else 0)) for box in BOXES
    ]


def _attempts(reading: Reading) -> Counter[Cell]:
    """What came of each attempt at screening: the boxes of the flow, by the attempt's number."""
    if not reading.moments[Milestone.RESCREENED]:  # one attempt each, as in most trials
        return Counter({(1, box): ONE[box](reading) for box in BOXES})
    counts, number = Counter[Cell](), Counter[int]()
    for moment in reading.log.moments:
        if moment.milestone in (Milestone.CANDIDATE, Milestone.RESCREENED):
            number[moment.person] += 1
            counts[number[moment.person], "candidates"] += 1
        elif moment.milestone in OUT_OF_SCREENING:
            counts[number[moment.person], moment.milestone.name.lower()] += 1
    for attempt in range(1, max(number.values(), default=0) + 1):
        ended = sum(counts[attempt, box] for box in BOXES if box != "candidates")
        counts[attempt, "still_in_screening"] = counts[attempt, "candidates"] - ended
    return counts


def _balance_cells(almanac: Almanac) -> list[Cell]:
    protocol = almanac.protocol
    groups = protocol.randomisation.named_groups().values()
    return [(group, arm.name) for group in groups for arm in protocol.arms]


def _balance(reading: Reading) -> Counter[Cell]:
    """How many of each group in which arms are balanced are randomised to each arm."""
    protocol, strata = reading.almanac.protocol, reading.log.strata
    scheme, names = protocol.randomisation, protocol.randomisation.named_groups()
    return Counter(
        (names[group], protocol.arms[arm].name)
        for person, arm in reading.arm_of.items()
        for group in scheme.balanced(strata[person])
    )


def _visits(reading: Reading) -> Counter[Cell]:
    """Every visit planned for those randomised, by what became of it.

    Where what a visit is counted from never came, it is not planned.
    """
    plan = [(visit.row, visit.number, arm.name) for arm, visit in reading.almanac.plan]
    visits, counts = reading.visits, Counter[Cell]()
    kept = Counter(zip(visits.place.tolist(), visits.outcome.tolist(), visits.reason, strict=True))
    for (place, outcome, reason), times in kept.items():
        if place >= 0:
            counts[*plan[place], OUTCOMES[outcome], reason] = times
    courses = reading.courses
    for place, times in enumerate(courses.planned.sum(axis=1).tolist()):
        if times:
            counts[*plan[place], "planned", ""] = times
    for place, person in np.argwhere(courses.planned & ~courses.kept).tolist():
        ending, why = reading.ending_of[person]
        reason = "stopped_treatment" if courses.struck[place, person] else why or ending
        counts[*plan[place], "not_reached", reason] += 1
    return counts


def _workload_cells(quantities: Sequence[str]) -> Callable[[Almanac], list[Cell]]:
    return lambda almanac: [
        (week, resource.name, quantity)
        for quantity in quantities
        for resource in almanac.protocol.resources
        for week in almanac.weeks.labels
    ]


def _hours(reading: Reading) -> Floats:
    return np.concatenate(attrgetter(*HOURS_A_WEEK)(reading.workload), axis=None)


def _load_cells(almanac: Almanac) -> list[Cell]:
    """Each day of the year and role: ISO week, weekday, role."""
    return [
        (week, WEEKDAYS[weekday], resource.name)
        for resource in almanac.protocol.resources
        for week, weekday in almanac.year.places
    ]


def _dose_cells(almanac: Almanac) -> list[Cell]:
    """Each product, kind of day and quantity."""
    return [
        (product.name, kind, quantity)
        for product in almanac.protocol.products
        for kind in KINDS_OF_DAY
        for quantity in DOSE_QUANTITIES
    ]


def _doses(reading: Reading) -> Floats:
    """Doses whose day came, by the kind of the planned day; those given also by that of theirs.

    The day came when the visit was held or is known to be missed: planned = on_the_day + moved +
    missed.
    """
    visits, kinds = reading.visits, reading.almanac.kinds_of_day
    doses = visits.gives.astype(np.float64)
    planned, given = (
        np.arange(len(KINDS_OF_DAY))[:, None] == kinds[np.minimum(day, len(kinds) - 1)]
        for day in (visits.planned_day, visits.day)
    )
    is_held, is_on_the_day = visits.is_held, visits.came_to(VisitOutcome.ON_THE_DAY)
    counted = (
        *(planned, planned & is_on_the_day, planned & is_held & ~is_on_the_day),
        *(planned & ~is_held, given & is_held),
    )
    return np.stack([(each @ doses).T for each in counted], axis=-1).ravel()


AT_A_STAGE = ("candidate", "consented", "in_follow_up", "left", "completed", "not_randomised")
"""Where somebody may be who is in the log of a trial that runs."""


def stages_of(known: Sequence[KnownPerson]) -> dict[tuple[str, int], int]:
    """How many of those known are at each stage, and in which arm (−1: none yet), in order."""
    found = Counter((_stage(each), each.arm) for each in known)
    return {at: found[at] for at in sorted(found, key=lambda at: (AT_A_STAGE.index(at[0]), at[1]))}


def _stage(person: KnownPerson) -> str:
    if person.completed < math.inf:
        return "completed"
    if person.left < math.inf:
        return "left"
    if person.is_randomised:
        return "in_follow_up"
    if person.ended is not None:
        return "not_randomised"
    return "consented" if person.consented < math.inf else "candidate"


def _census_cells(almanac: Almanac) -> list[Cell]:
    """Each stage, and arm, at which somebody is; none where nothing is known."""
    if almanac.protocol.informed is None:
        return []
    found = stages_of(almanac.protocol.informed.history.people)
    arms = almanac.protocol.arms
    return [(stage, arms[arm].name if arm >= 0 else "") for stage, arm in found]


def _census(reading: Reading) -> Counter[Cell]:
    """How many of those at each stage will be randomised, or complete once they are."""
    protocol = reading.almanac.protocol
    if protocol.informed is None:
        return Counter()
    counts = Counter[Cell]()
    completed = {each.person for each in reading.moments[Milestone.COMPLETED]}
    for person, known in enumerate(protocol.informed.history.people):
        reached = completed if known.is_randomised else reading.arm_of
        arm = protocol.arms[known.arm].name if known.arm >= 0 else ""
        counts[_stage(known), arm] += person in reached
    return counts


COUNTS = {
    "enrolment": Counted(
        {"month": date, "stage": str}, [Gauge(COUNT, _enrolment, _enrolment_cells)], P05_TO_P95
    ),
    "funnel": Counted({"step": str, "failure": str}, [Gauge(COUNT, _funnel, _funnel_cells)], ()),
    "flow": Counted(
        {"box": str, "arm": str, "reason": str}, [Gauge(COUNT, _flow, _flow_cells)], (10, 90)
    ),
    "attempts": Counted({"attempt": int, "box": str}, [Gauge(COUNT, _attempts, _attempt_cells)]),
    "balance": Counted({"stratum": str, "arm": str}, [Gauge(COUNT, _balance, _balance_cells)]),
    "visits": Counted(
        {"row": str, "number": int, "arm": str, "outcome": str, "reason": str},
        [Gauge(COUNT, _visits)],
        discovered=True,
    ),
    "workload": Counted(
        {"week": date, "role": str, "quantity": str},
        [
            Gauge(HOURS, _hours, _workload_cells([f"{name}_hours" for name in HOURS_A_WEEK])),
            Gauge(
                SHARE,
                lambda reading: reading.workload.utilisation.ravel(),
                _workload_cells(["utilisation"]),
            ),
        ],
    ),
    "load": Counted(
        {"iso_week": int, "weekday": str, "role": str},
        [Gauge(HOURS, lambda reading: reading.workload.by_day_of_year.ravel(), _load_cells)],
    ),
    "activity": Counted(
        {"role": str, "task": str},
        [Gauge(HOURS, lambda reading: reading.workload.by_task)],
        discovered=True,
    ),
    "dose_days": Counted(
        {"product": str, "day": str, "quantity": str},
        [Gauge(COUNT, _doses, _dose_cells)],
    ),
    "supply": Counted(
        {"month": date, "product": str, "quantity": str},
        [
            *(Gauge(COUNT, each.monthly, each.cells) for each in supply.COUNTED),
            Gauge(COUNT, supply.ON_HAND.at_month_ends, supply.ON_HAND.cells),
            Gauge(supply.grain_of_units, supply.UNITS.monthly, supply.UNITS.cells),
        ],
    ),
    "census": Counted({"stage": str, "arm": str}, [Gauge(COUNT, _census, _census_cells)]),
}
"""Each is a file of a run's folder, written, read and shown from what stands here."""
