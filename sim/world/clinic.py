"""The clinic decides when work can be done, and by whom.

A visit that comes is given its people and rooms from the first start at which all of its first
task's team is free, first come first served; the tasks after it follow as soon as their own teams
are free, at overtime if need be. Work left for later goes to the desk.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from typing import Any

import simpy

from sim.meaning.protocol import Protocol, Resource
from sim.meaning.slots import NEVER, NEVER_DAY, Slots, Task, Visit
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import EventLog
from sim.world.agenda import Agenda
from sim.world.chance import Chance
from sim.world.post import Post, UnlimitedPost
from sim.world.waiting import GoesOn, Held, Refusal, Request, WaitingRoom

Process = Generator[simpy.Event, Any, Any]


class Clinic:
    """All posts of a trial."""

    def __init__(self, agenda: Agenda, protocol: Protocol, chance: Chance, log: EventLog) -> None:
        """Open with nobody at work and empty desks."""
        self._agenda = agenda
        self._chance = chance
        self._log = log
        self._resources = protocol.resources
        self._posts = [self._post(index, each) for index, each in enumerate(protocol.resources)]
        self._waiting_room = WaitingRoom(agenda, self._first_free, self._kind, self._begin)
        self._tickets = count()

    def attend(
        self, slots: Slots, request: Request, coming: float
    ) -> Generator[simpy.Event, Any, Held | Refusal]:
        """Hold a visit for a person who is there, as soon as it is their turn."""
        answer = self._waiting_room.ask(slots, request, coming)
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

    def close(self, end: float) -> None:
        """Bring every desk up to the end of the run."""
        for post in self._posts:
            post.close(end)

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
                (
                    request.person,
                    start,
                    -1,
                    request.occasion,
                    1,
                    slots.visit.name,
                    slots.place,
                    "in_window",
                    "",
                    held.day,
                    start - coming,
                    slots.is_journey,
                )
            )
        return held

    def _begin(self, visit: Visit, request: Request, start: float) -> Held:
        """Begin a visit's first task."""
        held = Held(start, start)
        if visit.tasks:
            self._do(visit.tasks[0], visit, request, start, held)
        return held

    def _go_on(self, visit: Visit, request: Request, held: Held) -> Process:
        """Do the other tasks one after the other; the last end is not waited for."""
        for task in visit.tasks[1:]:
            now = start = held.end
            if self._agenda.now < now:
                yield self._agenda.until(now)
            for member in task.team:
                free = self._posts[member].free_from(now)
                if free > start:
                    start = free
            if not self._do(task, visit, request, start, held):
                return
        if request.goes_on is None or request.goes_on(None, held.end, held.end):
            self._leave_on_desks(visit, request, held.end)

    def _do(self, task: Task, visit: Visit, request: Request, start: float, held: Held) -> bool:
        """Hold a task's team for as long as it takes, unless the visit ends here."""
        person, goes_on, name = request.person, request.goes_on, task.name
        minutes = self._chance.minutes(task, person, request.occasion)
        end = start + minutes
        if goes_on is not None and not goes_on(task, start, end):
            held.is_cut_short = True
            return False
        for member in task.team:
            self._posts[member].take(end)
            self._log.work.append(
                (member, person, visit.name, name, False, request.due, minutes, start, end)
            )
        held.end = held.ends[name] = end
        return True

    def _first_free(self, slots: Slots, now: float, ahead: bool) -> tuple[float, int]:  # noqa: FBT001
        """Return when the first task's whole team is free, and who is last to be (-1: nobody)."""
        free, last = now, -1
        for member, lead in slots.first_two_teams if ahead else slots.first_team:
            moment = self._posts[member].free_from(now) - lead
            if moment > free:
                free, last = moment, member
        return free, last

    def _kind(self, member: int) -> str:
        """Return what is said of a visit put off because a member was taken: staff or room."""
        return "room" if member >= 0 and self._resources[member].kind == "room" else "staff"

    def _leave_on_desks(self, visit: Visit, request: Request, due: float) -> None:
        person, occasion = request.person, request.occasion
        for task in visit.later:
            minutes = self._chance.minutes(task, person, occasion)
            work = (due, next(self._tickets), person, visit.name, task.name, minutes)
            for member in task.team:
                self._posts[member].leave_on_desk(work)

    def _post(self, index: int, resource: Resource) -> Post:
        if resource.units is None:
            return UnlimitedPost(index, resource.roster, self._log.work)
        return Post(index, resource.units, resource.roster, self._log.work)
