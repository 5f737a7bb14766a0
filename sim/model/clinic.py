"""The clinic decides when work can be done, and by whom.

A visit that comes is given its people and rooms from the first start at which all of its first
task's team is free, first come first served; the tasks after it follow as soon as their own teams
are free, at overtime if need be. Work left for later goes to the desk.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from sim.model.agenda import Agenda
from sim.model.book import Book, Reservation
from sim.model.chance import Chance
from sim.model.queue import GoesOn, Held, Queues, Refusal, Request
from sim.model.staff import Staff
from sim.scenario.slots import NEVER, NEVER_DAY, Slots, VisitType, possible_days
from sim.vocabulary import eventlog
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.streams import of_attempt

Process = Generator[simpy.Event, Any, Any]


class Errand(NamedTuple):
    """What a visit before randomisation is held for: whose, which, and the how-manieth time.

    `row` is that of the log; of somebody who is screened again the `number` counts.
    """

    person: int
    row: str
    number: int = 1
    goes_on: GoesOn | None = None

    @property
    def occasion(self) -> str:
        """The address of its luck."""
        return of_attempt(self.row, self.number)


_Seen = Generator[simpy.Event, Any, Held | None]


class Clinic:
    """Where visits are held and paperwork is done."""

    def __init__(
        self, agenda: Agenda, staff: Staff, chance: Chance, log: eventlog.EventLog
    ) -> None:
        """Open with nobody waiting."""
        self._agenda = agenda
        self._staff = staff
        self._chance = chance
        self._log = log
        self._queues = Queues(agenda, staff.first_free, staff.kind, staff.begin, Slots.start_on)

    def attend(
        self, slots: Slots, request: Request, coming: float
    ) -> Generator[simpy.Event, Any, Held | Refusal]:
        """Hold a visit for a person who is there, as soon as it is their turn."""
        answer = self._queues.ask(slots, request, coming)
        if isinstance(answer, simpy.Event):
            answer = yield answer
        if isinstance(answer, Held) and not answer.is_cut_short:
            yield from self._go_on(slots.visit, request, answer)
        return answer

    def see(self, slots: Slots, errand: Errand, earliest: float) -> _Seen:
        """Hold a candidate's visit on the first day from `earliest` on with time; None: never."""
        hour = self._chance.hour(errand.person, errand.occasion)
        for day in possible_days(slots, int(earliest // MINUTES_PER_DAY)):
            coming = slots.coming(day, hour, earliest)
            if coming != NEVER:
                return (yield from self._screening_step(slots, errand, coming, coming))
        return None

    def do_paperwork(
        self,
        slots: Slots,
        errand: Errand,
        due: float,
        booked: Reservation | None = None,  # noqa: ARG002 -- by arrival nothing is
    ) -> _Seen:
        """Do a visit that nobody comes for as soon as its team can, on any day; None: never."""
        first = slots.start_after(due)
        if first == NEVER:
            return None
        return (yield from self._screening_step(slots, errand, due, first))

    def book_ahead(self, slots: Slots, due: float) -> Reservation | None:  # noqa: ARG002
        """Reserve room for a visit; by arrival there is no book."""
        return None

    def give_back(self, booked: Reservation | None) -> None:
        """Give back what was reserved; by arrival nothing is."""

    def close(self) -> None:
        """Send home whoever still waits."""
        self._queues.close()

    def _screening_step(self, slots: Slots, errand: Errand, due: float, coming: float) -> _Seen:
        """Hold a visit before randomisation, which has no window to miss."""
        person, occasion = errand.person, errand.occasion
        request = Request(person, occasion, due, due, NEVER_DAY, errand.goes_on)
        now = yield self._agenda.until(coming)
        held = yield from self.attend(slots, request, now)
        return self._note_step(slots, errand, held, coming)

    def _note_step(
        self, slots: Slots, errand: Errand, held: Held | Refusal | None, coming: float
    ) -> Held | None:
        """Log a visit before randomisation that was begun, and return it."""
        if not isinstance(held, Held):
            return None
        if held.ends or not held.is_cut_short:
            start = held.start
            self._log.visits.append(
                eventlog.Visit(
                    errand.person,
                    start,
                    -1,
                    errand.row,
                    errand.number,
                    slots.visit.name,
                    slots.place,
                    eventlog.VisitOutcome.ON_THE_DAY,
                    "",
                    held.day,
                    start - coming,
                    slots.is_journey,
                )
            )
        return held

    def _go_on(self, visit: VisitType, request: Request, held: Held) -> Process:
        """Do the other tasks one after the other; the last end is not waited for."""
        for task in visit.tasks[1:]:
            if self._agenda.now < held.end:
                yield self._agenda.until(held.end)
            start = self._staff.free_from(task.team, held.end)
            if not self._staff.do(task, visit, request, start, held):
                return
        if request.goes_on is None or request.goes_on(None, held.end, held.end):
            self._staff.leave_on_desks(visit, request, held.end)


class BookingClinic(Clinic):
    """A clinic with a book; see `Booking` for what is booked and when."""

    def __init__(
        self, book: Book, agenda: Agenda, staff: Staff, chance: Chance, log: eventlog.EventLog
    ) -> None:
        """Open with an empty book."""
        super().__init__(agenda, staff, chance, log)
        self._book = book
        self._queues = Queues(agenda, staff.first_on_duty, staff.kind, staff.begin, _same_day)

    def see(self, slots: Slots, errand: Errand, earliest: float) -> _Seen:
        """Book a candidate's visit for the first room from `earliest` on; None: never held."""
        if not slots.visit.tasks:
            return (yield from super().see(slots, errand, earliest))
        booked = self.book_ahead(slots, earliest)
        if booked is None:
            return None
        appointed = booked.start
        held = yield from self._hold(slots, errand, booked, appointed)
        return self._note_step(slots, errand, held, appointed)

    def do_paperwork(
        self, slots: Slots, errand: Errand, due: float, booked: Reservation | None = None
    ) -> _Seen:
        """Do the tasks of a visit that nobody comes for, each where its own team has room first."""
        if not slots.visit.tasks:
            return (yield from super().do_paperwork(slots, errand, due))
        parts = slots.parts if booked is None else (slots,)
        first = parts[0].start_after(due)
        whole: Held | None = None
        moment = due
        for part in parts:
            reserved = booked or self.book_ahead(part, moment)
            held = yield from self._hold(part, errand, reserved, due)
            if held is None:
                return None
            moment = yield self._agenda.until(held.end)
            if whole is None:
                whole = held
            whole.end = held.end
            whole.ends.update(held.ends)
            if held.is_cut_short:
                break
        return self._note_step(slots, errand, whole, first)

    def book_ahead(self, slots: Slots, due: float) -> Reservation | None:
        """Reserve the first room from `due` on."""
        start = self._book.first(slots, due)
        return None if start == NEVER else self._book.reserve(slots, start)

    def give_back(self, booked: Reservation | None) -> None:
        """Give back what was reserved."""
        if booked is not None:
            self._book.release(booked)

    def _hold(self, slots: Slots, errand: Errand, booked: Reservation | None, due: float) -> _Seen:
        """Come to what is booked, and book anew as long as the team cannot begin."""
        person, occasion = errand.person, errand.occasion
        while booked is not None:
            start = booked.start
            now = yield self._agenda.until(start)
            day = int(start // MINUTES_PER_DAY)
            request = Request(person, occasion, due, start, day, errand.goes_on, booked=booked.of)
            held = yield from self.attend(slots, request, now)
            if isinstance(held, Held):
                return held
            booked = self.book_ahead(slots, float((held.day + 1) * MINUTES_PER_DAY))
        return None


def _same_day(_slots: Slots, day: int, free: float) -> float:
    """Return when a team that is free and on duty begins: then, if it still is that day."""
    return free if free < (day + 1) * MINUTES_PER_DAY else NEVER
