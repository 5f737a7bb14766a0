"""The clinic decides when work can be done, and by whom.

A visit that comes is given its people and rooms from the first start at which all of its first
task's team is free, first come first served; the tasks after it follow as soon as their own teams
are free, at overtime if need be. Work left for later goes to the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import simpy

from sim.meaning.protocol import Protocol, Resource
from sim.meaning.slots import NEVER, NEVER_DAY, Slots, Task, Visit
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import EventLog
from sim.world.chance import Chance
from sim.world.post import DeskWork, Post, UnlimitedPost

Process = Generator[simpy.Event, Any, Any]

GoesOn = Callable[[Task | None, float, float], bool]
"""Asked before each task, with its begin and end, and before work is left on desks (None); False
ends the visit there."""


@dataclass(slots=True)
class Request:
    """Somebody's visit: whose, on what occasion, and when its work fell due.

    `holds_ahead` begins the first task only when the second task's team can follow at once.
    """

    person: int
    occasion: str
    due: float
    goes_on: GoesOn | None = None
    holds_ahead: bool = False


@dataclass(slots=True)
class Held:
    """A visit that was begun: from when to when, and when each of its tasks ended.

    A visit that was cut short lacks the tasks that were not done.
    """

    start: float
    end: float
    ends: dict[str, float] = field(default_factory=dict)
    is_cut_short: bool = False


class Clinic:
    """All posts of a trial."""

    def __init__(
        self, env: simpy.Environment, protocol: Protocol, chance: Chance, log: EventLog
    ) -> None:
        """Open with nobody at work and empty desks."""
        self._env = env
        self._chance = chance
        self._log = log
        self._resources = protocol.resources
        self._posts = [self._post(index, each) for index, each in enumerate(protocol.resources)]
        self._tickets = count()

    def until(self, moment: float) -> simpy.Event:
        """Return an event at `moment` whose value is exactly `moment`.

        The engine's own clock adds up delays and may be off by a rounding error.
        """
        delay = moment - self._env.now
        return simpy.Timeout(self._env, delay if delay > 0 else 0.0, value=moment)

    def attend(
        self, slots: Slots, request: Request, coming: float
    ) -> Generator[simpy.Event, Any, Held | str]:
        """Hold a visit on the day the person comes, or say who was taken all that day."""
        day = int(coming // MINUTES_PER_DAY)
        now = coming
        while True:
            free, taken = self._first_free(slots.visit, now, ahead=request.holds_ahead)
            start = slots.start_on(day, free)
            if start == NEVER:
                return "room" if self._resources[taken].kind == "room" else "staff"
            if start == free:
                return (yield from self._conduct(slots.visit, request, start))
            now = yield self.until(start)

    def see(
        self,
        slots: Slots,
        person: int,
        occasion: str,
        earliest: float,
        goes_on: GoesOn | None = None,
    ) -> Generator[simpy.Event, Any, Held | None]:
        """Hold a visit on the first day from `earliest` on whose team has time; None: never."""
        day, due = slots.next_on_or_after(int(earliest // MINUTES_PER_DAY)), NEVER
        attempt = 0
        while day != NEVER_DAY:
            coming = slots.coming(day, self._chance.hour(person, occasion, attempt), earliest)
            if coming != NEVER:
                now = yield self.until(coming)
                due = min(due, now)
                request = Request(person, occasion, due, goes_on)
                held = yield from self.attend(slots, request, now)
                if isinstance(held, Held):
                    if held.ends or not held.is_cut_short:
                        self._note_screening_step(slots, request, held.start)
                    return held
            day = slots.next_on_or_after(day + 1)
            attempt += 1
        return None

    def do_paperwork(
        self, slots: Slots, person: int, occasion: str, due: float
    ) -> Generator[simpy.Event, Any, Held | None]:
        """Do a visit that nobody comes for as soon as its team can, on any day; None: never."""
        now = first = slots.start_after(due)
        while now != NEVER:
            now = yield self.until(now)
            free, _ = self._first_free(slots.visit, now)
            start = slots.start_after(free)
            if start == free:
                self._note_screening_step(slots, Request(person, occasion, first), start)
                request = Request(person, occasion, due)
                return (yield from self._conduct(slots.visit, request, start))
            now = start
        return None

    def close(self, end: float) -> None:
        """Bring every desk up to the end of the run."""
        for post in self._posts:
            post.close(end)

    def _conduct(
        self, visit: Visit, request: Request, start: float
    ) -> Generator[simpy.Event, Any, Held]:
        """Do the tasks one after the other from `start` on; the last end is not waited for."""
        posts, work, goes_on = self._posts, self._log.work, request.goes_on
        person, due = request.person, request.due
        held = Held(start, start)
        for position, task in enumerate(visit.tasks):
            if position:
                now = yield self.until(held.end)
                start = max((posts[member].free_from(now) for member in task.team), default=now)
            minutes = self._chance.minutes(task, person, request.occasion)
            end = start + minutes
            if goes_on is not None and not goes_on(task, start, end):
                held.is_cut_short = True
                return held
            for member in task.team:
                posts[member].take(end)
                work.append(
                    (member, person, visit.name, task.name, False, due, minutes, start, end)
                )
            held.end = held.ends[task.name] = end
        if goes_on is None or goes_on(None, held.end, held.end):
            self._leave_on_desks(visit, request, held.end)
        return held

    def _first_free(self, visit: Visit, now: float, *, ahead: bool = False) -> tuple[float, int]:
        """Return when the first task's whole team is free, and who is last to be."""
        free, taken = now, -1
        for position, task in enumerate(visit.tasks[: 2 if ahead else 1]):
            lead = visit.tasks[0].typical_minutes if position else 0.0
            for member in task.team:
                moment = self._posts[member].free_from(now) - lead
                if moment > free:
                    free, taken = moment, member
        return free, taken

    def _leave_on_desks(self, visit: Visit, request: Request, due: float) -> None:
        person, occasion = request.person, request.occasion
        for task in visit.later:
            minutes = self._chance.minutes(task, person, occasion)
            work = DeskWork(due, next(self._tickets), person, visit.name, task.name, minutes)
            for member in task.team:
                self._posts[member].leave_on_desk(work)

    def _note_screening_step(self, slots: Slots, request: Request, start: float) -> None:
        """Log a visit before randomisation, which has no window to miss."""
        day, wait = int(start // MINUTES_PER_DAY), start - request.due
        person, step, name = request.person, request.occasion, slots.visit.name
        place, journey = slots.place, slots.is_journey
        self._log.visits.append(
            (person, start, -1, step, 1, name, place, "in_window", "", day, wait, journey)
        )

    def _post(self, index: int, resource: Resource) -> Post:
        done = partial(self._note_desk_work, index)
        if resource.units is None:
            return UnlimitedPost(resource.roster, done)
        return Post(resource.units, resource.roster, done)

    def _note_desk_work(
        self, index: int, work: DeskWork, minutes: float, started: float, ended: float
    ) -> None:
        self._log.work.append(
            (index, work.person, work.visit, work.task, True, work.due, minutes, started, ended)
        )
