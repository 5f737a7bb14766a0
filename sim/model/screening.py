"""From a candidate's chart to randomisation."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import simpy

from sim.model.queue import Held
from sim.model.trial import Trial
from sim.scenario.design import Attributes
from sim.scenario.slots import NEVER, Task
from sim.vocabulary.eventlog import Milestone

DISCUSS_CONSENT, DRAW_BLOOD, RANDOMISE = "discuss_consent", "draw_blood", "randomise"
"""Tasks whose end means something, of several of one name in a visit that of the last.

Without one, the visit's start (consent) or end does."""

Instant = Generator[simpy.Event, Any, float | None]
"""An instant, or None for whoever does not get there."""


def screening(person: int, arrival: float, attributes: Attributes, trial: Trial) -> Instant:
    """Chart, contact, screening visit, laboratory, work-up, eligibility call; when randomised."""
    failing = trial.protocol.failing(attributes)
    trial.note(person, arrival, Milestone.CANDIDATE)
    read = yield from chart_review(person, arrival, failing, trial)
    if read is None:
        return None
    contact = trial.chance.wait_minutes("contact", trial.protocol.screening.contact_days, person)
    now = yield trial.until(read + contact)
    visit = yield from screening_visit(person, now, trial)
    if visit is None:
        return None
    called = yield from tests(person, visit, failing, trial)
    if called is None:
        return None
    return (yield from eligibility_call(person, visit, called, trial))


def chart_review(person: int, arrival: float, failing: tuple[int, ...], trial: Trial) -> Instant:
    """Read the chart; whoever fails there is never contacted."""
    slots = trial.protocol.screening.chart_review
    read = yield from trial.clinic.do_paperwork(slots, person, "chart_review", arrival)
    if read is None:
        return None
    if trial.judge(person, read.end, "chart", failing) is not None:
        trial.note(person, read.end, Milestone.NOT_ELIGIBLE_ON_CHART)
        return None
    return read.end


def screening_visit(
    person: int, contacted: float, trial: Trial
) -> Generator[simpy.Event, Any, Held | None]:
    """Ask for consent and examine; None for whoever declines, is turned away or never seen."""
    slots = trial.protocol.screening.screening_visit
    consents = trial.chance.consents(person)
    talks = [task for task in slots.visit.tasks if task.name == DISCUSS_CONSENT]
    is_talked_over = not talks
    is_begun = False

    def goes_on(task: Task | None, _begin: float, _end: float) -> bool:
        nonlocal is_begun, is_talked_over
        if not is_begun and trial.has_no_place_for(NEVER):
            return False
        is_begun = True
        if is_talked_over and not consents:
            return False
        is_talked_over = is_talked_over or task is talks[-1]
        return True

    visit = yield from trial.clinic.see(slots, person, "screening_visit", contacted, goes_on)
    if visit is None:
        return None
    if not is_begun:
        trial.note(person, visit.end, Milestone.TURNED_AWAY)
        return None
    if not consents:
        trial.note(person, visit.end, Milestone.NOT_CONSENTING)
        return None
    trial.note(person, consent_given(visit), Milestone.CONSENTED)
    trial.note(person, visit.end, Milestone.SCREENED)
    return visit


def tests(person: int, visit: Held, failing: tuple[int, ...], trial: Trial) -> Instant:
    """Judge the visit and the laboratory's results, work up; the earliest way out is taken."""
    steps, chance, note = trial.protocol.screening, trial.chance, partial(trial.note, person)
    known = blood_drawn(visit) + chance.wait_minutes("laboratory", steps.lab_days, person)
    known = max(known, visit.end)  # whoever is still at the visit is not called
    called = known + chance.wait_minutes("work-up", steps.work_up_days, person)
    withdraws = chance.withdraws_at(person, consent_given(visit), called)
    for step, moment in (("visit", visit.end), ("labs", known), ("call", called)):
        if withdraws < moment:
            note(withdraws, Milestone.WITHDREW_IN_SCREENING)
            return None
        now = yield trial.until(moment)
        if trial.has_no_place_for(consent_given(visit)):
            note(now, Milestone.TURNED_AWAY)
            return None
        failed = trial.judge(person, now, step, failing)
        if failed is not None:
            note(now, Milestone.SCREEN_FAILED, failed)
            return None
    return called


def eligibility_call(person: int, visit: Held, due: float, trial: Trial) -> Instant:
    """Put the file together and randomise; blood that would be too old by then is drawn again."""
    steps, clinic = trial.protocol.screening, trial.clinic
    call = steps.eligibility_call
    expected = call.start_after(due) + call.visit.typical_minutes
    if expected > blood_drawn(visit) + steps.valid_for_minutes:
        repeat = yield from clinic.see(steps.repeat_blood, person, "repeat_blood", due)
        if repeat is None:
            return None
        again = trial.chance.wait_minutes("laboratory again", steps.lab_days, person)
        due = yield trial.until(repeat.end + again)
    held = yield from clinic.do_paperwork(call, person, "eligibility_call", due)
    if held is None:
        return None
    now: float = yield trial.until(held.ends.get(RANDOMISE, held.end))
    if trial.has_no_place_for(consent_given(visit)):
        trial.note(person, now, Milestone.TURNED_AWAY)
        return None
    return now if now <= trial.protocol.recruits_until_minutes else None


def consent_given(visit: Held) -> float:
    """Return when consent was given at a screening visit."""
    return visit.ends.get(DISCUSS_CONSENT, visit.start)


def blood_drawn(visit: Held) -> float:
    """Return from when the laboratory's results count."""
    return visit.ends.get(DRAW_BLOOD, visit.end)
