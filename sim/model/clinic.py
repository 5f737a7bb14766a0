"""The clinic decides when work can be done, and by whom.

A visit that comes is given its people and rooms from the first start at which all of its first
task's team is free, first come first served; the tasks after it follow as soon as their own teams
are free, at overtime if need be. Work left for later goes to the desk.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from sim.model.agenda import Agenda
from sim.model.chance import Chance
from sim.model.queue import GoesOn, Held, Queues, Refusal, Request
from sim.model.staff import Staff
from sim.scenario.slots import NEVER, NEVER_DAY, Slots, VisitType
from sim.vocabulary import eventlog
from sim.vocabulary.clock import MINUTES_PER_DAY

Process = Generator[simpy.Event, Any, Any]


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
        self._queues = Queues(agenda, staff.first_free, staff.kind, staff.begin)

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

    def see(
        self,
        slots: Slots,
        person: int,
        occasion: str,
        earliest: float,
        goes_on: GoesOn | None = None,
    ) -> Generator[simpy.Event, Any, Held | None]:
        """Hold a candidate's visit on the first day from `earliest` on with time; None: never."""
        hour = self._chance.hour(person, occasion)
        day = slots.next_on_or_after(int(earliest // MINUTES_PER_DAY))
        while day != NEVER_DAY:
            coming = slots.coming(day, hour, earliest)
            if coming != NEVER:
                request = Request(person, occasion, coming, NEVER_DAY, goes_on)
                return (yield from self._screening_step(slots, request, coming))
            day = slots.next_on_or_after(day + 1)
        return None

    def do_paperwork(
        self, slots: Slots, person: int, occasion: str, due: float
    ) -> Generator[simpy.Event, Any, Held | None]:
        """Do a visit that nobody comes for as soon as its team can, on any day; None: never."""
        first = slots.start_after(due)
        if first == NEVER:
            return None
        request = Request(person, occasion, due, NEVER_DAY)
        return (yield from self._screening_step(slots, request, first))

    def close(self) -> None:
        """Send home whoever still waits."""
        self._queues.close()

    def _screening_step(
        self, slots: Slots, request: Request, coming: float
    ) -> Generator[simpy.Event, Any, Held | None]:
        """Hold a visit before randomisation, which has no window to miss, and log it."""
        now = yield self._agenda.until(coming)
        held = yield from self.attend(slots, request, now)
        if not isinstance(held, Held):
            return None
        if held.ends or not held.is_cut_short:
            start = held.start
            self._log.visits.append(
                eventlog.Visit(
                    request.person,
                    start,
                    -1,
                    request.occasion,
                    1,
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
