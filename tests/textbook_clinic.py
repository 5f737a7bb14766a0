"""People and rooms at work, as a SimPy textbook would write it; see `textbook`."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import simpy

from sim.scenario.slots import Task, VisitType
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.distributions import Distribution
from tests.textbook_days import NEVER, NEVER_DAY, Agenda, Times

Process = Generator[simpy.Event, Any, Any]
NextStart = Callable[[float], float]
"""The first instant, at or after the given one, at which something may start, or NEVER."""

_VISIT, _DESK = 0, 1
"""Priorities: visits go before desk work."""

_ROUNDING_ERROR = 1e-6
"""Minutes; the engine adds up delays, and its clock misses a planned instant by less than this."""


class Clinic:
    """A resource for each role and room, and for each a desk with as many workers as people."""

    def __init__(self, agenda: Agenda, seed: int, replication: int) -> None:
        self.agenda = agenda
        self.protocol = protocol = agenda.protocol
        self.rng = np.random.default_rng((seed, replication))
        self.env = simpy.Environment()
        self.end = protocol.clock.end_minutes
        self.moments: list[tuple[float, int, str]] = []
        self.work: list[tuple[int, int, str, float, float]] = []
        self.asked = [0.0] * len(protocol.resources)
        self.posts: list[simpy.PriorityResource] = []
        self.desks: list[simpy.Store] = []
        for index, resource in enumerate(protocol.resources):
            if resource.units is None:
                raise NotImplementedError("people and spaces without limit")
            self.posts.append(simpy.PriorityResource(self.env, resource.units))
            self.desks.append(simpy.Store(self.env))
            for _ in range(resource.units):
                self.env.process(self.desk_worker(index))

    def hours(self) -> dict[str, float]:
        """Return the hours worked to the end, by role and room."""
        hours = [0.0] * len(self.protocol.resources)
        for member, _, _, begin, minutes in self.work:
            hours[member] += min(minutes, self.end - begin) / MINUTES_PER_HOUR
        return {
            each.name: spent for each, spent in zip(self.protocol.resources, hours, strict=True)
        }

    def how_many(self, milestone: str) -> int:
        """Return how many people met a milestone."""
        return sum(what == milestone for _, _, what in self.moments)

    def note(self, person: int, milestone: str) -> None:
        self.moments.append((self.env.now, person, milestone))

    def until(self, moment: float) -> simpy.Timeout:
        return self.env.timeout(max(0.0, moment - self.env.now))

    def today(self) -> int:
        return int((self.env.now + _ROUNDING_ERROR) // MINUTES_PER_DAY)

    def draw(self, distribution: Distribution) -> float:
        return distribution.quantile(self.rng.random())

    def days(self, distribution: Distribution) -> float:
        """Draw a delay that is given in days; return minutes."""
        return self.draw(distribution) * MINUTES_PER_DAY

    def minutes(self, task: Task) -> float:
        return self.protocol.minutes[task.name](self.rng.random())

    def exponential(self, hazard: float) -> float:
        return self.rng.exponential(1 / hazard) if hazard else math.inf

    def task(
        self,
        person: int,
        task: Task,
        next_start: NextStart | None = None,
        ahead: Sequence[int] = (),
    ) -> Process:
        """Do a task with its whole team; False if that is free only when it may not start.

        `ahead` is the next task's team, which must be free before this one starts.
        """
        with ExitStack() as stack:
            asked = [self.posts[member].request(priority=_VISIT) for member in (*task.team, *ahead)]
            for request in asked:
                stack.enter_context(request)
            for request in asked:
                yield request
            if next_start is not None and next_start(self.env.now) > self.env.now + _ROUNDING_ERROR:
                return False
            for member, request in zip(ahead, asked[len(task.team) :], strict=True):
                self.posts[member].release(request)
            minutes = self.minutes(task)
            for member in task.team:
                self.work.append((member, person, task.name, self.env.now, minutes))
                self.asked[member] += minutes
            yield self.env.timeout(minutes)
        return True

    def first_task(
        self, person: int, visit: VisitType, next_start: NextStart, ahead: Sequence[int] = ()
    ) -> Process:
        """Do a visit's first task from a possible start; False if the team is taken at all."""
        while (start := next_start(self.env.now)) < NEVER:
            yield self.until(start)
            if not visit.tasks:  # all of it is work for later
                return True
            if (yield from self.task(person, visit.tasks[0], next_start, ahead)):
                return True
        return False

    def other_tasks(self, person: int, visit: VisitType, first: int = 1) -> Process:
        """Do the tasks from number `first` on, and leave the rest of the work on desks."""
        for task in visit.tasks[first:]:
            yield from self.task(person, task)
        for task in visit.later:
            minutes = self.minutes(task)
            for member in task.team:
                self.desks[member].put((person, task.name, minutes))
                self.asked[member] += minutes

    def paperwork(self, person: int, times: Times) -> Process:
        """Do a visit that nobody comes for; False if the run has no start left for it."""
        if not (yield from self.first_task(person, times.visit, times.start_after)):
            return False
        yield from self.other_tasks(person, times.visit)
        return True

    def on_a_possible_day(
        self, person: int, times: Times, visit: Callable[[int, Times, int], Process]
    ) -> Process:
        """Come at some hour; if the team is taken all day, as the next possible day begins."""
        day, hour = times.next_on_or_after(self.today()), self.rng.random()
        while day != NEVER_DAY:
            coming = times.coming(day, hour, self.env.now)
            if coming != NEVER:
                yield self.until(coming)
                held = yield self.env.process(visit(person, times, day))
                if held is not None:
                    return held
                hour = 0.0
            day = times.next_on_or_after(day + 1)
        return None

    def repeat_blood(self, person: int, times: Times, day: int) -> Process:
        """Return True, or None if the team was taken all day."""
        return (
            yield from self.first_task(person, times.visit, partial(times.start_on, day))
        ) or None

    def desk_worker(self, member: int) -> Process:
        """Do desk work in roster hours, whenever no visit wants the person."""
        while True:
            person, name, left = yield self.desks[member].get()
            while left > _ROUNDING_ERROR:
                begin, _ = self.agenda.next_duty(member, self.env.now)
                if begin > self.env.now:
                    yield self.until(begin)
                    yield self.env.timeout(0)  # whoever comes as the shift begins goes first
                with self.posts[member].request(priority=_DESK) as request:
                    yield request
                    begin, shift_end = self.agenda.next_duty(member, self.env.now)
                    if begin > self.env.now + _ROUNDING_ERROR:
                        continue
                    minutes = min(left, shift_end - self.env.now)
                    self.work.append((member, person, name, self.env.now, minutes))
                    yield self.env.timeout(minutes)
                    left -= minutes
