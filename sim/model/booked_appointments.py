"""A participant's appointments where a coordinator books them; what each word means: `Booking`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from sim.model.agenda import Agenda
from sim.model.appointments import Appointment, Appointments
from sim.model.book import Book
from sim.model.chance import Chance
from sim.model.dispensing import Medication
from sim.scenario.protocol import Arm, PlannedVisit, Protocol
from sim.scenario.slots import NEVER, NEVER_DAY, Offer, Slots, possible_days
from sim.vocabulary.clock import MINUTES_PER_DAY


class _Found(NamedTuple):
    """Where and when there is room."""

    slots: Slots
    start: float

    @property
    def day(self) -> int:
        return int(self.start // MINUTES_PER_DAY)


class BookedAppointments(Appointments):
    """Appointments that take the time of their people and rooms in the clinic's book.

    A visit is booked when its planned day is known and near enough; until then it waits for the
    coordinator. What is planned for the day of a first dose is booked with it, and moves with it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- what `Appointments` takes, and the book
        self,
        book: Book,
        agenda: Agenda,
        medication: Medication,
        arm: Arm,
        protocol: Protocol,
        chance: Chance,
        randomised: float,
        leaves: float,
    ) -> None:
        """Plan day 1 at the instant of randomisation."""
        self._book = book
        self._agenda = agenda
        self._ahead_days = protocol.booking.ahead_days
        self._now = randomised
        self._full_first = self._full_last = ""
        super().__init__(medication, arm, protocol, chance, randomised, leaves)

    def book(self, appointment: Appointment) -> None:
        """Book an appointment whose time has come, at that instant."""
        self._go_on()
        planned, today = appointment.planned, int(self._now // MINUTES_PER_DAY)
        if appointment.is_late_without_notice:
            self._let_in(appointment, today)
        elif appointment.is_unscheduled:
            cause = appointment.cause
            found = self._first_room(planned, appointment.day)
            moved = found is None or found.day != appointment.day
            self._put(appointment, found, self._full_first or cause if moved else cause)
        elif appointment.is_placed:
            self.put_off(appointment, self.medication.expected_day(planned, self._now), "product")
        else:
            self._place(appointment)

    def events_before(self, moment: float) -> Iterator[Appointment]:
        """Yield the visits of the events before an instant, each to be booked when it happens."""
        for event in super().events_before(moment):
            event.is_booked, event.coming = False, event.happened
            yield event

    def put_off(self, appointment: Appointment, first_day: int, cause: str) -> None:
        """Book the first room from a day on, in place of what was booked."""
        self._go_on()
        self._release(appointment)
        self._put(appointment, self._first_room(appointment.planned, first_day), cause)
        self._bring_along(appointment)

    def turn(self, appointment: Appointment) -> float:
        """Return the instant of the appointment; who comes without one is behind all others."""
        if appointment.reservation is None:
            return float((appointment.day + 1) * MINUTES_PER_DAY)
        return appointment.reservation.start

    def waits_until(self, appointment: Appointment, leaves: float) -> int:  # noqa: ARG002
        """Return the day of the appointment: whoever is not seen on it is booked anew."""
        return appointment.day

    def stop_treatment(self, moment: float) -> None:
        """Strike out the doses that are left, and give back their time."""
        self._go_on()
        super().stop_treatment(moment)

    def leave(self, moment: float, reason: str | None) -> bool:
        """Give back the time of everything booked, and book what is counted from leaving."""
        self._go_on()
        return super().leave(moment, reason)

    def keep(self, appointment: Appointment) -> None:
        """Cross out a visit that was held or missed, and book or plan the row's next."""
        self._go_on(0.0 if appointment.reservation is None else appointment.reservation.end)
        super().keep(appointment)

    def _go_on(self, moment: float = 0.0) -> None:
        """Note that it is later: nothing is booked for what is past, or for who is at a visit."""
        self._now = max(self._now, self._agenda.now, moment)

    def _soonest(self, now: float) -> Appointment:
        """Return what comes first: a visit, or a booking to be made."""
        self._go_on(now)
        today = int(now // MINUTES_PER_DAY)
        while True:
            appointment = min(self._attended(), key=_coming)
            is_visit = appointment.is_booked and not appointment.is_missed
            if appointment.coming < now:
                appointment.coming = now
                if is_visit and appointment.day < today:
                    self.put_off(appointment, today, "staff")
                    continue
            appointment.joins = self._here == (appointment.day, appointment.slots.place)
            return appointment

    def _plan_anew(self, visits: Iterable[PlannedVisit], today: int) -> None:
        """Plan visits anew; what is booked already for the planned day stays where it is."""
        for planned in visits:
            before = self._next[planned.occasion]
            if before.planned_day != self._itinerary.planned_day(planned, today):
                self._release(before)
                self._next[planned.occasion] = self._appoint(planned, today, self._held_up_by)

    def _appoint(self, planned: PlannedVisit, earliest: int, held_up_by: str) -> Appointment:
        """Return the appointment, booked if its planned day is near enough."""
        planned_day = self._itinerary.planned_day(planned, earliest)
        appointment = Appointment(planned, planned_day)
        appointment.earliest, appointment.cause = earliest, held_up_by
        appointment.is_booked = False
        horizon = float((planned_day - self._ahead_days) * MINUTES_PER_DAY)
        appointment.coming = max(horizon, self._now)
        if horizon <= self._now:
            self._place(appointment)
        return appointment

    def _place(self, appointment: Appointment) -> None:
        """Find room in the window, else after it, and let the participant move it."""
        planned, wanted = appointment.planned, appointment.planned_day
        earliest, held_up_by = appointment.earliest, appointment.cause
        earliest = max(earliest, int(self._now // MINUTES_PER_DAY))
        ready = self.medication.expected_day(planned, self._now) if planned.is_dose else 0
        if ready > earliest:
            earliest, held_up_by = ready, "product"
        first, last = (wanted + limit for limit in planned.window_days)
        first = max(first, earliest)
        found = self._nearest_room(planned, wanted, first, last)
        full_first, full_last = self._full_first, self._full_last
        why = held_up_by if earliest > wanted else planned.offer.choices[0].why_not(wanted)
        if found is None:
            is_possible = planned.offer.nearest(wanted, first, last) is not None
            late = self._first_room(planned, max(last + 1, earliest))
            self._put(appointment, late, full_last if is_possible else why)
            return
        cause = "" if found.day == wanted else why or full_first
        name = found.slots.visit.name
        shift = self._chance.days_late(self.person, planned, name)
        if shift == 0:
            self._put(appointment, found, cause)
            return
        says_so = self._chance.says_so(self.person, planned, name)
        if not says_so and found.slots.visit.tasks:
            self._book.reserve(*found)  # nobody knows that it stays empty
        if shift is None:
            appointment.miss(found.day, "did_not_come")
            self._settle(appointment)
        else:
            self._move(appointment, max(found.day + shift, earliest), first, last, says_so)

    def _move(
        self,
        appointment: Appointment,
        can_come: int,
        first: int,
        last: int,
        says_so: bool,  # noqa: FBT001
    ) -> None:
        """Book the day nearest to the one on which the participant can come, or let them come."""
        planned = appointment.planned
        if says_so:
            found = None
            if first <= can_come <= last:
                found = self._nearest_room(planned, can_come, first, last)
            self._put(appointment, found or self._first_room(planned, can_come), "participant")
            return
        day = planned.offer.next_on_or_after(can_come)
        appointment.put_on(day, "participant", True)  # noqa: FBT003 -- they are there
        self._settle(appointment)
        if not appointment.is_missed and day != NEVER_DAY:
            appointment.is_late_without_notice, appointment.is_booked = True, False
            appointment.coming = appointment.slots.first_start(day)

    def _let_in(self, appointment: Appointment, today: int) -> None:
        """Let somebody who is late in after the day's others, unless the day or product is over."""
        planned = appointment.planned
        coming = max(self._now, self._book.last_end(appointment.slots, today))
        if today > appointment.day or coming >= (today + 1) * MINUTES_PER_DAY:
            self.put_off(appointment, today, "staff")
        elif self.medication.is_spent(planned, today):
            self.put_off(appointment, today, "product")
        else:
            appointment.is_booked, appointment.coming = True, coming
            if planned.is_dose:
                self.medication.share(planned, today, 1)
                appointment.is_placed = True

    def _bring_along(self, dose: Appointment) -> None:
        """Book with a first dose that was moved what is planned for the same day."""
        if dose.is_missed or dose.day == NEVER_DAY or not self.is_day_1(dose):
            return
        today, itinerary = int(self._now // MINUTES_PER_DAY), self._itinerary
        itinerary.move_day_1(dose.planned, dose.day)
        self._order((), today)
        with_it = [each for each in self._counted_from_day_1() if not itinerary.fixes_day_1(each)]
        self._plan_anew(with_it, today)

    def _put(self, appointment: Appointment, found: _Found | None, cause: str) -> None:
        """Put an appointment where there is room, and take the time."""
        is_there = cause == "participant"
        appointment.put_on(NEVER_DAY if found is None else found.day, cause, is_there)
        self._settle(appointment)
        if appointment.is_missed or found is None:
            return
        appointment.slots, appointment.coming = found
        appointment.is_placed = True
        if found.slots.visit.tasks:
            appointment.reservation = self._book.reserve(*found)
        if appointment.planned.is_dose:
            self.medication.share(appointment.planned, found.day, 1)
            failure = self.medication.next_failure(appointment.planned, self._now)
            if failure <= found.start:
                appointment.is_booked, appointment.coming = False, failure

    def _settle(self, appointment: Appointment) -> None:
        appointment.is_booked, appointment.is_late_without_notice = True, False
        day = appointment.day
        appointment.coming = NEVER if day == NEVER_DAY else float(day * MINUTES_PER_DAY)

    def _release(self, appointment: Appointment) -> None:
        if appointment.reservation is not None:
            self._book.release(appointment.reservation)
            appointment.reservation = None
        if appointment.is_placed:
            appointment.is_placed = False
            self.medication.share(appointment.planned, appointment.day, -1)

    def _nearest_room(
        self, planned: PlannedVisit, wanted: int, first: int, last: int
    ) -> _Found | None:
        """Return the room nearest to a day, on ties the later: place by place."""
        days = [wanted + days_later for days_later in _nearest_first(first - wanted, last - wanted)]
        return self._room(planned, product(planned.offer.choices, days))

    def _first_room(self, planned: PlannedVisit, day: int) -> _Found | None:
        """Return the first room from a day on: day by day, at the first place that has it."""
        today = int(self._now // MINUTES_PER_DAY)
        return self._room(planned, _day_by_day(planned.offer, max(day, today)))

    def _room(self, planned: PlannedVisit, where: Iterable[tuple[Slots, int]]) -> _Found | None:
        """Return the first of these places and days with room; what was full is remembered."""
        self._full_first = self._full_last = ""
        for slots, day in where:
            if slots.next_on_or_after(day) != day:
                continue
            if self.medication.is_spent(planned, day):
                full = "product"
            elif (start := self._start(planned, slots, day)) != NEVER:
                return _Found(slots, start)
            else:
                full = self._book.full_kind
            self._full_first, self._full_last = self._full_first or full, full
        return None

    def _start(self, planned: PlannedVisit, slots: Slots, day: int) -> float:
        """Return when there is room on a day: beside another visit of the person, else early."""
        if not slots.visit.tasks:
            return slots.coming(day, self._chance.hour(self.person, planned.occasion), self._now)
        own, wish, midnight = 0, 0, day * MINUTES_PER_DAY
        for other in self._next.values():
            if other.day == day and other.reservation is not None:
                begin, end = (int(edge) - midnight for edge in other.reservation[:2])
                own |= (1 << end) - (1 << begin)
                if other.slots.place == slots.place:
                    wish = end
        return self._book.room(slots, day, self._now, own=own, wish=wish)


def _day_by_day(offer: Offer, day: int) -> Iterator[tuple[Slots, int]]:
    """Yield the places of a visit on each of its possible days from a day on."""
    for possible in possible_days(offer, day):
        for slots in offer.choices:
            yield slots, possible


@cache
def _nearest_first(first: int, last: int) -> Sequence[int]:
    """Return the days of a window by their distance from the planned one, of two the later."""
    return sorted(range(first, last + 1), key=lambda day: (abs(day), -day))


def _coming(appointment: Appointment) -> tuple[float, int]:
    """In the order of their instants, then of the rows."""
    return appointment.coming, appointment.planned.row_order
