"""One replication's log, read once for everything that is counted in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sim.results.periods import Almanac, Floats
from sim.results.workload import Workload
from sim.scenario.protocol import Arm, PlannedVisit
from sim.vocabulary.eventlog import (
    EventLog,
    Milestone,
    Moment,
    Movement,
    Supplied,
    Visit,
    VisitOutcome,
)

Ending = tuple[str, str]
"""completed, left or still_in_follow_up; and the reason of those who left."""

# What becomes of a candidate who is not still in screening.
OUT_OF_SCREENING = (
    Milestone.NOT_ELIGIBLE_ON_CHART,
    Milestone.NOT_CONSENTING,
    Milestone.SCREEN_FAILED,
    Milestone.WITHDREW_IN_SCREENING,
    Milestone.TURNED_AWAY,
    Milestone.RANDOMISED,
)


class _Course:
    """What became of one participant's plan: the visits kept, True if held, and what was met."""

    def __init__(self, arm: Arm, kept: Mapping[str, bool], met: Mapping[Milestone, Any]) -> None:
        """`met` has the detail of each milestone; day 1 is planned for everyone randomised."""
        self._arm, self._kept, self._met = arm, kept, {**met, Milestone.DAY_1: None}
        self._visits = {visit.occasion: visit for visit in arm.visits}

    def has_come(self, anchor: str) -> bool:
        """Whether an anchor has come."""
        if anchor in self._visits:
            return self._kept.get(anchor, False)
        coming = self._arm.anchors[anchor]
        if coming.milestone is not None:
            return coming.milestone in self._met and coming.is_for(self._met[coming.milestone])
        ours = [visit for visit in self._visits.values() if visit.row in coming.rows]
        is_over = not any(map(self._is_to_come, ours))
        return is_over and any(self._kept.get(visit.occasion) for visit in ours)

    def is_due(self, anchor: str) -> bool:
        """Whether an anchor has come, or would have, had the participant gone on to the end.

        It does not where the visits it counts from were missed.
        """
        if anchor in self._visits:
            kept = self._kept.get(anchor)
            return self.is_due(self._visits[anchor].anchor) if kept is None else kept
        coming = self._arm.anchors[anchor]
        if coming.milestone is not None:
            return self.has_come(anchor)
        return any(
            self.is_due(visit.occasion)
            for visit in self._visits.values()
            if visit.row in coming.rows
        )

    def _is_to_come(self, visit: PlannedVisit) -> bool:
        """Whether a visit is neither kept nor struck out: it may still be planned."""
        is_struck = visit.is_dose and Milestone.STOPPED_TREATMENT in self._met
        return visit.occasion not in self._kept and not is_struck and self._may_come(visit.anchor)

    def _may_come(self, anchor: str) -> bool:
        """Whether an anchor has come or still may."""
        if self.has_come(anchor):
            return True
        if anchor in self._visits:
            return self._is_to_come(self._visits[anchor])
        rows = self._arm.anchors[anchor].rows
        return not rows or any(
            self._is_to_come(visit) for visit in self._visits.values() if visit.row in rows
        )


