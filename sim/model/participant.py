"""A participant's way through the trial, as a coordinator would tell it."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from sim.model.appointments import Appointment, Appointments
from sim.model.clinic import Process
from sim.model.dispensing import Medication
from sim.model.queue import Held, Refusal, Request
from sim.model.screening import screening
from sim.model.trial import Trial
from sim.scenario.criteria import Attributes
from sim.scenario.protocol import Arm
from sim.vocabulary.eventlog import Milestone


def journey(person: int, arrival: float, trial: Trial) -> Process:
    """Screening, randomisation, the arm's visits, and how it ended."""
    screened = yield from screening(person, arrival, trial)
    if screened is not None:
        randomised, attributes = screened
        arm = trial.randomise(person, attributes, randomised)
        yield from participation(person, arm, attributes, randomised, trial)


def participation(
    person: int, arm: Arm, attributes: Attributes, randomised: float, trial: Trial
) -> Process:
    """The arm's visits in planned order, until the last one or until the participant leaves.

    Whoever has completed still comes to the visits for events that happened before, whoever has
    left to those of early termination.
    """
    chance = trial.chance
    medication = trial.medication(person, attributes)
    medication.order(arm.given_first, randomised)
    leaves, reason = chance.leaves(person, arm, randomised)
    stops = chance.stops(person, arm, randomised)
    if leaves <= stops:
        stops = math.inf
    appointments = trial.follow(medication, arm, randomised, leaves, stops)
    now = randomised

    while (visit := appointments.next(now)) is not None:
        until = min(leaves, visit.coming)
        if trial.note_events(person, appointments, until):
            continue
        if stops < until and appointments.has_doses_left:
            yield trial.until(stops)
            trial.note(person, stops, Milestone.STOPPED_TREATMENT)
            appointments.stop_treatment(stops)
            medication.stop(stops)
        elif leaves < visit.coming:
            now = yield trial.until(max(leaves, now))
            trial.note_end(person, now, Milestone.LEFT, reason)
            is_followed = appointments.leave(now, reason)
            (medication.stop if is_followed else medication.end)(now)
            break
        else:
            now = yield from keep(visit, appointments, medication, leaves, trial)
    else:
        trial.note_end(person, now, Milestone.COMPLETED)
        medication.end(now)

    while (visit := appointments.next_afterwards(now)) is not None:
        now = yield from keep(visit, appointments, medication, math.inf, trial)
    medication.end(now)


def keep(
    visit: Appointment,
    appointments: Appointments,
    medication: Medication,
    leaves: float,
    trial: Trial,
) -> Generator[simpy.Event, Any, float]:
    """Miss a visit, or come and be seen or put off; return from when on the next may be."""
    person, arm, note = appointments.person, appointments.arm, trial.note
    now: float = yield trial.until(visit.coming)
    if not visit.is_booked:
        appointments.book(visit)
        return now
    if visit.is_missed:
        trial.note_visit(person, arm, visit, now)
        medication.missed(visit.planned)
        appointments.keep(visit)
        return now
    visit.come()
    held = yield from attend(visit, appointments, medication, leaves, trial)
    if not isinstance(held, Held):
        return held
    trial.note_visit(person, arm, visit, held.start)
    medication.attended(visit.planned, held.start)
    for dose in medication.doses(visit.planned):
        note(person, held.start, Milestone.DOSE, dose)
    if appointments.is_day_1(visit):
        note(person, held.start, Milestone.DAY_1)
    appointments.keep(visit)
    return held.end


def attend(
    visit: Appointment,
    appointments: Appointments,
    medication: Medication,
    leaves: float,
    trial: Trial,
) -> Generator[simpy.Event, Any, Held | float]:
    """Come to a visit and wait for its team; if it is put off, return the instant that was said."""
    now, dose = visit.coming, None
    if visit.planned.is_dose:
        product_day = medication.not_before(visit.planned, now)
        if product_day > visit.day:
            appointments.put_off(visit, product_day, "product")
            return now
        dose = medication.preparation(visit.planned, visit.day)

    request = Request(
        appointments.person,
        visit.planned.occasion,
        visit.first_coming,
        appointments.turn(visit),
        appointments.waits_until(visit, leaves),
        dose,
        holds_ahead=dose is not None and dose.keeps_minutes is not None,
        booked=() if visit.reservation is None else visit.reservation.of,
    )
    held = yield from trial.clinic.attend(visit.slots, request, now)
    if isinstance(held, Refusal):
        medication.put_back(visit.planned)
        appointments.put_off(visit, held.day + 1, held.put_off_by)
        return held.moment
    if dose is not None and dose.is_wasted:
        appointments.put_off(visit, medication.discard(visit.planned, held.end), "product")
        return held.end
    if held.put_off_by:
        appointments.waited(visit, held.day, held.put_off_by)
    return held
