"""The people of one role, or the spaces of one room, and the desk work that waits for them.

Nothing here is an event. A visit asks when somebody will be free and takes them from then on, first
come first served; desk work is caught up with lazily, whenever somebody looks, which gives the same
history as a worker process would: it starts in roster hours when no visit holds the person, is
never interrupted by a visit, stops at the end of the shift and is continued in the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from sim.vocabulary.clock import Roster

_ROUNDING_ERROR = 1e-8
"""Minutes; less than this is no work for another day."""


class DeskWork(NamedTuple):
    """Work that can wait; done in the order in which it fell due, then of arrival on the desk."""

    due: float
    ticket: int
    person: int
    visit: str
    task: str
    minutes: float


WorkDone = Callable[[DeskWork, float, float, float], None]
"""Called with the work, the minutes accounted for, and when that piece started and ended."""


class Post:
    """A limited number of people or spaces, each of which does one thing at a time."""

    def __init__(self, units: int, roster: Roster, done: WorkDone) -> None:
        """Everybody is free at the opening instant; `done` is told of every piece of desk work."""
        self._roster = roster
        self._done = done
        self._free_at = [0.0] * units
        self._free_first = 0.0 if units else math.inf
        self._in_hand: list[tuple[DeskWork, float] | None] = [None] * units
        self._desk: list[DeskWork] = []
        self._undone = 0
        self._next: tuple[float, float, int] | None = None

    def free_from(self, moment: float) -> float:
        """Return when somebody is free, at `moment` or later, behind all who asked before."""
        if self._undone and self._free_first < moment:
            self._catch_up(moment)
        free = self._free_first
        return max(moment, free)

    def take(self, end: float) -> None:
        """Hold whoever is free first until `end`."""
        self._hold(self._free_at.index(self._free_first), end)

    def leave_on_desk(self, work: DeskWork) -> None:
        """Put work on the desk; it may be started once it has fallen due."""
        heappush(self._desk, work)
        self._undone += 1
        if self._desk[0] is work:
            self._next = None

    def close(self, end: float) -> None:
        """Work until the end of the run, then account for what remains undone."""
        self._catch_up(end)
        for held in self._in_hand:
            if held:
                work, left = held
                self._done(work, left, end, end)
        for work in sorted(self._desk):
            self._done(work, work.minutes, end, end)

    def _catch_up(self, moment: float) -> None:
        """Do the desk work that begins before `moment`."""
        while True:
            if self._next is None:
                self._next = self._next_begin()
            begin, shift_end, unit = self._next
            if begin >= moment:
                return
            work, left = self._in_hand[unit] or self._take_from_desk()
            end = min(begin + left, shift_end)
            self._done(work, end - begin, begin, end)
            left -= end - begin
            self._hold(unit, end)
            if left > _ROUNDING_ERROR:
                self._in_hand[unit] = work, left
            else:
                self._in_hand[unit] = None
                self._undone -= 1

    def _hold(self, unit: int, end: float) -> None:
        self._free_at[unit] = end
        self._free_first = min(self._free_at)
        self._next = None

    def _take_from_desk(self) -> tuple[DeskWork, float]:
        work = heappop(self._desk)
        return work, work.minutes

    def _next_begin(self) -> tuple[float, float, int]:
        """Return when, until which shift's end, and by whom the next desk work begins."""
        head = self._desk[0].due if self._desk else math.inf
        earliest = (math.inf, math.inf, -1)
        for unit, free_at in enumerate(self._free_at):
            ready = free_at if self._in_hand[unit] else max(free_at, head)
            if ready < earliest[0]:
                begin, shift_end = self._roster.next_duty(ready)
                if begin < earliest[0]:
                    earliest = (begin, shift_end, unit)
        return earliest


class UnlimitedPost(Post):
    """As many people or spaces as asked for: nobody waits, except for the roster's hours."""

    def __init__(self, roster: Roster, done: WorkDone) -> None:
        """See `Post`."""
        super().__init__(0, roster, done)

    def free_from(self, moment: float) -> float:
        """Return `moment`."""
        return moment

    def take(self, end: float) -> None:
        """Hold one of them; there are always others."""

    def close(self, end: float) -> None:
        """Do all desk work, each piece by its own person, until the end of the run."""
        for work in sorted(self._desk):
            ready, left = work.due, work.minutes
            while left > _ROUNDING_ERROR:
                begin, shift_end = self._roster.next_duty(ready)
                if begin >= end:
                    self._done(work, left, end, end)
                    break
                ready = min(begin + left, shift_end)
                self._done(work, ready - begin, begin, ready)
                left -= ready - begin
