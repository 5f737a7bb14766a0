"""Contradictions in the schedule: of a row's visits among themselves, and of rows with others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from sim.scenario.design import Design
from sim.scenario.errors import Fault, KeyPath
from sim.scenario.numbers import CENTURY_DAYS, NO_TIME
from sim.scenario.schedule import Anchor, ScheduleRow, counted_from, visits_in_row
from sim.scenario.schema import Scenario

MOST_IN_A_ROW = 2_000
STEPS_OF_SHARES = 10_000
"""Of so many parts the share of participants is told that a first dose comes too soon for."""


class TooSoon(NamedTuple):
    """A row whose first visit lies more days before day 1 than there may be since randomisation.

    `share` of an arm's participants have the first dose planned sooner, all within `most` days.
    """

    row: str
    day: int
    arm: str
    share: float
    most: float

    @property
    def days_before(self) -> int:
        """How many days before the first dose the visit is to be."""
        return 1 - self.day

    @property
    def path(self) -> KeyPath:
        """Where the row stands."""
        return ("design", "schedule", self.row)


def rows_together(scenario: Scenario) -> Iterator[Fault]:
    """Yield what contradicts another row, or how long the first dose takes to come."""
    design = scenario.design
    in_circles = [fault for name in design.schedule for fault in _circle(design, name)]
    yield from in_circles
    if in_circles:
        return
    for name in design.schedule:
        yield from _start(design, name)
        yield from _after_each(design, name)
    for row in too_soon(scenario):
        if row.most <= row.days_before - 1:
            what = (
                f"day {row.day} is {row.days_before} days before the first dose of {row.arm}, which"
                f" is planned {row.most:.3g} days after randomisation at most"
            )
            yield Fault(row.path, what, "a day after randomisation, or a longer to_first_dose_days")


def _circle(design: Design, name: str) -> Iterator[Fault]:
    """Look for rows that are counted from each other, so that none can be the first."""
    chain = list(counted_from(design.schedule, name))
    other = design.schedule[chain[-1]].other
    if other and other.row == name:
        what = f"{' is counted from '.join([*chain, name])}"
        yield Fault(_from(name), what, "a row that does not lead back to this one")


def _start(design: Design, name: str) -> Iterator[Fault]:
    """Look for what a row is counted from and can never come, and for doses out of place."""
    row, chain = design.schedule[name], list(counted_from(design.schedule, name))
    start = design.schedule[chain[-1]]
    arms = [arm for arm in design.arms if row.is_for(arm)]
    dosed = [arm for arm in arms if row.given(arm, design.arms[arm].product)]
    if dosed and (start.from_ != Anchor.FIRST_DOSE or start.first_day < 1):
        since = f"day {start.first_day}" if start.from_ == Anchor.FIRST_DOSE else start.from_
        what = f"a dose cannot be counted from {since}"
        yield Fault(_from(name), what, "first_dose, or rows that are counted from it")
        return
    without = {
        arm: other for other in chain for arm in arms if not design.schedule[other].is_for(arm)
    }
    for arm in dosed:
        if arm in without:
            what = f"{without[arm]} has no visits in {arm}, so that {name} has none there"
            yield Fault(_from(name), what, f"rows of the arm {arm}")
    if not dosed and len(without) == len(arms):
        what = f"no arm has both {name} and {next(iter(without.values()))}"
        yield Fault(_from(name), what, "a row of the same arms")


def _after_each(design: Design, name: str) -> Iterator[Fault]:
    """Look for visits after each visit of another row that are not over when it is held again."""
    row = design.schedule[name]
    if (number := visits_in_row(design.schedule, name)) > MOST_IN_A_ROW >= row.visits:
        yield Fault(_from(name), f"{number} visits are too many", f"at most {MOST_IN_A_ROW} a row")
    if row.other and row.other.visit == "each":
        gaps = [gap for gap, _ in _gaps(design.schedule[row.other.row])]
        span = row.days_planned[-1] - row.days_planned[0]
        if gaps and min(gaps) - span < row.min_days_between:
            what = f"{row.other.row} is held again {min(gaps)} days after a visit"
            allowed = f"visits that fit into {min(gaps)} days, or visit: last"
            yield Fault(_from(name), what, allowed)


def _from(name: str) -> KeyPath:
    return ("design", "schedule", name, "from")


def too_soon(scenario: Scenario) -> Iterator[TooSoon]:
    """Yield where a first dose may come too soon after randomisation for a visit before it."""
    for name, row in scenario.design.schedule.items():
        if row.from_ != Anchor.FIRST_DOSE or row.first_day > 0:
            continue
        for arm in row.arms or scenario.design.arms:
            law = scenario.assumptions.to_first_dose_days.get(arm, NO_TIME)
            days, quantile = 1 - row.first_day, law.distribution().quantile
            sooner = bisect_left(
                range(STEPS_OF_SHARES), days, key=lambda part: quantile(part / STEPS_OF_SHARES)
            )
            if sooner:
                yield TooSoon(name, row.first_day, arm, sooner / STEPS_OF_SHARES, law.ends()[1])


def repeats(path: KeyPath, row: ScheduleRow) -> Iterator[Fault]:
    """Look at a row's visits among themselves: a window may be as wide as the gap, no wider."""
    if (number := row.visits_in_cycle * row.cycles) > MOST_IN_A_ROW:
        yield Fault(path, f"{number} visits are too many", f"at most {MOST_IN_A_ROW} a row")
        return
    if (last := max(row.days_planned)) > CENTURY_DAYS:
        yield Fault(path, f"the last visit is on day {last}", f"{CENTURY_DAYS} or before")
        return
    width = row.window_days[1] - row.window_days[0]
    for gap, where in _gaps(row):
        if gap < 1:
            what = "a cycle begins before the one before it ends"
            yield Fault((*path, where), what, "more days than its visits take")
        elif width > gap:
            what = f"the window of {width} days is wider than the gap of {gap} between visits"
            yield Fault(
                (*path, "window_days"), what, f"at most {gap} from the earliest to the latest day"
            )
        elif row.min_days_between > gap:
            what = f"visits are planned {gap} days apart"
            yield Fault((*path, "min_days_between"), what, f"at most {gap}")


def _gaps(row: ScheduleRow) -> Iterator[tuple[int, str]]:
    """Yield the days between one visit and the next, and the key that decides about them."""
    cycle = row.days_planned[: row.visits_in_cycle]
    if len(cycle) > 1:
        shortest = min(later - day for day, later in pairwise(cycle))
        yield shortest, "days" if row.days else "every_days"
    if row.cycle_days and row.cycles > 1:
        yield row.cycle_days - (cycle[-1] - cycle[0]), "cycle_days"
