"""Who waits for a team, and who is next: first come, first served, day after day.

Those who wait cost no event of their own. One alarm rings when the next of them may be seen, or
when the next possible day begins; whoever is then found taken for the rest of a day puts off
everyone who waits for the same visit, until its next possible day.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import simpy

from sim.model.agenda import LAST, Agenda
from sim.scenario.slots import NEVER, NEVER_DAY, Slots, Task, VisitType
from sim.vocabulary.clock import MINUTES_PER_DAY

_TURN = attrgetter("request.turn")
"""Who came first, on whatever day: somebody who had another visit in between keeps their place. By
appointment, who has the earlier one."""

GoesOn = Callable[[Task | None, float, float], bool]
"""Asked before each task, with its begin and end, and before work is left on desks (None); False
ends the visit there."""


class Request:
    """Somebody's visit: whose, on what occasion, and when its work fell due.

    `turn` is the instant by which it is somebody's turn, `last_day` the last day on which the
    person would still wait in line; `holds_ahead` begins the first task only when the second task's
    team can follow at once; `booked` are the roles and rooms whose time is reserved.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- what a visit asks for
        self,
        person: int,
        occasion: str,
        due: float,
        turn: float,
        last_day: int,
        goes_on: GoesOn | None = None,
        *,
        holds_ahead: bool = False,
        booked: Collection[int] = (),
    ) -> None:
        """Nothing needs to be held ahead or be booked."""
        self.person, self.occasion, self.due = person, occasion, due
        self.turn, self.last_day = turn, last_day
        self.goes_on, self.holds_ahead, self.booked = goes_on, holds_ahead, booked


class Held:
    """A visit that was begun: from when to when, and when each of its tasks last ended.

    A visit that was cut short lacks the tasks that were not done; `put_off_by` says who was taken
    on the days before: staff or room.
    """

    is_cut_short: bool = False
    put_off_by: str = ""

    def __init__(self, start: float, end: float) -> None:
        """None of its tasks has ended yet."""
        self.start, self.end = start, end
        self.ends: dict[str, float] = {}

    @property
    def day(self) -> int:
        """The day on which it was begun."""
        return int(self.start // MINUTES_PER_DAY)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Staff or a room was found taken for the rest of the day, and the person does not wait on."""

    moment: float
    put_off_by: str

    @property
    def day(self) -> int:
        """The day that was tried."""
        return int(self.moment // MINUTES_PER_DAY)


class _Waiting(NamedTuple):
    day: int
    request: Request
    turn: simpy.Event


@dataclass(slots=True)
class _Queue:
    """Those who wait for one visit at one place, and the next day on which it is held.

    A `day` still to come, with nobody waiting, means that today's team is taken. Nobody can be seen
    before the instant `not_before`; teams that are taken are only ever taken for longer.
    """

    slots: Slots
    holds_ahead: bool
    day: int = -1
    not_before: float = 0.0
    put_off_by: str = ""
    waiting: list[_Waiting] = field(default_factory=list)


class Queues:
    """All lines of a clinic."""

    def __init__(
        self,
        agenda: Agenda,
        first_free: Callable[[Slots, float, bool], tuple[float, int]],
        kind: Callable[[int], str],
        begin: Callable[[VisitType, Request, float], Held],
        start_on: Callable[[Slots, int, float], float],
    ) -> None:
        """`first_free` says when a visit's team is free, and who is last, of which `kind`.

        `start_on` says when on a day a visit may begin whose team is free from an instant on.
        """
        self._agenda = agenda
        self._first_free = first_free
        self._kind = kind
        self._begin = begin
        self._start_on = start_on
        self._lines: dict[tuple[Slots, bool], _Queue] = {}
        self._alarm = NEVER

    def ask(self, slots: Slots, request: Request, now: float) -> Held | Refusal | simpy.Event:
        """Begin a visit, or refuse it; or return the event that brings either later.

        A visit that had to wait is brought when its first task has ended.
        """
        if not slots.visit.tasks:  # it asks nobody's time, also on a day on which nobody is there
            return self._begin(slots.visit, request, now)
        key, today = (slots, request.holds_ahead), int(now // MINUTES_PER_DAY)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Queue(slots, request.holds_ahead)
        if not line.waiting and line.day <= today:
            line.day, line.not_before = today, now
            # At the very moment of the alarm all stand in line: those go first who came first.
            if self._alarm > now:
                if self._first_free(slots, now, line.holds_ahead)[0] == now:
                    return self._begin(slots.visit, request, now)
                line.not_before = self._next_start(line, now)
                if line.day == today:
                    self._set_alarm(line.not_before)
        if line.day > request.last_day or line.day == NEVER_DAY:
            return Refusal(now, line.put_off_by)
        turn = self._agenda.event()
        insort(line.waiting, _Waiting(today, request, turn), key=_TURN)
        if line.day > today:
            line.not_before = line.slots.first_start(line.day)
            self._set_alarm(line.not_before)
        return turn

    def close(self) -> None:
        """Forget all lines."""
        self._lines.clear()

    def _serve(self, now: float) -> None:
        """Begin all that can be begun now, and set the alarm for what comes next."""
        while True:
            soonest, chosen = NEVER, None
            for line in self._lines.values():
                if not line.waiting:
                    continue
                if line.not_before <= now:
                    line.not_before = self._next_start(line, now)
                if line.not_before > now:
                    if line.not_before < soonest:
                        soonest = line.not_before
                elif chosen is None or _TURN(line.waiting[0]) < _TURN(chosen.waiting[0]):
                    chosen = line
            if chosen is None:
                break
            first = chosen.waiting.pop(0)
            held = self._begin(chosen.slots.visit, first.request, now)
            if first.day < chosen.day:
                held.put_off_by = chosen.put_off_by
            self._agenda.bring(first.turn, held.end, held)
        self._set_alarm(soonest)

    def _set_alarm(self, moment: float) -> None:
        if moment < self._alarm:
            self._alarm = moment
            alarm = self._agenda.event()
            alarm.callbacks.append(self._ring)
            self._agenda.bring(alarm, moment, moment, LAST)  # when all who come then have come

    def _ring(self, alarm: simpy.Event) -> None:
        if alarm.value == self._alarm:  # one that an earlier alarm replaced says nothing
            self._alarm = NEVER
            self._serve(alarm.value)

    def _next_start(self, line: _Queue, now: float) -> float:
        """Return when the first in line may be seen, as far as is known now; NEVER: nobody is."""
        while line.day != NEVER_DAY:
            slots = line.slots
            opens = slots.first_start(line.day)
            if opens > now:
                return opens
            free, taken = self._first_free(slots, now, line.holds_ahead)
            start = self._start_on(slots, line.day, free)
            if start != NEVER:
                return start
            self._put_off(line, now, self._kind(taken))
        return NEVER

    def _put_off(self, line: _Queue, now: float, taken: str) -> None:
        """Send everyone in line home until the next possible day, or for good."""
        line.day, line.put_off_by = line.slots.next_on_or_after(line.day + 1), taken
        everyone, line.waiting = line.waiting, []
        for each in everyone:
            if line.day <= each.request.last_day and line.day != NEVER_DAY:
                line.waiting.append(each)
            else:
                each.turn.succeed(Refusal(now, taken))