@dataclass(frozen=True)
class Reading:
    """A log beside the almanac of its protocol, and what several counts need of it."""

    log: EventLog
    almanac: Almanac

    @cached_property
    def moments(self) -> Mapping[Milestone, Sequence[Moment]]:
        """The moments of each milestone, in the order of the log; none where nobody met it.

        Of somebody who was screened again only the last attempt counts.
        """
        moments: dict[Milestone, list[Moment]] = defaultdict(list)
        for moment in self.log.last_attempts():
            moments[moment.milestone].append(moment)
        return moments

    @cached_property
    def arm_of(self) -> Mapping[int, int]:
        """The arm of everyone randomised."""
        return {each.person: each.detail for each in self.moments[Milestone.RANDOMISED]}

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
    def supplies(self) -> Mapping[Movement, Sequence[Supplied]]:
        """What became of products, by kind, in the order of the log."""
        supplies: dict[Movement, list[Supplied]] = defaultdict(list)
        for supplied in self.log.supplies:
            supplies[supplied.movement].append(supplied)
        return supplies

    @cached_property
    def visits(self) -> Sequence[Visit]:
        """The visits of the schedule, held or missed: what follows randomisation."""
        return [visit for visit in self.log.visits if visit.arm >= 0]

    @cached_property
    def held(self) -> Sequence[Visit]:
        """Every visit held, in the schedule or not."""
        missed = VisitOutcome.MISSED
        return [visit for visit in self.log.visits if visit.outcome is not missed]

    @cached_property
    def dose_visits(self) -> Sequence[Visit]:
        """The visits of the schedule, held or missed, at which a dose is planned."""
        given = self.almanac.given
        return [visit for visit in self.visits if (visit.arm, visit.row) in given]

    def products(self, visit: Visit) -> Sequence[int]:
        """The indices of what a visit of the schedule gives, or would have given."""
        return self.almanac.given[visit.arm, visit.row]

    @cached_property
    def workload(self) -> Workload:
        """The work by week."""
        return Workload(self.log.work, self.almanac)

    @cached_property
    def burden(self) -> Floats:
        """Visits, trips and hours at the site (rows) a participant of each arm (columns).

        Means over those randomised, from screening on (nan: nobody is in the arm). Counted is what
        happened before the end: those who left, or are still in follow-up, count with the visits
        they had.
        """
        arm_of, arms = self.arm_of, len(self.almanac.protocol.arms)
        held = [
            (visit.person, visit.time, visit.wait, visit.place != "", visit.is_journey)
            for visit in self.held
            if visit.person in arm_of
        ]
        person, time, wait, is_somewhere, is_trip = np.array(held, np.float64).reshape(-1, 5).T
        arm = np.array([arm_of[who] for who, *_ in held], np.intp)
        hours = self.workload.hours_at_visits(person, time, wait) * is_somewhere
        totals = np.array([np.bincount(arm, each, arms) for each in (is_somewhere, is_trip, hours)])
        people = np.bincount(np.array(list(arm_of.values()), np.intp), minlength=arms)
        return totals / np.where(people > 0, people, np.nan)

    def planned_for(self, person: int) -> Sequence[PlannedVisit]:
        """The visits planned for somebody randomised: those of which the anchor came."""
        arm = self.almanac.protocol.arms[self.arm_of[person]]
        course = _Course(arm, self._kept[person], self._met[person])
        come = {anchor: course.has_come(anchor) for anchor in {each.anchor for each in arm.visits}}
        return [visit for visit in arm.visits if come[visit.anchor]]

    def doses_of_plan(self, person: int) -> Sequence[PlannedVisit]:
        """The visits with doses that the plan holds for somebody randomised.

        Those after leaving or stopping treatment are among them, and those counted from visits that
        were missed are not.
        """
        arm = self.almanac.protocol.arms[self.arm_of[person]]
        doses = [visit for visit in arm.visits if visit.is_dose]
        if not arm.counts_from_visits:
            return doses
        course = _Course(arm, self._kept[person], self._met[person])
        return [visit for visit in doses if course.is_due(visit.anchor)]

    @cached_property
    def _kept(self) -> Mapping[int, Mapping[str, bool]]:
        """The visits of the schedule of each person, by occasion: whether they were held."""
        kept = defaultdict[int, dict[str, bool]](dict)
        for visit in self.visits:
            kept[visit.person][f"{visit.row} {visit.number}"] = not visit.is_missed
        return kept

    @cached_property
    def _met(self) -> Mapping[int, Mapping[Milestone, Any]]:
        """The milestones that each person met, with their details."""
        met = defaultdict[int, dict[Milestone, Any]](dict)
        for moment in self.log.moments:
            met[moment.person][moment.milestone] = moment.detail
        return met

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
