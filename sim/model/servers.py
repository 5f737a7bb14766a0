"""The people of one role, or the spaces of one room, and the desk work that waits for them.

Nothing here is an event. A visit asks when somebody will be free and takes them from then on, first
come first served; desk work is caught up with lazily, whenever somebody looks, which gives the same
history as a worker process would: it starts in roster hours when no visit holds the person, is
never interrupted by a visit, stops at the end of the shift and is continued in the next one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence
from heapq import heappop, heappush

from sim.vocabulary.clock import Roster
from sim.vocabulary.eventlog import Work, fact

_ROUNDING_ERROR = 1e-8
"""Minutes; less than this is no work for another day."""

DeskWork = tuple[float, int, int, str, str, float]
"""due, ticket, person, visit, task, minutes: work that can wait.

It is done in the order in which it fell due, then of its tickets."""


class Servers:
    """A limited number of people or spaces, each of which does one thing at a time."""

    def __init__(self, index: int, units: int, roster: Roster, log: list[Work]) -> None:
        """Everybody is free at the opening instant; every piece of desk work is logged."""
        self._index = index
        self._roster = roster
        self._log = log
        self._free_at = [0.0] * units
        self._free_first = 0.0 if units else math.inf
        self._laid_down_at = [math.inf] * units
        self._in_hand: list[tuple[DeskWork, float] | None] = [None] * units
        self._desk: list[DeskWork] = []
        self._undone = 0
        self._held = 0  # how many have work in hand
        self._shift = (0.0, 0.0)  # the shift met last, or a part of it
        self._rests_until = 0.0  # no desk work begins before; visits can only make it later

    def free_from(self, moment: float) -> float:
        """Return when somebody is free, at `moment` or later, behind all who asked before."""
        if self._undone and self._free_first < moment > self._rests_until:
            self._catch_up(moment)
        free = self._free_first
        return free if free > moment else moment

    def take(self, start: float, end: float) -> None:  # noqa: ARG002 -- who is there may matter
        """Hold whoever is free first, from `start` until `end`."""
        free_at = self._free_at
        free_at[free_at.index(self._free_first)] = end
        self._free_first = end if len(free_at) == 1 else min(free_at)

    def leave_on_desk(self, work: DeskWork) -> None:
        """Put work on the desk; it may be started once it has fallen due."""
        heappush(self._desk, work)
        self._undone += 1
        self._rests_until = 0.0

    def close(self, end: float) -> None:
        """Work until the end of the run, then account for what remains undone."""
        self._catch_up(end)
        for held in self._in_hand:
            if held:
                self._note(*held, end, end)
        for work in sorted(self._desk):
            self._note(work, work[-1], end, end)

    def soonest(self, free_at: list[float], moment: float) -> float:
        """Return when one of those who are free at certain instants is there, from `moment` on."""
        free = min(free_at, default=math.inf)
        return free if free > moment else moment

    def longest_free(self, free_at: list[float], start: float) -> int:  # noqa: ARG002 -- as in take
        """Return who is there first from `start` on; of several, who has been free for longest."""
        return free_at.index(min(free_at))

    def interrupt(self, visits: list[tuple[float, float, int]]) -> None:
        """Do desk work around visits, given in order: from when to when, and whose each is."""
        of_unit: list[deque[float]] = [deque() for _ in self._free_at]
        for start, _, unit in visits:
            of_unit[unit].append(start)
        self._laid_down_at = [starts[0] if starts else math.inf for starts in of_unit]
        for start, until, unit in visits:
            self._catch_up(start)
            of_unit[unit].popleft()
            self._laid_down_at[unit] = of_unit[unit][0] if of_unit[unit] else math.inf
            self._free_at[unit] = until
            self._free_first = min(self._free_at)
            self._rests_until = 0.0

    def _catch_up(self, moment: float) -> None:
        """Do the desk work that begins before `moment`."""
        while self._undone:
            begin, shift_end, unit = self._next_begin(moment)
            if begin >= moment:
                self._rests_until = begin
                return
            held = self._in_hand[unit]
            self._held -= held is not None
            if held is None:
                work = heappop(self._desk)
                left = work[-1]
            else:
                work, left = held
            end = begin + left
            if end > shift_end:
                end = shift_end
            if end > self._laid_down_at[unit]:
                end = self._laid_down_at[unit]
            self._note(work, end - begin, begin, end)
            left -= end - begin
            self._free_at[unit] = end
            self._free_first = end if len(self._free_at) == 1 else min(self._free_at)
            if left > _ROUNDING_ERROR:
                self._in_hand[unit] = work, left
                self._held += 1
            else:
                self._in_hand[unit] = None
                self._undone -= 1

    def _next_begin(self, _moment: float) -> tuple[float, float, int]:
        """Return when, until which shift's end, and by whom the next desk work begins.

        All that begins before `_moment` is settled.
        """
        head = self._desk[0][0] if self._desk else math.inf
        if not self._held:  # as at most times: whoever is free first finds the next on the desk
            begin, shift_end = self._on_shift(head if head > self._free_first else self._free_first)
            free = (unit for unit, free_at in enumerate(self._free_at) if free_at <= begin)
            return begin, shift_end, next(free, -1)
        earliest, tried = (math.inf, math.inf, -1), math.inf
        for unit, free_at in enumerate(self._free_at):
            ready = free_at if free_at > head or self._in_hand[unit] else head
            if ready != tried and ready < earliest[0]:
                tried = ready  # whoever is ready at the same instant is no earlier
                begin, shift_end = self._on_shift(ready)
                if begin < earliest[0]:
                    earliest = (begin, shift_end, unit)
        return earliest

    def _on_shift(self, ready: float) -> tuple[float, float]:
        """Return the first instant on duty at or after `ready`, and when that shift ends."""
        begin, shift_end = self._shift
        if begin <= ready < shift_end:
            return ready, shift_end
        self._shift = self._roster.next_duty(ready)
        return self._shift

    def _note(self, work: DeskWork, minutes: float, started: float, ended: float) -> None:
        due, _, person, visit, task, _ = work
        piece = (self._index, person, visit, task, True, due, minutes, started, ended)
        self._log.append(fact(Work, piece))


class InterruptedServers:
    """Servers who lay desk work down when an appointment begins, and take it up after it.

    Visits wait for visits alone, so that desk work is told when the run is over. Until then only
    the visits are kept in mind; then all desk work is done around them.
    """

    def __init__(self, servers: Servers, units: int) -> None:
        """Nobody is at a visit at the opening instant."""
        self._servers = servers
        self._held_until = [0.0] * units
        self._visits: list[tuple[float, float, int]] = []
        self.leave_on_desk = servers.leave_on_desk

    def free_from(self, moment: float) -> float:
        """Return when somebody is there and at no visit, at `moment` or later."""
        return self._servers.soonest(self._held_until, moment)

    def take(self, start: float, end: float) -> None:
        """Hold whoever is there and has been at no visit for longest, from `start` until `end`."""
        unit = self._servers.longest_free(self._held_until, start)
        self._held_until[unit] = end
        self._visits.append((start, end, unit))

    def close(self, end: float) -> None:
        """Do the desk work of the whole run between the visits, then account for what remains."""
        self._servers.interrupt(sorted(self._visits))
        self._servers.close(end)


class UnlimitedServers(Servers):
    """As many people or spaces as asked for: nobody waits, except for the roster's hours."""

    def __init__(self, index: int, roster: Roster, log: list[Work]) -> None:
        """See `Servers`."""
        super().__init__(index, 0, roster, log)

    def free_from(self, moment: float) -> float:
        """Return `moment`."""
        return moment

    def take(self, start: float, end: float) -> None:
        """Hold one of them; there are always others."""

    def close(self, end: float) -> None:
        """Do all desk work, each piece by its own person, until the end of the run."""
        for work in sorted(self._desk):
            ready, left = work[0], work[-1]
            while left > _ROUNDING_ERROR:
                begin, shift_end = self._roster.next_duty(ready)
                if begin >= end:
                    self._note(work, left, end, end)
                    break
                ready = min(begin + left, shift_end)
                self._note(work, ready - begin, begin, ready)
                left -= ready - begin


