"""A participant's way through the trial, as a coordinator would tell it."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import partial
from typing import Any

import simpy

from sim.model.appointments import Appointment, Diary
from sim.model.clinic import Process
from sim.model.dispensing import Provision
from sim.model.queue import Held, Refusal, Request
from sim.model.screening import screening
from sim.model.trial import Trial
from sim.scenario.protocol import Arm, Attributes
from sim.vocabulary.eventlog import Milestone


def journey(person: int, arrival: float, trial: Trial) -> Process:
    """Screening, randomisation, the arm's visits, and how it ended."""
    attributes = trial.chance.attributes(person)
    randomised = yield from screening(person, arrival, attributes, trial)
    if randomised is not None:
        arm = trial.randomise(person, attributes, randomised)
        yield from participation(person, arm, attributes, randomised, trial)


def participation(
    person: int, arm: Arm, attributes: Attributes, randomised: float, trial: Trial
) -> Process:
    """The arm's visits in planned order, until the last one or until the participant leaves."""
    chance, note = trial.chance, partial(trial.note, person)
    provision = trial.provide(person, arm, attributes, randomised)
    diary = Diary(provision, arm, trial.protocol, chance, randomised)
    now, leaves, reason, stops = randomised, math.inf, "", math.inf

    while (visit := diary.next(now)) is not None:
        if stops < visit.coming and stops < leaves and diary.has_doses_left:
            note(stops, Milestone.STOPPED_TREATMENT)
            diary.stop_treatment()
            provision.stop()
            continue
        if leaves < visit.coming:
            note(max(leaves, now), Milestone.LEFT, reason)
            provision.end(max(leaves, now))
            return

        now = yield trial.until(visit.coming)
        if visit.is_missed:
            trial.note_visit(person, arm, visit, visit.coming)
            provision.missed(visit.planned)
            diary.keep(visit)
            continue
        held = yield from attend(visit, diary, provision, leaves, trial)
        if not isinstance(held, Held):
            now = held
            continue
        trial.note_visit(person, arm, visit, held.start)
        now = held.end
        provision.attended(visit.planned, held.start)
        if visit.planned.is_dose:
            note(held.start, Milestone.DOSE, (arm.product, provision.units))
            if not diary.is_dosed:
                note(held.start, Milestone.DAY_1)
                leaves, reason = chance.leaves(person, arm, held.start)
                stops = chance.stops(person, arm, held.start)
                diary.expect_events(held.start)
        diary.keep(visit)
    note(now, Milestone.COMPLETED)
    provision.end(now)


def attend(
    visit: Appointment, diary: Diary, provision: Provision, leaves: float, trial: Trial
) -> Generator[simpy.Event, Any, Held | float]:
    """Come to a visit and wait for its team; if it is put off, return the instant that was said."""
    dose, holds_ahead = None, False
    if visit.planned.is_dose:
        product_day = provision.not_before(visit.planned, visit.coming)
        if product_day > visit.day:
            diary.put_off(visit, product_day, "product")
            return visit.coming
        dose = provision.preparation(visit.day)
        holds_ahead = provision.product.use_within_minutes is not None

    request = Request(
        diary.person,
        visit.planned.occasion,
        visit.first_coming,
        diary.waits_until(visit, leaves),
        dose,
        holds_ahead,
    )
    held = yield from trial.clinic.attend(visit.slots, request, visit.coming)
    if isinstance(held, Refusal):
        if visit.planned.is_dose:
            provision.put_back()
        diary.put_off(visit, held.day + 1, held.put_off_by)
        return held.moment
    if dose is not None and dose.is_wasted:
        diary.put_off(visit, provision.discard(visit.planned, held.end), "product")
        return held.end
    if held.put_off_by:
        diary.waited(visit, held.day, held.put_off_by)
    return held
