"""One replication's log, read once for everything that is counted in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import NamedTuple

import numpy as np

from sim.results.periods import Almanac, Flags, Floats, Indices, day_numbers
from sim.results.workload import Workload
from sim.scenario.protocol import Arm, Coming
from sim.vocabulary.eventlog import (
    NOBODY,
    EventLog,
    Milestone,
    Moment,
    Supplied,
    Visit,
    VisitOutcome,
    in_columns,
)

Ending = tuple[str, str]
"""completed, left or still_in_follow_up; and the reason of those who left."""

OUTCOMES = tuple(VisitOutcome)

# What becomes of a candidate who is not still in screening.
OUT_OF_SCREENING = (
    Milestone.NOT_ELIGIBLE_ON_CHART,
    Milestone.NOT_CONSENTING,
    Milestone.SCREEN_FAILED,
    Milestone.WITHDREW_IN_SCREENING,
    Milestone.TURNED_AWAY,
    Milestone.RANDOMISED,
)


class VisitColumns:
    """The visits of one replication, held or missed, in the order of the log: a column a fact.

    `place` is that in the plan of the almanac; −1: not in the schedule. `gives` says of each
    product (column) whether it was to be given.
    """

    def __init__(self, visits: Sequence[Visit], almanac: Almanac) -> None:
        """Turn the visits into columns, once."""
        column = in_columns(Visit._fields, visits)
        self.visit, self.row, self.reason = column["visit"], column["row"], column["reason"]
        self.person, self.planned_day = (
            np.fromiter(column[name], np.intp) for name in ("person", "planned_day")
        )
        self.time, self.wait = (np.fromiter(column[name], np.float64) for name in ("time", "wait"))
        self.is_somewhere, self.is_journey = (
            np.fromiter(map(bool, column[name]), np.bool_) for name in ("place", "is_journey")
        )
        self.outcome = np.fromiter(map(OUTCOMES.index, column["outcome"]), np.intp)
        keys = zip(column["arm"], column["row"], column["number"], strict=True)
        self.place = np.fromiter(map(almanac.place_of.get, keys, repeat(-1)), np.intp)
        self.day, self.is_held = day_numbers(self.time), ~self.came_to(VisitOutcome.MISSED)
        self.is_planned, self.gives = self.place >= 0, almanac.gives[self.place]

    def came_to(self, outcome: VisitOutcome) -> Flags:
        """Whether this became of each visit."""
        return np.equal(self.outcome, OUTCOMES.index(outcome))


class _Fate(NamedTuple):
    """Of whom an anchor came, of whom it came or still may, and whose plan holds it to the end."""

    came: Flags
    may_come: Flags
    is_due: Flags


class Courses:
    """What became of everybody's plan: flags of its visits (rows) and the people (columns).

    `kept` visits were held or missed, and some of them `held`; `struck` are those with doses of
    people who stopped treatment. Of visits that are `planned` the anchor came. Those `due` the plan
    holds to its end, after leaving or stopping treatment too, but for what is counted from visits
    that were missed.
    """

    def __init__(self, reading: Reading) -> None:
        """Day 1 is planned for everyone randomised."""
        randomised, arms = reading.moments[Milestone.RANDOMISED], reading.arms_of_people
        self._moments = {**reading.moments, Milestone.DAY_1: randomised}
        self._plan, visits = reading.almanac.plan, reading.visits
        is_theirs = np.array([arm.index for arm, _ in self._plan], np.intp)[:, None] == arms
        self.kept, self.held = np.zeros((2, *is_theirs.shape), np.bool_)
        at = visits.place[visits.is_planned], visits.person[visits.is_planned]
        self.kept[at], self.held[at] = True, visits.is_held[visits.is_planned]
        self._nobody = np.zeros(len(arms), np.bool_)
        stopped = self._met(Milestone.STOPPED_TREATMENT, Coming())
        self.struck = np.any(reading.almanac.gives[:-1], axis=1)[:, None] & stopped
        self._fates: dict[tuple[int, str], _Fate] = {}
        fates = np.array([self._fate(arm, visit.anchor) for arm, visit in self._plan], np.bool_)
        by_visit = fates.reshape(len(self._plan), len(_Fate._fields), len(arms))
        self.planned, _, self.due = by_visit.swapaxes(0, 1) & is_theirs

    def _fate(self, arm: Arm, anchor: str) -> _Fate:
        """What became of an anchor of an arm, as if everybody were in it."""
        key = (arm.index, anchor)
        if key not in self._fates:
            coming = arm.anchors.get(anchor, Coming())
            if coming.milestone is None:
                self._fates[key] = self._after_visits(arm, anchor, coming.rows)
            else:
                met = self._met(coming.milestone, coming)
                due = met if arm.counts_from_visits else ~self._nobody
                self._fates[key] = _Fate(met, ~self._nobody, due)
        return self._fates[key]

    def _after_visits(self, arm: Arm, anchor: str, rows: Collection[str]) -> _Fate:
        """What became of an anchor that is another visit, or the last one held of rows."""
        ours, counted_from = [], []
        for place, (its_arm, visit) in enumerate(self._plan):
            if its_arm is arm and (visit.occasion == anchor or visit.row in rows):
                ours.append(place)
                counted_from.append(self._fate(arm, visit.anchor))
        _, may_come, is_due = np.array(counted_from).swapaxes(0, 1)
        kept, held = self.kept[ours], self.held[ours]
        is_to_come = np.any(may_come & ~kept & ~self.struck[ours], axis=0)
        came = np.any(held, axis=0) & ~is_to_come
        return _Fate(came, came | is_to_come, np.any(np.where(kept, held, is_due), axis=0))

    def _met(self, milestone: Milestone, coming: Coming) -> Flags:
        """Who met the milestone of an anchor."""
        met, moments = self._nobody.copy(), self._moments[milestone]
        met[[each.person for each in moments if coming.is_for(each.detail)]] = True
        return met


@dataclass(frozen=True)
class Reading:
    """A log beside the almanac of its protocol, and what several counts need of it."""

    log: EventLog
    almanac: Almanac

    @cached_property
    def moments(self) -> Mapping[Milestone, Sequence[Moment]]:
        """The moments of each milestone, in the order of the log.

        Of somebody who was screened again only the last attempt counts.
        """
        moments: dict[Milestone, list[Moment]] = {milestone: [] for milestone in Milestone}
        for moment in self.log.last_attempts():
            moments[moment.milestone].append(moment)
        return moments

    @cached_property
    def arm_of(self) -> Mapping[int, int]:
        """The arm of everyone randomised."""
        return {each.person: each.detail for each in self.moments[Milestone.RANDOMISED]}

    @cached_property
    def days_randomised(self) -> Indices:
        """The day of each randomisation; one at the closing instant is still on the last day."""
        days = day_numbers(self.times(Milestone.RANDOMISED))
        return np.minimum(days, self.almanac.protocol.clock.days - 1)

    @cached_property
    def ending_of(self) -> Mapping[int, Ending]:
        """How the run ended for everyone randomised, and for those who left why."""
        ending = dict.fromkeys(self.arm_of, ("still_in_follow_up", ""))
        for moment in self.moments[Milestone.COMPLETED]:
            ending[moment.person] = ("completed", "")
        for moment in self.moments[Milestone.LEFT]:
            ending[moment.person] = ("left", moment.detail)
        return ending

    @cached_property
    def supplies(self) -> tuple[Indices, Indices, Floats, Floats]:
        """What became of products: movement, product, time in minutes, vials; as in the log."""
        column = in_columns(Supplied._fields, self.log.supplies)
        movement, product = (np.fromiter(column[name], np.intp) for name in ("movement", "product"))
        time, vials = (np.fromiter(column[name], np.float64) for name in ("time", "vials"))
        return movement, product, time, vials

    @cached_property
    def doses(self) -> tuple[Indices, Floats, Floats]:
        """The doses given: product, time in minutes, units; in the order of the log."""
        doses = self.moments[Milestone.DOSE]
        product = np.fromiter((dose.detail[0] for dose in doses), np.intp)
        units = np.fromiter((dose.detail[1] for dose in doses), np.float64)
        return product, self.times(Milestone.DOSE), units

    def times(self, milestone: Milestone) -> Floats:
        """When a milestone was met, in minutes, in the order of the log."""
        return np.fromiter((moment.time for moment in self.moments[milestone]), np.float64)

    @cached_property
    def visits(self) -> VisitColumns:
        """The visits, held or missed."""
        return VisitColumns(self.log.visits, self.almanac)

    @cached_property
    def workload(self) -> Workload:
        """The work by week."""
        return Workload(self.log.work, self.almanac)

    @cached_property
    def arms_of_people(self) -> Indices:
        """The arm of each person by number; −1: not randomised, as NOBODY, who stands last."""
        last = max((moment.person for moment in self.log.moments), default=NOBODY)
        arms = np.full(last + 2, -1)
        arms[[*self.arm_of]] = [*self.arm_of.values()]
        return arms

    @cached_property
    def burden(self) -> Floats:
        """Visits, trips and hours at the site (rows) a participant of each arm (columns).

        Means over those randomised, from screening on (nan: nobody is in the arm). Counted is what
        happened before the end: those who left, or are still in follow-up, count with the visits
        they had.
        """
        visits, arms = self.visits, len(self.almanac.protocol.arms)
        arm = self.arms_of_people[visits.person]
        ours = np.flatnonzero(visits.is_held & (arm >= 0))
        person, time, wait = visits.person[ours], visits.time[ours], visits.wait[ours]
        is_somewhere = visits.is_somewhere[ours]
        hours = self.workload.hours_at_visits(person, time, wait) * is_somewhere
        counted = (is_somewhere, visits.is_journey[ours], hours)
        totals = np.array([np.bincount(arm[ours], each, arms) for each in counted])
        people = np.bincount(self.arms_of_people + 1, minlength=arms + 1)[1:]
        return totals / np.where(people > 0, people, np.nan)

    @cached_property
    def courses(self) -> Courses:
        """What became of everybody's plan."""
        return Courses(self)

    @property
    def still_in_screening(self) -> int:
        """How many candidates are on the way at the end, neither randomised nor out."""
        return self.count(Milestone.CANDIDATE) - sum(map(self.count, OUT_OF_SCREENING))

    def count(self, milestone: Milestone) -> int:
        """How many met a milestone (for doses: how often)."""
        return len(self.moments[milestone])

    def arms(self, milestone: Milestone) -> list[int]:
        """The arm of each person, randomised before, who met a milestone at least once."""
        people = dict.fromkeys(moment.person for moment in self.moments[milestone])
        return [self.arm_of[person] for person in people]
