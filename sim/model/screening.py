"""From a candidate's chart to randomisation: a walk over the steps of screening."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import partial
from itertools import count
from typing import Any

import simpy

from sim.model.chance import Luck
from sim.model.clinic import Errand
from sim.model.queue import GoesOn, Held
from sim.model.trial import Trial
from sim.scenario.criteria import Attributes
from sim.scenario.protocol import PlannedStep, PlannedVisit
from sim.scenario.slots import NEVER, Slots, Task
from sim.scenario.steps import DISCUSS_CONSENT, DRAW_BLOOD, RANDOMISE
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.streams import of_attempt

Instant = Generator[simpy.Event, Any, float | None]
"""An instant, or None for whoever does not get there."""

_Seen = Generator[simpy.Event, Any, Held | None]


Randomised = tuple[float, Attributes]
"""When somebody is randomised, and what they are like then."""


def screening(
    person: int, arrival: float, trial: Trial
) -> Generator[simpy.Event, Any, Randomised | None]:
    """Every step, one after the other, and again for whoever may and does come again."""
    trial.note(person, arrival, Milestone.CANDIDATE)
    came, last = arrival, trial.protocol.recruits_until_minutes
    for number in count(1):
        attempt = ScreeningAttempt(person, number, trial)
        now = yield from attempt.walk(came)
        if now is not None:
            return (now, attempt.attributes) if now <= last else None
        came = attempt.again
        if came > last:
            return None
        yield trial.until(came)
        if trial.is_full:
            return None
        trial.note(person, came, Milestone.RESCREENED)
    return None


class ScreeningAttempt:
    """One person's way through screening, for the first time or again: what is known so far.

    `again` is when they come once more after failing: infinity as long as they have not, or never.
    """

    def __init__(self, person: int, number: int, trial: Trial) -> None:
        """Nothing is known yet but what the person fails."""
        self._person, self._number, self._trial = person, number, trial
        self._chance: Luck = trial.chance
        self._plan = trial.protocol.screening
        self.attributes = trial.chance.attributes(person, number)
        self.again = NEVER
        self._medication = trial.medication(person, self.attributes)
        self._failing = trial.protocol.failing(self.attributes)
        self._note = partial(trial.note, person)
        self._consented, self._withdraws = NEVER, math.inf
        self._drawn = self._sampled = 0.0
        self._steps = 0

    def walk(self, since: float, passed: int = 0) -> Instant:
        """Take every step after so many that are passed; return when the last one ends."""
        now = since
        for step in self._plan.steps[passed:]:
            ended = yield from self._take(step, now)
            if ended is None:
                return None
            now = ended
        return now

    def _take(self, step: PlannedStep, since: float) -> Instant:
        """Take a step after the one that ended at `since`; return when it ends."""
        due = self._due(step, since)
        self._steps += step.slots is None
        if (yield from self._is_out_by(due)):
            return None
        if step.hands_out is None:
            return (yield from self._pass(step, due))
        there = yield from self._set_aside(step.hands_out, due)
        ended = None if there is None else (yield from self._pass(step, there))
        if ended is None:
            self._medication.put_back(step.hands_out)
        else:
            self._medication.attended(step.hands_out, ended)
        return ended

    def _set_aside(self, handed_out: PlannedVisit, due: float) -> Instant:
        """Set aside what a step hands out; return from when on it is there."""
        self._medication.order((dose.product for dose in handed_out.gives), due)
        while (day := self._medication.not_before(handed_out, due)) > due // MINUTES_PER_DAY:
            due = float(day * MINUTES_PER_DAY)
            if (yield from self._is_out_by(due)):
                return None
        return due

    def _pass(self, step: PlannedStep, due: float) -> Instant:
        """Do what a step asks for, and judge; return when it ends."""
        is_last = step is self._plan.steps[-1]
        if is_last and self._drawn_again_by(step, due):
            again = yield from self._blood_again(due)
            if again is None:
                return None
            due = again
        ended = due
        if step.slots is not None:
            held = yield from self._hold(step, step.slots, due)
            if held is None:
                return None
            ended = randomised_at(step, held) if is_last else held.end
            self._steps += 1
            if (yield from self._is_out_by(ended)):
                return None
            self._sampled = sample_taken(held)
        return ended if self._passes(step, ended) else None

    def _passes(self, step: PlannedStep, moment: float) -> bool:
        """Judge what is known when a step has ended."""
        failed = self._trial.judge(self._person, moment, step.name, self._failing)
        if failed is None:
            return True
        name = self._trial.protocol.criteria[failed].name
        self.again = moment + self._chance.comes_again(self._person, self._number, name)
        if self._consented < NEVER:
            self._note(moment, Milestone.SCREEN_FAILED, failed)
        else:
            self._note(moment, Milestone.NOT_ELIGIBLE_ON_CHART)
        return False

    def _due(self, step: PlannedStep, since: float) -> float:
        return step.due(since, self._sampled, self._wait(step))

    def _wait(self, step: PlannedStep) -> float:
        question = of_attempt(step.luck, self._number)
        return self._chance.wait_minutes(question, self._plan.wait_days(step), self._person)

    def _errand(self, row: str, goes_on: GoesOn | None = None) -> Errand:
        return Errand(self._person, row, self._number, goes_on)

    def _is_out_by(self, moment: float) -> Generator[simpy.Event, Any, bool]:
        """Wait until a moment, and say whether the person withdraws before or is turned away."""
        if self._withdraws < moment:
            self._note(self._withdraws, Milestone.WITHDREW_IN_SCREENING)
            return True
        yield self._trial.until(moment)
        if self._consented < NEVER and self._has_no_place():
            self._turn_away(moment)
            return True
        return False

    def _drawn_again_by(self, step: PlannedStep, due: float) -> bool:
        """Say whether blood would be too old at the last step."""
        slots = step.slots
        end = due if slots is None else slots.start_after(due) + slots.visit.typical_minutes
        return end > self._drawn + self._plan.valid_for_minutes

    def _blood_again(self, due: float) -> Instant:
        """Draw blood once more, which is not judged; return when its results are there."""
        slots, errand = self._plan.repeat_blood, self._errand("repeat_blood")
        repeat = yield from self._trial.clinic.see(slots, errand, due)
        if repeat is None:
            return None
        days = self._plan.wait_days(self._plan.results)
        question = of_attempt("laboratory again", self._number)
        again = self._chance.wait_minutes(question, days, self._person)
        now: float = yield self._trial.until(repeat.end + again)
        return now

    def _hold(self, step: PlannedStep, slots: Slots, due: float) -> _Seen:
        """Hold what a step asks for; whoever fails at it is not randomised at it."""
        if step.is_visit:
            return (yield from self._see(step, slots, due))
        goes_on = _not_to_randomise if self._fails_at(step) else None
        errand = self._errand(step.occasion, goes_on)
        return (yield from self._trial.clinic.do_paperwork(slots, errand, due))

    def _see(self, step: PlannedStep, slots: Slots, due: float) -> _Seen:
        """Let the candidate come, who may withdraw or be turned away before the visit begins."""
        asks, fails = step is self._plan.steps[self._plan.asking], self._fails_at(step)
        declines = asks and not self._chance.consents(self._person)
        talks = [task for task in slots.visit.tasks if asks and task.name == DISCUSS_CONSENT]
        is_begun, is_talked_over = False, not talks

        def goes_on(task: Task | None, begin: float, end: float) -> bool:
            nonlocal is_begun, is_talked_over
            if not is_begun and self._stays_away(begin):
                return False
            is_begun = True
            if declines and is_talked_over:
                return False
            is_talked_over = is_talked_over or task is talks[-1]
            return not fails or _not_to_randomise(task, begin, end)

        errand = self._errand(step.occasion, goes_on)
        visit = yield from self._trial.clinic.see(slots, errand, due)
        if visit is None:
            return None
        if not is_begun:
            if self._withdraws < visit.end:
                self._note(self._withdraws, Milestone.WITHDREW_IN_SCREENING)
            else:
                self._turn_away(visit.end)
            return None
        if declines:
            self._note(visit.end, Milestone.NOT_CONSENTING)
            return None
        if asks:
            self._consent(visit)
        if asks or DRAW_BLOOD in visit.ends:
            self._drawn = sample_taken(visit)
        return visit

    def _stays_away(self, moment: float) -> bool:
        return self._withdraws < moment or self._has_no_place()

    def _has_no_place(self) -> bool:
        return self._trial.has_no_place_for(self.attributes, self._steps, self._consented)

    def _turn_away(self, moment: float) -> None:
        self._note(
            moment, Milestone.TURNED_AWAY, self._trial.full_cap(self.attributes, self._steps)
        )

    def _consent(self, visit: Held) -> None:
        """Note consent, and when the person will withdraw."""
        consented = self._consented = consent_given(visit)
        self._note(consented, Milestone.CONSENTED)
        self._note(visit.end, Milestone.SCREENED)
        called = self._plan.last_due(visit.end, sample_taken(visit), self._wait)
        self._withdraws = self._chance.withdraws_at(self._person, self._number, consented, called)

    def _fails_at(self, step: PlannedStep) -> bool:
        criteria = self._trial.protocol.criteria
        return any(criteria[index].at == step.name for index in self._failing)


def consent_given(visit: Held) -> float:
    """Return when consent was given at the visit at which it is asked."""
    return visit.ends.get(DISCUSS_CONSENT, visit.start)


def sample_taken(visit: Held) -> float:
    """Return from when the laboratory's results count."""
    return visit.ends.get(DRAW_BLOOD, visit.end)


def randomised_at(step: PlannedStep, held: Held) -> float:
    """Return when the last step ends in randomisation: a visit when all of it is over."""
    return held.end if step.is_visit else held.ends.get(RANDOMISE, held.end)


def _not_to_randomise(task: Task | None, _begin: float, _end: float) -> bool:
    """Let a visit go on to the task with which it would end in randomisation."""
    return task is None or task.name != RANDOMISE
