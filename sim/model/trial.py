"""The trial that all participants share: who was randomised, whether it is full, and its log."""

from __future__ import annotations

import math
from collections import Counter

from sim.model.agenda import Agenda
from sim.model.allocation import Allocation
from sim.model.appointments import Appointment, Appointments
from sim.model.book import Book
from sim.model.booked_appointments import BookedAppointments
from sim.model.chance import Chance
from sim.model.clinic import BookingClinic, Clinic
from sim.model.dispensing import Medication
from sim.model.staff import Staff
from sim.model.supply import Supply
from sim.scenario.criteria import Attributes
from sim.scenario.protocol import Arm, Protocol
from sim.vocabulary.eventlog import EventLog, Milestone, Moment, Visit, fact


class Trial:
    """Everything a participant's process asks."""

    def __init__(self, protocol: Protocol, seed: int, replication: int) -> None:
        """Open the trial for one replication."""
        self.protocol = protocol
        self.agenda = Agenda()
        self.chance = self._luck(protocol, seed, replication)
        self.log = EventLog(self.chance.candidates_per_month)
        by_appointment = protocol.booking.by == "appointment"
        self.staff = Staff(protocol.members, self.chance, self.log.work, lays_down=by_appointment)
        self._book = Book(protocol.members, protocol.booking.length) if by_appointment else None
        where = (self.agenda, self.staff, self.chance, self.log)
        self.clinic = Clinic(*where) if self._book is None else BookingClinic(self._book, *where)
        self.supply = Supply(
            protocol.products,
            protocol.clock,
            self.chance,
            self.log.supplies,
            is_booked=by_appointment,
        )
        self.until = self.agenda.until
        self._end = protocol.clock.end_minutes
        self._followed: dict[int, tuple[Appointments, float]] = {}
        self._allocation = Allocation(protocol, self.chance)
        self._capped: Counter[str] = Counter()
        self._full_since = 0.0 if protocol.target == 0 else math.inf

    def _luck(self, protocol: Protocol, seed: int, replication: int) -> Chance:
        return Chance(protocol, seed, replication)

    def close(self) -> None:
        """Bring every desk up to the closing instant, and let go of all who still wait.

        References in a ring would keep the whole trial in memory until they are searched for.
        """
        for person, (appointments, stops) in self._followed.items():  # who stand in line still
            self.log.awaited += appointments.awaited()
            self.note_events(person, appointments, self._end)
            appointments.medication.settle(self._end)
            if stops < math.inf and appointments.has_doses_left:
                self.note(person, stops, Milestone.STOPPED_TREATMENT)
        self._followed.clear()
        self.staff.close(self._end)
        self.clinic.close()
        self.agenda.close()

    @property
    def has_randomised(self) -> bool:
        """Whether anybody has been randomised so far."""
        return self._allocation.number > 0

    @property
    def is_full(self) -> bool:
        """Whether the target has been reached."""
        return self._full_since < math.inf

    def note(self, person: int, time: float, milestone: Milestone, detail: object = None) -> None:
        """Log a moment, unless it lies after the end."""
        if time <= self._end:
            self.log.moments.append(fact(Moment, (person, time, milestone, detail)))

    def follow(
        self, medication: Medication, arm: Arm, randomised: float, leaves: float, stops: float
    ) -> Appointments:
        """Return the appointments of somebody who will leave, or stop treatment, at an instant."""
        whose = (medication, arm, self.protocol, self.chance, randomised, leaves)
        if self._book is None:
            appointments = Appointments(*whose)
        else:
            appointments = BookedAppointments(self._book, self.agenda, *whose)
        self._followed[medication.person] = appointments, stops
        return appointments

    def note_events(self, person: int, appointments: Appointments, until: float) -> bool:
        """Log what happens to a participant before an instant; say whether anything does."""
        events = list(appointments.events_before(until))
        for event in events:
            self.note(person, event.happened, Milestone.UNSCHEDULED_EVENT, event.planned.row)
        return bool(events)

    def note_end(
        self, person: int, time: float, milestone: Milestone, detail: object = None
    ) -> None:
        """Log that a participant completes or leaves; what happens after is not known.

        Who does so after the end is still in follow-up at the end.
        """
        self.note_events(person, self._followed[person][0], time)
        self.note(person, time, milestone, detail)
        if time <= self._end:
            del self._followed[person]

    def note_visit(self, person: int, arm: Arm, visit: Appointment, start: float) -> None:
        """Log a visit of a participant that was held or missed."""
        planned, slots = visit.planned, visit.slots
        outcome, reason = visit.fate
        is_journey = slots.is_journey and not visit.joins and not visit.is_missed
        self.log.visits.append(
            Visit(
                person,
                start,
                -1 if visit.is_unscheduled else arm.index,
                planned.row,
                planned.number,
                slots.visit.name,
                slots.place,
                outcome,
                reason,
                visit.planned_day,
                start - visit.first_coming,
                is_journey,
            )
        )

    def medication(self, person: int, attributes: Attributes) -> Medication:
        """Return what somebody is given, of which nothing is ordered yet."""
        return Medication(person, attributes, self.supply)

    def judge(self, person: int, time: float, step: str, failing: tuple[int, ...]) -> int | None:
        """Log what a person fails from this step on; return the first criterion failed at it."""
        criteria = self.protocol.criteria
        if step not in self.protocol.judging_steps:
            return None
        self.note(person, time, Milestone.JUDGED, (step, failing))
        return next((index for index in failing if criteria[index].at == step), None)

    def has_no_place_for(self, attributes: Attributes, steps: int, consented: float) -> bool:
        """Say whether someone who consented at that instant (infinity: not yet) is turned away.

        What is known of them is known after so many steps of screening.
        """
        if self.is_full and (self.protocol.turns_away_when_full or consented > self._full_since):
            return True
        return self.full_cap(attributes, steps) is not None

    def full_cap(self, attributes: Attributes, steps: int) -> str | None:
        """Return the cap by which nobody with these attributes is randomised any more, if any."""
        known_after = self.protocol.caps_known_after
        caps = self.protocol.randomisation.caps.values()
        full = (
            cap.name
            for cap in caps
            if self._capped[cap.name] >= cap.at_most
            and steps >= known_after[cap.name]
            and cap.counts(attributes)
        )
        return next(full, None)

    def randomise(self, person: int, attributes: Attributes, time: float) -> Arm:
        """Allot the next arm to a person; the n-th randomisation fills the trial."""
        stratum = self.protocol.randomisation.stratum(attributes)
        arm = self._allocation.allot(stratum)
        caps = self.protocol.randomisation.caps.values()
        self._capped.update(cap.name for cap in caps if cap.counts(attributes))
        if self._allocation.number == self.protocol.target:
            self._full_since = time
        self.log.strata[person] = stratum
        self.note(person, time, Milestone.RANDOMISED, arm.index)
        return arm