class Alternatives:
    """Servers of which one is needed: whoever can begin first, on ties in their order."""

    def __init__(self, several: Sequence[tuple[int, Servers | InterruptedServers, Roster]]) -> None:
        """Each is a role or room: its index, its servers and its roster."""
        self._several = several

    def ready_from(self, moment: float) -> float:
        """Return when one of them is free and on duty, at `moment` or later."""
        return min(
            roster.next_duty(servers.free_from(moment))[0] for _, servers, roster in self._several
        )

    def free_from(self, moment: float) -> float:
        """Return when one of them can go on with a visit: on duty, or else at overtime."""
        free = [(servers.free_from(moment), roster) for _, servers, roster in self._several]
        on_duty = [instant for instant, roster in free if _is_on_duty(roster, instant)]
        return min(on_duty or [instant for instant, _ in free])

    def who(self, moment: float, start: float, booked: Collection[int]) -> int:
        """Return the index of the one who begins at `start`, as is known at `moment`.

        Whoever is on duty goes before the others, and of these who is booked.
        """
        index, _, _ = min(
            (each for each in self._several if each[1].free_from(moment) <= start),
            key=lambda each: (not _is_on_duty(each[2], start), each[0] not in booked),
        )
        return index


def _is_on_duty(roster: Roster, instant: float) -> bool:
    return roster.next_duty(instant)[0] == instant
